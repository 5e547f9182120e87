"""Zips that two programs may read in two ways.  Each is the sample wheel with one thing wrong, and names who listed it:

- INDEX: the package index's upload rules against parser confusion, of August 2025, as they grew since
- UV: the hardening of uv 0.8.6 after CVE-2025-54368
- UV2: the second advisory on uv, GHSA-pqhf-p39g-3x64, and its report GHSA-w97x-xxj5-gpjx (uv 0.9.6)
- CORPUS: the public corpus of malformed zips that both were tested with
- OURS: what the zip format (APPNOTE) forbids or a layer can't hold, seen by none of these
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple
from zlib import crc32

from tests.archive.building import (
    FIRST,
    SECOND,
    Frame,
    Part,
    build,
    deflate,
    extra,
    unicode_path,
    wheel_parts,
    wheel_with,
)

from lamella.archive import records

INDEX = "the package index, August 2025"
UV = "CVE-2025-54368"
UV2 = "GHSA-w97x-xxj5-gpjx"
CORPUS = "the corpus"
OURS = "APPNOTE"

WIDE = records.MAX_32
STREAMED = records.FLAG_DESCRIPTOR
UTF8 = records.FLAG_UTF8
SIGNED = records.DESCRIPTOR_SIGNATURE
LINK = 0o120777 << 16


class Differential(NamedTuple):
    """A zip that must be refused, with words of the refusal."""

    name: str
    listed_by: str
    data: bytes
    complaint: str


def _member(**change: object) -> bytes:
    return wheel_with(change)


def _named(name: bytes, **change: object) -> bytes:
    """Call the first member `name`, in both headers and in RECORD."""
    return build(wheel_parts(replace(FIRST, name=name, **change), SECOND))  # type: ignore[arg-type]


def framed(**frame: object) -> bytes:
    return build(wheel_parts(), Frame(**frame))  # type: ignore[arg-type]


def _local(**fields: int | bytes) -> bytes:
    return _member(local=fields)


def _central(**fields: int | bytes) -> bytes:
    return _member(central=fields)


def _both(**fields: int | bytes) -> bytes:
    return _member(local=fields, central=fields)


def size_field(packed: int | None = None, size: int | None = None) -> bytes:
    """Make a ZIP64 field with one or both sizes."""
    values = [value.to_bytes(8, "little") for value in (size, packed) if value is not None]
    return extra(records.ZIP64_EXTRA, b"".join(values))


def descriptor(
    crc: int = crc32(FIRST.data), packed: int = 0, size: int = len(FIRST.data), *, wide: bool = False
) -> bytes:
    layout = records.ZIP64_DESCRIPTOR if wide else records.DESCRIPTOR
    return layout.pack(crc, packed or PACKED, size)


PACKED = len(FIRST.stored())
SIZE = len(FIRST.data)
OTHER = Part(b"pair/other.py", b"other = 1\n")
SECOND_ZIP = build(wheel_parts(OTHER))
NARROW: Mapping[str, int] = {"here": 0xFFFF, "count": 0xFFFF, "length": WIDE, "offset": WIDE}
COUNT = len(wheel_parts())


def _stacked() -> bytes:
    """Two whole zips, the second one's offsets counted from its own start (as zipfile tolerates)."""
    return build(wheel_parts()) + SECOND_ZIP


def _shadowed() -> bytes:
    """Two local entries for one name, of which the central directory knows the second."""
    hidden = replace(FIRST, data=b"import os\n", hidden=True)
    return build([hidden, *wheel_parts()])


def _overlapping() -> bytes:
    """One member's data holds the next member's local header and data (a bomb without nesting)."""
    inner = build([SECOND])[: 30 + len(SECOND.name) + len(SECOND.stored())]
    first = replace(FIRST, data=inner, method=records.STORED)
    parts = wheel_parts(first, replace(SECOND, ghost=True, central={"header": 30 + len(FIRST.name)}))
    return build(parts)


def _shortsize(*, wide: bool) -> bytes:
    """Both headers say a size that ends before the hidden half of the data."""
    visible = b"# benign\n"
    packed = deflate(visible + b"import os\n")
    part = replace(FIRST, data=visible, packed=packed)
    if wide:
        field = size_field(len(packed), len(visible))
        sizes = {"packed": WIDE, "size": WIDE}
        part = replace(part, local=sizes, central=sizes, local_extra=field, central_extra=field)
    return build(wheel_parts(part))


