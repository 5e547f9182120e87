from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest

from lamella.files import sha256_of, write_atomic


def test_a_new_file(tmp_path: Path) -> None:
    mask = os.umask(0o077)
    try:
        write_atomic(str(tmp_path / "new"), b"text")
    finally:
        os.umask(mask)
    assert (tmp_path / "new").read_bytes() == b"text"
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o644
    assert os.listdir(tmp_path) == ["new"]


def test_an_old_file_keeps_its_permissions(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_bytes(b"before")
    old.chmod(0o600)
    inode = old.stat().st_ino
    write_atomic(str(old), b"after")
    assert old.read_bytes() == b"after"
    assert stat.S_IMODE(old.stat().st_mode) == 0o600
    assert old.stat().st_ino != inode, "whoever reads the old file goes on reading it"


def test_no_folder_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomic(str(tmp_path / "no" / "file"), b"")
    assert os.listdir(tmp_path) == []


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "taken" / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        write_atomic(str(tmp_path / "taken"), b"text")
    assert os.listdir(tmp_path) == ["taken"]


def test_digest_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"text")
    assert sha256_of(str(tmp_path / "file")) == hashlib.sha256(b"text").hexdigest()
    assert sha256_of(str(tmp_path / "none")) is None
