from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lamella.interpreter import Interpreter, InterpreterMissingError, Purpose, find

OWN = (sys.version_info[0], sys.version_info[1])
OTHER = (3, 98)


class Memo:
    """Answers as they come back from a file."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def recall(self, kind: str, key: str) -> Any:
        answer = self.kept.get((kind, key))
        return None if answer is None else json.loads(answer)

    def remember(self, kind: str, key: str, answer: object) -> None:
        self.kept[kind, key] = json.dumps(answer)


class Machine:
    """A PATH with nothing on it but a uv and the interpreters that it knows, all of them scripts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked = folder / "asked"

    def program(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    def uv(self, find: str, install: str = "exit 9") -> None:
        log = f'echo "$*" >> "{self.asked}"'
        self.program("uv", f'{log}\nif [ "$2" = find ]; then\n{find}\nelse\n{install}\nfi')

    def python(self, minor: str = "3.98", implementation: str = "cpython", abiflags: str = "") -> Path:
        where = self.folder / "python"
        return self.program("python", f'echo "{minor} {minor}.4 {implementation}"; echo "{abiflags}"; echo "{where}"')

    def calls(self) -> list[str]:
        return self.asked.read_text().splitlines() if self.asked.exists() else []


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return Machine(folder)


def test_our_own_at_once(machine: Machine) -> None:
    machine.uv("exit 1")
    found = find(OWN, offline=True)
    assert found == Interpreter(sys.executable, ".".join(map(str, sys.version_info[:3])))
    assert machine.calls() == []


def test_the_one_that_uv_knows(machine: Machine) -> None:
    python = machine.python()
    machine.uv(f"echo {python}")
    assert find(OTHER, offline=False) == Interpreter(str(python), "3.98.4")
    (call,) = machine.calls()
    assert call.startswith("python find --no-project --no-python-downloads 3.98")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ({"implementation": "pypy"}, "pypy 3.98.4"),
        ({"abiflags": "t"}, "cpython 3.98.4t"),
        ({"abiflags": "d"}, "cpython 3.98.4d"),
        ({"minor": "3.97"}, "cpython 3.97.4"),
    ],
)
def test_another_build_does_not_serve(machine: Machine, kind: dict[str, str], said: str) -> None:
    machine.uv(f"echo {machine.python(**kind)}")
    with pytest.raises(InterpreterMissingError) as caught:
        find(OTHER, offline=True)
    assert f"is {said}, not the default build of CPython 3.98" in caught.value.why[0]


def test_what_is_no_python(machine: Machine) -> None:
    machine.uv(f"echo {machine.program('python', 'echo broken >&2; exit 3')}")
    with pytest.raises(InterpreterMissingError) as caught:
        find(OTHER, offline=True)
    assert caught.value.why[:2] == (f"`{machine.folder}/python` is no Python that runs", "broken")


def test_one_is_installed(machine: Machine) -> None:
    python = machine.python()
    there = machine.folder / "installed"
    machine.uv(f"[ -e {there} ] || exit 2; echo {python}", f": > {there}")
    assert find(OTHER, offline=False) == Interpreter(str(python), "3.98.4")
    assert [call.split(" --")[0] for call in machine.calls()] == ["python find", "python install 3.98", "python find"]


def test_uvs_own_words_and_the_two_ways_out(machine: Machine) -> None:
    machine.uv(
        "echo 'warning: python3.6 is odd' >&2; echo 'error: No interpreter found' >&2; exit 2",
        "echo 'error: Failed to install' >&2; echo '  cause: no route' >&2; exit 2",
    )
    with pytest.raises(InterpreterMissingError) as caught:
        find(OTHER, offline=False)
    assert str(caught.value) == (
        "no Python 3.98 to compile bytecode with\n"
        "  error: Failed to install\n"
        "    cause: no route\n"
        '  hint: run `uv python install 3.98`, or say `bytecode = "none"`'
    )
    assert caught.value.exit_code == 2


def test_nothing_is_installed_offline(machine: Machine) -> None:
    machine.uv("echo 'warning: odd' >&2; echo 'error: No interpreter found' >&2; exit 2", "exit 0")
    with pytest.raises(InterpreterMissingError) as caught:
        find(OTHER, offline=True)
    assert caught.value.why == ("error: No interpreter found", "`--offline` was given, so none was installed")
    assert len(machine.calls()) == 1


def test_nothing_is_installed_unasked(machine: Machine) -> None:
    machine.uv("echo 'error: No interpreter found' >&2; exit 2", "exit 0")
    with pytest.raises(InterpreterMissingError) as caught:
        find(OTHER, offline=False, install=False, purpose=Purpose("to try imports with", "leave it"))
    assert caught.value.what == "no Python 3.98 to try imports with"
    assert caught.value.hint == "run `uv python install 3.98`, or leave it"
    assert len(machine.calls()) == 1


def test_without_uv(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.calls() == []
    monkeypatch.setitem(sys.modules, "uv", None)
    with pytest.raises(InterpreterMissingError) as caught:
        find(OTHER, offline=False)
    assert "`uv` is not on PATH" in str(caught.value)
    assert 'or say `bytecode = "none"`' in str(caught.value)


def test_without_uv_the_one_on_path(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uv", None)
    machine.python().rename(machine.folder / "python3.98")
    assert find(OTHER, offline=False).version == "3.98.4"


def test_found_before(machine: Machine) -> None:
    python = machine.python()
    machine.uv(f"echo {python}")
    memo = Memo()
    first = find(OTHER, offline=False, memory=memo)
    assert find(OTHER, offline=True, memory=memo) == first
    assert len(machine.calls()) == 1


@pytest.mark.parametrize("name", ["PATH", "PYENV_VERSION", "UV_PYTHON_PREFERENCE"])
def test_asked_again_where_uv_would_look_elsewhere(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    machine.uv(f"echo {machine.python()}")
    memo = Memo()
    find(OTHER, offline=False, memory=memo)
    monkeypatch.setenv(name, f"{os.environ.get(name, '')}:/elsewhere")
    find(OTHER, offline=False, memory=memo)
    assert len(machine.calls()) == 2


def test_asked_again_when_the_interpreter_is_another(machine: Machine) -> None:
    python = machine.python()
    machine.uv(f"echo {python}")
    memo = Memo()
    find(OTHER, offline=False, memory=memo)
    python.write_text(python.read_text() + "# another\n")
    find(OTHER, offline=False, memory=memo)
    assert len(machine.calls()) == 2
    python.unlink()
    with pytest.raises(InterpreterMissingError):
        find(OTHER, offline=True, memory=memo)


def test_a_remembered_answer_starts_nothing(machine: Machine) -> None:
    """Not even the module that could start something is imported."""
    machine.uv(f"echo {machine.python()}")
    memo = Memo()
    find(OTHER, offline=False, memory=memo)
    ((_, key),) = memo.kept
    code = (
        "import json, sys\n"
        "from lamella.interpreter import find\n"
        "class Memory:\n"
        "    def recall(self, kind, key):\n"
        f"        return json.loads({memo.kept['interpreters', key]!r}) if key == {key!r} else None\n"
        f"print(find({OTHER}, offline=True, memory=Memory()).version, 'subprocess' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "3.98.4 False\n"


def test_a_real_one() -> None:
    """What is found says of itself that it is what was asked for."""
    for minor in (10, 12, 13):
        try:
            found = find((3, minor), offline=True)
        except InterpreterMissingError:
            continue
        asked = [found.path, "-I", "-c", "import platform; print(platform.python_version())"]
        done = subprocess.run(asked, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == found.version
        assert found.version.startswith(f"3.{minor}.")
