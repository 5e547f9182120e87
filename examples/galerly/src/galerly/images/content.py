"""What an upload really is: by its bytes, never by its name.  Pure Python, so that it holds without the image layer.

A file is walked from its first byte to its end, as its format lays it out.  What does not add up is refused here,
before any decoder sees it; so is a file that is also something else (a polyglot), and a header that announces a bomb.
"""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

from galerly.images import tiff
from galerly.images.foreign import refuse_foreign
from galerly.images.refusals import RefusedError

RAW = ("3FR", "ARW", "CR2", "CR3", "DNG", "NEF", "ORF", "PEF", "RAF", "RW2")
STANDARD = ("JPEG", "PNG", "WEBP", "GIF")
TAKEN = f"JPEG, PNG, WEBP, GIF, HEIC and HEIF, and the RAW formats {', '.join(RAW)}"

# A progressive JPEG has about ten; each makes a decoder go over the whole picture again
JPEG_SCANS = 100
# What is a picture's own, compressed: anything may stand in there by chance
_PNG_PIXELS = (b"IDAT", b"fdAT", b"PLTE")
_WEBP_PIXELS = (b"VP8 ", b"VP8L", b"ALPH", b"ANMF")
# Of a file whose every part is its maker's own, what is searched at its begin and at its end
_ENDS = 65_536


class Content(NamedTuple):
    """`format` is one of RAW, STANDARD or "HEIF".  `size` is width and height as stored, None if not known yet.

    `end` is where the picture ends, and `texts` are the (begin, end) of what its author may write freely, in order.
    """

    format: str
    size: tuple[int, int] | None
    end: int
    texts: tuple[tuple[int, int], ...] = ()


def examine(data: bytes, pixels: int) -> Content:
    """Raises RefusedError for what is none of the formats, is cut off, is something else too, or has more `pixels`."""
    if not data:
        raise RefusedError("the file is empty")
    try:
        content = _walked(data)
    except (IndexError, struct.error):
        raise RefusedError("the file is cut off or damaged") from None
    refuse_foreign(data, content.end, content.texts, content.format)
    if content.size is not None:
        within(content.size, pixels)
    return content


def within(size: tuple[int, int], pixels: int) -> None:
    """Raises RefusedError for a picture of no or too many pixels."""
    width, height = size
    if width < 1 or height < 1:
        raise RefusedError("the picture has no pixels")
    if width * height > pixels:
        raise RefusedError(f"the picture has {width} x {height} pixels, more than {pixels / 1e6:g} million")


def _walked(data: bytes) -> Content:
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg(data)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(data)
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return _gif(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    if data[4:8] == b"ftyp":
        return _boxes(data)
    if data.startswith(b"FUJIFILMCCD-RAW "):
        return Content("RAF", None, len(data), _ends(data))
    if kind := tiff.raw_format(data):
        return Content(kind, None, len(data), _ends(data))
    raise RefusedError(f"the file is no picture of a kind that is taken: {TAKEN}")


def _ends(data: bytes) -> tuple[tuple[int, int], ...]:
    return (0, min(_ENDS, len(data))), (max(0, len(data) - _ENDS), len(data))


# Up to the next marker that is neither a stuffed zero, nor a restart, nor a fill byte (ITU T.81, B.1.1)
_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")


def _jpeg(data: bytes) -> Content:
    size, texts, scans, at = None, [], 0, 2
    while True:
        found = _MARKER.search(data, at)
        if found is None:
            raise RefusedError("the JPEG is cut off")
        marker, at = found[1][0], found.end()
        if marker == 0xD9:
            if size is None or not scans:
                raise RefusedError("the JPEG has no picture in it")
            return Content("JPEG", size, at, tuple(texts))
        if marker in (0x01, 0xD8):
            continue
        (length,) = struct.unpack_from(">H", data, at)
        if length < 2 or at + length > len(data):
            raise RefusedError("the JPEG is cut off or damaged")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 3)
            # The largest counts, whichever of several headers a decoder goes by
            size = max(size or (0, 0), (width, height), key=lambda pair: pair[0] * pair[1])
        elif marker == 0xFE or 0xE0 <= marker <= 0xEF:
            texts.append((at + 2, at + length))
        elif marker == 0xDA:
            scans += 1
            if scans > JPEG_SCANS:
                raise RefusedError(f"the JPEG has more than {JPEG_SCANS} scans")
        at += length


