"""What was started for the same words is started again, while nothing changed."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lamella.local import early

WORDS = ["invoke", "hello"]
SAY = (
    'import os,sys; sys.stdout.write("%s|%s" % (sys.argv[1], sorted(os.environ))); sys.stdout.flush(); sys.stdin.read()'
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("LAMELLA_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "unpacked").mkdir()
    monkeypatch.chdir(tmp_path)
    while time.time_ns() < (tmp_path / "manifest.json").stat().st_ctime_ns + 60_000_000:
        os.sched_yield()
    yield tmp_path
    left = early.taken()
    if left is not None:
        left.end()
        os.close(left.log)
        left.listener.close()


def keep(place: Path, words: list[str] = WORDS) -> None:
    command = [sys.executable, "-I", "-c", SAY, f"127.0.0.1:{early.PORT}"]
    early.remember(
        words, command, ("launch", 1), ("told",), [str(place / "manifest.json")], [str(place / "unpacked")],
        time.time_ns(),
    )  # fmt: skip


def started(words: list[str]) -> early.Early | None:
    early.begin(words)
    return early.taken()


def test_what_was_kept_is_started(place: Path) -> None:
    keep(place)
    found = started(WORDS)
    assert found is not None
    assert (found.launch, found.told) == (("launch", 1), ("told",))
    host, port = found.listener.getsockname()
    said = b""
    while b"]" not in said:
        said += os.read(found.log, 1000)
    # No variable of this process goes along, but for what the interpreter sets by itself
    assert said.decode().startswith(f"{host}:{port}|[")
    assert "LAMELLA_CACHE_DIR" not in said.decode()
    socket.create_connection((host, port)).close()
    assert found.returned() in (0, None), "its stdin is empty: it ends by itself"
    found.end()
    found.end()
    assert found.returned() is not None
    os.close(found.log)
    found.listener.close()
    assert early.taken() is None, "once"


@pytest.mark.parametrize(
    "words",
    [
        ["invoke", "--event", "e.json", "hello"],
        ["invoke", "hello", "--event=e.json", "--json", "-q"],
        ["invoke", "--generate", "sqs", "--set", "a=1", "hello", "--repeat", "3", "--context", "x=y"],
    ],
)
def test_what_is_asked_has_no_part_in_what_is_started(place: Path, words: list[str]) -> None:
    keep(place)
    found = started(words)
    assert found is not None
    found.end()
    os.close(found.log)
    found.listener.close()


@pytest.mark.parametrize(
    "words",
    [
        ["invoke", "other"],
        ["invoke", "hello", "--timeout", "5"],
        ["invoke", "hello", "--memory=256"],
        ["invoke", "hello", "--isolation", "namespaces"],
        ["invoke", "hello", "--output", "elsewhere"],
        ["invoke", "hello", "--env", "A=1"],
        ["invoke", "hello", "--env-file", "x"],
        ["invoke", "hello", "--from", "aws"],
        ["invoke", "hello", "--help"],
        ["invoke"],
    ],
)
def test_other_words_start_nothing(place: Path, words: list[str]) -> None:
    keep(place)
    assert started(words) is None


@pytest.mark.parametrize("words", [["invoke", "hello", "--env", "A=1"], ["invoke", "hello", "--env-file=x"]])
def test_with_variables_nothing_is_kept(place: Path, words: list[str]) -> None:
    keep(place, words)
    assert not list(place.glob("cache/v1/starts/*"))


def test_a_changed_input(place: Path) -> None:
    keep(place)
    (place / "manifest.json").write_text("{ }")
    assert started(WORDS) is None


def test_a_folder_that_went(place: Path) -> None:
    keep(place)
    (place / "unpacked").rmdir()
    assert started(WORDS) is None


def test_another_folder(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(place)
    (place / "sub").mkdir()
    monkeypatch.chdir(place / "sub")
    assert started(WORDS) is None


def test_another_path(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(place)
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:/nowhere")
    assert started(WORDS) is None


@pytest.mark.parametrize("data", [b"", b"\xff", b"not marshal", b"(\x00\x00\x00\x00"])
def test_a_damaged_file(place: Path, data: bytes) -> None:
    keep(place)
    (file,) = place.glob("cache/v1/starts/*")
    file.write_bytes(data)
    assert started(WORDS) is None


def test_an_input_that_changed_just_now_is_not_trusted(place: Path) -> None:
    (place / "manifest.json").write_text("{  }")
    keep(place)
    assert started(WORDS) is None


def test_a_program_that_went(place: Path) -> None:
    early.remember(WORDS, [str(place / "gone")], (), (), [], [], time.time_ns())
    assert started(WORDS) is None
