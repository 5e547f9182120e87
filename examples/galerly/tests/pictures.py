"""Pictures that tests make: RAW files byte by byte, the others by the built layer's own libraries."""

from __future__ import annotations

import base64
import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tests.journeys.lambdas import Lambda

# Corners of every picture, clockwise from the upper left; seen from any side, it is known how it lies
RED, GREEN, WHITE, BLUE = (200, 30, 30), (30, 160, 30), (240, 240, 240), (30, 30, 200)
CORNERS = (RED, GREEN, WHITE, BLUE)

_SCRIPT = Path(__file__).with_name("drawing.py")


@dataclass(frozen=True, slots=True)
class Pictures:
    """`drawn` are pictures by name, for example "turned-6.jpg"; see drawing.py."""

    drawn: Mapping[str, bytes]
    layer: Lambda

    def __getitem__(self, name: str) -> bytes:
        return self.drawn[name]

    def seen(self, picture: bytes) -> dict[str, Any]:
        """What Pillow says of it: format, size, corners, profile, and what of EXIF there is, by its names."""
        found: dict[str, Any] = self.layer.run(f"{_SCRIPT.read_text()}\nanswer = seen(given)", given=picture)
        return found


def drawn(layer: Lambda) -> Pictures:
    """`layer` is the unpacked image layer."""
    pictures = layer.run(
        f"{_SCRIPT.read_text()}\nanswer = {{name: text(picture) for name, picture in drawn().items()}}"
    )
    return Pictures({name: base64.b64decode(text) for name, text in pictures.items()}, layer)


class Pointer(NamedTuple):
    """A value of a folder: bytes elsewhere in the file, by their offset."""

    content: bytes


# TIFF 6.0, section 2: the type that each tag is written with; 3 u16, 4 u32, 5 and 10 ratios.
_U16 = {258, 259, 262, 274, 277, 284, 33421, 50711, 50714, 50717, 50778, 34855}
_RATIO, _SIGNED_RATIO = {2, 4, 33434, 33437, 50728}, {50721}
Value = str | bytes | int | tuple[int, ...] | Pointer | dict[int, Any] | list[dict[int, Any]]


def tiff(folder: Mapping[int, Value], magic: bytes = b"II*\0", lead: bytes = b"") -> bytes:
    """A little-endian TIFF; a dict is a folder of its own, a list of them SubIFDs.  `lead` stands behind the header."""
    out = bytearray(magic + struct.pack("<I", 8 + len(lead)) + lead)
    _write(out, folder)
    return bytes(out)


def _write(out: bytearray, folder: Mapping[int, Value]) -> None:
    begin = len(out)
    out += struct.pack("<H", len(folder)) + bytes(12 * len(folder) + 4)
    for number, (tag, value) in enumerate(sorted(folder.items())):
        kind, count, content = _encoded(out, tag, value)
        if len(content) > 4:
            out += bytes(len(out) % 2)
            content, at = struct.pack("<I", len(out)), content
            out += at
        struct.pack_into("<HHI4s", out, begin + 2 + 12 * number, tag, kind, count, content)


def _encoded(out: bytearray, tag: int, value: Value) -> tuple[int, int, bytes]:
    if isinstance(value, str):
        return 2, len(value) + 1, value.encode() + b"\0"
    if isinstance(value, bytes):
        return (1, len(value), value)
    if isinstance(value, Pointer):
        out += bytes(len(out) % 2)
        at = len(out)
        out += value.content
        return 4, 1, struct.pack("<I", at)
    if isinstance(value, dict | list):
        places = []
        for folder in value if isinstance(value, list) else [value]:
            out += bytes(len(out) % 2)
            places.append(len(out))
            _write(out, folder)
        return 4, len(places), struct.pack(f"<{len(places)}I", *places)
    numbers = (value,) if isinstance(value, int) else value
    if tag in _RATIO or tag in _SIGNED_RATIO:
        return (5 if tag in _RATIO else 10), len(numbers) // 2, struct.pack(f"<{len(numbers)}i", *numbers)
    code = "H" if tag in _U16 else "I"
    return (3 if tag in _U16 else 4), len(numbers), struct.pack(f"<{len(numbers)}{code}", *numbers)


GPS = {1: "N", 2: (47, 1, 22, 1, 9, 1), 3: "E", 4: (8, 1, 33, 1, 2, 1)}
EXIF = {33434: (1, 250), 34855: 400, 36867: "2026:05:17 10:20:30"}
CAMERA = {271: "Lamella", 272: "Lamella One"}


