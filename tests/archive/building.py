"""Zips made byte by byte, so that every field can be wrong on its own."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from lamella.archive import records

LOCAL_FIELDS = ("signature", "needed", "flags", "method", "time", "date", "crc", "packed", "size", "names", "extras")
CENTRAL_FIELDS = (
    *("signature", "made_by", "needed", "flags", "method", "time", "date", "crc", "packed", "size", "names", "extras"),
    *("comments", "disk", "internal", "attributes", "header"),
)
END_FIELDS = ("signature", "disk", "first_disk", "here", "count", "length", "offset", "comments")
ZIP64_FIELDS = (*("signature", "rest", "made_by", "needed", "disk", "first_disk", "here", "count", "length", "offset"),)
LOCATOR_FIELDS = ("signature", "disk", "offset", "disks")

Fields = Mapping[str, int | bytes]
UNIX = records.SYSTEM_UNIX << 8 | 20


def deflate(data: bytes) -> bytes:
    """Deflate without a header."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def extra(tag: int, value: bytes) -> bytes:
    """Make one extra field."""
    return records.EXTRA.pack(tag, len(value)) + value


def unicode_path(raw: bytes, name: bytes, *, version: int = 1, crc: int | None = None) -> bytes:
    """Make an Info-ZIP Unicode path field that gives the member called `raw` the name `name`."""
    checked = zlib.crc32(raw) if crc is None else crc
    return extra(records.UNICODE_PATH_EXTRA, bytes([version]) + checked.to_bytes(4, "little") + name)


@dataclass(frozen=True)
class Part:
    """One member.  `local` and `central` override single fields of its two headers, after all else was worked out."""

    name: bytes
    data: bytes = b""
    method: int = records.DEFLATED
    flags: int = 0
    attributes: int = 0o100644 << 16
    made_by: int = UNIX
    packed: bytes | None = None
    local_name: bytes | None = None
    local_extra: bytes = b""
    central_extra: bytes = b""
    comment: bytes = b""
    descriptor: bytes | None = None
    before: bytes = b""
    behind: bytes = b""
    hidden: bool = False  # has no central record
    ghost: bool = False  # has no local header and no data
    local: Fields = field(default_factory=dict)
    central: Fields = field(default_factory=dict)

    def stored(self) -> bytes:
        """Return the bytes between the local header and the descriptor."""
        if self.packed is not None:
            return self.packed
        return deflate(self.data) if self.method == records.DEFLATED else self.data


@dataclass(frozen=True)
class Frame:
    """What stands around the members.  `end`, `zip64` and `locator` override fields; zip64 None leaves both out."""

    before: bytes = b""
    gap: bytes = b""  # between the members and the central directory
    inside: bytes = b""  # behind the last central record, counted as part of the directory
    comment: bytes = b""
    behind: bytes = b""
    end: Fields = field(default_factory=dict)
    zip64: Fields | None = None
    zip64_extensible: bytes = b""
    locator: Fields = field(default_factory=dict)
    no_locator: bool = False
    shift: int = 0  # added to every offset


def _pack(kind: str, fields: tuple[str, ...], values: Fields, overrides: Fields) -> bytes:
    merged = {**values, **overrides}
    assert merged.keys() == set(fields), merged.keys() ^ set(fields)
    layout = getattr(records, kind)
    packed: bytes = layout.pack(*(merged[name] for name in fields))
    return packed


