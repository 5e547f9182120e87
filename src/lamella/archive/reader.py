"""Read a zip so that only one reading is possible: the one door to members of wheels.

`read` looks at every header and inflates nothing.  It accepts what zipfile, unzip, libarchive and a reader that
streams from the first byte all see the same way: local headers and central directory agree, members lie one behind
the other without a gap, and one end record closes the file.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from lamella.archive import names, records
from lamella.archive.directory import Record, check_extra, check_method, find_end, read_directory, refuse

_WINDOW = 32 * 1024

# Deflate's best: two bits stand for 258 bytes (RFC 1951)
MOST_PER_BYTE = 1032


class RawMember(NamedTuple):
    """One member, in the order of its data.  `offset` is where its stored bytes start, `packed` how many they are.

    `mode` is 0o644, 0o755 or 0o120777 (a link); a directory has 0o755 and a name that ends in a slash.
    """

    name: str
    offset: int
    packed: int
    size: int
    crc: int
    method: int  # 0 stored, 8 deflated
    mode: int
    is_dir: bool


class Archive(NamedTuple):
    """The members of the zip at `path`, which is `size` bytes long."""

    path: str
    size: int
    members: tuple[RawMember, ...]


def read(path: str) -> Archive:
    """Read the structure of the zip at `path`.

    Raises ArchiveError where two programs may read it differently, where a name is dangerous, and for encryption and
    methods other than stored and deflated; OSError when the file can't be opened.
    """
    file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        return read_open(file, path)
    finally:
        os.close(file)


def read_open(file: int, path: str) -> Archive:
    """Do what `read` does with the file descriptor `file`; `path` is for messages."""
    size = os.fstat(file).st_size
    ending = find_end(file, size, path)
    found = read_directory(file, ending, path)
    _check_names(found, path)
    found.sort(key=lambda record: record.header)
    window = _Window(file)
    members = []
    at = 0
    for index, record in enumerate(found):
        if record.header != at:
            where = "before it" if record.header > at else "in it and in the member before it"
            refuse(path, f"there are bytes {where} that belong to no member, or to two", record.name)
        following = found[index + 1].header if index + 1 < len(found) else ending.offset
        offset = _check_local(window, record, following, path)
        at = following
        _, _, _, method, crc, packed, length, mode, _ = record
        is_dir = record.name.endswith("/")
        members.append(RawMember(record.name, offset, packed, length, crc, method, mode, is_dir))
    if at != ending.offset:
        refuse(path, "there are bytes before its central directory that belong to no member")
    return Archive(path, size, tuple(members))


def _check_names(found: list[Record], path: str) -> None:
    clash = names.conflict(record.name for record in found)
    if clash is not None:
        first, second = clash
        why = "two members have this name" if first == second else f"`{second}` needs a directory of this name"
        refuse(path, why, first)


class _Window:
    """A piece of the file in memory, moved when a header lies outside: a few reads for many small members."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._start = 0
        self._data = b""

    def get(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset` on; fewer at the end of the file."""
        at = offset - self._start
        if at < 0 or at + length > len(self._data):
            self._data = os.pread(self._file, max(length, _WINDOW), offset)
            self._start, at = offset, 0
        return self._data[at : at + length]


def _check_local(window: _Window, record: Record, following: int, path: str) -> int:
    """Hold the local header (4.3.7) against the central record; return where the member's data starts.

    `following` is where the next header, or the central directory, starts.
    """
    name = record.name
    head = window.get(record.header, records.LOCAL.size)
    if len(head) < records.LOCAL.size or not head.startswith(records.LOCAL_SIGNATURE):
        refuse(path, "there is no local header where the central directory says", name)
    fields = records.LOCAL.unpack(head)
    _, needed, flags, method, _, _, crc, packed, size, name_length, extra_length = fields
    _check_sizes(record, path)
    rest = window.get(record.header + records.LOCAL.size, name_length + extra_length)
    if rest[:name_length] != record.raw:
        refuse(path, "its local header gives it another name", name)
    offset: int = record.header + records.LOCAL.size + name_length + extra_length
    if offset + record.packed > following:
        refuse(path, "its data overlaps what comes behind it", name)
    if (flags, method) != (record.flags, record.method) or needed & 0xFF > records.NEWEST_NEEDED:
        refuse(path, "its local header and the central directory disagree in method, flags or version", name)
    check_method(flags, method, path, name)
    wide = check_extra(rest[name_length:], path, name)
    size, packed = _widen((size, packed), wide, path, name)
    streamed = flags & records.FLAG_DESCRIPTOR
    said = (crc, packed, size)
    if said != (record.crc, record.packed, record.size) and not (streamed and said == (0, 0, 0)):
        refuse(path, "its local header and the central directory disagree in size or CRC", name)
    end = offset + record.packed
    if streamed:
        _check_descriptor(window.get(end, min(following - end, 32)), record, bool(wide), path)
    elif end != following:
        refuse(path, "there are bytes behind it that belong to no member", name)
    return offset


def _widen(narrow: tuple[int, int], wide: bytes, path: str, name: str) -> tuple[int, int]:
    """Return size and packed size of a local header with the ZIP64 field `wide` (4.5.3), which has both or is empty."""
    if not wide:
        if records.MAX_32 in narrow:
            refuse(path, "its local header asks for a ZIP64 field, and there is none", name)
        return narrow
    sizes = records.ZIP64_SIZES.unpack(wide) if len(wide) == records.ZIP64_SIZES.size else None
    # Bazel writes the field although the header holds the same sizes
    if sizes is None or narrow not in (sizes, (records.MAX_32, records.MAX_32)):
        refuse(path, "its local ZIP64 field does not agree with its header", name)
    return sizes[0], sizes[1]


def _check_sizes(record: Record, path: str) -> None:
    """Refuse sizes that can't be true, before anything is inflated."""
    if record.name.endswith("/") and (record.size or record.crc):
        refuse(path, "it is a directory that holds data", record.name)
    if record.method == records.STORED and record.packed != record.size:
        refuse(path, "it is stored, and its two sizes differ", record.name)
    if record.size > record.packed * MOST_PER_BYTE:
        refuse(path, f"its {record.packed} bytes can't unpack to {record.size}", record.name)


def _check_descriptor(data: bytes, record: Record, wide: bool, path: str) -> None:
    """Hold the data descriptor (4.3.9), which must be `data` exactly, against the central record.

    Its signature may be missing, as long as its CRC can't be taken for one.  Its sizes have eight bytes where the
    local header has a ZIP64 field.
    """
    if record.method == records.STORED and record.packed:
        refuse(path, "it is stored with its size behind it, so that its end can't be known", record.name)
    if wide:
        plain = records.ZIP64_DESCRIPTOR.pack(record.crc, record.packed, record.size)
    elif max(record.packed, record.size) < records.MAX_32:
        plain = records.DESCRIPTOR.pack(record.crc, record.packed, record.size)
    else:
        refuse(path, "its data descriptor can't hold its sizes", record.name)
    unsigned_is_clear = not plain.startswith(records.DESCRIPTOR_SIGNATURE)
    if data != records.DESCRIPTOR_SIGNATURE + plain and not (unsigned_is_clear and data == plain):
        refuse(path, "its data descriptor is missing or disagrees with the central directory", record.name)
