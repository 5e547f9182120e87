"""The commands that mend things, ready to paste into a shell.  Pure: nothing here runs one."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

from lamella.doctor.model import LAYER, Layout
from lamella.target import Target

# What `uv pip install --python-platform` knows, as glibc's minor versions (uv's reference, "uv pip install")
_GLIBC = (17, 28, *range(31, 41))
# A folder of its own, so that nothing that is there is in the way
_WORK = "work=$(mktemp -d)"


def packed_anew(path: str, layout: Layout) -> tuple[str, ...]:
    """Commands that lay a zip out as `layout` says, with modes that everybody can read.  The zip is replaced."""
    out = "/".join(filter(None, ("out", layout.into)))
    if layout.strip:
        above = shlex.quote(os.path.dirname(out) or ".")
        unzip = (
            f'unzip -q {shlex.quote(path)} -d "$work"/all && mkdir -p "$work"/{above} '
            f'&& mv "$work"/all/{shlex.quote(layout.strip)} "$work"/{shlex.quote(out)}'
        )
    else:
        unzip = f'mkdir -p "$work"/{shlex.quote(out)} && unzip -q {shlex.quote(path)} -d "$work"/{shlex.quote(out)}'
    return (_WORK, unzip, *_zipped(path))


def installed(
    requirements: Sequence[str],
    path: str,
    kind: str,
    target: Target,
    *,
    alone: bool = True,
    old: Sequence[str] = (),
) -> tuple[str, ...]:
    """Commands that put distributions, in the wheels that run on `target`, into the zip at `path`.

    `alone`: without what they require.  `old` are members and folders that go before: without a RECORD nothing else
    knows whose they are.
    """
    folder = '"$work"/out/python' if kind == LAYER else '"$work"/out'
    options = [
        "--upgrade", "--python-platform", platform(target), "--python-version", ".".join(map(str, target.python)),
        "--only-binary", ":all:", *(["--no-deps"] if alone else []), *requirements,
    ]  # fmt: skip
    return (
        _WORK,
        f'unzip -q {shlex.quote(path)} -d "$work"/out',
        *([f'(cd "$work"/out && {shlex.join(["rm", "-r", "--", *old])})'] if old else []),
        f"uv pip install --target {folder} {shlex.join(options)}",
        *_zipped(path),
    )


def _zipped(path: str) -> tuple[str, str]:
    """Put what is in the folder in the place of the zip."""
    back = shlex.quote(path) if os.path.isabs(path) else f'"$OLDPWD"/{shlex.quote(path)}'
    return (
        'chmod -R u=rwX,go=rX "$work"/out',
        f'rm {shlex.quote(path)} && (cd "$work"/out && zip -qrX {back} .)',
    )


def platform(target: Target) -> str:
    """``x86_64-manylinux_2_34``: the newest glibc that both the target has and uv has a name for."""
    minor = max(minor for minor in _GLIBC if minor <= target.glibc[1])
    return f"{target.machine}-manylinux_2_{minor}"


def taken_out(path: str, patterns: Sequence[str]) -> str:
    """Take members out of a zip."""
    return shlex.join(["zip", "-d", path, *patterns])


def through_s3(path: str, kind: str) -> tuple[str, ...]:
    """Upload a zip that is too large for a request."""
    name = os.path.basename(path)
    copy = f"aws s3 cp {shlex.quote(path)} s3://BUCKET/{shlex.quote(name)}"
    if kind == LAYER:
        content = shlex.quote(f"S3Bucket=BUCKET,S3Key={name}")
        return copy, f"aws lambda publish-layer-version --layer-name NAME --content {content}"
    return copy, f"aws lambda update-function-code --function-name NAME --s3-bucket BUCKET --s3-key {shlex.quote(name)}"
