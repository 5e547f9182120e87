"""Zips that are odd but clear: they must be admitted, and read as zipfile, unzip and libarchive read them."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple
from zlib import crc32

from tests.archive.building import FIRST, SECOND, UNIX, Part, build, extra, wheel_parts
from tests.archive.differentials import (
    LINK,
    NARROW,
    PACKED,
    SECOND_ZIP,
    SIGNED,
    SIZE,
    STREAMED,
    UTF8,
    WIDE,
    descriptor,
    framed,
    size_field,
)

from lamella.archive import records


class Oddity(NamedTuple):
    """A zip that must be admitted."""

    name: str
    data: bytes


def _odd(**change: object) -> bytes:
    return build(wheel_parts(replace(FIRST, **change), SECOND))  # type: ignore[arg-type]


def _reordered() -> bytes:
    """Members in one order, directory in another: both whole."""
    data = build(wheel_parts())
    starts = [at for at in range(len(data)) if data.startswith(records.CENTRAL_SIGNATURE, at)]
    rows = [data[at:end] for at, end in zip(starts, [*starts[1:], len(data) - 22], strict=True)]
    return data[: starts[0]] + b"".join(reversed(rows)) + data[-22:]


STORED_ZIP = Part(b"pair/second.zip", SECOND_ZIP, method=records.STORED)
_FOLDER = Part(b"pair/sub/", method=records.STORED, attributes=0o40755 << 16 | 0x10)

ODDITIES = (
    Oddity("plain", build(wheel_parts())),
    Oddity("comment", framed(comment=b"made by hand")),
    Oddity("stored", _odd(method=records.STORED)),
    Oddity(
        "stored, with a zip inside", build(wheel_parts(replace(FIRST, data=SECOND_ZIP, method=records.STORED), SECOND))
    ),
    Oddity("a zip, stored last", build(sorted(wheel_parts(FIRST, STORED_ZIP), key=lambda part: part is STORED_ZIP))),
    Oddity("data descriptor", _odd(flags=STREAMED)),
    Oddity("data descriptor, unsigned", _odd(flags=STREAMED, descriptor=descriptor())),
    Oddity(
        "data descriptor, sizes in front too",
        _odd(flags=STREAMED, local={"crc": crc32(FIRST.data), "packed": PACKED, "size": SIZE}),
    ),
    Oddity(
        "data descriptor of ZIP64, no sizes",
        _odd(
            flags=STREAMED,
            local_extra=size_field(0, 0),
            local={"packed": WIDE, "size": WIDE},
            descriptor=SIGNED + descriptor(wide=True),
        ),
    ),
    Oddity(
        "data descriptor of ZIP64",
        _odd(
            flags=STREAMED,
            local_extra=size_field(PACKED, SIZE),
            local={"packed": WIDE, "size": WIDE, "crc": crc32(FIRST.data)},
            descriptor=SIGNED + descriptor(wide=True),
        ),
    ),
    Oddity("ZIP64 end record", framed(zip64={}, end=NARROW)),
    Oddity("ZIP64 end record beside a whole one", framed(zip64={})),
    Oddity(
        "ZIP64 sizes, local",
        _odd(local_extra=size_field(PACKED, SIZE), local={"packed": WIDE, "size": WIDE, "needed": 45}),
    ),
    Oddity(
        "ZIP64 sizes, local and central",
        _odd(
            local_extra=size_field(PACKED, SIZE),
            local={"packed": WIDE, "size": WIDE},
            central_extra=size_field(PACKED, SIZE),
            central={"packed": WIDE, "size": WIDE},
        ),
    ),
    Oddity("ZIP64 field that repeats the header", _odd(local_extra=size_field(PACKED, SIZE))),
    Oddity("ZIP64 offset in the directory", _odd(central_extra=extra(1, bytes(8)), central={"header": WIDE})),
    Oddity(
        "times and owners",
        _odd(
            local_extra=extra(0x5455, b"\3" + bytes(8)) + extra(0x7875, b"\1\4\0\0\0\0\4\0\0\0\0"),
            central_extra=extra(0x5455, b"\1" + bytes(4)),
        ),
    ),
    Oddity("NTFS times", _odd(central_extra=extra(0x000A, bytes(4) + b"\1\0\x18\0" + bytes(24)))),
    Oddity("unknown extra fields", _odd(local_extra=extra(0xCAFE, b"") * 2, central_extra=extra(0xFFFF, b"x" * 99))),
    Oddity("made on Windows", _odd(made_by=20, attributes=0x20)),
    Oddity("made on Windows, by Python", _odd(made_by=20, attributes=0o100666 << 16)),
    Oddity("made on NTFS", _odd(made_by=11 << 8 | 20, attributes=0x20)),
    Oddity("no attributes", _odd(attributes=0)),
    Oddity("program", _odd(attributes=0o100755 << 16)),
    Oddity("mode 0600", _odd(attributes=0o600 << 16)),
    Oddity("name outside ASCII", _odd(name="pair/größe.py".encode(), flags=UTF8)),
    Oddity(
        "name outside ASCII, made on Windows",
        _odd(name="pair/日本.py".encode(), flags=UTF8, made_by=20, attributes=0x20),
    ),
    Oddity("ASCII, marked as UTF-8", _odd(flags=UTF8)),
    Oddity("name with blanks and colon", _odd(name=b"pair/a b: c.py")),
    Oddity("deflate's effort in the flags", _odd(flags=0x0002)),
    Oddity("empty member, stored", build(wheel_parts(replace(FIRST, data=b"", method=records.STORED)))),
    Oddity("empty member, deflated", build(wheel_parts(replace(FIRST, data=b"")))),
    Oddity("empty member, streamed and stored", build(wheel_parts(replace(FIRST, data=b"", method=0, flags=STREAMED)))),
    Oddity("directories", build([Part(b"pair/", method=0, attributes=0o40755 << 16), *wheel_parts(), _FOLDER])),
    Oddity("deflated directory", build([replace(_FOLDER, method=records.DEFLATED), *wheel_parts()])),
    Oddity("directory made on Windows", build([replace(_FOLDER, made_by=20, attributes=0x10), *wheel_parts()])),
    Oddity("directory without attributes", build([replace(_FOLDER, attributes=0), *wheel_parts()])),
    Oddity("directory entries in another order", _reordered()),
    Oddity("link inside", build(wheel_parts(FIRST, Part(b"pair/link.py", b"__init__.py", method=0, attributes=LINK)))),
    Oddity(
        "link up and down", build(wheel_parts(FIRST, Part(b"pair/sub/link.py", b"../__init__.py", attributes=LINK)))
    ),
    Oddity("old version needed", _odd(local={"needed": 10}, central={"needed": 10})),
    Oddity("another version in the local header", _odd(local={"needed": 45})),
    Oddity("large member", build(wheel_parts(replace(FIRST, data=bytes(range(256)) * 12_000), SECOND))),
    Oddity("made on a Mac", _odd(made_by=19 << 8 | 20, attributes=0o100755 << 16)),
    Oddity("made on Unix, another version", _odd(made_by=UNIX + 10)),
)
