"""The ELF header and the program headers, for both widths and both byte orders.

Source: System V gABI, chapters "ELF Header" and "Program Header".
"""

from __future__ import annotations

import struct
from typing import NamedTuple

MAGIC = b"\x7fELF"

EXECUTABLE, SHARED = 2, 3  # e_type
LOAD, DYNAMIC, INTERPRETER = 1, 2, 3  # p_type

# e_machine of processors; not of graphics cards and BPF, whose ELF files other loaders read.
# The names are those of `uname -m`
MACHINES = {
    3: "i686",
    20: "ppc",
    21: "ppc64",
    22: "s390x",
    40: "armv7l",
    62: "x86_64",
    183: "aarch64",
    243: "riscv64",
    258: "loongarch64",
}

# Where the number of program headers doesn't fit, this stands for it and section 0 has it (PN_XNUM)
_TOO_MANY = 0xFFFF


class Segment(NamedTuple):
    """One program header.  `offset` and `size` are in the file, `address` and `room` in memory."""

    type: int
    offset: int
    size: int
    address: int
    room: int

    @property
    def end(self) -> int:
        return self.offset + self.size


class Layout(NamedTuple):
    """How a file is laid out.  `order` is struct's "<" or ">"."""

    wide: bool  # 64-bit
    order: str
    type: int
    machine: int
    header_size: int
    segments_at: int
    segment_size: int
    segments: tuple[Segment, ...]
    sections_at: int
    section_size: int
    section_count: int
    names_index: int

    def header_without_sections(self, data: bytes) -> bytes:
        """The ELF header of `data` with its fields about section headers set to none: e_shoff, e_shnum, e_shstrndx."""
        header = _header(self.wide, self.order)
        fields = list(header.unpack_from(data))
        fields[6] = fields[12] = fields[13] = 0
        return header.pack(*fields)


def layout(data: bytes | memoryview) -> Layout | None:
    """The layout of `data`; None for what is no ELF file, or one that no loader of Linux would take."""
    if len(data) < 52 or bytes(data[:4]) != MAGIC or data[4] not in (1, 2) or data[5] not in (1, 2):
        return None
    wide, order = data[4] == 2, "<" if data[5] == 1 else ">"
    header = _header(wide, order)
    if len(data) < header.size:
        return None
    fields = header.unpack_from(data)
    _, type_, machine, _, _, at, sections_at, _, size, entry, count, *sections = fields
    row = struct.Struct(order + ("2I6Q" if wide else "8I"))
    if size < header.size or entry != row.size or not 0 < count < _TOO_MANY or at + count * entry > len(data):
        return None
    segments = tuple(_segment(row.unpack_from(data, at + index * entry), wide) for index in range(count))
    return Layout(wide, order, type_, machine, size, at, entry, segments, sections_at, *sections)


def _header(wide: bool, order: str) -> struct.Struct:
    return struct.Struct(order + ("16s2HI3QI6H" if wide else "16s2HI3II6H"))


def _segment(row: tuple[int, ...], wide: bool) -> Segment:
    # 64-bit files have the flags second, 32-bit files have them seventh
    type_, offset, address, size, room = (row[0], *row[2:4], *row[5:7]) if wide else (*row[0:3], *row[4:6])
    return Segment(type_, offset, size, address, room)
