"""TIFF's folders of tags, which most cameras' RAW formats are made of (TIFF 6.0; Adobe's DNG specification 1.7)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

# Of hostile files: folders may point at each other for ever
FOLDERS, ENTRIES = 64, 2000

MAKE, COMPRESSION, PHOTOMETRIC, ORIENTATION, SUB_IFDS = 271, 259, 262, 274, 330
STRIPS, STRIP_BYTES, PREVIEW, PREVIEW_BYTES, DNG_VERSION = 273, 279, 513, 514, 50706
CFA = 32803

# The first four bytes, where a maker changed TIFF's 42, and the byte order that they stand for
_OWN = {b"IIRO": "ORF", b"IIRS": "ORF", b"MMOR": "ORF", b"IIU\0": "RW2"}
_PLAIN = (b"II*\0", b"MM\0*")
_MAKERS = {"NIKON": "NEF", "SONY": "ARW", "PENTAX": "PEF", "RICOH": "PEF", "HASSELBLAD": "3FR"}

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1, 13: 4}
_CODES = {1: "B", 3: "H", 4: "I", 7: "B", 13: "I"}


class Folder(NamedTuple):
    """An IFD: whole numbers and texts by tag.  Other types are left out."""

    numbers: dict[int, tuple[int, ...]]
    texts: dict[int, str]

    def number(self, tag: int) -> int | None:
        values = self.numbers.get(tag)
        return values[0] if values else None


def raw_format(data: bytes) -> str | None:
    """The RAW format that this is, None for a TIFF that is none, and for what is no TIFF."""
    if own := _OWN.get(data[:4]):
        return own
    if data[:4] not in _PLAIN:
        return None
    if data[8:10] == b"CR":
        return "CR2"
    found = list(folders(data))
    if any(DNG_VERSION in folder.numbers for folder in found):
        return "DNG"
    if any(folder.number(PHOTOMETRIC) == CFA for folder in found):
        make = next((folder.texts[MAKE] for folder in found if MAKE in folder.texts), "").upper()
        return next((kind for maker, kind in _MAKERS.items() if make.startswith(maker)), None)
    return None


def folders(data: bytes) -> Iterator[Folder]:
    """Every folder that can be read, those below others after them."""
    order = "<" if data[:2] == b"II" else ">"
    waiting, seen = [_at(data, order, 4)], set[int]()
    while waiting and len(seen) < FOLDERS:
        begin = waiting.pop(0)
        if begin is None or begin in seen or not 8 <= begin < len(data):
            continue
        seen.add(begin)
        try:
            folder, following = _folder(data, order, begin)
        except struct.error:
            continue
        yield folder
        waiting += [*folder.numbers.get(SUB_IFDS, ()), following]


def previews(data: bytes) -> list[tuple[int, int]]:
    """(begin, end) of the JPEGs that the folders point at, the longest first."""
    found = set()
    for folder in folders(data):
        spans = [(folder.numbers.get(PREVIEW), folder.numbers.get(PREVIEW_BYTES))]
        if folder.number(COMPRESSION) in (6, 7):
            spans.append((folder.numbers.get(STRIPS), folder.numbers.get(STRIP_BYTES)))
        for begins, lengths in spans:
            if begins and lengths and len(begins) == 1 and data[begins[0] : begins[0] + 3] == b"\xff\xd8\xff":
                found.add((begins[0], min(begins[0] + lengths[0], len(data))))
    return sorted(found, key=lambda span: span[0] - span[1])


def _at(data: bytes, order: str, place: int) -> int | None:
    return struct.unpack_from(order + "I", data, place)[0] if place + 4 <= len(data) else None


def _folder(data: bytes, order: str, begin: int) -> tuple[Folder, int]:
    (count,) = struct.unpack_from(order + "H", data, begin)
    numbers: dict[int, tuple[int, ...]] = {}
    texts: dict[int, str] = {}
    for place in range(begin + 2, begin + 2 + 12 * min(count, ENTRIES), 12):
        tag, kind, length = struct.unpack_from(order + "HHI", data, place)
        whole = _SIZES.get(kind, 0) * length
        if not whole or length > 65_536:
            continue
        value = place + 8 if whole <= 4 else struct.unpack_from(order + "I", data, place + 8)[0]
        if value + whole > len(data):
            continue
        if kind == 2:
            texts[tag] = data[value : value + length].split(b"\0")[0].decode("ascii", "replace").strip()
        else:
            numbers[tag] = struct.unpack_from(f"{order}{length}{_CODES[kind]}", data, value)
    return Folder(numbers, texts), _at(data, order, begin + 2 + 12 * count) or 0