def _png(data: bytes) -> Content:
    size, at = None, 8
    texts: list[tuple[int, int]] = []
    while True:
        length, kind = struct.unpack_from(">I4s", data, at)
        begin, at = at + 8, at + 12 + length
        if at > len(data):
            raise RefusedError("the PNG is cut off")
        if kind == b"IHDR":
            size = struct.unpack_from(">II", data, begin)
        elif kind == b"IEND":
            if size is None:
                raise RefusedError("the PNG has no header")
            return Content("PNG", (size[0], size[1]), at, tuple(texts))
        elif kind not in _PNG_PIXELS:
            texts.append((begin, begin + length))


def _gif(data: bytes) -> Content:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at, texts, frames = 13 + _palette(flags), [], 0
    while (block := data[at]) != 0x3B:
        if block == 0x21:
            begin = at + 2
            at = _sub_blocks(data, begin)
            if data[begin - 1] in (0x01, 0xFE, 0xFF):  # a text, a comment, an application's own
                texts.append((begin, at))
        elif block == 0x2C:
            wide, high, flags = struct.unpack_from("<HHB", data, at + 5)
            width, height, frames = max(width, wide), max(height, high), frames + 1
            at = _sub_blocks(data, at + 11 + _palette(flags))
        else:
            raise RefusedError("the GIF is damaged")
    if not frames:
        raise RefusedError("the GIF has no picture in it")
    return Content("GIF", (width, height), at + 1, tuple(texts))


def _palette(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _sub_blocks(data: bytes, at: int) -> int:
    while length := data[at]:
        at += 1 + length
    return at + 1


def _webp(data: bytes) -> Content:
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    if end > len(data):
        raise RefusedError("the WEBP is cut off")
    size, texts, at = (0, 0), [], 12
    while at + 8 <= end:
        kind, length = struct.unpack_from("<4sI", data, at)
        begin, at = at + 8, at + 8 + length + length % 2
        found = (0, 0)
        if kind == b"VP8X":
            found = (1 + int.from_bytes(data[begin + 4 : begin + 7], "little"),
                     1 + int.from_bytes(data[begin + 7 : begin + 10], "little"))  # fmt: skip
        elif kind == b"VP8 ":
            width, height = struct.unpack_from("<HH", data, begin + 6)
            found = (width & 0x3FFF, height & 0x3FFF)
        elif kind == b"VP8L":
            bits = struct.unpack_from("<I", data, begin + 1)[0]
            found = (1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
        elif kind not in _WEBP_PIXELS:
            texts.append((begin, begin + length))
        size = max(size, found, key=lambda pair: pair[0] * pair[1])
    return Content("WEBP", size, end + end % 2 if end < len(data) else end, tuple(texts))


# MIAF and HEIF, ISO/IEC 23008-12, B.4.1, and what Apple writes; Canon's own
_BRANDS = {**dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"), "HEIF"), b"crx ": "CR3"}


def _boxes(data: bytes) -> Content:
    """ISO base media: boxes one after the other, up to the end of the file (ISO/IEC 14496-12, 4.2)."""
    kind = _BRANDS.get(data[8:12])
    if kind is None:
        raise RefusedError(f"the file is no picture of a kind that is taken: {TAKEN}")
    size: tuple[int, int] | None = None
    at, texts = 0, [*_ends(data)]
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, at + 8)
        elif length == 0:
            length = len(data) - at
        if length < 8 or at + length > len(data):
            raise RefusedError(f"the {kind} is cut off or damaged")
        if name == b"meta" and kind == "HEIF":
            # Extents of all pictures in it: tiles, thumbnails, and the whole
            spaces = re.finditer(rb"ispe\0\0\0\0(.{4})(.{4})", data[at : at + length], re.DOTALL)
            found = [(int.from_bytes(space[1], "big"), int.from_bytes(space[2], "big")) for space in spaces]
            size = max(found, key=lambda pair: pair[0] * pair[1], default=None)
        # Canon's own boxes hold previews
        if name not in (b"mdat", b"moov", b"uuid") or (kind == "HEIF" and name != b"mdat"):
            texts.append((at, at + length))
        at += length
    if kind == "HEIF" and size is None:
        raise RefusedError("the HEIF has no picture in it")
    return Content(kind, size, len(data), tuple(texts))
