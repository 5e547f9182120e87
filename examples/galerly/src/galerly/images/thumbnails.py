"""A picture's bytes in, a small JPEG's bytes out: JPEG, PNG, HEIC and the cameras' own RAW formats."""

from __future__ import annotations

import io
import os

import pillow_heif
import rawpy
from PIL import Image, ImageOps

# Many RAW formats are TIFF inside, and Pillow would take their small preview for the picture: the name decides
RAW = frozenset({".arw", ".cr2", ".cr3", ".dng", ".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".srw"})

pillow_heif.register_heif_opener()


def thumbnail(data: bytes, name: str, pixels: int = 512) -> bytes:
    """The picture as a JPEG whose longer side has at most `pixels`, turned upright, without the camera's metadata.

    Raises PIL.UnidentifiedImageError or rawpy.LibRawError for what is no picture.
    """
    image = _developed(data) if os.path.splitext(name)[1].lower() in RAW else Image.open(io.BytesIO(data))
    upright = ImageOps.exif_transpose(image).convert("RGB")
    upright.thumbnail((pixels, pixels))
    out = io.BytesIO()
    upright.save(out, "JPEG", quality=85, optimize=True)
    return out.getvalue()


def _developed(data: bytes) -> Image.Image:
    with rawpy.imread(io.BytesIO(data)) as raw:
        return Image.fromarray(raw.postprocess(use_camera_wb=True, half_size=True))
