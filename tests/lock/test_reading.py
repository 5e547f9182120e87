from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lamella.errors import LockError
from lamella.lock.discover import Found
from lamella.lock.model import Pins, Selection
from lamella.lock.reading import read


def test_the_dialect_is_the_one_that_was_found(tmp_path: Path, read_lock: Callable[..., Pins]) -> None:
    (tmp_path / "requirements.txt").write_text("-r more.txt\nleaf==1.0\n")
    (tmp_path / "more.txt").write_text("stem==1.0\n")
    pins = read_lock(tmp_path)
    assert (pins.dialect, [pin.name for pin in pins.pins]) == ("requirements", ["stem", "leaf"])
    (tmp_path / "pylock.toml").write_text('lock-version = "1.0"\ncreated-by = "x"\npackages = []\n')
    assert read_lock(tmp_path).dialect == "pylock"
    assert read_lock(tmp_path, configured="requirements.txt").dialect == "requirements"


def test_inputs_tell_what_would_change_the_answer(tmp_path: Path, read_lock: Callable[..., Pins]) -> None:
    (tmp_path / "requirements.txt").write_text("-r more.txt\n")
    (tmp_path / "more.txt").write_text("stem==1.0\n")
    assert set(read_lock(tmp_path).inputs) == {str(tmp_path / name) for name in ("more.txt", "uv.lock", "pylock.toml")}


@pytest.mark.parametrize("dialect", ["uv", "pylock", "requirements"])
def test_a_lock_that_went_away(tmp_path: Path, dialect: str) -> None:
    found = Found(dialect, str(tmp_path / "lock"))  # type: ignore[arg-type]
    with pytest.raises(LockError, match="doesn't exist"):
        read(found, Selection(), root=str(tmp_path), locked=False, offline=True)
