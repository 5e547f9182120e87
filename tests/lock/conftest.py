"""Small projects for uv, made offline: wheels in a folder, workspace members, a git repository on this disk."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from lamella.lock.discover import find
from lamella.lock.model import Pins, Selection
from lamella.lock.reading import read

Read = Callable[..., Pins]


@pytest.fixture(autouse=True)
def _own_uv(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """uv without the settings of whoever runs the tests, and with a cache that holds nothing."""
    for name in list(os.environ):
        if name.startswith("UV_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "never")


@pytest.fixture
def write() -> Callable[[Path, str], Path]:
    def write(path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


@pytest.fixture
def read_lock() -> Read:
    """Find the lock of a project and read it offline, with the interpreter that runs the tests."""

    def read_lock(
        root: Path, selection: Selection | None = None, *, configured: str | None = None, locked: bool = False
    ) -> Pins:
        return read(
            find(str(root), configured),
            selection or Selection(),
            root=str(root),
            locked=locked,
            offline=True,
            python=sys.executable,
        )

    return read_lock


@pytest.fixture
def wheelhouse(tmp_path: Path) -> Path:
    """A folder of wheels: leaf 1.0 and 2.0, and stem 1.0, which needs leaf."""
    folder = tmp_path / "wheelhouse"
    folder.mkdir()
    make_wheel(folder, "leaf", "1.0")
    make_wheel(folder, "leaf", "2.0")
    make_wheel(folder, "stem", "1.0", ["leaf"])
    return folder


def make_wheel(folder: Path, name: str, version: str, requires: Iterable[str] = ()) -> None:
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}.py", "")
        needs = "".join(f"Requires-Dist: {each}\n" for each in requires)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def project() -> Callable[..., Path]:
    """Write a pyproject.toml: `project(folder, name, dependencies, more)`, `more` being further tables."""

    def project(folder: Path, name: str, dependencies: Iterable[str] = (), more: str = "") -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pyproject.toml").write_text(
            f'[project]\nname = "{name}"\nversion = "0.1.0"\nrequires-python = ">=3.11"\n'
            f"dependencies = {list(dependencies)!r}\n{more}"
        )
        return folder

    return project


@pytest.fixture
def packaged() -> str:
    """The table that makes a project one that is built into a wheel."""
    return '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'


@pytest.fixture
def repository(tmp_path: Path, project: Callable[..., Path], packaged: str) -> tuple[Path, str]:
    """A git repository with the project `twig`, and the hash of its only commit."""
    folder = project(tmp_path / "repository", "twig", more=packaged)
    who = ["-c", "user.name=A", "-c", "user.email=a@index.example", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "one"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
    return folder, done.stdout.strip()
