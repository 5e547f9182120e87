from __future__ import annotations

from pathlib import Path

import pytest

from lamella.errors import ConfigError, LockError
from lamella.toml import load, parse


def test_tables() -> None:
    assert parse(b"[a]\nb = 1\n", "file", LockError) == {"a": {"b": 1}}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"a = = 2\n", "line 1, column 5: Invalid value"),
        (b"a = [", "line 1, the end of the document: Invalid value"),
        (b'a = 1\nb = "\xff"\n', "line 2: byte 0xff is not UTF-8"),
        (b"a = " + b"[" * 5000, "nested too deeply"),
    ],
)
def test_no_toml(data: bytes, why: str) -> None:
    with pytest.raises(LockError) as caught:
        parse(data, "some.lock", LockError, hint="lock again")
    assert caught.value.what == "`some.lock` is not valid TOML"
    assert caught.value.why == (why,)
    assert caught.value.hint == "lock again"


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`settings` can't be read"):
        load(str(tmp_path / "none"), "settings", ConfigError)
