from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lamella.files import handed, sha256_of, write_atomic


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


def test_a_private_file(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_bytes(b"before")
    for path in (old, tmp_path / "new"):
        write_atomic(str(path), b"text", private=True)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, 1 << 20])
def test_what_is_handed_to_a_process(size: int) -> None:
    data = os.urandom(size)
    with open(handed(data), "rb") as file:
        assert not os.get_inheritable(file.fileno()), "others get it only where it is given to them"
        assert file.read() == data


def test_more_than_can_be_handed() -> None:
    before = len(os.listdir("/dev/fd"))
    with pytest.raises(OSError, match=r"Argument list too long|Invalid argument"):
        handed(bytes(1 << 31))
    assert len(os.listdir("/dev/fd")) == before


def test_what_is_handed_is_no_standard_stream() -> None:
    code = "import os; os.close(0); os.close(1); from lamella.files import handed; os._exit(handed(b'x') > 2)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 1


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
