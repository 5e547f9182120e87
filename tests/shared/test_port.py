"""The port, on the bucket in memory that tests build with, and on the real one."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.shared.fake import Memory
from tests.shared.s3 import front, s3_server

from lamella.objects import Bucket
from lamella.shared.model import Objects

__all__ = ["front", "s3_server"]  # fixtures


@pytest.fixture(params=["memory", "bucket"])
def objects(request: pytest.FixtureRequest) -> Objects:
    if request.param == "memory":
        return Memory()
    request.getfixturevalue("front")
    return Bucket("built", "ci")


def test_what_is_put_is_there(objects: Objects, tmp_path: Path) -> None:
    went: list[int] = []
    objects.open()
    objects.put("v1/keys/a", b"one")
    (tmp_path / "sent").write_bytes(b"two and more")
    objects.put_file("v1/blobs/b", str(tmp_path / "sent"))
    assert (objects.get("v1/keys/a", went.append), objects.has("v1/keys/a")) == (b"one", 3)
    assert objects.has("v1/blobs/b") == 12
    assert objects.fetch("v1/blobs/b", str(tmp_path / "fetched"), went.append)
    assert (tmp_path / "fetched").read_bytes() == b"two and more"
    objects.put("v1/keys/a", b"another")
    assert objects.get("v1/keys/a", went.append) == b"another"
    assert went == [3, 12, 7]


def test_what_is_not_there(objects: Objects, tmp_path: Path) -> None:
    went: list[int] = []
    assert (objects.get("v1/keys/a", went.append), objects.has("v1/keys/a")) == (None, None)
    assert not objects.fetch("v1/keys/a", str(tmp_path / "a"), went.append)
    assert list(tmp_path.glob("a*")) == []
    with pytest.raises(FileNotFoundError):
        objects.put_file("v1/keys/a", str(tmp_path / "absent"))


def test_whoever_watches_ends_it(objects: Objects, tmp_path: Path) -> None:
    def enough(received: int) -> None:
        raise ValueError(received)

    objects.put("v1/keys/a", b"one")
    with pytest.raises(ValueError, match="3"):
        objects.get("v1/keys/a", enough)
    with pytest.raises(ValueError, match="3"):
        objects.fetch("v1/keys/a", str(tmp_path / "a"), enough)
    assert not (tmp_path / "a").exists() or (tmp_path / "a").read_bytes() == b""
