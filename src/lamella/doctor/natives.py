"""Compiled modules that the runtime's Python never takes up, because of what they were compiled for.

What it does take up is `checks.platform`'s.  Source of the rules: PEP 3149 (tags of extension modules) and
`importlib.machinery.EXTENSION_SUFFIXES` of the runtimes: the own tag, `.abi3.so` and `.so`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import NamedTuple

from lamella.checks.members import below, owner
from lamella.checks.model import Contents, Finding, Severity
from lamella.manifest import Distribution
from lamella.target import Target
from lamella.wording import counted

NAME = "platform"

_TAGGED = re.compile(r"\.(?:cpython-3(\d+)(t|d)?-([\w-]+)\.so|cp3(\d+)-(win\w+)\.pyd|pypy\d+-[\w-]+\.so)$")
_VERSIONED = re.compile(r"python/lib/python3\.(\d+)/site-packages/")
_UNTAGGED = re.compile(r"(?:\.abi3)?\.so$")
# How Mach-O begins (either byte order, 32 and 64 bits, universal)
_MACHO = (b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
_NAMES = {"darwin": "macOS", "musl": "Alpine Linux (musl)", "win": "Windows"}


class Lost(NamedTuple):
    """What is not taken up, for one reason: `row` is the distribution, None for own files; `paths` its members."""

    finding: Finding
    row: Distribution | None
    paths: tuple[str, ...]


class _Module(NamedTuple):
    path: str
    row: Distribution | None
    why: str


def natives(
    key: str, held: Contents, rows: Sequence[Distribution], folders: Sequence[str], target: Target
) -> tuple[Lost, ...]:
    """One for each distribution and reason.  Raises ArchiveError, OSError."""
    modules: dict[str, list[str]] = {}
    for path in held.members:
        place = below(path, folders)
        # A layer for several runtimes has a folder for each; another's is not on this one's path
        other = _VERSIONED.match(path)
        if place is None or (other and int(other[1]) != target.python[1]):
            continue
        if found := _TAGGED.search(path) or _UNTAGGED.search(path):
            modules.setdefault(path[: found.start()], []).append(path)
        elif path.endswith(".pyd"):
            modules.setdefault(path[:-4], []).append(path)
    lost: dict[tuple[str, str], list[_Module]] = {}
    known = [row for row in rows if target.runtime in row.runtimes]
    for paths in modules.values():
        reasons = {path: _why(path, held, target) for path in paths}
        if not all(reasons.values()):
            continue
        path = paths[0]
        place = below(path, folders)
        row = owner(place, known) if place is not None else None
        module = _Module(path, row, reasons[path])
        lost.setdefault((row.name if row is not None else "", module.why), []).append(module)
    return tuple(
        Lost(_finding(key, why, found, target), found[0].row, tuple(module.path for module in found))
        for (_, why), found in lost.items()
    )


def _finding(key: str, why: str, found: Sequence[_Module], target: Target) -> Finding:
    row = found[0].row
    what = counted(len(found), "compiled module")
    of = f" of `{row.name}` {row.version}".rstrip() if row is not None else ""
    are = "is" if len(found) == 1 else "are"
    reason = f"{what}{of} {are} for {why}, and the target is {target}"
    return Finding(NAME, Severity.ERROR, key, found[0].path, reason, "take the wheel of this target")


def _why(path: str, held: Contents, target: Target) -> str:
    """What a compiled module is for where that is not the target; "" where Python takes it up."""
    tag = _TAGGED.search(path)
    if tag is None:
        return "Windows" if path.endswith(".pyd") else _format(path, held)
    minor, build, platform = tag[1] or tag[4], tag[2] or "", tag[3] or tag[5] or ""
    if not minor:
        return "PyPy"
    for word, name in _NAMES.items():
        if platform.startswith(word) or platform.endswith(f"-{word}"):
            return name
    if int(minor) != target.python[1] or build:
        return f"Python 3.{minor}{build}"
    machine = platform.partition("-")[0]
    return machine if machine != target.machine else ""


def is_for(path: str, target: Target) -> bool:
    """Whether a compiled module is one that `target` takes up, as far as its name tells."""
    tag = _TAGGED.search(path)
    if tag is None:
        return _UNTAGGED.search(path) is not None
    own = tag[1] and int(tag[1]) == target.python[1] and not tag[2]
    return bool(own) and (tag[3] or "").startswith(f"{target.machine}-linux-gnu")


def _format(path: str, held: Contents) -> str:
    """What a library without a tag is for, where its first bytes say that it is none of Linux."""
    head = _head(held, path)
    if head.startswith(_MACHO):
        return "macOS"
    return "Windows" if head.startswith(b"MZ") else ""


def _head(held: Contents, path: str) -> bytes:
    """The first bytes of a member."""
    import zlib

    member = held.members[path]
    with open(held.path, "rb") as file:
        packed = os.pread(file.fileno(), min(member.packed, 64), member.offset)
    if member.method == 0:
        return packed[:4]
    try:
        return zlib.decompressobj(-15).decompress(packed, 4)
    except zlib.error:
        return b""
