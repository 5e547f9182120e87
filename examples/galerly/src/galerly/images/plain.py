"""Without the image layer: the picture as it is, less what its metadata tells.  Pure Python.

A photo that is shown too large is better than one that is not shown; a photo that tells where its owner lives is not.
"""

from __future__ import annotations

import struct

from galerly.images.content import Content


def plain(data: bytes, content: Content) -> bytes:
    """`data` was examined, and is a JPEG, PNG, WEBP or GIF.  What stands behind the picture's end is left out."""
    whole = data[: content.end]
    return {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp, "GIF": _gif}[content.format](whole, content)


def _jpeg(data: bytes, content: Content) -> bytes:
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
        exif = b"Exif\0\0MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 274, 3, 1, turn, 0, 0)
        kept[2:2] = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    return bytes(kept)


def _orientation(exif: bytes) -> int:
    from galerly.images import tiff

    turn = next((folder.number(tiff.ORIENTATION) for folder in tiff.folders(exif)), None)
    return turn if turn is not None and 2 <= turn <= 8 else 1


def _png(data: bytes, _content: Content) -> bytes:
    kept, at = bytearray(data[:8]), 8
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind not in (b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME"):
            kept += data[at : at + 12 + length]
        at += 12 + length
    return bytes(kept)


def _webp(data: bytes, _content: Content) -> bytes:
    kept, at = bytearray(), 12
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        chunk = bytearray(data[at : at + 8 + length + length % 2])
        if kind == b"VP8X":
            chunk[8] &= ~0x0C  # there is neither EXIF nor XMP any more
        if kind not in (b"EXIF", b"XMP "):
            kept += chunk
        at += len(chunk)
    return b"RIFF" + struct.pack("<I", 4 + len(kept)) + b"WEBP" + bytes(kept)


def _gif(data: bytes, content: Content) -> bytes:
    """Comments and XMP go; how often a film is shown (NETSCAPE2.0) stays."""
    kept, last = bytearray(), 0
    for begin, end in content.texts:
        if data[begin - 1] == 0xFF and data[begin + 1 : begin + 12] == b"NETSCAPE2.0":
            continue
        kept += data[last : begin - 2]
        last = end
    return bytes(kept + data[last:])