FRAMING = (
    Differential("prefix, offsets from the zip's start", INDEX, framed(before=b"#!/bin/sh\n", shift=-10), "end record"),
    Differential("prefix, offsets from the file's start", INDEX, framed(before=b"#!/bin/sh\n"), "before it"),
    Differential("suffix", INDEX, framed(behind=b"    "), "no end record|behind its comment"),
    Differential("suffix of NULs", INDEX, framed(behind=bytes(64)), "behind its comment"),
    Differential("suffix that looks like an empty zip", INDEX, framed(behind=build([])), "central directory"),
    Differential("stacked zips", UV, _stacked(), "end where the end record starts"),
    Differential("a zip in the comment", UV, framed(comment=SECOND_ZIP), "end where the end record starts"),
    Differential("an empty zip in the comment", UV, framed(comment=build([])), "end where the end record starts"),
    Differential(
        "an end record's start in the comment", CORPUS, framed(comment=b"PK\5\6\0\0\0\xff\xff" + bytes(99)), ""
    ),
    Differential(
        "comment shorter than said", INDEX, framed(comment=b"words", end={"comments": 9}), "comment is cut off"
    ),
    Differential(
        "comment longer than said", INDEX, framed(comment=b"words", end={"comments": 2}), "behind its comment"
    ),
    Differential("two end records", INDEX, build(wheel_parts()) + build(wheel_parts())[-22:], "end record"),
    Differential("no end record", INDEX, build(wheel_parts())[:-22], "no end record"),
    Differential("bytes between members", INDEX, _member(behind=b"PK\3\4"), "behind it"),
    Differential("bytes before the directory", UV, framed(gap=b"gap"), "behind it|before its central"),
    Differential("bytes in the directory", INDEX, framed(inside=b"gap"), "belong to no record"),
    Differential("directory shorter than said", CORPUS, framed(end={"length": 9999}), "end record"),
    Differential("more members than counted", INDEX, framed(end={"here": 1, "count": 1}), "counts 1 members"),
    Differential("fewer members than counted", INDEX, framed(end={"here": 6, "count": 6}), "counts"),
    Differential("two counts", INDEX, framed(end={"here": 1}), "volumes"),
    Differential("directory elsewhere", UV, framed(end={"offset": 0}), "end record"),
    Differential("second volume", OURS, framed(end={"disk": 1, "first_disk": 1}), "volumes"),
    Differential("member in another volume", OURS, _central(disk=1), "volume"),
    Differential("members overlap", CORPUS, _overlapping(), "overlaps|belong to no member"),
)

ZIP64 = (
    Differential("ZIP64 end record without locator", INDEX, framed(zip64={}, no_locator=True), "end record"),
    Differential("ZIP64 asked for, not there", INDEX, framed(end=NARROW), "there is none"),
    Differential("locator points elsewhere", INDEX, framed(zip64={}, end=NARROW, locator={"offset": 0}), "locator"),
    Differential("locator of two volumes", OURS, framed(zip64={}, end=NARROW, locator={"disks": 2}), "locator"),
    Differential("locator without a record", INDEX, framed(zip64={"signature": b"PK\6\5"}, end=NARROW), "malformed"),
    Differential(
        "extensible data", CORPUS, framed(zip64={}, zip64_extensible=b"zzzz", end=NARROW), "locator|malformed"
    ),
    Differential("both end records, other counts", CORPUS, framed(zip64={"here": 9, "count": 9}), "disagree|counts"),
    Differential("both end records, other offsets", CORPUS, framed(zip64={"offset": 0}), "disagree"),
    Differential("two ZIP64 fields", INDEX, _member(local_extra=size_field(PACKED, SIZE) * 2), "two ZIP64"),
    Differential(
        "two ZIP64 fields in the directory", INDEX, _member(central_extra=size_field(PACKED, SIZE) * 2), "two ZIP64"
    ),
    Differential(
        "ZIP64 field too short",
        CORPUS,
        _member(central_extra=size_field(9), central={"packed": WIDE, "size": WIDE}),
        "",
    ),
    Differential(
        "ZIP64 field too long", CORPUS, _member(central_extra=size_field(0, SIZE), central={"size": WIDE}), "exactly"
    ),
    Differential("ZIP64 field of odd length", INDEX, _member(central_extra=extra(1, bytes(7))), "malformed"),
    Differential("empty ZIP64 field", INDEX, _member(local_extra=extra(1, b""), local={"size": WIDE}), "malformed"),
    Differential("ZIP64 size differs from the header", CORPUS, _member(local_extra=size_field(PACKED, 5)), "agree"),
    Differential(
        "ZIP64 size differs, in the directory", CORPUS, _member(central_extra=size_field(PACKED, 5)), "exactly"
    ),
    Differential(
        "one local size in ZIP64", INDEX, _member(local_extra=size_field(PACKED), local={"packed": WIDE}), "agree"
    ),
    Differential("local ZIP64 size asked for, not there", INDEX, _local(packed=WIDE), "there is none"),
    Differential("ZIP64 offset asked for, not there", OURS, _central(header=WIDE), "exactly"),
)

