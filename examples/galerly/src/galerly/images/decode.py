"""A picture's bytes in, a picture out: upright, in sRGB, no larger than is needed.  Needs the image layer."""

from __future__ import annotations

import io
import struct
import warnings
from typing import Any, NamedTuple

from PIL import Image, ImageCms

from galerly.images import tiff
from galerly.images.content import RAW, STANDARD, Content, examine, within
from galerly.images.libraries import pillow_heif, rawpy
from galerly.images.refusals import LacksLayerError, RefusedError

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


class Decoded(NamedTuple):
    """`image` is RGB.  `exif` is the camera's, whole.  `how` is "decoded", "developed" or "preview".

    `size` is that of the original, upright.
    """

    image: Any
    exif: Any
    how: str
    size: tuple[int, int]


def decode(data: bytes, content: Content, longest: int, pixels: int) -> Decoded:
    """A picture whose longer side has at least `longest` pixels, where the original has, and seldom many more.

    Raises RefusedError, LacksLayerError, and whatever the libraries raise for what is damaged.
    """
    if content.format in RAW:
        return _raw(data, content.format, longest, pixels)
    if content.format == "HEIF" and pillow_heif is None:
        raise LacksLayerError("pillow-heif")
    return _standard(data, content.format, longest, pixels)


def _standard(data: bytes, kind: str, longest: int, pixels: int) -> Decoded:
    Image.MAX_IMAGE_PIXELS = pixels
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        image: Any = Image.open(io.BytesIO(data), formats=[kind] if kind in STANDARD else ["HEIF"])
    within(image.size, pixels)
    exif, profile, size = _exif_of(image), image.info.get("icc_profile"), image.size
    if kind == "JPEG":
        image.draft(None, (longest, longest))  # an eighth, a quarter or half of the size is decoded at less cost
    image.load()
    image = _eight_bits(image)
    if max(image.size) > longest:
        image = image.resize(_fitting(image.size, longest), Image.Resampling.LANCZOS, reducing_gap=3.0)
    image = _flat(image)
    image = _in_srgb(image, profile)
    turn = exif.get(tiff.ORIENTATION, 1) if kind != "HEIF" else 1  # libheif has turned it
    return Decoded(_turned(image, turn), exif, "decoded", size[::-1] if turn in (5, 6, 7, 8) else size)


def _raw(data: bytes, kind: str, longest: int, pixels: int) -> Decoded:
    """Developed as the camera would; where LibRaw can't, the picture that the camera itself made and put inside."""
    if rawpy is None:
        raise LacksLayerError("rawpy")
    try:
        with rawpy.imread(io.BytesIO(data)) as raw:
            sizes = raw.sizes
            within((sizes.raw_width, sizes.raw_height), pixels)
            half = max(sizes.iwidth, sizes.iheight) >= 2 * longest
            array = raw.postprocess(use_camera_wb=True, half_size=half, output_color=rawpy.ColorSpace.sRGB)
            size = (sizes.iwidth, sizes.iheight)
            size = size[::-1] if sizes.flip in (5, 6) else size
    except rawpy.LibRawError as error:
        return _preview(data, kind, longest, pixels, error)
    # A sensor without colours gives one channel
    return Decoded(Image.fromarray(array.squeeze()).convert("RGB"), _exif(data), "developed", size)


def _preview(data: bytes, kind: str, longest: int, pixels: int, reason: Exception) -> Decoded:
    for begin, end in _previews(data, kind):
        inside = data[begin:end]
        try:
            found = examine(inside, pixels)
            preview = _standard(inside, found.format, longest, pixels)
        except (RefusedError, OSError, SyntaxError, ValueError):
            continue
        exif = _exif(data)
        image, size = preview.image, preview.size
        if tiff.ORIENTATION not in preview.exif and (turn := exif.get(tiff.ORIENTATION, 1)) in range(2, 9):
            image, size = _turned(image, turn), size[::-1] if turn >= 5 else size
        return Decoded(image, exif or preview.exif, "preview", size)
    raise RefusedError(f"the {kind} can't be developed ({_message(reason)}), and has no preview in it")


def _message(error: Exception) -> str:
    """LibRaw's own words, which rawpy hands on as bytes."""
    first = error.args[0] if error.args else ""
    return first.decode("ascii", "replace") if isinstance(first, bytes) else str(first) or type(error).__name__


def _previews(data: bytes, kind: str) -> list[tuple[int, int]]:
    if kind == "RAF":  # Fujifilm's header says where: offset and length, big-endian
        begin, length = struct.unpack_from(">II", data, 84) if len(data) >= 92 else (0, 0)
        return [(begin, begin + length)] if begin else []
    if kind == "CR3":  # in a box of Canon's own: `PRVW`, 16 bytes before its JPEG
        at = data.find(b"PRVW")
        begin = data.find(b"\xff\xd8\xff", at, at + 64) if at > 0 else -1
        return [(begin, begin + struct.unpack_from(">I", data, begin - 4)[0])] if begin > 4 else []
    return tiff.previews(data)


def _exif_of(image: Any) -> Any:
    """Broken EXIF is no reason to refuse a picture."""
    try:
        exif = image.getexif()
        exif.get_ifd(0x8769)
    except Exception:  # Pillow raises a dozen kinds here
        return Image.Exif()
    return exif


def _exif(data: bytes) -> Any:
    """Of a RAW that is a TIFF: its own folders are the EXIF."""
    exif = Image.Exif()
    if tiff.raw_format(data):
        try:
            exif.load((b"II*\0" if data[:1] == b"I" else b"MM\0*") + data[4:])
        except (OSError, SyntaxError, ValueError, struct.error):
            return Image.Exif()
    return exif


def _eight_bits(image: Any) -> Any:
    if image.mode.startswith("I"):  # sixteen bits of grey
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ("P", "PA", "1"):
        return image.convert("RGBA" if "transparency" in image.info or image.mode == "PA" else "RGB")
    return image.convert("RGBA") if "transparency" in image.info and image.mode in ("RGB", "L") else image


def _flat(image: Any) -> Any:
    """What shines through is white: a JPEG has no transparency."""
    if image.mode not in ("RGBA", "LA", "La", "RGBa"):
        return image
    image = image.convert("RGBA")
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def _in_srgb(image: Any, profile: bytes | None) -> Any:
    if profile and image.mode in ("RGB", "L", "CMYK"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            return ImageCms.profileToProfile(image, source, SRGB, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            pass  # a profile that is broken, or of another kind of picture: as if there were none
    return image.convert("RGB")


# EXIF 2.32, tag 274: how what is stored comes to stand upright
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _turned(image: Any, orientation: int) -> Any:
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def _fitting(size: tuple[int, int], longest: int) -> tuple[int, int]:
    factor = longest / max(size)
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
