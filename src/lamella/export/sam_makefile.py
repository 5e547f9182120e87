"""The Makefile that `sam build` runs.

sam runs `make --makefile FOLDER/Makefile build-LOGICALID` in a copy of the folder, with ARTIFACTS_DIR for where the
files are wanted (AWS SAM developer guide, "Building custom runtimes"; aws-lambda-builders, workflows/custom_make).
It keeps what a layer came to under the digest of its folder, which the lock is no part of: layers are made first, so
that a function's target sees whether its layers are those of this build.  Paths come to the shell as variables: no
quote or dollar sign in them is read by it.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lamella.export.model import MARK

if TYPE_CHECKING:
    from lamella.export.model import Source

FOLDER = "sam-build"

_HEAD = """\
# {mark} sam --build-step{name}`, for `sam build`
LAMELLA ?= lamella
# More words for `lamella build`: `LAMELLA_OPTIONS=--locked sam build`
LAMELLA_OPTIONS ?=

# sam runs this in a copy of the folder, and names the file that it copied
export LAMELLA_MAKEFILE := $(MAKEFILE_LIST)
in_project = cd "$$(dirname "$${{LAMELLA_MAKEFILE\\# }}")/"{project}
"""
_TARGET = """
.PHONY: build-{id}
build-{id}:
\t@$(in_project) && $(LAMELLA) build {key} --quiet $(LAMELLA_OPTIONS) --unpack "$$ARTIFACTS_DIR"
"""
# A layer that sam took from its cache may be an older one: lamella then says so
_LAYER = """\
\t@$(in_project) && beside="$$(dirname "$$ARTIFACTS_DIR")/{id}" && \\
\t\t{{ test ! -d "$$beside" || $(LAMELLA) build {key} --quiet $(LAMELLA_OPTIONS) --unpack "$$beside"; }}
"""


def makefile(
    source: Source, layers: Mapping[str, str], functions: Mapping[str, str], used: Mapping[str, Sequence[str]]
) -> str:
    """The text.  `layers` and `functions` are logical IDs by key, `used` the layers of a function, by its key."""
    name = f" --env {source.environment.name}" if source.environment.name else ""
    project = ".." if source.place.project == "." else f"../{source.place.project}"
    # To the shell first, and then to make
    parts = [_HEAD.format(mark=MARK, name=name, project=shlex.quote(project).replace("$", "$$"))]
    parts += [_TARGET.format(id=identity, key=key) for key, identity in layers.items()]
    for key, identity in functions.items():
        parts.append(_TARGET.format(id=identity, key=key))
        parts += [_LAYER.format(id=layers[one], key=one) for one in used[key] if one in layers]
    return "".join(parts)