def build(parts: list[Part], frame: Frame = Frame()) -> bytes:  # frozen
    """Lay out members, central directory and end records."""
    out = bytearray(frame.before)
    central = bytearray()
    count = 0
    for part in parts:
        out += part.before
        header = len(out) + frame.shift
        packed = part.stored()
        crc = zlib.crc32(part.data)
        streamed = part.flags & records.FLAG_DESCRIPTOR
        values: dict[str, int | bytes] = {
            "needed": 20,
            "flags": part.flags,
            "method": part.method,
            "time": 0,
            "date": 0x21,
            "crc": crc,
            "packed": len(packed),
            "size": len(part.data),
            "names": len(part.name),
        }
        if not part.ghost:
            name = part.name if part.local_name is None else part.local_name
            seen: dict[str, int | bytes] = {
                "signature": records.LOCAL_SIGNATURE,
                "names": len(name),
                "extras": len(part.local_extra),
            }
            if streamed:
                seen |= {"crc": 0, "packed": 0, "size": 0}
            out += _pack("LOCAL", LOCAL_FIELDS, {**values, **seen}, part.local) + name + part.local_extra + packed
            if part.descriptor is not None:
                out += part.descriptor
            elif streamed:
                out += records.DESCRIPTOR_SIGNATURE + records.DESCRIPTOR.pack(crc, len(packed), len(part.data))
        out += part.behind
        if not part.hidden:
            count += 1
            values |= {
                "signature": records.CENTRAL_SIGNATURE,
                "made_by": part.made_by,
                "extras": len(part.central_extra),
                "comments": len(part.comment),
                "disk": 0,
                "internal": 0,
                "attributes": part.attributes,
                "header": header,
            }
            central += _pack("CENTRAL", CENTRAL_FIELDS, values, part.central)
            central += part.name + part.central_extra + part.comment
    out += frame.gap
    central += frame.inside
    return bytes(out + central) + _ends(frame, count, len(central), len(out) + frame.shift)


def _ends(frame: Frame, count: int, length: int, offset: int) -> bytes:
    known: dict[str, int | bytes] = {
        "disk": 0,
        "first_disk": 0,
        "here": count,
        "count": count,
        "length": length,
        "offset": offset,
    }
    out = b""
    if frame.zip64 is not None:
        wide: dict[str, int | bytes] = {
            **known,
            "signature": records.ZIP64_EOCD_SIGNATURE,
            "rest": 44,
            "made_by": UNIX,
            "needed": 45,
        }
        wide["rest"] = 44 + len(frame.zip64_extensible)
        out += _pack("ZIP64_EOCD", ZIP64_FIELDS, wide, frame.zip64) + frame.zip64_extensible
        if not frame.no_locator:
            locator: dict[str, int | bytes] = {
                "signature": records.ZIP64_LOCATOR_SIGNATURE,
                "disk": 0,
                "offset": offset + length,
                "disks": 1,
            }
            out += _pack("ZIP64_LOCATOR", LOCATOR_FIELDS, locator, frame.locator)
    end: dict[str, int | bytes] = {**known, "signature": records.EOCD_SIGNATURE, "comments": len(frame.comment)}
    return out + _pack("EOCD", END_FIELDS, end, frame.end) + frame.comment + frame.behind


WHEEL_NAME = "pair-1.0-py3-none-any.whl"
METADATA = (
    b"Metadata-Version: 2.1\nName: pair\nVersion: 1.0\nRequires-Dist: one>=2; extra == 'x'\nRequires-Python: >=3.9\n"
)
WHEEL = b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
FIRST = Part(b"pair/__init__.py", b"first = 1\n" * 9)
SECOND = Part(b"pair/second.txt", b"second: two words\n" * 7)


def record_line(part: Part) -> bytes:
    """Write the line of RECORD for a member."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(part.data).digest()).rstrip(b"=")
    return b"%s,sha256=%s,%d\n" % (part.name, digest, len(part.data))


def wheel_parts(*files: Part, info: bytes = b"pair-1.0.dist-info", record: bytes | None = None) -> list[Part]:
    """Complete `files` (default: FIRST and SECOND) with the `.dist-info` that makes them a wheel."""
    parts = list(files or (FIRST, SECOND))
    names = {part.name for part in parts}
    for name, data in ((b"METADATA", METADATA), (b"WHEEL", WHEEL)):
        if info + b"/" + name not in names:
            parts.append(Part(info + b"/" + name, data))
    if record is None:
        lines = [record_line(part) for part in parts if not part.name.endswith(b"/")]
        record = b"".join(lines) + info + b"/RECORD,,\n"
    return [*parts, Part(info + b"/RECORD", record)]


def wheel_with(change: Mapping[str, object], *, which: int = 0, frame: Frame = Frame()) -> bytes:
    """Build the sample wheel with one member changed; RECORD is that of the unchanged one."""
    parts = wheel_parts()
    parts[which] = replace(parts[which], **change)  # type: ignore[arg-type]
    return build(parts, frame)
