"""Zips that nearly are what they should be: drawn from a source of choices, which may be random or guided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar
from zlib import crc32

from tests.archive.building import CENTRAL_FIELDS, LOCAL_FIELDS, UNIX, Frame, Part, build, deflate, extra, unicode_path

from lamella.archive import records

T = TypeVar("T")

# A mode of a link, as two programs look for it: ASi's field (checksum, mode, …) and libarchive's own
ASI_LINK = crc32(ASI := b"\xff\xa1" + bytes(8)).to_bytes(4, "little") + ASI
XL_LINK = b"\7\x14\3\0\0" + (0o120777 << 16).to_bytes(4, "little")

_NAMES = (
    *(b"a", b"a/b", b"a/b/", b"b/c.py", b"a\\b", b"../a", b"/a", b"./a", b"a/./b", b"a//b", b"C:a", b"a\x00b", b"a\nb"),
    *(
        "ä".encode(),
        b"\x84",
        "日本/語.py".encode(),
        b"PK\x05\x06",
        b"",
        b"/",
        b"x" * 300,
        b"a/",
        b"\xef\xbb\xbfa",
        b"~",
    ),
)
_ATTRIBUTES = (
    0o100644 << 16,
    0o100755 << 16,
    0,
    0o644 << 16,
    0o120777 << 16,
    0o040755 << 16 | 0x10,
    0x10,
    0x20,
    1 << 28,
)
_NUMBERS = (0, 1, 2, 4, 8, 16, 20, 22, 28, 44, 45, 46, 0x7F, 0xFF, 0x800, 0x808, 0xFFFE, 0xFFFF, 0xFFFFFFFF)
_SIGNATURES = (
    *(records.LOCAL_SIGNATURE, records.CENTRAL_SIGNATURE, records.EOCD_SIGNATURE, records.DESCRIPTOR_SIGNATURE),
    *(records.ZIP64_EOCD_SIGNATURE, records.ZIP64_LOCATOR_SIGNATURE),
)
# Where a field starts in its record, and how long it is
_LOCAL_PLACES = ((4, 2), (6, 2), (8, 2), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2))
_CENTRAL_PLACES = (
    *((4, 2), (6, 2), (8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (34, 2), (36, 2)),
    *((38, 4), (42, 4)),
)
_END_PLACES = ((4, 2), (6, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2))


class Choices(Protocol):
    """What is asked of a source of choices; `random.Random` is one."""

    def randrange(self, stop: int, /) -> int: ...


def _one_of(choices: Choices, options: Sequence[T]) -> T:
    return options[choices.randrange(len(options))]


def _rarely(choices: Choices, one_in: int = 8) -> bool:
    return choices.randrange(one_in) == one_in - 1


def draw_part(choices: Choices, number: int) -> Part:
    """Draw one member; most of its fields are right, most of the time."""
    name = b"f%d" % number if not _rarely(choices, 3) else _one_of(choices, _NAMES)
    data = bytes([97 + number]) * _one_of(choices, (0, 1, 5, 100, 70_000)) if not name.endswith(b"/") else b""
    method = _one_of(choices, (records.DEFLATED, records.STORED))
    flags = 0 if name.isascii() and not _rarely(choices) else records.FLAG_UTF8
    streamed = method == records.DEFLATED and not choices.randrange(4)
    flags |= records.FLAG_DESCRIPTOR if streamed else 0
    attributes = _one_of(choices, _ATTRIBUTES) if _rarely(choices, 4) else 0o100644 << 16
    if name.endswith(b"/") and not _rarely(choices):
        attributes = 0o040755 << 16 | 0x10
    made_by = UNIX if not _rarely(choices, 4) else _one_of(choices, (20, 45, 10 << 8 | 20, 19 << 8 | 20))
    part = Part(name, data, method, flags, attributes, made_by)
    packed = len(part.stored())
    local_extra = central_extra = b""
    if _rarely(choices, 3):
        wide = len(data).to_bytes(8, "little") + packed.to_bytes(8, "little")
        options = (
            *(extra(0x5455, b"\x01" + bytes(4)), extra(0x7875, b"\x01\x04" + bytes(4)), b"\0\0\0", extra(0xCAFE, b"")),
            *(extra(0x5455, b""), extra(0x9901, bytes(7))),
            *(extra(0x756E, ASI_LINK), extra(0x6C78, XL_LINK)),
            *(unicode_path(name, name), unicode_path(name, b"other"), unicode_path(name, name, crc=1)),
            *(
                extra(1, wide),
                extra(1, wide[:8]),
                extra(1, b""),
                extra(1, wide) * 2,
                extra(1, bytes(16)),
                extra(1, bytes(24)),
            ),
        )
        local_extra = _one_of(choices, options)
        central_extra = _one_of(choices, (b"", local_extra, _one_of(choices, options)))
    local: dict[str, int | bytes] = {}
    central: dict[str, int | bytes] = {}
    if extra(1, b"")[:2] in (local_extra[:2], central_extra[:2]) and not choices.randrange(2):
        local = {"packed": records.MAX_32, "size": records.MAX_32}
        central = dict(_one_of(choices, ({}, local)))
    if _rarely(choices, 6):
        local[_one_of(choices, LOCAL_FIELDS[1:])] = _one_of(choices, _NUMBERS) & 0xFFFF
    if _rarely(choices, 6):
        central[_one_of(choices, CENTRAL_FIELDS[1:])] = _one_of(choices, _NUMBERS) & 0xFFFF
    descriptor = stored = None
    if _rarely(choices, 6):
        stored = deflate(data) + _one_of(choices, (b"", b"x", deflate(b"second"), bytes(16)))
    if streamed and not choices.randrange(2):
        crc = records.DESCRIPTOR.pack(central.get("crc") or crc32(data), packed, len(data))[:4]
        wide = packed.to_bytes(8, "little") + len(data).to_bytes(8, "little")
        short = packed.to_bytes(4, "little") + len(data).to_bytes(4, "little")
        start = _one_of(choices, (b"", records.DESCRIPTOR_SIGNATURE))
        descriptor = start + crc + _one_of(choices, (wide, short, short[::-1], bytes(8)))
    return Part(
        *(name, data, method, flags, attributes, made_by, stored, None, local_extra, central_extra),
        comment=b"c" if _rarely(choices, 30) else b"",
        descriptor=descriptor,
        before=b"PK\3\4" if _rarely(choices, 40) else b"",
        hidden=_rarely(choices, 30),
        ghost=_rarely(choices, 30),
        local=local,
        central=central,
    )


def draw_zip(choices: Choices) -> bytes:
    """Draw a zip of up to five members."""
    parts = [draw_part(choices, number) for number in range(choices.randrange(6))]
    if parts and _rarely(choices):
        parts.append(_one_of(choices, parts))
    zip64: dict[str, int | bytes] | None = {} if _rarely(choices, 4) else None
    narrow: dict[str, int | bytes] = {
        "here": 0xFFFF,
        "count": 0xFFFF,
        "length": records.MAX_32,
        "offset": records.MAX_32,
    }
    frame = Frame(
        before=b"#!" if _rarely(choices, 40) else b"",
        gap=b"gap" if _rarely(choices, 40) else b"",
        comment=_one_of(choices, (b"", b"", b"", b"words", bytes(22), b"PK\5\6" + bytes(18), b"PK\5\6", b"\0\0")),
        behind=_one_of(choices, (b"",) * 9 + (b"\0", b"PK\5\6" + bytes(18), build([Part(b"z", b"z")]))),
        zip64=zip64,
        end={key: narrow[key] for key in narrow if not choices.randrange(2)} if zip64 is not None else {},
        zip64_extensible=b"xxxx" if _rarely(choices, 40) else b"",
        no_locator=_rarely(choices, 40),
    )
    return build(parts, frame)


def mutate(choices: Choices, data: bytes) -> bytes:
    """Change one thing: a byte, a run of bytes, a field of a record, the order of two records, the end."""
    if not data:
        return b"PK"
    at = choices.randrange(len(data))
    length = _one_of(choices, (1, 2, 4, 16, 22, 46, 76))
    kind = choices.randrange(8)
    if kind == 0:
        return data[:at] + bytes([data[at] ^ 1 << choices.randrange(8)]) + data[at + 1 :]
    if kind == 1:
        return data[:at]
    if kind == 2:
        return data[:at] + data[at + length :]
    if kind == 3:
        return data[:at] + _one_of(choices, (*_SIGNATURES, b"\0", b"\xff" * 4, data[at : at + length])) + data[at:]
    if kind == 4:
        return _swap(choices, data)
    return _edit(choices, data)


def _starts(data: bytes, signatures: Sequence[bytes] = _SIGNATURES) -> list[int]:
    found = []
    for signature in signatures:
        at = data.find(signature)
        while at >= 0:
            found.append(at)
            at = data.find(signature, at + 1)
    return sorted(found)


def _swap(choices: Choices, data: bytes) -> bytes:
    """Swap two neighbouring records of one kind."""
    signature = _one_of(choices, _SIGNATURES[:2])
    starts = _starts(data, (signature,))
    if len(starts) < 3:
        return data[::-1][: choices.randrange(len(data))][::-1]
    at = choices.randrange(len(starts) - 2)
    one, two, end = starts[at : at + 3]
    return data[:one] + data[two:end] + data[one:two] + data[end:]


def _edit(choices: Choices, data: bytes) -> bytes:
    """Set a field of a record to a telling number, to a neighbouring one, or to what another record has there."""
    starts = _starts(data)
    if not starts:
        return data + b"PK"
    at = _one_of(choices, starts)
    signature = data[at : at + 4]
    places: Sequence[tuple[int, int]] = ((4, 4), (8, 4), (12, 4))
    if signature == records.LOCAL_SIGNATURE:
        places = _LOCAL_PLACES
    elif signature == records.CENTRAL_SIGNATURE:
        places = _CENTRAL_PLACES
    elif signature == records.EOCD_SIGNATURE:
        places = _END_PLACES
    start, width = _one_of(choices, places)
    field = slice(at + start, at + start + width)
    value = int.from_bytes(data[field], "little")
    twin = _one_of(choices, _starts(data, (signature,))) + start
    options = (*_NUMBERS, value + 1, value - 1, value ^ 1, int.from_bytes(data[twin : twin + width], "little"))
    changed = _one_of(choices, options) % (1 << 8 * width)
    return data[: field.start] + changed.to_bytes(width, "little") + data[field.stop :]
