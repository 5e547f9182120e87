"""Run by the built layer's interpreter, and not by the tests': pictures, and what can be seen of one."""

import base64
import io
import struct
from typing import Any

import pillow_heif
from PIL import Image, ImageCms

pillow_heif.register_heif_opener()
CORNERS = ((200, 30, 30), (30, 160, 30), (240, 240, 240), (30, 30, 200))


def text(picture: bytes) -> str:
    return base64.b64encode(picture).decode()


def plain(width: int = 640, height: int = 480) -> Any:
    image = Image.new("RGB", (width, height))
    for (column, row), colour in zip(((0, 0), (1, 0), (1, 1), (0, 1)), CORNERS, strict=True):
        image.paste(
            colour, (column * width // 2, row * height // 2, (column + 1) * width // 2, (row + 1) * height // 2)
        )
    return image


def exif(turn: int = 1) -> Any:
    made = Image.Exif()
    made[271], made[272], made[274], made[315] = "Lamella", "Lamella One", turn, "Somebody"
    made.get_ifd(0x8769).update(
        {33434: 0.004, 34855: 400, 36867: "2026:05:17 10:20:30", 42033: "serial", 37500: b"note"}
    )
    made.get_ifd(0x8825).update({1: "N", 2: (47.0, 22.0, 9.0), 3: "E", 4: (8.0, 33.0, 2.0)})
    return made


def saved(image: Any, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def swapped_profile() -> bytes:
    """A profile in which red is green and green is red."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    (count,) = struct.unpack_from(">I", profile, 128)
    places = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * count, 12)}
    red, green = places[b"rXYZ"], places[b"gXYZ"]
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


def drawn() -> dict[str, bytes]:
    image, xmp = plain(), b"<x:xmpmeta>47,22N</x:xmpmeta>"
    made = {f"turned-{turn}.jpg": saved(image, "JPEG", quality=92, exif=exif(turn)) for turn in range(1, 9)}
    made["progressive.jpg"] = saved(image, "JPEG", progressive=True)
    made["large.jpg"] = saved(plain(4000, 3000), "JPEG", quality=85, exif=exif())
    made["xmp.jpg"] = saved(image, "JPEG", exif=exif(), xmp=xmp, comment=b"shot at 47,22N")
    made["cmyk.jpg"] = saved(image.convert("CMYK"), "JPEG", quality=92)
    made["grey.jpg"] = saved(image.convert("L"), "JPEG")
    made["swapped.jpg"] = saved(image, "JPEG", quality=95, icc_profile=swapped_profile())
    made["swapped.png"] = saved(image, "PNG", icc_profile=swapped_profile())
    made["broken-profile.jpg"] = saved(image, "JPEG", quality=92, icc_profile=b"no profile at all")
    made["plain.png"] = saved(image, "PNG", exif=exif())
    made["turned-6.png"] = saved(image, "PNG", exif=exif(6))
    through = image.convert("RGBA")
    through.paste((0, 0, 0, 0), (320, 240, 640, 480))  # shows white, as the corner of the others is
    made["through.png"] = saved(through, "PNG")
    made["palette.png"] = saved(image.quantize(8), "PNG")
    made["sixteen.png"] = saved(image.convert("L").convert("I").point(lambda value: value * 257).convert("I;16"), "PNG")
    made["plain.gif"] = saved(image, "GIF")
    made["film.gif"] = saved(image, "GIF", save_all=True, append_images=[image.rotate(90), image], loop=0, comment=b"x")
    made["plain.webp"] = saved(image, "WEBP", quality=92, exif=exif(6), xmp=xmp)
    made["lossless.webp"] = saved(image, "WEBP", lossless=True)
    made["plain.heic"] = saved(image, "HEIF", quality=90, exif=exif().tobytes())
    made["turned-6.heic"] = saved(image, "HEIF", quality=90, exif=exif(6).tobytes())  # which makes an `irot` of it
    made["plain.tiff"] = saved(image, "TIFF")
    made["plain.bmp"] = saved(image, "BMP")
    tiny = plain(64, 48)
    made["small.jpg"] = saved(tiny, "JPEG", exif=exif(), icc_profile=swapped_profile())
    made["small-progressive.jpg"] = saved(tiny, "JPEG", progressive=True)
    made["small.png"] = saved(tiny, "PNG", exif=exif())
    made["small.gif"] = saved(tiny, "GIF", save_all=True, append_images=[tiny.rotate(90)], comment=b"x")
    made["small.webp"] = saved(tiny, "WEBP", exif=exif())
    made["small-lossless.webp"] = saved(tiny, "WEBP", lossless=True)
    made["small.heic"] = saved(tiny, "HEIF", exif=exif().tobytes())
    return made


def seen(picture: bytes) -> dict[str, Any]:
    image = Image.open(io.BytesIO(picture))
    found, profile = image.getexif(), image.info.get("icc_profile")
    image.load()
    width, height = image.size
    rgb = image.convert("RGB")
    places = ((width // 4, height // 4), (3 * width // 4, height // 4), (3 * width // 4, 3 * height // 4),
              (width // 4, 3 * height // 4))  # fmt: skip
    return {
        "format": image.format,
        "size": [width, height],
        "corners": [rgb.getpixel(place) for place in places],
        "profile": bool(profile),
        "exif": {str(tag): str(value) for tag, value in found.items()},
        "detail": {str(tag): str(value) for tag, value in found.get_ifd(0x8769).items()},
        "gps": len(found.get_ifd(0x8825)),
        "info": sorted(set(image.info) & {"comment", "xmp", "XML:com.adobe.xmp"}),
    }
