"""Makes small ELF files of any width and byte order, with what a loader reads, and with what it does not."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

X86_64, AARCH64, GPU = 62, 183, 224
RELOCATABLE, EXECUTABLE, SHARED = 1, 2, 3
PROGBITS, STRTAB = 1, 3
ALLOC = 2


class Piece(NamedTuple):
    """Bytes behind the first segment: mapped by a segment of type `type`, or not at all (None)."""

    data: bytes
    type: int | None = None


class Section(NamedTuple):
    name: str
    data: bytes = b""
    type: int = PROGBITS
    flags: int = 0


def elf(
    *,
    wide: bool = True,
    order: str = "<",
    machine: int = X86_64,
    type: int = SHARED,
    soname: str | None = None,
    needed: Sequence[str] = (),
    rpath: str | None = None,
    runpath: str | None = None,
    needs: Mapping[str, Sequence[str]] | None = None,
    defines: Sequence[str] = (),
    modules: Sequence[str] = (),
    interpreter: bool = False,
    flags_1: int = 0,
    text: bytes = b"code",
    pieces: Sequence[Piece] = (),
    sections: Sequence[Section] = (Section(".symtab", b"names" * 9), Section(".debug_info", b"lines" * 50)),
    payload: bytes = b"",
    dynamic: bool = True,
) -> bytes:
    """An ELF file whose first segment maps all from its first byte to the end of `text` and the dynamic section."""
    header_size, row_size, word = (64, 56, "Q") if wide else (52, 32, "I")
    segments = 1 + dynamic + interpreter + sum(piece.type is not None for piece in pieces)
    body = bytearray(header_size + row_size * segments)
    strings = bytearray(b"\0")

    def string(value: str) -> int:
        strings.extend(value.encode() + b"\0")
        return len(strings) - len(value.encode()) - 1

    rows: list[tuple[int, int, int]] = []  # type, offset, size
    if interpreter:
        rows.append((3, len(body), 28))
        body += b"/lib64/ld-linux-x86-64.so.2\0"
    body += text
    tags: list[tuple[int, int]] = [(1, string(name)) for name in needed]
    for tag, value in ((14, soname), (15, rpath), (29, runpath)):
        if value is not None:
            tags.append((tag, string(value)))
    for module in modules:
        string(f"PyInit_{module}")
    table = _version_needs(needs or {}, string, order)
    if needs:
        tags += [(0x6FFFFFFE, len(body)), (0x6FFFFFFF, len(needs))]
        body += table
    if defines:
        tags += [(0x6FFFFFFC, len(body)), (0x6FFFFFFD, len(defines))]
        body += _version_definitions(defines, string, order)
    tags += [(6, len(body))]
    body += bytes(24 if wide else 16)
    tags += [(5, len(body)), (10, len(strings))]
    body += strings
    if flags_1:
        tags.append((0x6FFFFFFB, flags_1))
    if dynamic:
        packed = b"".join(struct.pack(order + 2 * word, *pair) for pair in [*tags, (0, 0)])
        rows.append((2, len(body), len(packed)))
        body += packed
    rows.insert(0, (1, 0, len(body)))
    for piece in pieces:
        if piece.type is not None:
            rows.append((piece.type, len(body), len(piece.data)))
        body += piece.data
    at, count, names_index = _add_sections(body, sections, wide, order)
    body += payload
    ident = b"\x7fELF" + bytes((2 if wide else 1, 1 if order == "<" else 2, 1)) + bytes(9)
    form = order + ("16s2HI3QI6H" if wide else "16s2HI3II6H")
    shape = (header_size, row_size, segments, 64 if wide else 40, count, names_index)
    struct.pack_into(form, body, 0, ident, type, machine, 1, 0, header_size, at, 0, *shape)
    for index, (kind, offset, size) in enumerate(rows):
        put_segment(body, index, kind, offset, size, wide=wide, order=order)
    return bytes(body)


def put_segment(body: bytearray, index: int, kind: int, offset: int, size: int, *, wide: bool, order: str) -> None:
    """Write program header `index`; addresses equal offsets."""
    at = (64 if wide else 52) + index * (56 if wide else 32)
    if wide:
        struct.pack_into(order + "2I6Q", body, at, kind, 5, offset, offset, offset, size, size, 4096)
    else:
        struct.pack_into(order + "8I", body, at, kind, offset, offset, offset, size, size, 5, 4096)


def _version_needs(needs: Mapping[str, Sequence[str]], string, order: str) -> bytes:  # type: ignore[no-untyped-def]
    table = b""
    for number, (file, versions) in enumerate(needs.items(), 1):
        size = 16 * (1 + len(versions))
        following = size if number < len(needs) else 0
        table += struct.pack(order + "2H3I", 1, len(versions), string(file), 16, following)
        for index, version in enumerate(versions, 1):
            after = 16 if index < len(versions) else 0
            table += struct.pack(order + "I2H2I", 0, 0, index + 1, string(version), after)
    return table


def _version_definitions(defines: Sequence[str], string, order: str) -> bytes:  # type: ignore[no-untyped-def]
    table = b""
    for number, version in enumerate(defines, 1):
        following = 28 if number < len(defines) else 0
        table += struct.pack(order + "4H3I", 1, 0, number, 1, 0, 20, following)
        table += struct.pack(order + "2I", string(version), 0)
    return table


def _add_sections(body: bytearray, sections: Sequence[Section], wide: bool, order: str) -> tuple[int, int, int]:
    """Append the sections' bytes and headers; where the headers are, how many, and which has the names."""
    if not sections:
        return 0, 0, 0
    form = order + ("2I4Q2I2Q" if wide else "10I")
    names = bytearray(b"\0")
    rows = [struct.pack(form, *(10 * [0]))]
    for section in [*sections, Section(".shstrtab", type=STRTAB)]:
        name = len(names)
        names += section.name.encode() + b"\0"
        data = bytes(names) if section.name == ".shstrtab" else section.data
        rows.append(struct.pack(form, name, section.type, section.flags, 0, len(body), len(data), 0, 0, 1, 0))
        body += data
    at = len(body)
    body += b"".join(rows)
    return at, len(rows), len(rows) - 1
