"""What is to be written: `Entry`, and how one is made from bytes.  Everything here is a value."""

from __future__ import annotations

import os
import zlib
from typing import NamedTuple

import deflate

from lamella.archive.records import DEFLATED, STORED
from lamella.errors import ArchiveError

FILE = 0o644
PROGRAM = 0o755
LINK = 0o120777


class Entry(NamedTuple):
    """One member of the archive to be written.

    Its packed bytes are `data`, or, when `data` is None, `packed` bytes of the file `source` from `offset` on, whose
    CRC-32 must be `packed_crc`.  With `data`, `source` only tells what it was made of.  `origin` names the distribution
    or source file for messages and the manifest.
    `mode` is `FILE`, `PROGRAM` or `LINK` (a symbolic link, whose content is its target).
    """

    path: str
    origin: str
    mode: int
    method: int
    crc: int
    packed: int
    size: int
    source: str = ""
    offset: int = 0
    packed_crc: int = 0
    data: bytes | None = None


def from_bytes(path: str, origin: str, content: bytes, mode: int = FILE) -> Entry:
    """An entry that holds `content`, deflated by libdeflate where that is shorter.

    libdeflate ships in a wheel and gives the same bytes on every machine; the zlib of the machine does not.
    """
    packed = bytes(deflate.deflate_compress(content, 9))
    method = DEFLATED
    if len(packed) >= len(content):
        packed, method = content, STORED
    return Entry(path, origin, mode, method, zlib.crc32(content), len(packed), len(content), data=packed)


class DamagedSourceError(ArchiveError):
    """A file that entries are copied from no longer holds what it held when it was admitted."""

    def __init__(self, source: str, member: str) -> None:
        super().__init__(
            f"the cached file behind `{member}` is damaged",
            why=[f"`{os.path.basename(source)}` no longer holds the bytes that were admitted"],
            hint="run the command again; the file is fetched anew",
        )
        self.source = source


def content(entry: Entry) -> bytes:
    """The real bytes of an entry, held whole: for small ones.  Raises DamagedSourceError."""
    packed = entry.data
    try:
        if packed is None:
            with open(entry.source, "rb") as file:
                packed = os.pread(file.fileno(), entry.packed, entry.offset)
        plain = packed if entry.method == STORED else zlib.decompress(packed, -15)
    except (OSError, zlib.error):
        raise DamagedSourceError(entry.source, entry.path) from None
    if zlib.crc32(plain) != entry.crc:
        raise DamagedSourceError(entry.source, entry.path)
    return plain
