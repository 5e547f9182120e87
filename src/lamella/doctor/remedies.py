"""The commands that mend things, ready to paste into a shell.  Pure: nothing here runs one.

A file that is to be mended is never lost: a command that fails on its way leaves it as it was.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

from lamella.doctor.model import LAYER, Layout
from lamella.target import Target

# What `uv pip install --python-platform` knows, as glibc's minor versions (uv's reference, "uv pip install")
_GLIBC = (17, 28, *range(31, 41))
_OUT = '"$work"/out'


def packed_anew(path: str, layout: Layout) -> tuple[str, ...]:
    """A command that lays a zip out as `layout` says, with modes that everybody can read.  The zip is replaced."""
    out = "/".join(filter(None, (_OUT, shlex.quote(layout.into) if layout.into else "")))
    if layout.strip:
        steps = [
            f'unzip -qo {_named(path)} -d "$work"/all',
            f"mkdir -p {os.path.dirname(out)}",
            f'mv "$work"/all/{shlex.quote(layout.strip)} {out}',
        ]
    else:
        steps = [f"mkdir -p {out}", f"unzip -qo {_named(path)} -d {out}"]
    return (_replacing(path, steps),)


def installed(
    requirements: Sequence[str],
    path: str,
    kind: str,
    target: Target,
    *,
    alone: bool = True,
    old: Sequence[str] = (),
) -> tuple[str, ...]:
    """A command that puts distributions, in the wheels that run on `target`, into the zip at `path`.

    `alone`: without what they require.  `old` are members and folders that go before: without a RECORD nothing else
    knows whose they are.
    """
    folder = f"{_OUT}/python" if kind == LAYER else _OUT
    options = [
        "--upgrade", "--python-platform", platform(target), "--python-version", ".".join(map(str, target.python)),
        "--only-binary", ":all:", *(["--no-deps"] if alone else []), *requirements,
    ]  # fmt: skip
    steps = [
        f"unzip -qo {_named(path)} -d {_OUT}",
        *([f"(cd {_OUT} && {shlex.join(['rm', '-r', '--', *old])})"] if old else []),
        f"uv pip install --target {folder} {shlex.join(options)}",
    ]
    return (_replacing(path, steps),)


def _replacing(path: str, steps: Sequence[str]) -> str:
    """One command, a line for each step, that makes a zip of the folder `_OUT` and puts it in the place of that at
    `path`.

    Each step is made only if all before it went well, and the zip is replaced by the last but one, at once: it is
    whole whatever happens.  So the folder lies beside it, where a file is moved without being copied.
    """
    lines = [
        f"work=$(mktemp -d {_named(f'{path}.XXXXXX')})",
        *steps,
        f"chmod -R u=rwX,go=rX {_OUT}",
        f"(cd {_OUT} && zip -qrX ../new.zip .)",
        f'mv -f "$work"/new.zip {_named(path)}',
        'rm -r "$work"',
    ]
    return " &&\n  ".join(lines)


def _named(path: str) -> str:
    """A path as a word of the shell that no program takes for an option."""
    return shlex.quote(f"./{path}" if path.startswith("-") else path)


def platform(target: Target) -> str:
    """``x86_64-manylinux_2_34``: the newest glibc that both the target has and uv has a name for."""
    minor = max(minor for minor in _GLIBC if minor <= target.glibc[1])
    return f"{target.machine}-manylinux_2_{minor}"


def taken_out(path: str, patterns: Sequence[str]) -> str:
    """Take members out of a zip, not all of them: `zip` removes one that would be empty."""
    return shlex.join(["zip", "-d", path, *patterns])


def through_s3(path: str, kind: str) -> tuple[str, ...]:
    """Upload a zip that is too large for a request."""
    name = os.path.basename(path)
    copy = f"aws s3 cp {shlex.quote(path)} s3://BUCKET/{shlex.quote(name)}"
    if kind == LAYER:
        content = shlex.quote(f"S3Bucket=BUCKET,S3Key={name}")
        return copy, f"aws lambda publish-layer-version --layer-name NAME --content {content}"
    return copy, f"aws lambda update-function-code --function-name NAME --s3-bucket BUCKET --s3-key {shlex.quote(name)}"
