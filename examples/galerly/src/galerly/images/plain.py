"""Without the image layer: the picture as it is, less what its metadata tells.  Pure Python.

A photo that is shown too large is better than one that is not shown; a photo that tells where its owner lives is not.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

from galerly.images import tiff
from galerly.images.content import Content

# Chunks that say how the picture looks; any other may say where it was taken
_PNG = frozenset(b"IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI bKGD pHYs acTL fcTL fdAT".split())
_WEBP = (b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP")
_WEBP_EXIF, _WEBP_XMP = 0x08, 0x04


class Plain(NamedTuple):
    """`turn` is EXIF's orientation, which is all that is left of the EXIF; 1 is upright."""

    data: bytes
    turn: int


def plain(data: bytes, content: Content) -> Plain:
    """`data` was examined, and is a JPEG, PNG, WEBP or GIF.  What stands behind the picture's end is left out."""
    whole = data[: content.end]
    return {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp, "GIF": _gif}[content.format](whole, content)


def _jpeg(data: bytes, content: Content) -> Plain:
    """Of every APPn only JFIF, colour profile and Adobe's colours stay; the orientation gets an EXIF of its own."""
    kept, turn, last = bytearray(data[:2]), 1, 2
    for begin, end in content.texts:
        kept += data[last : begin - 4]
        marker, text = data[begin - 3], data[begin:end]
        last = end
        if marker == 0xE0 or (marker == 0xE2 and text.startswith(b"ICC_PROFILE\0")) or marker == 0xEE:
            kept += data[begin - 4 : end]
        elif marker == 0xE1 and text.startswith(b"Exif\0\0"):
            turn = _orientation(text[6:])
    kept += data[last:]
    if turn != 1:
        exif = b"Exif\0\0" + _exif(turn)
        kept[2:2] = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    return Plain(bytes(kept), turn)


def _exif(turn: int) -> bytes:
    """With an orientation and nothing else."""
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 274, 3, 1, turn, 0, 0)


def _orientation(exif: bytes) -> int:
    turn = next((folder.number(tiff.ORIENTATION) for folder in tiff.folders(exif)), None)
    return turn if turn is not None and 2 <= turn <= 8 else 1


def _png(data: bytes, _content: Content) -> Plain:
    kept, at, turn = bytearray(data[:8]), 8, 1
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind in _PNG:
            kept += data[at : at + 12 + length]
        elif kind == b"eXIf" and turn == 1 and (turn := _orientation(data[at + 8 : at + 8 + length])) != 1:
            chunk = kind + _exif(turn)
            kept += struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        at += 12 + length
    return Plain(bytes(kept), turn)


def _webp(data: bytes, _content: Content) -> Plain:
    kept, at, turn, flags = bytearray(), 12, 1, -1
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        chunk = data[at : at + 8 + length + length % 2]
        if kind == b"VP8X" and flags < 0:
            flags = len(kept) + 8
        if kind in _WEBP:
            kept += chunk
        elif kind == b"EXIF" and turn == 1:
            turn = _orientation(chunk[8 : 8 + length].removeprefix(b"Exif\0\0"))
        at += len(chunk)
    if 0 <= flags < len(kept):
        kept[flags] &= ~(_WEBP_EXIF | _WEBP_XMP)
        if turn != 1:
            kept[flags] |= _WEBP_EXIF
            kept += b"EXIF" + struct.pack("<I", len(_exif(turn))) + _exif(turn)
    return Plain(b"RIFF" + struct.pack("<I", 4 + len(kept)) + b"WEBP" + bytes(kept), turn)


def _gif(data: bytes, content: Content) -> Plain:
    """Comments and XMP go; how often a film is shown (NETSCAPE2.0) stays."""
    kept, last = bytearray(), 0
    for begin, end in content.texts:
        if data[begin - 1] == 0xFF and data[begin + 1 : begin + 12] == b"NETSCAPE2.0":
            continue
        kept += data[last : begin - 2]
        last = end
    return Plain(bytes(kept + data[last:]), 1)
