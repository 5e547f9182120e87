"""Finished zips, read again.  What is damaged there was made right, so the way out is to make it again."""

from __future__ import annotations

import os
import zlib

from lamella.archive.reader import Archive, RawMember, read, read_open
from lamella.archive.records import STORED
from lamella.errors import ArchiveError

HINT = "build it again: `lamella build`"


def read_built(path: str, file: int | None = None) -> Archive:
    """What `reader.read` gives of the zip at `path`, read from the descriptor `file` where there is one.

    Raises ArchiveError, OSError.
    """
    try:
        return read(path) if file is None else read_open(file, path)
    except ArchiveError as error:
        raise ArchiveError(error.what, why=error.why, hint=HINT) from None


def member_content(file: int, member: RawMember, path: str) -> bytes:
    """The real bytes of a member, held whole, read from the descriptor `file`; `path` is for messages.

    Raises ArchiveError when they are not what the zip says.
    """
    packed = os.pread(file, member.packed, member.offset)
    try:
        plain = packed if member.method == STORED else zlib.decompress(packed, -15, max(member.size, 1))
    except zlib.error:
        plain = b""
    if len(plain) != member.size or zlib.crc32(plain) != member.crc:
        raise ArchiveError(
            f"`{member.name}` in `{os.path.basename(path)}` is damaged",
            why=["what it unpacks to is not what the zip says"],
            hint=HINT,
        )
    return plain
