"""The commands that mend a zip never lose it: a step that fails leaves it as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.doctor.zips import make

from lamella.doctor import packed
from lamella.doctor.model import FUNCTION, LAYER, Layout
from lamella.doctor.remedies import installed, packed_anew
from lamella.target import Target

TARGET = Target("python3.12", "x86_64")
NAME = "it's a layer.zip"
# Which programs the commands call, beside those of the shell
BASE = ("chmod", "mkdir", "mktemp", "mv", "rm", "sh")
UV = '#!/bin/sh\nmkdir -p "$4" && : > "$4"/new.py\n'

PRESCRIPTIONS: dict[str, Callable[[str], tuple[str, ...]]] = {
    "moved": lambda path: packed_anew(path, Layout("", "python")),
    "stripped": lambda path: packed_anew(path, Layout("deep", "python")),
    "modes": lambda path: packed_anew(path, Layout()),
    "installed": lambda path: installed(["six"], path, LAYER, TARGET, old=["deep/six.py"]),
    "with all": lambda path: installed(["six"], path, FUNCTION, TARGET, alone=False),
}
CALLED = [
    (kind, name)
    for kind, made in PRESCRIPTIONS.items()
    for name in ("mktemp", "mkdir", "unzip", "uv", "chmod", "zip", "mv")
    if f"{name} " in " ".join(made("x"))
]


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A PATH of its own, with an `uv` that takes no network."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in (*BASE, "zip", "unzip"):
        found = shutil.which(name)
        if found is None:
            pytest.skip(f"needs {name}")
        (folder / name).symlink_to(found)
    program(folder / "uv", UV)
    return folder


def program(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def pasted(commands: tuple[str, ...], folder: Path, programs: Path) -> int:
    """The exit code of a shell that they are pasted into: it goes on after a command that fails."""
    given = {**os.environ, "PATH": str(programs)}
    script = "\n".join(commands).encode() + b"\n"
    return subprocess.run([programs / "sh"], cwd=folder, env=given, input=script, check=False).returncode


def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return make(folder / NAME, {"deep/six.py": "X = 1\n", "deep/more.py": ""})


@pytest.mark.parametrize(("kind", "lacking"), CALLED)
def test_a_program_that_is_not_there(tmp_path: Path, programs: Path, kind: str, lacking: str) -> None:
    path = work(tmp_path)
    before = path.read_bytes()
    commands = PRESCRIPTIONS[kind](path.name)
    (programs / lacking).unlink()
    assert pasted(commands, path.parent, programs) != 0
    assert path.read_bytes() == before


@pytest.mark.parametrize(("kind", "failing"), [one for one in CALLED if one[1] in ("unzip", "uv", "zip")])
def test_a_program_that_fails(tmp_path: Path, programs: Path, kind: str, failing: str) -> None:
    path = work(tmp_path)
    before = path.read_bytes()
    commands = PRESCRIPTIONS[kind](path.name)
    real = (programs / failing).resolve() if failing != "uv" else "true"
    program(programs / failing, f'#!/bin/sh\n"{real}" "$@"\nexit 1\n')
    assert pasted(commands, path.parent, programs) != 0
    assert path.read_bytes() == before


@pytest.mark.parametrize("kind", PRESCRIPTIONS)
@pytest.mark.parametrize("given", ["relative", "absolute"])
def test_all_goes_well(tmp_path: Path, programs: Path, kind: str, given: str) -> None:
    path = work(tmp_path)
    assert pasted(PRESCRIPTIONS[kind](path.name if given == "relative" else str(path)), path.parent, programs) == 0
    assert {row.name for row in packed.rows(str(path)) if not row.is_dir} == {
        "moved": {"python/deep/six.py", "python/deep/more.py"},
        "stripped": {"python/six.py", "python/more.py"},
        "modes": {"deep/six.py", "deep/more.py"},
        "installed": {"deep/more.py", "python/new.py"},
        "with all": {"deep/six.py", "deep/more.py", "new.py"},
    }[kind]
    assert [one.name for one in path.parent.iterdir()] == [NAME]


def test_a_path_is_no_option() -> None:
    (command,) = packed_anew("-rf.zip", Layout())
    assert "unzip -qo ./-rf.zip" in command
    assert command.splitlines()[-2].endswith("/new.zip ./-rf.zip &&")
