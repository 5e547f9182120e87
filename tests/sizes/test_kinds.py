from __future__ import annotations

import pytest
from tests.sizes.rows import layer

from lamella.sizes import kinds
from lamella.sizes.kinds import at_site, kind, kind_of


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("python/numpy/__init__.py", kinds.SOURCE),
        ("python/numpy/__pycache__/version.cpython-312.pyc", kinds.BYTECODE),
        ("python/numpy/_core/_multiarray_umath.cpython-312-x86_64-linux-gnu.so", kinds.EXTENSION),
        ("python/cryptography/_rust.abi3.so", kinds.EXTENSION),
        ("python/lxml/etree.so", kinds.EXTENSION),
        ("python/numpy.libs/libgfortran-040039e1.so.5.0.0", kinds.LIBRARY),
        ("python/numpy.libs/openblas.so", kinds.LIBRARY),
        ("python/pyarrow/libarrow.so.2600", kinds.LIBRARY),
        ("python/pyarrow/libarrow_python.so", kinds.LIBRARY),
        ("python/pyarrow/include/arrow/api.h", kinds.NATIVE_SOURCE),
        ("python/pyarrow/lib.pxd", kinds.NATIVE_SOURCE),
        ("python/pydantic/main.pyi", kinds.STUB),
        ("python/pydantic/py.typed", kinds.STUB),
        ("python/numpy-2.0.dist-info/licenses/LICENSE.txt", kinds.METADATA),
        ("python/lib/python3.12/site-packages/numpy-2.0.dist-info/METADATA", kinds.METADATA),
        ("bin/f2py", kinds.PROGRAM),
        ("bin/jp.py", kinds.PROGRAM),
        ("python/bin/__init__.py", kinds.SOURCE),
        ("python/botocore/data/s3/2006-03-01/service-2.json.gz", kinds.DATA),
        ("python/certifi/cacert.pem", kinds.DATA),
        ("Makefile", kinds.DATA),
    ],
)
def test_the_kind_is_told_from_the_path(path: str, wanted: str) -> None:
    assert kind(path) == wanted


def test_a_file_that_became_a_link_is_one() -> None:
    found = [kind_of(row) for row in layer().rows if row.path.startswith("python/demo.libs/")]
    assert found == [kinds.LIBRARY, kinds.LINK]


@pytest.mark.parametrize(
    ("path", "below"),
    [
        ("python/six.py", "six.py"),
        ("python/lib/python3.12/site-packages/six.py", "six.py"),
        ("python/lib/other.py", "lib/other.py"),
        ("bin/f2py", "bin/f2py"),
        ("app.py", "app.py"),
    ],
)
def test_the_folder_of_importable_code(path: str, below: str) -> None:
    assert at_site(path) == below
