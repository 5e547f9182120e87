from __future__ import annotations

import os
from pathlib import Path

import pytest

from lamella import uv
from lamella.uv import UvFailedError, UvMissingError


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH, with a shell under the name of uv in it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def script(folder: Path, text: str) -> Path:
    program = folder / "uv"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return program


def test_the_one_on_path_wins(fake: Path) -> None:
    program = script(fake, "")
    assert uv.program() == str(program)


def test_the_package_is_next(fake: Path) -> None:
    assert os.path.basename(uv.program()) == "uv"
    assert not uv.program().startswith(str(fake))


def test_neither(fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    monkeypatch.setitem(__import__("sys").modules, "uv", None)
    with pytest.raises(UvMissingError) as caught:
        uv.program()
    assert "hint: install uv, or run `pip install 'lamella[uv]'`" in str(caught.value)
    assert caught.value.exit_code == 2


def test_what_it_is_told(fake: Path, tmp_path: Path) -> None:
    script(fake, 'echo "$PWD: $*"')
    assert uv.run(["lock", "x"], cwd=str(tmp_path)) == f"{tmp_path}: lock x --no-progress --color never\n"
    assert "--offline" in uv.run(["lock"], cwd=str(tmp_path), offline=True)


def test_our_own_environment_says_nothing(fake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(fake, 'echo "$VIRTUAL_ENV,$UV_PROJECT,$UV_WORKING_DIR,$UV_INDEX_URL"')
    for name in ("VIRTUAL_ENV", "UV_PROJECT", "UV_WORKING_DIR", "UV_INDEX_URL"):
        monkeypatch.setenv(name, name.lower())
    assert uv.run(["lock"], cwd=str(tmp_path)) == ",,,uv_index_url\n"


def test_it_does_not_wait_for_a_person(fake: Path, tmp_path: Path) -> None:
    script(fake, "read answer || echo nobody")
    assert uv.run(["lock"], cwd=str(tmp_path)) == "nobody\n"


def test_its_own_words_without_credentials(fake: Path, tmp_path: Path) -> None:
    script(fake, "echo 'error: https://me:s3cret@index.example/simple is away' >&2; echo >&2; echo more >&2; exit 2")
    with pytest.raises(UvFailedError) as caught:
        uv.run(["export", "--format", "x"], cwd=str(tmp_path))
    assert caught.value.what == "`uv export --format` failed"
    first, second = caught.value.lines
    assert first.endswith("@index.example/simple is away")
    assert "s3cret" not in first
    assert second == "more"


def test_bytes_that_are_no_utf_8(fake: Path, tmp_path: Path) -> None:
    script(fake, "printf 'a\\377b'")
    assert uv.run(["x"], cwd=str(tmp_path)) == "a\ufffdb"
