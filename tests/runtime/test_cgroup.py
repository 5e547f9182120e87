"""On a folder that is laid out as the kernel lays out a control group; a real one is in `test_memory`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lamella.runtime import cgroup
from lamella.runtime.memory import Memory

MEGABYTE = 1024**2


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    cgroup.home.cache_clear()
    yield
    cgroup.home.cache_clear()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One that may be written to, and counts memory."""
    (tmp_path / "cgroup.subtree_control").write_text("cpu memory pids\n")
    monkeypatch.setenv(cgroup.VARIABLE, str(tmp_path))
    return tmp_path


def test_a_limit_with_room_for_tmp(home: Path) -> None:
    group = cgroup.make(128 * MEGABYTE, 512 * MEGABYTE)
    assert group is not None
    folder = Path(group.folder)
    assert folder.parent == home
    assert folder.name.startswith(f"lamella-{os.getpid()}-")
    assert int((folder / "memory.max").read_text()) == (128 + 512 + 32) * MEGABYTE
    assert (folder / "memory.swap.max").read_text() == "0"
    assert (folder / "memory.oom.group").read_text() == "1"


def test_version_1(home: Path) -> None:
    (home / "memory.limit_in_bytes").write_text("9223372036854771712\n")
    (home / "cgroup.subtree_control").unlink()
    group = cgroup.make(128 * MEGABYTE, 0)
    assert group is not None
    folder = Path(group.folder)
    assert sorted(os.listdir(folder)) == ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"]
    (folder / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 0\n")
    assert not group.killed()
    (folder / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n")
    assert group.killed()


def test_what_the_kernel_ended_is_known_until_the_end(home: Path) -> None:
    memory = Memory(128 * MEGABYTE)
    assert list(home.glob("lamella-*")) == [], "whoever does not ask for the prefix joins no group"
    assert memory.prefix()[:2] == ["/bin/sh", "-c"]
    assert not memory.exceeded
    (folder,) = home.glob("lamella-*")
    (folder / "memory.events").write_text("low 0\nhigh 0\nmax 31\noom 1\noom_kill 1\noom_group_kill 1\n")
    assert memory.exceeded
    memory.close()
    for file in folder.iterdir():
        file.unlink()
    assert memory.exceeded


def test_a_process_joins_and_becomes_the_command(home: Path) -> None:
    group = cgroup.make(MEGABYTE, 0)
    assert group is not None
    (Path(group.folder) / "cgroup.procs").touch()
    code = "import os, sys; print(os.getpid(), sys.argv[1:])"
    command = [*group.joining(), sys.executable, "-c", code, "a b", "$x"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        out, _ = process.communicate()
    assert out == f"{process.pid} ['a b', '$x']\n"
    assert (Path(group.folder) / "cgroup.procs").read_text() == "0\n"
    assert home.is_dir()


def test_groups_that_killed_processes_left_are_removed(home: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    (home / f"lamella-{ended.pid}-0").mkdir()
    (home / f"lamella-{os.getpid()}-77").mkdir()
    (home / "lamella-of-somebody").mkdir()
    (home / f"other-{ended.pid}-0").mkdir()
    assert cgroup.home(str(home)) == str(home)
    left = sorted(path.name for path in home.iterdir() if path.is_dir())
    assert left == sorted([f"lamella-{os.getpid()}-77", "lamella-of-somebody", f"other-{ended.pid}-0"])


def test_none_where_none_may_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cgroup.VARIABLE, str(tmp_path / "none"))
    assert cgroup.make(MEGABYTE, 0) is None
    (tmp_path / "cgroup.subtree_control").write_text("cpu pids\n")
    monkeypatch.setenv(cgroup.VARIABLE, str(tmp_path))
    assert cgroup.make(MEGABYTE, 0) is None, "it does not count memory"
    memory = Memory(MEGABYTE)
    assert memory.prefix() == []
    memory.close()
