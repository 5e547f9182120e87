from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.build.projects import Project, clean_environment

from lamella.errors import BuildError, OutsideError
from lamella.lock.model import FromGit
from lamella.wheels.build import checkout, copied, from_source, interpreter, tree_digest


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    project = Project(tmp_path)
    for name in os.environ:
        if name not in clean_environment(os.environ):
            monkeypatch.delenv(name)
    for name, value in project.environment.items():
        monkeypatch.setenv(name, value)
    return project


@pytest.fixture
def tree(made: Project) -> Path:
    return made.sources_of(made.home / "demo", "demo", {"demo/__init__.py": "x = 1\n", "demo/sub.py": "y = 2\n"})


def test_the_same_content_gives_the_same_bytes(tree: Path, tmp_path: Path) -> None:
    built = []
    for number in range(2):
        folder = tmp_path / f"out{number}"
        folder.mkdir()
        for path in tree.rglob("*"):
            os.utime(path, (10**9 + number, 10**9 + number))
        built.append(
            Path(from_source("demo", str(tree), str(folder), python=sys.executable, offline=True)).read_bytes()
        )
    assert built[0] == built[1]
    with zipfile.ZipFile(from_source("demo", str(tree), str(tmp_path), python=sys.executable, offline=True)) as archive:
        assert archive.testzip() is None
        assert archive.read("demo/sub.py") == b"y = 2\n"
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_native_code_is_refused(made: Project, tmp_path: Path) -> None:
    tree = made.sources_of(made.home / "fast", "fast", {"fast.py": ""}, tag="cp311-cp311-linux_x86_64")
    with pytest.raises(BuildError) as caught:
        from_source("fast", str(tree), str(tmp_path), python=sys.executable, offline=True)
    assert "`fast-0.1-cp311-cp311-linux_x86_64.whl`" in caught.value.what


def test_the_builders_own_words(tree: Path, tmp_path: Path) -> None:
    (tree / "backend.py").write_text("raise SystemExit('this backend has no heart')\n")
    with pytest.raises(BuildError) as caught:
        from_source("demo", str(tree), str(tmp_path), python=sys.executable, offline=True)
    assert any("this backend has no heart" in line for line in caught.value.why)
    assert caught.value.exit_code == 2


def write(path: str, text: str = "") -> Callable[[Path], object]:
    def change(tree: Path) -> None:
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)

    return change


@pytest.mark.parametrize(
    "change",
    [
        write("src/demo/__init__.py", "x = 2\n"),
        write("src/demo/new.py"),
        write("README.md", "words"),
        lambda tree: (tree / "src/demo/sub.py").unlink(),
        lambda tree: (tree / "src/demo/sub.py").rename(tree / "src/demo/bus.py"),
        lambda tree: (tree / "src/demo/sub.py").chmod(0o755),
    ],
)
def test_what_a_tree_depends_on(tree: Path, change: Callable[[Path], object]) -> None:
    before = tree_digest(str(tree))
    change(tree)
    assert tree_digest(str(tree)) != before


@pytest.mark.parametrize(
    "change",
    [
        write(".git/HEAD", "ref"),
        write("src/demo/__pycache__/sub.cpython-311.pyc", "code"),
        write(".venv/bin/python"),
        write("demo.egg-info/PKG-INFO"),
        write("build/lib/demo.py"),
        write("dist/demo.whl"),
        lambda tree: os.utime(tree / "src/demo/sub.py", (1, 1)),
    ],
)
def test_what_a_tree_does_not_depend_on(tree: Path, change: Callable[[Path], object]) -> None:
    before = tree_digest(str(tree))
    change(tree)
    assert tree_digest(str(tree)) == before


def test_a_link_to_nowhere_is_part_of_the_tree(tree: Path) -> None:
    before = tree_digest(str(tree))
    (tree / "dangling").symlink_to("nowhere")
    assert tree_digest(str(tree)) != before


@pytest.fixture
def repository(tree: Path) -> tuple[Path, list[str]]:
    """Two commits."""
    who = ["-c", "user.name=A", "-c", "user.email=a@index.example", "-c", "commit.gpgsign=false"]
    commits = []
    for number in (1, 2):
        (tree / "number").write_text(str(number))
        for arguments in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", str(number)]):
            subprocess.run(["git", *arguments], cwd=tree, check=True, capture_output=True)
        done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=tree, check=True, capture_output=True, text=True)
        commits.append(done.stdout.strip())
    return tree, commits


def test_any_commit_can_be_checked_out(repository: tuple[Path, list[str]], tmp_path: Path) -> None:
    folder, commits = repository
    for number, commit in enumerate(commits, 1):
        place = Path(checkout(FromGit(folder.as_uri(), commit), str(tmp_path)))
        assert (place / "number").read_text() == str(number)


def test_a_subdirectory(repository: tuple[Path, list[str]], tmp_path: Path) -> None:
    folder, commits = repository
    place = checkout(FromGit(folder.as_uri(), commits[1], "src"), str(tmp_path))
    assert os.listdir(place) == ["demo"]


def test_a_commit_that_is_not_there(repository: tuple[Path, list[str]], tmp_path: Path) -> None:
    folder, _ = repository
    with pytest.raises(OutsideError) as caught:
        checkout(FromGit(folder.as_uri(), "0" * 40), str(tmp_path))
    assert caught.value.exit_code == 3
    assert caught.value.why


def test_no_credentials_in_the_words(tmp_path: Path, made: Project) -> None:  # noqa: ARG001
    with pytest.raises(OutsideError) as caught:
        checkout(FromGit("http://me:s3cret@127.0.0.1:9/repository.git", "0" * 40), str(tmp_path))
    assert "s3cret" not in str(caught.value)
    assert "127.0.0.1:9" in str(caught.value)


def test_a_copy_has_what_counts(tmp_path: Path) -> None:
    tree = tmp_path / "demo"
    for name in ("src/demo/__init__.py", "src/demo/build/kept.py", "build/lib/stale.py", "demo.egg-info/PKG-INFO"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(name)
    (tree / ".git").mkdir()
    (tmp_path / "work").mkdir()
    copy = Path(copied(str(tree), str(tmp_path / "work")))
    files = sorted(str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file())
    assert files == ["src/demo/__init__.py", "src/demo/build/kept.py"]
    assert (copy.name, (copy / ".git").is_dir()) == ("demo", True)


def test_the_interpreter_is_named_with_its_version() -> None:
    own = sys.version_info[:2]
    assert interpreter((own[0], own[1]), offline=True) == (sys.executable, f"{own[0]}.{own[1]}")
    assert interpreter((3, 99), offline=True) == (sys.executable, f"{own[0]}.{own[1]}")
