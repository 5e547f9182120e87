"""Real uv, offline: folders of wheels, path and workspace dependencies, a repository on this disk."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from lamella import uv
from lamella.errors import LockError, OfflineError, OutsideError
from lamella.lock import reading
from lamella.lock.discover import find
from lamella.lock.model import FromDirectory, FromFile, FromGit, FromIndex, Pins, Selection
from lamella.lock.uv import failure

Project = Callable[..., Path]
Read = Callable[..., Pins]


@pytest.fixture
def app(tmp_path: Path, project: Project, wheelhouse: Path) -> Path:
    """A project with a dependency, two extras, and two groups of which one includes the other."""
    return project(
        tmp_path / "app",
        "app",
        ["stem"],
        f"""
[project.optional-dependencies]
images = ["leaf>=1"]
all = ["app[images]"]
[dependency-groups]
base = ["leaf==1.0"]
dev = ["stem ; sys_platform == 'linux'", {{ include-group = "base" }}]
[tool.uv]
find-links = ["{wheelhouse}"]
""",
    )


def names(pins: Pins) -> list[str]:
    return [f"{pin.name}=={pin.version}" for pin in pins.pins]


def test_an_unlocked_project_is_locked_first_and_says_so(app: Path, read_lock: Read) -> None:
    pins = read_lock(app)
    assert pins.dialect == "uv"
    assert pins.path == str(app / "uv.lock")
    assert pins.notes == ("locked `pyproject.toml` with uv first: wrote uv.lock",)
    assert names(pins) == ["leaf==1.0", "stem==1.0"]
    assert pins.requires_python == ">=3.11"
    assert pins.roots == (Requirement("stem"),)
    assert str(app / "pyproject.toml") in pins.inputs
    assert read_lock(app).notes == ()


def test_a_wheel_of_a_folder_is_a_local_file_with_its_hash(app: Path, read_lock: Read, wheelhouse: Path) -> None:
    pins = read_lock(app)
    leaf = next(pin for pin in pins.pins if pin.name == "leaf")
    assert isinstance(leaf.source, FromIndex)
    (file,) = leaf.source.files
    wheel = wheelhouse / "leaf-1.0-py3-none-any.whl"
    assert (file.filename, file.path, file.url) == (wheel.name, os.path.realpath(wheel), None)
    assert file.hashes == (("sha256", hashlib.sha256(wheel.read_bytes()).hexdigest()),)
    assert leaf.where == "uv.lock"


def test_unlocked_is_refused_under_locked(app: Path, read_lock: Read) -> None:
    with pytest.raises(LockError) as caught:
        read_lock(app, locked=True)
    assert caught.value.hint == "run `uv lock`, or leave out `--locked`"
    assert not (app / "uv.lock").exists()


def test_a_lock_that_is_out_of_date(app: Path, read_lock: Read) -> None:
    read_lock(app)
    before = (app / "uv.lock").read_bytes()
    pyproject = app / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("['stem']", "['leaf']"))
    with pytest.raises(LockError) as caught:
        read_lock(app, locked=True)
    assert any("needs to be updated" in line for line in caught.value.why)
    assert caught.value.hint == "run `uv lock`, or leave out `--locked`"
    assert (app / "uv.lock").read_bytes() == before
    pins = read_lock(app)
    assert pins.notes == ("`uv.lock` was out of date: uv brought it up to date",)
    assert names(pins) == ["leaf==1.0"]
    assert read_lock(app, locked=True).notes == ()


@pytest.mark.parametrize(
    ("selection", "pinned", "roots"),
    [
        (Selection(), ["leaf==1.0", "stem==1.0"], ["stem"]),
        (Selection(extras=("all",)), ["leaf==1.0", "stem==1.0"], ["stem", "leaf>=1"]),
        (Selection(project=False, extras=("Images",)), ["leaf==1.0", "stem==1.0"], ["leaf>=1"]),
        (Selection(project=False, groups=("base",)), ["leaf==1.0"], ["leaf==1.0"]),
        (Selection(groups=("base",)), ["leaf==1.0", "stem==1.0"], ["stem", "leaf==1.0"]),
        (
            Selection(project=False, groups=("dev",)),
            ["leaf==1.0", "stem==1.0"],
            ['stem ; sys_platform == "linux"', "leaf==1.0"],
        ),
        (
            Selection(everything=True),
            ["leaf==1.0", "stem==1.0"],
            ["stem", "leaf>=1", "leaf==1.0", 'stem ; sys_platform == "linux"'],
        ),
    ],
)
def test_selections(app: Path, read_lock: Read, selection: Selection, pinned: list[str], roots: list[str]) -> None:
    pins = read_lock(app, selection)
    assert names(pins) == pinned
    assert pins.roots == tuple(Requirement(root) for root in roots)


def test_the_marker_of_a_group_stays(app: Path, read_lock: Read) -> None:
    stem = read_lock(app, Selection(project=False, groups=("dev",))).pins[1]
    assert stem.name == "stem"
    assert str(stem.marker) == 'sys_platform == "linux"'


@pytest.mark.parametrize(
    ("selection", "what", "hint"),
    [
        (Selection(extras=("image",)), "`pyproject.toml` has no extra `image`", "did you mean `images`?"),
        (Selection(groups=("bsae",)), "`pyproject.toml` has no dependency group `bsae`", "did you mean `base`?"),
    ],
)
def test_an_unknown_name(app: Path, read_lock: Read, selection: Selection, what: str, hint: str) -> None:
    with pytest.raises(LockError) as caught:
        read_lock(app, selection)
    assert caught.value.what == what
    assert caught.value.hint == hint
    assert not (app / "uv.lock").exists()


def test_extras_that_exclude_each_other(tmp_path: Path, project: Project, wheelhouse: Path, read_lock: Read) -> None:
    root = project(
        tmp_path / "app",
        "app",
        ["stem"],
        f"""
