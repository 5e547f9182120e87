from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.sandbox.zips import make_zip

from lamella.archive.built import HINT, member_content, read_built
from lamella.errors import ArchiveError


def contents(path: str) -> dict[str, bytes]:
    with open(path, "rb") as file:
        return {
            member.name: member_content(file.fileno(), member, path)
            for member in read_built(path, file.fileno()).members
        }


def test_what_was_written(tmp_path: Path) -> None:
    noise = os.urandom(5000)
    path, _ = make_zip(tmp_path / "a.zip", {"empty": "", "text.py": "x = 1\n" * 999, "noise": noise})
    assert contents(path) == {"empty": b"", "text.py": b"x = 1\n" * 999, "noise": noise}
    assert read_built(path).size == os.path.getsize(path)


@pytest.mark.parametrize("content", [b"x = 1\n" * 9999, bytes(range(256))], ids=["deflated", "stored"])
def test_a_damaged_member(tmp_path: Path, content: bytes) -> None:
    path, _ = make_zip(tmp_path / "a.zip", {"m.py": content})
    (member,) = read_built(path).members
    data = bytearray(Path(path).read_bytes())
    data[member.offset + member.packed // 2] ^= 0x55
    Path(path).write_bytes(data)
    with pytest.raises(ArchiveError) as caught:
        contents(path)
    assert (caught.value.what, caught.value.hint) == ("`m.py` in `a.zip` is damaged", HINT)


def test_no_zip_at_all(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(ArchiveError) as caught:
        read_built(str(tmp_path / "a.zip"))
    assert (caught.value.what, caught.value.hint) == ("`a.zip` is refused", HINT)
