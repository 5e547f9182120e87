"""`lamella build` and what a person can cause: wrong input, files in the way, a full disk."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from tests.build.projects import CONFIGURATION, Project
from tests.cli.processes import no_traceback


def unreadable_toml(app: Project) -> None:
    (app.root / "pyproject.toml").write_text("[tool.lamella\n")


def toml_in_latin_1(app: Project) -> None:
    (app.root / "pyproject.toml").write_bytes('[tool.lamella]\nruntime = "ü"\n'.encode("latin-1"))


def toml_that_is_a_folder(app: Project) -> None:
    (app.root / "pyproject.toml").unlink()
    (app.root / "pyproject.toml").mkdir()


def lock_that_is_a_folder(app: Project) -> None:
    (app.root / "pylock.toml").unlink()
    (app.root / "pylock.toml").mkdir()


def source_that_is_gone(app: Project) -> None:
    (app.root / "src" / "app.py").unlink()
    (app.root / "src").rmdir()


def source_of_bytes(app: Project) -> None:
    (app.root / "src" / "app.py").write_bytes(b"\xff\xfe\0import x")


def source_with_a_mistake(app: Project) -> None:
    app.source("app.py", "def handler():\nreturn 1\n")


@pytest.mark.parametrize(
    "wrong",
    [
        unreadable_toml, toml_in_latin_1, toml_that_is_a_folder, lock_that_is_a_folder, source_that_is_gone,
        source_of_bytes, source_with_a_mistake,
        lambda app: (app.root / "pylock.toml").write_text("{"),
        lambda app: (app.root / "pylock.toml").write_bytes(b"\xff"),
        lambda app: (app.root / "pylock.toml").unlink(),
        lambda app: app.configure(CONFIGURATION.replace("runtime", "runtimes")),
        lambda app: app.configure(CONFIGURATION + "\n[tool.lamella.functions.api.deeper]\n"),
    ],
)  # fmt: skip
def test_wrong_input(app: Project, wrong: Callable[[Project], object]) -> None:
    wrong(app)
    # Without a lock the project is locked, which an absent uv can't and a present one can
    done = app.run("build", "--locked", "--offline")
    no_traceback(done, 2)
    assert not app.output.exists()


@pytest.mark.parametrize(
    "arguments", [["build", "--what"], ["bild"], ["build", "--output"], ["build", "nowhere"], ["--what"], []]
)
def test_wrong_words(app: Project, arguments: list[str]) -> None:
    no_traceback(app.run(*arguments), 2)


def test_a_file_in_the_place_of_the_output(app: Project) -> None:
    (app.root / "dist").write_text("in the way")
    done = app.run("build")
    assert done.returncode in (2, 3)
    no_traceback(done, done.returncode)
    assert (app.root / "dist").read_text() == "in the way"


def test_a_file_in_the_place_of_the_cache(app: Project) -> None:
    app.cache.write_text("in the way")
    assert str(app.cache) in no_traceback(app.run("build"), 3)


def test_a_folder_in_the_place_of_a_zip(app: Project) -> None:
    (app.output / "api.zip").mkdir(parents=True)
    no_traceback(app.run("build"), 3)
    assert app.listing() == ["api.zip"]


def test_a_folder_that_is_gone(app: Project) -> None:
    gone = app.root / "gone"
    gone.mkdir()
    done = subprocess.run(
        ["sh", "-c", 'rmdir "$1"; exec "$2" -P -m lamella build', "sh", gone, sys.executable],
        cwd=gone, env=app.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    no_traceback(done, done.returncode)
    assert done.returncode in (2, 3)


def limited(app: Project, most: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command with a limit on the size of files, which stands in for a full disk."""
    script = (
        "import resource, runpy, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))\n"
        "sys.argv[0] = 'lamella'\n"
        "from lamella.cli.start import main\n"
        "sys.exit(main())\n"
    )
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=app.root, env=app.environment, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("most", [300, 3000, 70_000, 250_000, 600_000])
def test_a_full_disk(app: Project, most: int) -> None:
    for number in range(4):
        app.wheel(f"big{number}", files={f"big{number}.bin": os.urandom(200_000)})
    app.lock()
    done = limited(app, most, "build")
    assert done.returncode in (2, 3)
    no_traceback(done, done.returncode)
    if app.output.exists():
        assert app.listing() == []
    assert app.run("build").returncode == 0
    assert app.listing() == ["api.zip", "layer.zip", "manifest.json"]
    assert app.members("layer").keys() >= {"python/big0.bin", "python/stem/__init__.py"}


def test_a_full_disk_keeps_what_was_there(app: Project) -> None:
    app.run("build", check=True)
    before = app.states()
    app.wheel("big", files={"big.bin": os.urandom(200_000)})
    app.lock()
    assert limited(app, 150_000, "build").returncode in (2, 3)
    assert app.states() == before