HEADERS = (
    Differential("two local entries, one listed", UV, _shadowed(), "belong to no member"),
    Differential(
        "local entry not in the directory", UV, build([*wheel_parts(), replace(OTHER, hidden=True)]), "behind it"
    ),
    Differential(
        "directory entry without a local one",
        UV,
        build([*wheel_parts(), replace(OTHER, ghost=True)]),
        "no member|local header",
    ),
    Differential(
        "two members of one name", INDEX, build([*wheel_parts(), replace(FIRST, data=b"import os\n")]), "two members"
    ),
    Differential(
        "one member listed twice",
        INDEX,
        build([*wheel_parts(), replace(FIRST, ghost=True, central={"header": 0})]),
        "two members",
    ),
    Differential(
        "a file and a directory of one name", OURS, build([Part(b"pair", b"x"), *wheel_parts()]), "needs a directory"
    ),
    Differential(
        "a file and a directory entry of one name",
        OURS,
        build([*wheel_parts(), Part(b"pair/__init__.py/", attributes=0o40755 << 16)]),
        "two members",
    ),
    Differential("other name in the local header", INDEX, _member(local_name=b"pair/__main__.py"), "another name"),
    Differential("other CRC in the local header", UV, _local(crc=1), "disagree"),
    Differential("zero CRC in the local header", UV, _local(crc=0), "disagree"),
    Differential("other packed size in the local header", UV, _local(packed=PACKED - 1), "disagree"),
    Differential("other size in the local header", UV, _local(size=SIZE + 1), "disagree"),
    Differential("other packed size in the directory", UV, _central(packed=PACKED + 1), "overlaps"),
    Differential("other size in the directory", UV, _central(size=SIZE - 1), "disagree"),
    Differential("other CRC in the directory", UV, _central(crc=1), "disagree"),
    Differential("other method in the local header", OURS, _local(method=records.STORED), "disagree"),
    Differential("UTF-8 only in the local header", OURS, _local(flags=UTF8), "disagree"),
    Differential("descriptor only in the local header", CORPUS, _local(flags=STREAMED), "disagree"),
    Differential("offset into another member", OURS, _central(header=3), "belong to no member|local header"),
    Differential("comment of a member", UV2, _member(comment=b"c"), "comment"),
    Differential("comment that is a directory entry", UV2, _member(comment=build([OTHER])[47:]), "comment"),
    Differential("newer version needed", OURS, _both(needed=63), "version 63"),
    Differential("newer version in the local header", OURS, _local(needed=63), "version"),
    Differential("needs VMS", OURS, _central(needed=2 << 8 | 20), "version"),
)

