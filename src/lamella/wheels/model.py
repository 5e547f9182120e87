"""A wheel that was looked at whole and admitted to the cache.  Values only."""

from __future__ import annotations

from typing import NamedTuple


class Member(NamedTuple):
    """One file of a wheel, as its zip stores it.

    `offset` is where its data (the deflate stream, or the stored bytes) starts in the wheel file, `packed` and
    `size` are its stored and real lengths in bytes, `crc` is that of the real bytes and `packed_crc` that of the
    stored ones, so that a damaged cache is noticed while copying.  `mode` is 0o644, 0o755 or 0o120777 (a link).
    """

    name: str
    offset: int
    packed: int
    size: int
    crc: int
    packed_crc: int
    method: int  # 0 stored, 8 deflated
    mode: int


class Wheel(NamedTuple):
    """An admitted wheel: `path` in the cache, `sha256` (hex) of the whole file, its members in archive order."""

    name: str  # normalized
    version: str
    filename: str
    sha256: str
    path: str
    purelib: bool  # Root-Is-Purelib
    tags: tuple[str, ...]
    requires: tuple[str, ...]  # Requires-Dist lines of METADATA
    requires_python: str | None
    scripts: tuple[tuple[str, str], ...]  # console and gui entry points: name, "module:object"
    members: tuple[Member, ...]
