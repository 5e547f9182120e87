from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lamella.cli import app
from lamella.config.read import read
from lamella.export.make import emit
from lamella.export.model import MARK, Place, Source
from lamella.manifest import Manifest

EXAMPLES = Path(__file__).parents[2] / "examples"
MAKE = shutil.which("make")
TARGETS = (
    "package-layer", "package-layer-docker", "package-lambda", "validate-layer", "publish-layer", "deploy", "verify",
)  # fmt: skip
WHOLE = """[tool.lamella]
runtime = "python3.12"
[tool.lamella.layers.layer]
[tool.lamella.functions.api]
handler = "app.handler"
[tool.lamella.environments.prod]
"""


def text(project: Path, tables: str = WHOLE, environment: str = "", place: str = ".") -> str:
    (project / "src").mkdir(exist_ok=True)
    (project / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "1"\n' + tables)
    settings = read(str(project))
    (one,) = (one for one in settings.environments if one.name == environment)
    (made,) = emit(Source(settings, one, Manifest("shop", (), ()), Place(place, "dist/lambda", ".")))
    assert made.path == ""
    return made.text


def meant(file: Path, *words: str) -> list[str]:
    """What make would run, of the file."""
    if MAKE is None:
        pytest.skip("no make on PATH")
    command = [MAKE, "--no-print-directory", "--dry-run", "-f", file.name, *words]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "LAMELLA"))}
    done = subprocess.run(command, cwd=file.parent, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return [line.rstrip() for line in done.stdout.splitlines()]


def test_the_targets(tmp_path: Path) -> None:
    file = tmp_path / "lamella.mk"
    file.write_text(text(tmp_path))
    assert file.read_text().startswith(f"# {MARK} make`, which writes it anew")
    assert meant(file, *TARGETS) == [
        "cd './' && lamella build layer",
        "cd './' && lamella build layer --container",
        "cd './' && lamella build api",
        "cd './' && lamella check --layers-only",
        "cd './' && lamella deploy --layers-only",
        "cd './' && lamella deploy",
        "cd './' && lamella verify",
    ]


def test_words_that_are_given(tmp_path: Path) -> None:
    file = tmp_path / "lamella.mk"
    file.write_text(text(tmp_path, environment="prod"))
    assert meant(file, "deploy", "verify", "DEPLOY=--auto-approve", "LAMELLA=python -m lamella") == [
        "cd './' && python -m lamella deploy --env prod --auto-approve",
        "cd './' && python -m lamella verify --env prod",
    ]
    assert meant(file, "package-lambda", "verify", "BUILD=--locked", "LAMELLA_ENV=") == [
        "cd './' && lamella build api --locked",
        "cd './' && lamella verify",
    ]


def test_from_another_folder(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("include tools/lamella.mk\n")
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools/lamella.mk").write_text(text(tmp_path, place="../services/shop"))
    assert meant(tmp_path / "Makefile", "verify") == ["cd 'tools/../services/shop' && lamella verify"]


@pytest.mark.parametrize("name", ["it's here", 'two  "words"', "a$b$(c)#d", "a,b"])
def test_folders_with_any_name(tmp_path: Path, name: str) -> None:
    if MAKE is None:
        pytest.skip("no make on PATH")
    project = tmp_path / name / "shop"
    tools = tmp_path / "tools"
    project.mkdir(parents=True)
    tools.mkdir()
    (tools / "lamella.mk").write_text(text(project, place=f"../{name}/shop"))
    (project / "lamella.mk").write_text(text(project))
    (tmp_path / "Makefile").write_text("include tools/lamella.mk\n")
    for folder in (tmp_path, tools, project):
        file = "Makefile" if folder == tmp_path else "lamella.mk"
        command = [MAKE, "--silent", "-f", file, "deploy", "LAMELLA=pwd -P; :"]
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "LAMELLA"))}
        done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
        assert (done.stdout, done.stderr) == (f"{project.resolve()}\n", "")


def test_what_there_is_nothing_to_do_for(tmp_path: Path) -> None:
    tables = '[tool.lamella]\nruntime = "python3.12"\n[tool.lamella.functions.api]\nhandler = "app.handler"\n'
    file = tmp_path / "lamella.mk"
    file.write_text(text(tmp_path, tables))
    lines = meant(file, "package-layer", "validate-layer", "publish-layer", "deploy")
    assert lines == ["echo 'nothing to do: the configuration has none'"] * 3 + ["cd './' && lamella deploy"]
    file.write_text(text(tmp_path, '[tool.lamella]\nruntime = "python3.12"\n[tool.lamella.layers.layer]\n'))
    lines = meant(file, "package-lambda", "verify")  # layers can be verified, too
    assert lines == ["echo 'nothing to do: the configuration has none'", "cd './' && lamella verify"]


@pytest.mark.parametrize("example", ["spectra", "galerly"])
def test_the_examples_include_what_is_written(
    example: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(EXAMPLES / example)
    assert app.run(["export", "make", "--check"]) == 0, capsys.readouterr().err
    lines = meant(EXAMPLES / example / "Makefile", *TARGETS, f"LAMELLA={sys.executable} -m lamella")
    assert len(lines) == len(TARGETS)
    assert all("lamella" in line for line in lines)
