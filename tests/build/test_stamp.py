"""The shortcut: while nothing was touched the same command has the same outcome; anything else is noticed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lamella.build import stamp

ARGUMENTS = ["build", "--json"]
LATER = 10**9


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("LAMELLA_CACHE_DIR", str(tmp_path / "cache"))
    for name in ("lock", "out.zip", "source.py"):
        (tmp_path / "project" / name).write_text(name)
    return tmp_path / "project"


def remember(here: Path, *, began: int | None = None, more: list[str] | None = None) -> None:
    """As if the build had begun a while after the files were written."""
    inputs = [str(here / "lock"), str(here / "source.py"), str(here), *(more or [])]
    moment = time.time_ns() + LATER if began is None else began
    stamp.remember(ARGUMENTS, "out\n", "err\n", inputs, [str(here / "out.zip")], moment)


def test_what_was_told_is_told_again(here: Path) -> None:
    assert stamp.recall(ARGUMENTS) is None
    remember(here)
    assert stamp.recall(ARGUMENTS) == ("out\n", "err\n")


def test_another_question_has_another_answer(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remember(here)
    assert stamp.recall(["build"]) is None
    assert stamp.recall(["build", "--json", "x"]) is None
    (here / "deeper").mkdir()
    remember(here)
    monkeypatch.chdir(here / "deeper")
    assert stamp.recall(ARGUMENTS) is None


def edit_same_size(here: Path) -> None:
    before = (here / "source.py").stat()
    (here / "source.py").write_text("SOURCE.PY")
    os.utime(here / "source.py", ns=(before.st_atime_ns, before.st_mtime_ns))


def replace(here: Path) -> None:
    (here / "new").write_text("source.py")
    os.replace(here / "new", here / "source.py")


@pytest.mark.parametrize(
    "change",
    [
        edit_same_size,
        replace,
        lambda here: (here / "source.py").unlink(),
        lambda here: (here / "source.py").chmod(0o755),
        lambda here: (here / "added.py").write_text(""),
        lambda here: (here / "lock").write_text("another"),
        lambda here: (here / "out.zip").unlink(),
        lambda here: (here / "out.zip").write_text("OUT.ZIP"),
    ],
)
def test_any_change_is_noticed(here: Path, change: Callable[[Path], object]) -> None:
    remember(here)
    change(here)
    assert stamp.recall(ARGUMENTS) is None


def test_a_file_that_was_looked_for_and_appears(here: Path) -> None:
    remember(here, more=[str(here / "uv.lock"), str(here / "no" / "folder")])
    assert stamp.recall(ARGUMENTS) == ("out\n", "err\n")
    (here / "no").mkdir()
    (here / "no" / "folder").write_text("")
    assert stamp.recall(ARGUMENTS) is None


def test_a_folder_read_whole(here: Path) -> None:
    deep = here / "path-dependency" / "src" / "deep"
    deep.mkdir(parents=True)
    (deep / "code.py").write_text("1")
    folder = os.path.join(here / "path-dependency", "")
    remember(here, more=[folder])
    assert stamp.recall(ARGUMENTS) is not None
    (deep / "code.py").write_text("2")
    assert stamp.recall(ARGUMENTS) is None
    remember(here, more=[folder])
    (deep / "more.py").write_text("")
    assert stamp.recall(ARGUMENTS) is None


def test_what_changed_during_the_build_keeps_no_stamp(here: Path) -> None:
    remember(here, began=(here / "source.py").stat().st_mtime_ns)
    assert stamp.recall(ARGUMENTS) is None
    remember(here, began=(here / "source.py").stat().st_mtime_ns + 10**6)
    assert stamp.recall(ARGUMENTS) is None, "so shortly before that the clock may not have ticked"


def test_a_time_set_back_does_not_hide_a_change_during_the_build(here: Path) -> None:
    os.utime(here / "source.py", (1, 1))
    remember(here, began=(here / "lock").stat().st_mtime_ns)
    assert stamp.recall(ARGUMENTS) is None


@pytest.mark.parametrize("damage", [b"", b"\0", b"\0\0\0\0end", b"\xff\xfe", b"x" * 5000])
def test_a_damaged_stamp_is_none(here: Path, damage: bytes) -> None:
    remember(here)
    (path,) = (here.parent / "cache" / "v1" / "stamps").iterdir()
    path.write_bytes(damage)
    assert stamp.recall(ARGUMENTS) is None


def test_a_stamp_cut_short_is_none(here: Path) -> None:
    remember(here)
    (path,) = (here.parent / "cache" / "v1" / "stamps").iterdir()
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert stamp.recall(ARGUMENTS) is None


def test_names_that_are_no_utf_8(here: Path) -> None:
    odd = os.fsdecode(os.fsencode(here) + b"/odd-\xff.py")
    with open(odd, "w"):
        pass
    remember(here, more=[odd])
    assert stamp.recall(ARGUMENTS) is not None
    with open(odd, "w") as file:
        file.write("more")
    assert stamp.recall(ARGUMENTS) is None


def test_a_folder_that_is_gone(here: Path) -> None:
    gone = here / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    assert stamp.recall(ARGUMENTS) is None
