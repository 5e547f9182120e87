from __future__ import annotations

import pytest

from lamella.manifest import Distribution, LayerArtifact
from lamella.sizes.owners import OWN, PROGRAMS, Owners, versions


def artifact(**modules: tuple[str, ...]) -> LayerArtifact:
    rows = tuple(
        Distribution(name.replace("_", "-"), "1", "x.whl", "0", ("python3.12",), held, 1, 1)
        for name, held in modules.items()
    )
    return LayerArtifact("layer", "layer", "layer.zip", 1, 1, 1, "0", "0", "x86_64", ("python3.12",), "", "", "", rows)


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("python/PIL/Image.py", "pillow"),
        ("python/PIL/__pycache__/Image.cpython-312.pyc", "pillow"),
        ("python/pillow.libs/libjpeg-1.so", "pillow"),
        ("python/pillow-12.0.dist-info/METADATA", "pillow"),
        ("python/six.py", "six"),
        ("python/__pycache__/six.cpython-312.pyc", "six"),
        ("python/google/protobuf/a.py", "protobuf"),
        ("python/google/cloud/storage/a.py", "google-cloud-storage"),
        ("python/lib/python3.12/site-packages/PIL/Image.py", "pillow"),
        ("python/six-1.0.data/x", "six"),
        ("bin/something", PROGRAMS),
        ("spectra/app.py", OWN),
        ("app.py", OWN),
    ],
)
def test_with_a_manifest(path: str, owner: str) -> None:
    told = artifact(
        pillow=("PIL",), six=("six",), protobuf=("google.protobuf",), google_cloud_storage=("google.cloud.storage",)
    )
    assert Owners({}, [told], ()).of(path) == owner


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("python/PIL/Image.py", "pillow"),
        ("python/PIL/made_later.py", "pillow"),
        ("python/PIL/__pycache__/Image.cpython-312.pyc", "pillow"),
        ("python/__pycache__/six.cpython-312.pyc", "six"),
        ("python/google/a/new.py", "a"),
        ("python/google/new.py", "google"),
        ("python/b/new.py", "b"),
    ],
)
def test_with_records(path: str, owner: str) -> None:
    records = {"PIL/Image.py": "pillow", "six.py": "six", "google/a/__init__.py": "a", "google/b/__init__.py": "b"}
    assert Owners(records, [], ["pillow", "six", "a", "b"]).of(path) == owner


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("python/aws_lambda_powertools/a.py", "aws-lambda-powertools"),
        ("python/six.py", "six"),
        ("python/typing_extensions.py", "typing-extensions"),
        ("python/PIL/Image.py", "PIL"),
    ],
)
def test_with_nothing_but_names(path: str, owner: str) -> None:
    assert Owners({}, [], ["six", "typing-extensions", "aws-lambda-powertools", "pillow"]).of(path) == owner


def test_a_function_without_distributions() -> None:
    assert Owners({}, [], ()).of("spectra/app.py") == OWN
    assert Owners({}, [], ()).of("bin/run") == OWN


def test_versions() -> None:
    paths = ["python/Six-1.17.0.dist-info/METADATA", "python/a_b.c-2.dist-info/WHEEL", "python/six.py", "x-1/y"]
    assert versions(paths) == {"six": "1.17.0", "a-b-c": "2"}