[project.optional-dependencies]
old = ["leaf==1.0"]
new = ["leaf==2.0"]
[tool.uv]
find-links = ["{wheelhouse}"]
conflicts = [[{{ extra = "old" }}, {{ extra = "new" }}]]
""",
    )
    assert names(read_lock(root, Selection(extras=("old",)))) == ["leaf==1.0", "stem==1.0"]
    assert names(read_lock(root, Selection(extras=("new",)))) == ["leaf==2.0", "stem==1.0"]
    with pytest.raises(LockError) as caught:
        read_lock(root, Selection(extras=("old", "new")))
    assert "separate layers" in (caught.value.hint or "")
    pins = read_lock(root, Selection(everything=True))
    assert "exclude each other" in pins.notes[0]
    assert pins.roots == (Requirement("stem"),)
    assert [pin.name for pin in pins.pins] == ["leaf", "stem"]


def test_the_environments_of_the_lock(tmp_path: Path, project: Project, wheelhouse: Path, read_lock: Read) -> None:
    more = f'[tool.uv]\nfind-links = ["{wheelhouse}"]\nenvironments = ["sys_platform == \'darwin\'"]\n'
    pins = read_lock(project(tmp_path / "app", "app", ["leaf"], more))
    assert [str(marker) for marker in pins.environments] == ['sys_platform == "darwin"']


@pytest.fixture
def workspace(tmp_path: Path, project: Project, packaged: str, repository: tuple[Path, str], wheelhouse: Path) -> Path:
    """A workspace: `one` needs its sibling `two`, the folder `branch` beside, a file, and a commit of `twig`."""
    top = project(tmp_path / "top", "top", ["one"], "[tool.uv.workspace]\nmembers = ['packages/*']\n"
                  "[tool.uv.sources]\none = { workspace = true }\n")  # fmt: skip
    project(tmp_path / "branch", "branch", more=packaged)
    project(top / "packages" / "two", "two", more=packaged)
    project(
        top / "packages" / "one",
        "one",
        ["two", "branch", "twig", "leaf"],
        packaged
        + f"""
