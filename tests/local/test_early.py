"""What was started for the same words is started again, while nothing changed."""

from __future__ import annotations

import os
import socket
import stat
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lamella.local import early

WORDS = ["invoke", "hello"]
SAY = """
import os, sys
with open(int(sys.argv[1])) as file:
    told = file.read()
sys.stdout.write("%s|%s" % (told, sorted(os.environ)))
sys.stdout.flush()
sys.stdin.read()
"""


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
        end(left)


def keep(place: Path, words: list[str] = WORDS, code: str = SAY) -> None:
    command = [sys.executable, "-I", "-c", code, early.DESCRIPTOR]
    early.remember(
        words, command, f"127.0.0.1:{early.PORT}".encode(), ("launch", 1), ("told",),
        [str(place / "manifest.json")], [str(place / "unpacked")], time.time_ns(),
    )  # fmt: skip


def started(words: list[str]) -> early.Early | None:
    early.begin(words)
    return early.taken()


def end(found: early.Early | None) -> None:
    assert found is not None
    found.end()
    os.close(found.log)
    found.listener.close()


def test_what_was_kept_is_started(place: Path) -> None:
    keep(place)
    found = started(WORDS)
    assert found is not None
    assert (found.launch, found.told) == (("launch", 1), ("told",))
    host, port = found.listener.getsockname()
    with open(f"/proc/{found.pid}/cmdline") as arguments:
        assert f"{host}:{port}" not in arguments.read(), "others can read that"
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
    end(started(words))


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
    early.remember(WORDS, [str(place / "gone")], b"", (), (), [], [], time.time_ns())
    before = len(os.listdir("/dev/fd"))
    assert started(WORDS) is None
    assert len(os.listdir("/dev/fd")) == before


def test_what_is_kept_is_for_its_owner_alone(place: Path) -> None:
    before = os.umask(0)
    try:
        keep(place)
    finally:
        os.umask(before)
    (file,) = place.glob("cache/v1/starts/*")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_control_group_that_is_named_later(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is started early would not join it."""
    keep(place)
    monkeypatch.setenv("LAMELLA_CGROUP", "/sys/fs/cgroup/x")
    assert started(WORDS) is None


def test_folders_that_are_used_are_not_old(place: Path) -> None:
    keep(place)
    os.utime(place / "unpacked", (1, 1))
    end(started(WORDS))
    assert (place / "unpacked").stat().st_mtime > time.time() - 60


def test_what_does_not_work_any_more_is_forgotten(place: Path) -> None:
    keep(place)
    found = started(WORDS)
    assert found is not None
    found.forget()
    found.forget()
    end(found)
    assert started(WORDS) is None


def test_an_end_by_several_threads(place: Path) -> None:
    keep(place, code="import time; time.sleep(100)")
    for _ in range(10):
        found = started(WORDS)
        assert found is not None
        with ThreadPoolExecutor(4) as threads:
            ends = [threads.submit(how) for how in (found.end, found.returned) * 4]
            assert [done.exception() for done in ends] == [None] * 8
        assert found.returned() == 137
        end(found)
