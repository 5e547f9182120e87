from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest
from tests.deployed.faking import digest, layer_arn

from lamella.deployed import kept
from lamella.deployed.model import DeployedLayer

CONTENT = b"PK\x05\x06" + b"\0" * 18
SHA256 = hashlib.sha256(CONTENT).hexdigest()
ARN = f"{layer_arn('tools')}:3"


@pytest.fixture
def root(tmp_path: Path) -> str:
    return str(tmp_path)


def arrive(root: str) -> str:
    with kept.arriving(SHA256, root) as file:
        file.write(CONTENT)
    return kept.place(SHA256, root)


def remember(root: str) -> DeployedLayer:
    layer = DeployedLayer(ARN, "tools", digest(CONTENT), len(CONTENT), 3, ("python3.12",), ("arm64",))
    layer = layer._replace(path=arrive(root), unpackable=(kept.place(SHA256, root), SHA256))
    kept.remember(layer, [ARN, "tools"], root)
    return layer


def test_a_layer_by_each_of_its_names(root: str) -> None:
    layer = remember(root)
    assert kept.layer(ARN, root) == layer
    assert kept.layer("tools", root) == layer
    assert kept.layer(f"{layer_arn('tools')}:4", root) is None


def test_a_layer_whose_zip_is_gone_is_not_there(root: str) -> None:
    layer = remember(root)
    os.unlink(layer.path)
    assert kept.layer(ARN, root) is None


def test_a_damaged_record_is_none(root: str) -> None:
    remember(root)
    (record, _) = sorted(Path(root).glob("v1/deployed/layers/*.json"))
    for path in Path(root).glob("v1/deployed/layers/*.json"):
        path.write_bytes(path.read_bytes().replace(b"arm64", b"arm65"))
    assert record.is_file()
    assert kept.layer(ARN, root) is None


def test_a_file_with_other_bytes_is_removed(root: str) -> None:
    path = Path(arrive(root))
    assert kept.proven(SHA256, root) == str(path)
    path.write_bytes(CONTENT + b"\0")
    assert kept.proven(SHA256, root) is None
    assert not path.exists()
    assert kept.proven(SHA256, root) is None


def test_a_file_that_does_not_arrive_leaves_nothing(root: str) -> None:
    def broken() -> None:
        with kept.arriving(SHA256, root) as file:
            file.write(CONTENT)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert os.listdir(f"{root}/v1/deployed") == []


def test_what_was_left_behind_or_forgotten_is_removed(root: str) -> None:
    folder = Path(root, "v1/deployed")
    folder.mkdir(parents=True)
    now = time.time()
    for name, age in (("killed.partial", 2), ("old.zip", 100 * 24), ("lately.zip", 24), ("working.partial", 0)):
        (folder / name).touch()
        os.utime(folder / name, (now - age * 3600, now - age * 3600))
    arrive(root)
    assert sorted(os.listdir(folder)) == sorted([f"{SHA256}.zip", "lately.zip", "working.partial"])
