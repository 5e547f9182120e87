"""Whether what a build was made of is still the same: told by content, not by times."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.build.projects import HANDLER, WITHOUT_BYTECODE, Project, alone, with_one_function

from lamella.build import since
from lamella.config.read import read

LATER = 10**9


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    made = alone(with_one_function(tmp_path), monkeypatch)
    made.configure(WITHOUT_BYTECODE)
    return made


def built(app: Project, *names: str, began: int | None = None) -> None:
    """As if the build had begun a while after the files were written."""
    outcome = app.build(*names)
    moment = time.time_ns() + LATER if began is None else began
    since.remember(read(str(app.root)), outcome.inputs, moment, partly=bool(names))


def changes(app: Project) -> tuple[str, ...]:
    return since.changes(read(str(app.root)))


def touched(app: Project) -> None:
    """All has other times and inodes, as a checkout gives them."""
    for path in (app.root / "pyproject.toml", app.root / "pylock.toml", app.root / "src" / "app.py"):
        data = path.read_bytes()
        path.unlink()
        path.write_bytes(data)
        os.utime(path, (1, 1))


def cached(app: Project) -> None:
    (app.root / "src" / "__pycache__").mkdir()
    (app.root / "src" / "__pycache__" / "app.cpython-312.pyc").write_bytes(b"")


def deployed(app: Project) -> None:
    (app.root / ".lamella").mkdir()
    tables = WITHOUT_BYTECODE + 'alias = "live"\nmemory = 256\n\n[tool.lamella.environments.prod]\nsuffix = "-prod"\n'
    app.configure(tables + "\n[tool.ruff]\nline-length = 100\n")


@pytest.mark.parametrize("change", [lambda _: None, touched, cached, deployed])
def test_nothing_that_a_build_would_see(app: Project, change: Callable[[Project], None]) -> None:
    built(app)
    change(app)
    assert changes(app) == ()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda app: app.source("app.py", "import stem\n"), "src/app.py"),
        (lambda app: app.source("more/new.py", "1\n"), "src/more/new.py"),
        (lambda app: (app.root / "src" / "app.py").chmod(0o755), "src/app.py"),
        (lambda app: (app.root / "pylock.toml").write_text(app.pylock() + "\n# more\n"), "pylock.toml"),
        (lambda app: app.configure(WITHOUT_BYTECODE + 'exclude = ["more"]\n'), "pyproject.toml"),
        (lambda app: app.configure(WITHOUT_BYTECODE, 'dependencies = ["leaf"]'), "pyproject.toml"),
    ],
)
def test_what_a_build_would_see(app: Project, change: Callable[[Project], object], told: str) -> None:
    built(app)
    change(app)
    assert changes(app) == (told,)


def test_a_file_that_is_gone(app: Project) -> None:
    app.source("other.py")
    built(app)
    (app.root / "src" / "other.py").unlink()
    assert changes(app) == ("src/other.py",)


def test_what_is_not_known_is_not_told(app: Project) -> None:
    app.build()
    app.source("app.py", "import stem\n" + HANDLER)
    assert changes(app) == ()  # another machine's build
    built(app)
    built(app, "api")
    app.source("app.py", "import stem, leaf\n" + HANDLER)
    assert changes(app) == ()  # of the rest nobody knows
    built(app, began=time.time_ns() - LATER)
    app.source("app.py", "import leaf\n" + HANDLER)
    assert changes(app) == ()  # it was written during the build
    built(app)
    app.source("app.py", "import stem\n" + HANDLER)
    assert changes(app) == ("src/app.py",)
    (app.output / "manifest.json").write_text("{}")
    assert changes(app) == ()  # not what was built here


def test_a_damaged_memory_says_nothing(app: Project) -> None:
    built(app)
    (kept,) = (app.cache / "v1" / "stamps").glob("*.built")
    for text in ("", "[]", '{"manifest": 1}', '{"manifest":'):
        kept.write_text(text)
        app.source("app.py", "import leaf\n" + HANDLER)
        assert changes(app) == ()


def test_a_folder_that_is_read_whole(app: Project) -> None:
    beside = app.root / "beside"
    (beside / "pkg").mkdir(parents=True)
    (beside / "pkg" / "__init__.py").write_text("")
    outcome = app.build()
    settings = read(str(app.root))
    inputs = (*outcome.inputs, os.path.join(str(beside), ""))
    since.remember(settings, inputs, time.time_ns() + LATER, partly=False)
    (beside / "pkg.egg-info").mkdir()
    (beside / "pkg.egg-info" / "x.py").write_text("")
    (beside / ".cache").mkdir()
    assert since.changes(settings) == ()
    (beside / "pkg" / "new.py").write_text("")
    assert since.changes(settings) == ("beside/pkg/new.py",)
