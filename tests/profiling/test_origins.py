from __future__ import annotations

import pytest

from lamella.manifest import Distribution
from lamella.profiling.model import LAYER, MISSING, OWN, PYTHON
from lamella.profiling.origins import Seen, Sources, origin_of


def distribution(name: str, *modules: str) -> Distribution:
    return Distribution(
        name=name, version="1", file=f"{name}.whl", sha256="0", runtimes=("python3.12",), modules=modules,
        zipped=1, unzipped=1,
    )  # fmt: skip


SOURCES = Sources(
    (distribution("tiny", "tiny"),),
    (
        distribution("PyYAML", "yaml", "_yaml"),
        distribution("google-cloud-storage", "google"),
        distribution("protobuf", "google"),
        distribution("googleapis-common-protos", "google"),
    ),
    (distribution("boto3", "boto3"),),
)
LAYERS = "/opt/python"
FILES = {
    "app": "/var/task/app.py",
    "tiny.part": "/var/task/tiny/part.py",
    "yaml": f"{LAYERS}/yaml/__init__.py",
    "_yaml": f"{LAYERS}/_yaml.so",
    "stray": f"{LAYERS}/stray.py",
    "google": f"{LAYERS}/google",
    "google.protobuf.message": f"{LAYERS}/google/protobuf/message.py",
    "google.cloud.storage.blob": f"{LAYERS}/google/cloud/storage/blob.py",
    "google.rpc": f"{LAYERS}/google/rpc/__init__.py",
    "json": "/var/lang/lib/python3.12/json/__init__.py",
    "optical": "/optical/lib.py",
    "_sre": None,
    "boto3.session": "/var/runtime/boto3/session.py",
    "bootstrap": "/var/runtime/bootstrap.py",
}
SEEN = Seen(FILES, ("/var/task", LAYERS, "/var/runtime"), "/var/task")


@pytest.mark.parametrize(
    ("name", "origin"),
    [
        ("app", OWN),
        ("tiny.part", "tiny"),
        ("yaml", "PyYAML"),
        ("_yaml", "PyYAML"),
        ("stray", LAYER),
        ("google.protobuf.message", "protobuf"),
        ("google.cloud.storage.blob", "google-cloud-storage"),
        ("google.rpc", "google-cloud-storage"),
        ("json", PYTHON),
        ("optical", PYTHON),
        ("_sre", PYTHON),
        ("boto3.session", "boto3"),
        ("bootstrap", LAYER),
        ("nowhere", MISSING),
    ],
)
def test_origin(name: str, origin: str) -> None:
    assert origin_of(name, SOURCES, SEEN) == origin
