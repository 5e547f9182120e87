"""Renditions of a picture: JPEGs that show no place, with what the camera says of the picture itself."""

from __future__ import annotations

import io
from typing import Any, NamedTuple

from galerly.images.content import STANDARD, examine
from galerly.images.libraries import Image
from galerly.images.limits import Limits
from galerly.images.plain import plain
from galerly.images.refusals import LacksLayerError

if Image is not None:  # before any fork: not once more for each picture
    from galerly.images.decode import SRGB, decode

# The longer side in pixels (a smaller picture is not enlarged), and JPEG's quality; from large to small
SIZES = {"large": (2560, 88), "medium": (1280, 85), "thumbnail": (512, 80)}

# EXIF's tags that renditions keep.  Left out is what tells where (GPS, XMP, IPTC) or who (serial numbers, the owner's
# name), and what nobody can look into: MakerNote has both
_MAIN = (271, 272, 306, 315, 33432)  # make, model, date, artist, copyright
_DETAIL = (
    33434, 33437, 34850, 34855, 36867, 36868, 36880, 36881, 36882, 37377, 37378, 37380, 37383, 37385, 37386,
    41986, 41987, 41989, 42034, 42035, 42036,
)  # fmt: skip
_EXIF_FOLDER, _DATE_TAKEN = 0x8769, 36867


class Rendered(NamedTuple):
    """`details` are what is told of the photo, as JSON has it; `files` are its renditions, by SIZES' names."""

    details: dict[str, Any]
    files: dict[str, bytes]
    media_type: str = "image/jpeg"


def render(data: bytes, limits: Limits) -> Rendered:
    """Raises RefusedError, LacksLayerError, and whatever an image library raises for what is damaged."""
    content = examine(data, limits.pixels)
    if Image is None:
        if content.format not in STANDARD:
            raise LacksLayerError("Pillow")
        copy, size = plain(data, content), content.size or (0, 0)
        width, height = size[::-1] if copy.turn >= 5 else size
        details = {"format": content.format, "how": "copied", "width": width, "height": height}
        return Rendered(details, dict.fromkeys(SIZES, copy.data), f"image/{content.format.lower()}")
    decoded = decode(data, content, SIZES["large"][0], limits.pixels)
    exif, image, files = _kept(decoded.exif), decoded.image, {}
    image.info = {}  # comments and profiles that Pillow would write again
    sizes = {}
    for name, (longest, quality) in SIZES.items():
        image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality, optimize=True, progressive=True, exif=exif.tobytes(),
                   icc_profile=SRGB.tobytes())  # fmt: skip
        files[name], sizes[name] = out.getvalue(), [*image.size, len(out.getvalue())]
    width, height = decoded.size
    camera, taken = _text(exif, 272), _text(exif.get_ifd(_EXIF_FOLDER), _DATE_TAKEN)
    details = {"format": content.format, "how": decoded.how, "width": width, "height": height, "sizes": sizes}
    details |= {"camera": camera, "taken": taken}
    return Rendered(details, files)


def _kept(given: Any) -> Any:
    """What may be shown of the camera's EXIF; of values that are not as EXIF has them, nothing."""
    kept = Image.Exif()
    try:
        detail = given.get_ifd(_EXIF_FOLDER)
        _take(kept, given, _MAIN)
        _take(kept.get_ifd(_EXIF_FOLDER), detail, _DETAIL)
        kept.tobytes()
    except Exception:  # Pillow raises a dozen kinds here
        return Image.Exif()
    return kept


def _take(kept: Any, given: Any, tags: tuple[int, ...]) -> None:
    for tag in tags:
        value = given.get(tag)
        if value is not None and len(str(value)) <= 1000:
            kept[tag] = value


def _text(values: Any, tag: int) -> str | None:
    value = values.get(tag)
    return value.strip("\0 ")[:200] or None if isinstance(value, str) else None
