"""From which distribution is a module?  A pure decision over its file and what the manifest says is in the zips."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from lamella.manifest import Distribution
from lamella.profiling.model import LAYER, MISSING, OWN, PYTHON

_SEPARATORS = re.compile(r"[-_.]+")


class Sources(NamedTuple):
    """The distributions in a function's own zip, those in its layers, and those that stand in for the runtime's."""

    bundled: tuple[Distribution, ...]
    layered: tuple[Distribution, ...]
    standing: tuple[Distribution, ...] = ()


class Seen(NamedTuple):
    """What the process said: the file of each module (None: the interpreter's), and the folders of its path.

    `path` are the folders before the standard library's, `task` is where the function's own zip is.
    """

    modules: Mapping[str, str | None]
    path: Sequence[str]
    task: str


def origin_of(name: str, sources: Sources, seen: Seen) -> str:
    """The distribution's name, or one of PYTHON, OWN, MISSING and LAYER."""
    if name not in seen.modules:
        return MISSING
    file = seen.modules[name]
    if file is None:
        return PYTHON
    if _is_below(file, seen.task):
        return _owner(name, sources.bundled) or OWN
    if any(_is_below(file, folder) for folder in seen.path):
        return _owner(name, (*sources.layered, *sources.standing)) or LAYER
    return PYTHON


def _is_below(file: str, folder: str) -> bool:
    return bool(folder) and (file == folder or file.startswith(folder.rstrip("/") + "/"))


def _owner(name: str, distributions: Iterable[Distribution]) -> str | None:
    """The distribution that has the module: the one whose own module is the longest beginning of the name.

    A module above those of all distributions, a namespace such as `google`, counts for the first that lies in it.
    Several can have one package: then the one that is called like the longest beginning of the name, else the first.
    """
    rows = list(distributions)
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        beginning = ".".join(parts[:end])
        having = [row.name for row in rows if beginning in row.modules]
        if having:
            return _called_like(parts, having)
    return next((row.name for row in rows if any(module.startswith(name + ".") for module in row.modules)), None)


def _called_like(parts: Sequence[str], having: Sequence[str]) -> str:
    by_name = {_SEPARATORS.sub("-", other).lower(): other for other in having}
    spelt = [_SEPARATORS.sub("-", part).lower() for part in parts]
    for end in range(len(spelt), 0, -1):
        for wanted in ("-".join(spelt[:end]), spelt[end - 1]):
            if wanted in by_name:
                return by_name[wanted]
    return having[0]
