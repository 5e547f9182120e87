"""Inflate a member once, in pieces, to prove that it is what its headers say."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from typing import Protocol

from lamella.archive import names
from lamella.archive.directory import refuse
from lamella.archive.reader import RawMember
from lamella.archive.records import STORED

_PACKED_PIECE = 256 * 1024
_PIECE = 1024 * 1024


class Digest(Protocol):
    """What hashlib makes."""

    def update(self, data: bytes, /) -> object: ...


class Proof:
    """Reads the data of `member` from the descriptor `file`.

    `pieces` gives its real bytes; once it is exhausted, size, CRC and the end of the stream are proven and `packed_crc`
    is the CRC-32 of the stored bytes.  Holds at most a piece of 256 KiB and one of 1 MiB.
    """

    def __init__(self, file: int, member: RawMember, path: str) -> None:
        self._file = file
        self._member = member
        self._path = path
        self.packed_crc = 0

    def pieces(self) -> Iterator[bytes]:
        """Yield the real bytes.  Raises ArchiveError as soon as they disagree with the headers."""
        member = self._member
        crc = size = 0
        for piece in self._packed() if member.method == STORED else self._inflated():
            size += len(piece)
            if size > member.size:
                break
            crc = zlib.crc32(piece, crc)
            yield piece
        if size != member.size:
            how = "more" if size > member.size else "less"
            refuse(self._path, f"it holds {how} than the {member.size} bytes that its headers say", member.name)
        if crc != member.crc:
            refuse(self._path, f"its CRC is {crc:08x}, its headers say {member.crc:08x}", member.name)

    def feed(self, digest: Digest | None = None) -> int:
        """Run through all bytes, into `digest`; return the CRC-32 of the stored bytes."""
        for piece in self.pieces():
            if digest is not None:
                digest.update(piece)
        return self.packed_crc

    def _packed(self) -> Iterator[bytes]:
        offset, end = self._member.offset, self._member.offset + self._member.packed
        while offset < end:
            data = os.pread(self._file, min(_PACKED_PIECE, end - offset), offset)
            if not data:
                refuse(self._path, "its data is cut off", self._member.name)
            offset += len(data)
            self.packed_crc = zlib.crc32(data, self.packed_crc)
            yield data

    def _inflated(self) -> Iterator[bytes]:
        member = self._member
        stream = zlib.decompressobj(-15)
        # One byte more than said is enough to see that more was said
        most = min(_PIECE, member.size + 1)
        for data in self._packed():
            if stream.eof:
                refuse(self._path, "there are bytes behind the end of its deflate stream", member.name)
            # With its input used up, zlib may still hold output: as long as it fills what it may give
            piece = b""
            while not stream.eof and (data or len(piece) == most):
                try:
                    piece = stream.decompress(data, most)
                except zlib.error:
                    refuse(self._path, "its deflate stream is damaged", member.name)
                if piece:
                    yield piece
                data = stream.unconsumed_tail
        if not stream.eof:
            refuse(self._path, "its deflate stream has no end", member.name)
        if stream.unused_data:
            refuse(self._path, "there are bytes behind the end of its deflate stream", member.name)


def prove_link(file: int, member: RawMember, path: str, *, root: str = "") -> str:
    """Return the target of the link `member`.  Raises ArchiveError where it leaves `root` (`names.link_objection`)."""
    if member.size > names.TARGET_BYTES:
        refuse(path, "it is a link with an endless target", member.name)
    try:
        target = b"".join(Proof(file, member, path).pieces()).decode("utf-8")
    except UnicodeDecodeError:
        refuse(path, "it is a link whose target is not UTF-8", member.name)
    objection = names.link_objection(member.name, target, root=root)
    if objection is not None:
        refuse(path, f"it is a link, and {objection}", member.name)
    return target