[tool.uv.sources]
two = {{ workspace = true }}
branch = {{ path = "../../../branch" }}
twig = {{ git = "{repository[0].as_uri()}" }}
leaf = {{ path = "{wheelhouse}/leaf-2.0-py3-none-any.whl" }}
""",
    )
    return top


def test_paths_start_at_the_right_folder(
    workspace: Path, repository: tuple[Path, str], wheelhouse: Path, read_lock: Read
) -> None:
    real = Path(os.path.realpath(workspace))
    read_lock(workspace)
    for root in (workspace, workspace / "packages" / "one"):
        pins = read_lock(root)
        assert pins.path == str(workspace / "uv.lock")
        found = {str(pin.name): pin.source for pin in pins.pins}
        assert found["two"] == FromDirectory(str(real / "packages" / "two"), editable=True)
        assert found["branch"] == FromDirectory(str(real.parent / "branch"), editable=False)
        assert found["twig"] == FromGit(repository[0].as_uri(), repository[1])
        assert isinstance(found["leaf"], FromFile)
        wheel = wheelhouse / "leaf-2.0-py3-none-any.whl"
        assert found["leaf"].file.path == os.path.realpath(wheel)
        assert found["leaf"].file.hashes == (("sha256", hashlib.sha256(wheel.read_bytes()).hexdigest()),)
        assert ("one" in found) == (root == workspace)
        for member in ("", "packages/one/", "packages/two/"):
            assert os.path.realpath(workspace / member / "pyproject.toml") in map(os.path.realpath, pins.inputs)


def test_a_member_locks_its_workspace(workspace: Path, read_lock: Read) -> None:
    pins = read_lock(workspace / "packages" / "two")
    assert pins.path == str(workspace / "uv.lock")
    assert pins.notes == ("locked `pyproject.toml` with uv first: wrote ../../uv.lock",)
    assert pins.pins == ()


def test_a_lock_of_another_folder(app: Path, tmp_path: Path, read_lock: Read) -> None:
    read_lock(app)
    beside = tmp_path / "deploy"
    beside.mkdir()
    pins = read_lock(beside, configured="../app/uv.lock")
    assert names(pins) == ["leaf==1.0", "stem==1.0"]
    assert pins.pins[0].where == "../app/uv.lock"


def test_a_lock_without_a_project(tmp_path: Path, read_lock: Read) -> None:
    (tmp_path / "uv.lock").write_text("version = 1\n")
    with pytest.raises(LockError, match=r"no pyproject\.toml beside it"):
        read_lock(tmp_path)


def test_a_folder_behind_a_symbolic_link(app: Path, tmp_path: Path, read_lock: Read, packaged: str) -> None:
    (tmp_path / "link").symlink_to(app, target_is_directory=True)
    pyproject = app / "pyproject.toml"
    text = pyproject.read_text().replace("['stem']", "['branch']")
    pyproject.write_text(f'{text}[tool.uv.sources]\nbranch = {{ path = "../branch", editable = true }}\n')
    (tmp_path / "branch").mkdir()
    (tmp_path / "branch" / "pyproject.toml").write_text(
        f'[project]\nname = "branch"\nversion = "1"\nrequires-python = ">=3.11"\n{packaged}'
    )
    (pin,) = read_lock(tmp_path / "link").pins
    assert pin.source == FromDirectory(os.path.realpath(tmp_path / "branch"), editable=True)


def test_what_is_not_in_the_cache_offline(tmp_path: Path, project: Project, read_lock: Read) -> None:
    root = project(tmp_path / "app", "app", ["leaf"])
    with pytest.raises(OfflineError) as caught:
        read_lock(root)
    assert any("leaf was not found in the cache" in line for line in caught.value.why)


def test_an_index_that_does_not_answer_and_its_password(
    tmp_path: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lamella.lock.reading import read

    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://joe:secret@127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    root = str(project(tmp_path / "app", "app", ["leaf"]))
    with pytest.raises(OutsideError) as caught:
        read(find(root, None), Selection(), root=root, locked=False, offline=False)
    assert caught.value.exit_code == 3
    assert "secret" not in str(caught.value)


def test_no_interpreter(tmp_path: Path, project: Project) -> None:
    root = project(tmp_path / "app", "app")
    pyproject = root / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace(">=3.11", ">=3.99"))
    from lamella.lock.reading import read

    with pytest.raises(LockError) as caught:
        read(find(str(root), None), Selection(), root=str(root), locked=False, offline=True)
    assert "uv python install" in (caught.value.hint or "")


def test_a_resolution_that_fails_keeps_uvs_words(
    tmp_path: Path, project: Project, wheelhouse: Path, read_lock: Read
) -> None:
    more = f'[tool.uv]\nfind-links = ["{wheelhouse}"]\nno-index = true\n'
    root = project(tmp_path / "app", "app", ["leaf==9"], more)
    with pytest.raises(LockError) as caught:
        read_lock(root)
    assert caught.value.what == "uv can't lock the project"
    assert any("leaf==9" in line for line in caught.value.why)
    assert not any(line.startswith("error:") for line in caught.value.why)


def test_an_old_uv_is_told_from_a_bad_project() -> None:
    error = failure("export", ["error: unexpected argument '--no-default-groups' found", "tip: …"])
    assert "too old" in (error.hint or "")


@pytest.mark.journey
def test_a_real_index(tmp_path: Path, project: Project) -> None:
    from lamella.lock.reading import read

    root = str(project(tmp_path / "app", "app", ["anyio==4.6.0", "typing-extensions ; python_version < '3.13'"]))
    pins = read(find(root, None), Selection(), root=root, locked=False, offline=False)
    found = {str(pin.name): pin for pin in pins.pins}
    assert {"anyio", "idna", "sniffio", "typing-extensions"} <= set(found)
    anyio = found["anyio"].source
    assert isinstance(anyio, FromIndex)
    assert [file.filename for file in anyio.files] == ["anyio-4.6.0-py3-none-any.whl", "anyio-4.6.0.tar.gz"]
    assert all(file.url and file.hashes and file.size for file in anyio.files)
    assert anyio.index is not None
    again = read(find(root, None), Selection(), root=root, locked=True, offline=False)
    assert again.pins == pins.pins


def test_an_interpreter_that_the_project_refuses_is_left_to_uv(
    tmp_path: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours is offered first; a uv that refuses it is asked again without."""
    real = uv.program()
    calls = tmp_path / "calls"
    program = tmp_path / "bin" / "uv"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho "$*" >> {calls}\ncase "$*" in *--python*)\n'
        '  echo "error: it is incompatible with the project\'s Python requirement: >=3.99" >&2; exit 2;;\nesac\n'
        f'exec {real} "$@"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.delenv("UV_PYTHON", raising=False)
    folder = project(tmp_path / "app", "app", [], "")
    pins = reading.read(find(str(folder), None), Selection(), root=str(folder), locked=False, offline=True)
    assert pins.pins == ()
    first, second, *_ = calls.read_text().splitlines()
    assert "--python" in first
    assert "--python" not in second
