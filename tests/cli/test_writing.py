from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from lamella.cli.writing import refuse_place, write
from lamella.errors import UsageError


def test_written_whole_and_beside_nothing(tmp_path: Path) -> None:
    path = tmp_path / "found.sarif"
    for text in ("old", "new é"):
        write(str(path), text)
        assert path.read_text(encoding="utf-8") == text
    assert os.listdir(tmp_path) == ["found.sarif"]


def test_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    write(str(tmp_path / "link"), "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_into_a_pipe(tmp_path: Path) -> None:
    """As with a shell's >(…): it stays what it is."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write(str(pipe), "text")
    reader.join(30)
    assert read == ["text"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nowhere/x.html", "there is no folder `nowhere`"),
        ("file/x.html", "there is no folder `file`"),
        ("folder", "it is a folder"),
    ],
)
def test_refused_by_its_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, why: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path)
    for refused in (refuse_place, lambda path: write(path, "text")):
        with pytest.raises(UsageError) as caught:
            refused(name)
        assert (caught.value.what, caught.value.why) == (f"`{name}` can't be written", (why,))
        assert caught.value.hint
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


def test_what_the_system_says(tmp_path: Path) -> None:
    name = "x" * 300
    with pytest.raises(UsageError, match="can't be written") as caught:
        write(str(tmp_path / name), "text")
    assert caught.value.why == ("File name too long",)