def mosaic(width: int, height: int) -> bytes:
    """What a sensor sees of the picture, 16 bits for each pixel of its filter: red green, green blue."""
    rows = []
    for upper in (True, False):
        left, right = (RED, GREEN) if upper else (BLUE, WHITE)
        for colours in ((0, 1), (1, 2)):
            halves = (struct.pack("<HH", *(_linear(half[colour]) for colour in colours)) for half in (left, right))
            rows.append(b"".join(half * (width // 4) for half in halves))
    return (rows[0] + rows[1]) * (height // 4) + (rows[2] + rows[3]) * (height // 4)


def _linear(value: int) -> int:
    return round(float((value / 255) ** 2.2) * 60_000)


def dng(
    width: int = 640, height: int = 480, turn: int = 1, preview: bytes = b"", tags: Mapping[int, int] | None = None
) -> bytes:
    """Adobe's DNG 1.4, not compressed, with its CFA; the place and all.  `tags` are those that say something else."""
    # XYZ to the camera's colours, which are sRGB's (IEC 61966-2-1)
    matrix = (32406, -15372, -4986, -9689, 18758, 415, 557, -2040, 10570)
    sensor: dict[int, Value] = {
        254: 0, 256: width, 257: height, 258: 16, 259: 1, 262: 32803, 277: 1, 278: height,
        273: Pointer(mosaic(width, height)), 279: 2 * width * height, 284: 1, 33421: (2, 2),
        33422: bytes((0, 1, 1, 2)), 50717: 60_000,
    }  # fmt: skip
    shot: dict[int, Value] = {
        **CAMERA, 274: turn, 0x8769: dict(EXIF), 0x8825: dict(GPS), 50706: bytes((1, 4, 0, 0)), 50708: "Lamella One",
        50721: tuple(part for number in matrix for part in (number, 10_000)), 50728: (1, 1) * 3, 50778: 21,
        700: b"<x:xmpmeta>47,22N</x:xmpmeta>",
    }  # fmt: skip
    sensor |= tags or {}
    return tiff({**sensor, **shot} if not preview else {**shot, 330: [sensor], **_previewed(preview)})


def _previewed(preview: bytes) -> dict[int, Value]:
    return {254: 1, 256: 640, 257: 480, 258: (8, 8, 8), 259: 7, 262: 6, 277: 3, 278: 480, 273: Pointer(preview),
            279: len(preview)}  # fmt: skip


def of_maker(kind: str, preview: bytes) -> bytes:
    """A file with the marks of a maker's RAW, and a preview where its files have it; of its sensor there is nothing."""
    if kind == "RAF":
        head = b"FUJIFILMCCD-RAW 0201FF129502X-T1\0".ljust(84, b"\0")
        return head + struct.pack(">II", 160, len(preview)) + bytes(160 - 92) + preview
    if kind == "CR3":
        box = b"PRVW" + bytes(12) + struct.pack(">I", len(preview)) + preview
        box = struct.pack(">I", 4 + len(box)) + box
        return b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + struct.pack(">I4s", 8 + len(box), b"moov") + box
    magic = {"ORF": b"IIRO", "RW2": b"IIU\0"}.get(kind, b"II*\0")
    maker = {"NEF": "NIKON CORPORATION", "ARW": "SONY", "PEF": "PENTAX", "3FR": "Hasselblad"}.get(kind, "Maker")
    sensor = {
        254: 0,
        256: 64,
        257: 48,
        258: 14,
        259: 34_713,
        262: 32803,
        277: 1,
        278: 48,
        273: Pointer(bytes(64)),
        279: 64,
    }
    inside = {271: maker, 272: "None", 274: 1, 330: [sensor], **_previewed(preview)}
    return tiff(inside, magic, b"CR\2\0" + bytes(4) if kind == "CR2" else b"")


def png_of(width: int, height: int, text: bytes = b"", kind: bytes = b"tEXt") -> bytes:
    """A PNG of one colour: a few kilobytes for any number of pixels.  `text` stands in a comment, or another `kind`."""
    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), *([(kind, b"Comment\0" + text)] if text else []), (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def commented(jpeg: bytes, text: bytes) -> bytes:
    """The JPEG with a comment at its begin."""
    return jpeg[:2] + b"\xff\xfe" + struct.pack(">H", 2 + len(text)) + text + jpeg[2:]


def chunked(png: bytes, kind: bytes, body: bytes) -> bytes:
    """The PNG with a chunk behind its header."""
    return png[:33] + struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) + png[33:]


def riffed(webp: bytes, kind: bytes, body: bytes) -> bytes:
    """The WEBP with a chunk at its end."""
    chunks = webp[8:] + kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


def boxed(heif: bytes, body: bytes) -> bytes:
    """The HEIF with a box at its end that its readers skip."""
    return heif + struct.pack(">I4s", 8 + len(body), b"free") + body


def archive(entries: int = 1, comment: int = 0) -> bytes:
    """A ZIP whose end says how many `entries` it has, and how long its `comment` is; Python opens it all the same."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as opened:
        opened.writestr("page.html", "<script>alert(1)</script>")
    whole = bytearray(out.getvalue())
    struct.pack_into("<H", whole, len(whole) - 12, entries)
    struct.pack_into("<H", whole, len(whole) - 2, comment)
    return bytes(whole)