DESCRIPTORS = (
    Differential("descriptor missing", UV, _member(flags=STREAMED, descriptor=b""), "descriptor"),
    Differential(
        "descriptor with another CRC", UV, _member(flags=STREAMED, descriptor=SIGNED + descriptor(1)), "descriptor"
    ),
    Differential("descriptor with CRC 0", UV, _member(flags=STREAMED, descriptor=SIGNED + descriptor(0)), "descriptor"),
    Differential(
        "descriptor with another packed size",
        UV,
        _member(flags=STREAMED, descriptor=SIGNED + descriptor(packed=9)),
        "descriptor",
    ),
    Differential(
        "descriptor with another size",
        UV,
        _member(flags=STREAMED, descriptor=SIGNED + descriptor(size=9)),
        "descriptor",
    ),
    Differential(
        "unsigned descriptor with another size",
        UV,
        _member(flags=STREAMED, descriptor=descriptor(size=9)),
        "descriptor",
    ),
    Differential(
        "wide descriptor without a ZIP64 field",
        CORPUS,
        _member(flags=STREAMED, descriptor=SIGNED + descriptor(wide=True)),
        "descriptor",
    ),
    Differential(
        "wide descriptor with another packed size",
        CORPUS,
        _member(flags=STREAMED, local_extra=size_field(0, 0), descriptor=SIGNED + descriptor(packed=9, wide=True)),
        "descriptor",
    ),
    Differential(
        "narrow descriptor with a ZIP64 field",
        CORPUS,
        _member(flags=STREAMED, local_extra=size_field(0, 0), descriptor=SIGNED + descriptor()),
        "descriptor",
    ),
    Differential("descriptor without its flag", CORPUS, _member(behind=SIGNED + descriptor()), "behind it"),
    Differential("two descriptors", CORPUS, _member(flags=STREAMED, behind=SIGNED + descriptor()), "descriptor"),
    Differential("stored, size behind", UV2, _member(flags=STREAMED, method=records.STORED), "end can't be known"),
    Differential(
        "half a size in the local header", OURS, _member(flags=STREAMED, local={"packed": PACKED}), "disagree"
    ),
    Differential(
        "sizes only behind, not in the directory",
        CORPUS,
        _member(flags=STREAMED, central={"packed": 0, "size": 0, "crc": 0}),
        "descriptor|unpack",
    ),
)

DATA = (
    Differential("size shorter than the data", CORPUS, _shortsize(wide=False), "more than|CRC"),
    Differential("ZIP64 size shorter than the data", CORPUS, _shortsize(wide=True), "more than|CRC"),
    Differential("size longer than the data", CORPUS, _both(size=SIZE + 1), "less than"),
    Differential("size that deflate can't reach", OURS, _both(size=10**6), "can't unpack"),
    Differential("CRC of other data", UV, _both(crc=1), "CRC"),
    Differential("bytes behind the deflate stream", UV2, _member(packed=deflate(FIRST.data) + b"x"), "behind the end"),
    Differential(
        "two deflate streams", CORPUS, _member(packed=deflate(FIRST.data) + deflate(b"import os\n")), "behind the end"
    ),
    Differential("deflate stream without its end", CORPUS, _member(packed=deflate(FIRST.data)[:-1]), "no end|damaged"),
    Differential("no final block", CORPUS, _member(packed=b"\0\x5a\0\xa5\xff" + FIRST.data), "no end"),
    Differential("no deflate stream", CORPUS, _member(packed=b"\xff" * PACKED), "damaged"),
    Differential(
        "stored with two sizes",
        UV2,
        _member(method=records.STORED, local={"size": 5}, central={"size": 5}),
        "two sizes",
    ),
    Differential("encrypted", OURS, _both(flags=records.FLAG_ENCRYPTED), "encrypted"),
    Differential("strongly encrypted", OURS, _both(flags=records.FLAG_STRONG_ENCRYPTION), "encrypted"),
    Differential("masked headers", OURS, _both(flags=records.FLAG_MASKED), "encrypted"),
    Differential("patch data", OURS, _both(flags=records.FLAG_PATCHED), "flags"),
    Differential("bzip2", OURS, _both(method=12), "bzip2"),
    Differential("lzma", OURS, _both(method=14), "lzma"),
    Differential("deflate64", OURS, _both(method=9), "deflate64"),
    Differential("zstandard", OURS, _both(method=93), "zstd"),
    Differential("unknown method", OURS, _both(method=77), "method 77"),
)

EXTRAS = (
    Differential("extra field of three bytes", CORPUS, _member(local_extra=b"   "), "fill their space"),
    Differential("three NULs in the directory", INDEX, _member(central_extra=bytes(3)), "fill their space"),
    Differential("extra field longer than its space", INDEX, _member(local_extra=b"\xca\xfe\xff\0"), "longer than"),
    Differential("the same, in the directory", CORPUS, _member(central_extra=b"\xca\xfe\xff\0"), "longer than"),
    Differential(
        "Unicode path, other name", UV2, _member(central_extra=unicode_path(FIRST.name, b"pair/x.py")), "second name"
    ),
    Differential(
        "Unicode path, other name, local",
        UV2,
        _member(local_extra=unicode_path(FIRST.name, b"pair/x.py")),
        "second name",
    ),
    Differential(
        "Unicode path, same name", UV2, _member(central_extra=unicode_path(FIRST.name, FIRST.name)), "second name"
    ),
    Differential(
        "Unicode path for another CRC", UV2, _member(central_extra=unicode_path(FIRST.name, b"x", crc=1)), "second name"
    ),
    Differential(
        "two Unicode paths",
        INDEX,
        _member(local_extra=unicode_path(FIRST.name, b"x") + unicode_path(FIRST.name, b"y")),
        "second name",
    ),
    Differential(
        "Unicode path that is not UTF-8", INDEX, _member(local_extra=unicode_path(FIRST.name, b"\xf7")), "second name"
    ),
)

