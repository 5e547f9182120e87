from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tests.sbom.artifacts import zipped

from lamella.errors import ArchiveError, UsageError
from lamella.sbom.zipped import Zipped


def test_files_and_links(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    links = {"x/one": "../y/file", "two": "x/one", "ring": "ring", "out": "../../etc/passwd", "gone": "nothing"}
    digest = zipped(path, {"y/file": "text" * 1000, "y/other": b"\0"}, links)
    with Zipped(str(path), digest) as archive:
        assert archive.paths == ("gone", "out", "ring", "two", "x/one", "y/file", "y/other")
        assert archive.content("y/file") == archive.content("x/one") == archive.content("two") == b"text" * 1000
        assert archive.content("ring") is archive.content("out") is archive.content("gone") is None
        assert archive.sha256("y/other") == hashlib.sha256(b"\0").hexdigest()
        assert [archive.is_link(name) for name in ("two", "y/file")] == [True, False]


def test_other_bytes_than_the_manifests(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    digest = zipped(path, {"file": "text"})
    zipped(path, {"file": "Text"})
    with pytest.raises(UsageError) as caught:
        Zipped(str(path), digest)
    assert "a.zip` is not the file that the manifest describes" in caught.value.what


def test_no_zip(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"text")
    with pytest.raises(ArchiveError):
        Zipped(str(path), hashlib.sha256(b"text").hexdigest())
