"""Three pictures to upload: a RAW, a HEIC and a JPEG, drawn by the image layer itself."""

from __future__ import annotations

import array
import base64
import tempfile
from pathlib import Path

from tests.journeys.lambdas import Lambda, cleared, dng, sandbox_of

# Hills under an evening sky, the same seen three times
_DRAWN = """
import base64, io
import numpy, pillow_heif
from PIL import Image
pillow_heif.register_heif_opener()
def drawn(width, height, tint):
    down, along = numpy.mgrid[0:1:height * 1j, 0:1:width * 1j]
    sky = numpy.stack([0.98 - 0.5 * down, 0.55 + 0.3 * down, 0.45 + 0.25 * numpy.cos(down * 3 + tint)], axis=-1)
    sun = ((along - 0.3 - tint / 5) ** 2 * (width / height) ** 2 + (down - 0.4) ** 2) < 0.012
    sky[sun] = (1.0, 0.9, 0.65)
    for number, height in enumerate((0.52, 0.66, 0.82)):
        hill = down > height + 0.07 * numpy.sin(along * (5 + 3 * number) + tint + number)
        sky[hill] = numpy.array([0.42, 0.34, 0.40]) / (1 + number * 0.8)
    return (sky.clip(0, 1) * 255).astype("uint8")
def kept(kind, pixels, **options):
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **options)
    return base64.b64encode(out.getvalue()).decode()
turned = Image.Exif()
turned[274] = 6
upright = drawn(1600, 1067, 0.0)
linear = (drawn(960, 640, 2.4) / 255) ** 2.2 * 60_000
answer = [
    kept("JPEG", numpy.rot90(upright).copy(), exif=turned, quality=90),
    kept("HEIF", drawn(1500, 1000, 1.2)),
    base64.b64encode(linear.astype("<u2").tobytes()).decode(),
]
"""


def write(project: Path, folder: Path) -> list[Path]:
    """Write hills.jpg, evening.heic and raw.dng to `folder`; `project` is built."""
    output = project / "dist" / "lambda"
    with cleared(Path(tempfile.mkdtemp())) as unpacked:
        layer = Lambda.unpack(sandbox_of("3.12"), unpacked, None, [output / "image-layer.zip"])
        jpeg, heic, linear = (base64.b64decode(text) for text in layer.run(_DRAWN))
    files = {"hills.jpg": jpeg, "evening.heic": heic, "raw.dng": _raw(linear, 960, 640)}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]


def _raw(linear: bytes, width: int, height: int) -> bytes:
    """What a sensor behind a filter of red and green, green and blue would see of these linear colours."""
    seen = array.array("H", linear)
    mosaic = array.array("H")
    for y in range(height):
        mosaic.extend(seen[(y * width + x) * 3 + (y & 1) + (x & 1)] for x in range(width))
    empty = dng(width, height)
    return empty[: -len(mosaic) * 2] + mosaic.tobytes()