_NAMES: tuple[tuple[str, str, bytes, str], ...] = (
    ("leaves the root", OURS, b"../pair.py", "leaves the root"),
    ("leaves the root in the middle", UV2, b"pair/../../x.py", "leaves the root"),
    ("goes up and down again", UV2, b"pair/../x.py", "leaves the root"),
    ("current directory first", UV2, b"./x.py", "part `.`"),
    ("current directory in the middle", UV2, b"pair/./x.py", "part `.`"),
    ("two slashes", UV2, b"pair//x.py", "empty part"),
    ("absolute", OURS, b"/tmp/x.py", "absolute"),
    ("drive letter", OURS, b"C:x.py", "drive letter"),
    ("drive letter and slash", OURS, b"c:/x.py", "drive letter"),
    ("backslash", OURS, b"pair\\x.py", "backslash"),
    ("backslashes up", OURS, b"..\\x.py", "backslash"),
    ("network path", OURS, b"\\\\host\\x.py", "backslash"),
    ("NUL", UV2, b"pair/x.py\0.txt", "NUL"),
    ("line break", INDEX, b"pair/x\n.py", "control character"),
    ("escape", INDEX, b"pair/\x1b[2Jx.py", "control character"),
    ("delete", INDEX, b"pair/x\x7f.py", "control character"),
    ("control character above ASCII", OURS, "pair/x\x85.py".encode(), "control character"),
    ("writing direction", OURS, "pair/x\u202eyp.exe".encode(), "can't be seen"),
    ("no name", OURS, b"", "no name"),
    ("only a slash", OURS, b"/", "no name"),
    ("part too long", OURS, b"x" * 256, "255 bytes"),
    ("too long", OURS, b"/".join([b"x" * 99] * 50), "4096 bytes"),
)

NAMES = (
    *(
        Differential(f"name: {what}", by, _named(name, flags=0 if name.isascii() else UTF8), why)
        for what, by, name, why in _NAMES
    ),
    Differential("name not UTF-8", INDEX, _named(b"pair/\x82.py", flags=UTF8), "not UTF-8"),
    Differential("name in code page 437", INDEX, _member(name=b"pair/\x82.py"), "not ASCII"),
    Differential("name in UTF-8, not marked", INDEX, _member(name="pair/ä.py".encode()), "not ASCII"),
    Differential("overlong UTF-8", OURS, _named(b"pair/\xc0\xae\xc0\xae.py", flags=UTF8), "not UTF-8"),
    Differential(
        "directory with data",
        CORPUS,
        build([*wheel_parts(), Part(b"pair/sub/", b"data", attributes=0o40755 << 16)]),
        "holds data",
    ),
    Differential(
        "directory's name, file's mode", CORPUS, build([*wheel_parts(), Part(b"pair/sub/")]), "its mode is not"
    ),
    Differential("file's name, directory's mode", CORPUS, _member(attributes=0o40755 << 16), "its name is not"),
    Differential("file's name, DOS directory", CORPUS, _member(attributes=0x10), "its name is not"),
    Differential("volume label", OURS, _member(attributes=0x08, made_by=20), "volume"),
    Differential("device", OURS, _member(attributes=0o020666 << 16), "neither a file"),
    Differential("pipe", OURS, _member(attributes=0o010666 << 16), "neither a file"),
    Differential("link from DOS", OURS, _member(attributes=LINK, made_by=20), "not marked"),
    Differential("link from a Mac", OURS, _member(attributes=LINK, made_by=19 << 8), "not marked"),
)

DIFFERENTIALS = (*FRAMING, *ZIP64, *HEADERS, *DESCRIPTORS, *DATA, *EXTRAS, *NAMES)
