"""Image libraries and numpy from a slimmed layer: they write, read, develop and calculate."""

from __future__ import annotations

import pytest
from tests.journeys.lambdas import dng
from tests.journeys.layers import Layer

# One worker, for all tests share what is built first
pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("used")]


def test_pillow_writes_and_reads(pictures: Layer) -> None:
    answer = pictures.run("""
import io
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps, features
answer = {}
drawn = Image.new("RGB", (90, 60), (200, 40, 40))
ImageDraw.Draw(drawn).text((5, 5), "Text", font=ImageFont.load_default(20))
for kind in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF", "JPEG2000", "BMP", "PDF"):
    out = io.BytesIO()
    drawn.save(out, kind, **({"compression": "tiff_lzw"} if kind == "TIFF" else {}))
    if kind == "PDF":
        answer[kind] = out.getvalue()[:5].decode()
        continue
    again = Image.open(io.BytesIO(out.getvalue()))
    pixel = again.convert("RGB").getpixel((80, 50))
    answer[kind] = [again.format, *again.size, all(abs(a - b) < 12 for a, b in zip(pixel, (200, 40, 40)))]
answer["small"] = ImageOps.exif_transpose(drawn).filter(ImageFilter.GaussianBlur(2)).resize((9, 6), Image.LANCZOS).size
answer["features"] = [name for name in ("freetype2", "littlecms2", "webp", "avif", "jpg", "jpg_2000", "zlib", "libtiff")
                      if not features.check(name)]
""")
    kinds = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF", "JPEG2000", "BMP")
    assert answer == {
        **{kind: [kind, 90, 60, True] for kind in kinds},
        "PDF": "%PDF-",
        "small": [9, 6],
        "features": [],
    }


def test_heif_is_written_and_read(pictures: Layer) -> None:
    answer = pictures.run("""
import io, pillow_heif
from PIL import Image
pillow_heif.register_heif_opener()
out = io.BytesIO()
Image.new("RGB", (128, 64), (200, 40, 40)).save(out, "HEIF", quality=90)
again = Image.open(io.BytesIO(out.getvalue()))
answer = [out.getvalue()[4:12].decode(), again.format, *again.size,
          all(abs(a - b) < 8 for a, b in zip(again.getpixel((5, 5)), (200, 40, 40))),
          len(pillow_heif.open_heif(io.BytesIO(out.getvalue())))]
""")
    assert answer == ["ftypheic", "HEIF", 128, 64, True, 1]


def test_rawpy_develops(pictures: Layer) -> None:
    code = """
import io, numpy, rawpy
with rawpy.imread(io.BytesIO(given)) as raw:
    picture = raw.postprocess(use_camera_wb=True)
    even = bool(numpy.ptp(picture[8:-8, 8:-8].astype(int)) < 5)
    answer = [list(picture.shape), str(picture.dtype), even, raw.num_colors]
try:
    rawpy.imread(io.BytesIO(b"no raw picture"))
except rawpy.LibRawError:
    answer.append(True)
"""
    assert pictures.run(code, given=dng(256, 128)) == [[128, 256, 3], "uint8", True, 3, True]


def test_numpy_calculates(pictures: Layer) -> None:
    answer = pictures.run("""
import numpy as np, numpy.testing, numpy.polynomial, numpy.f2py
rng = np.random.default_rng(7)
a = rng.normal(size=(120, 120))
u, s, v = np.linalg.svd(a)
values, vectors = np.linalg.eig(a)
q, r = np.linalg.qr(a)
symmetric = a @ a.T
checks = {
    "solve": np.allclose(a @ np.linalg.solve(a, np.ones(120)), 1),
    "svd": np.allclose(u * s @ v, a),
    "eig": np.allclose(a @ vectors, vectors * values),
    "qr": np.allclose(q @ r, a),
    "cholesky": np.allclose(np.linalg.cholesky(symmetric) @ np.linalg.cholesky(symmetric).T, symmetric),
    "inv": np.allclose(np.linalg.inv(a) @ a, np.eye(120)),
    "lstsq": np.linalg.lstsq(a, a[:, 0])[2] == 120,
    "fft": np.allclose(np.fft.irfft(np.fft.rfft(a)), a),
    "einsum": np.allclose(np.einsum("ij,jk->ik", a, a), a @ a),
    "legacy": np.random.RandomState(3).randint(0, 100, 3).tolist() == [24, 3, 56],
    "sort": np.all(np.diff(np.sort(a.ravel())) >= 0),
    "poly": np.allclose(np.polynomial.Polynomial([2, -3, 1]).roots(), [1, 2]),
    "strings": np.strings.upper(np.array(["a"])).tolist() == ["A"],
    "dates": str(np.datetime64("2026-11-22") + 1) == "2026-11-23",
    "masked": np.ma.array([1, 2], mask=[0, 1]).sum() == 1,
}
np.testing.assert_allclose(a, a)
try:
    np.linalg.inv(np.zeros((2, 2)))
except np.linalg.LinAlgError:
    checks["refuses"] = True
np.savez_compressed("a.npz", a=a)
checks["file"] = np.array_equal(np.load("a.npz")["a"], a)
answer = [name for name, holds in checks.items() if not holds] + [len(checks)]
""")
    assert answer == [17]
