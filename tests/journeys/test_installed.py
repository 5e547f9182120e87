"""What users install: the built wheel, by pip, uv and pipx, in an environment with nothing of this repository."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.build.projects import HANDLER, Project
from tests.tools import python_tools

import lamella

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("installed")]

REPOSITORY = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
# What the extras bring: whoever has none of them is told so by the command that needs it
EXTRAS = frozenset({"botocore", "cyclonedx", "jmespath", "packageurl", "s3transfer", "urllib3", "uv"})
PYTHON = "{}.{}".format(*sys.version_info[:2])

# Every import of every module, those inside of functions too; not those for the type checker alone
IMPORTS = """
import ast, importlib.util, pathlib, lamella

def imported(node):
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
        return
    if isinstance(node, ast.Import):
        yield from (name.name for name in node.names)
    elif isinstance(node, ast.ImportFrom) and not node.level:
        yield node.module
    for child in ast.iter_child_nodes(node):
        yield from imported(child)

files = list(pathlib.Path(lamella.__file__).parent.rglob("*.py"))
assert len(files) > 100
names = {name.partition(".")[0] for file in files for name in imported(ast.parse(file.read_bytes()))}
print(*sorted(name for name in names if importlib.util.find_spec(name) is None))
"""


class Installed(NamedTuple):
    """`program` is `lamella`, `python` that of its environment, `missing` what that may lack."""

    program: Path
    python: Path
    missing: frozenset[str] = EXTRAS


def clean(**more: str) -> dict[str, str]:
    """The environment with nothing of the one that the tests run in."""
    own = os.path.dirname(sys.executable)
    path = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if part != own)
    names = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    return {**{name: value for name, value in os.environ.items() if name not in names}, "PATH": path, **more}


def run(*command: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=env or clean(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as for a release: the sdist of this repository, and the wheel of that sdist."""
    folder = tmp_path_factory.mktemp("wheel")
    run(UV, "build", "--quiet", "--no-build-isolation", "--python", sys.executable, "--out-dir", folder, cwd=REPOSITORY)
    (found,) = folder.glob("lamella-*.whl")
    return found


@pytest.fixture(scope="module", params=["pip", "uv", "pipx"])
def installed(request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp(request.param)
    by = {"pip": by_pip, "uv": by_uv, "pipx": by_pipx}[request.param]
    return by(wheel, folder)


def by_pip(wheel: Path, folder: Path) -> Installed:
    run(sys.executable, "-m", "venv", folder / "env", cwd=folder)
    python = folder / "env" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel, cwd=folder)
    run(python, "-m", "pip", "check", "--disable-pip-version-check", cwd=folder)
    return Installed(folder / "env" / "bin" / "lamella", python)


def by_uv(wheel: Path, folder: Path) -> Installed:
    env = clean(UV_TOOL_DIR=str(folder / "tools"), UV_TOOL_BIN_DIR=str(folder / "bin"))
    everything = f"lamella[aws,keyring,sbom,uv] @ {wheel.as_uri()}"
    run(UV, "tool", "install", "--quiet", "--python", sys.executable, everything, cwd=folder, env=env)
    return Installed(folder / "bin" / "lamella", folder / "tools" / "lamella" / "bin" / "python", frozenset())


def by_pipx(wheel: Path, folder: Path) -> Installed:
    pipx = Path(python_tools("pipx"), "pipx")
    places = {"PIPX_HOME": "home", "PIPX_BIN_DIR": "bin", "PIPX_MAN_DIR": "man"}
    env = clean(**{name: str(folder / place) for name, place in places.items()})
    run(pipx, "install", "--quiet", "--python", sys.executable, wheel, cwd=folder, env=env)
    return Installed(folder / "bin" / "lamella", folder / "home" / "venvs" / "lamella" / "bin" / "python")


def files(folder: Path) -> set[str]:
    """All that lies in it, without the caches that tools leave behind."""
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return {path for path in found if "__pycache__/" not in path and not path.startswith(".")}


def test_the_wheel_has_every_file_of_the_rooms_and_nothing_else(wheel: Path) -> None:
    source = Path(lamella.__file__).parent
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    added = settings["tool"]["hatch"]["build"]["targets"]["wheel"].get("force-include", {})
    assert all((REPOSITORY / place).is_file() for place in added)
    ours = {f"lamella/{path}" for path in files(source)} | set(added.values())
    with zipfile.ZipFile(wheel) as archive:
        there = set(archive.namelist())
    info = {name for name in there if ".dist-info/" in name}
    assert there - info == ours
    assert {os.path.basename(name) for name in info} == {"METADATA", "WHEEL", "entry_points.txt", "LICENSE", "RECORD"}


def test_it_runs_and_needs_no_more_than_it_says(installed: Installed, tmp_path: Path) -> None:
    assert run(installed.program, "--version", cwd=tmp_path) == f"lamella {lamella.__version__}\n"
    where = run(installed.python, "-I", "-c", "import lamella; print(lamella.__file__)", cwd=tmp_path)
    assert not Path(where).is_relative_to(REPOSITORY / "src")
    assert set(run(installed.python, "-I", "-c", IMPORTS, cwd=tmp_path).split()) <= installed.missing


def test_a_project_is_set_up_and_built(installed: Installed, tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.wheel("leaf", files={"leaf/__init__.py": "NAME = 'leaf'\n"})
    project.source("app.py", f"import leaf\n\n\n{HANDLER}")
    project.lock()
    text = f'[project]\nname = "spectra"\nversion = "1"\nrequires-python = "=={PYTHON}.*"\ndependencies = ["leaf"]\n'
    (project.root / "pyproject.toml").write_text(text)
    env = clean(LAMELLA_CACHE_DIR=str(project.cache), NO_COLOR="1")
    run(installed.program, "init", "--yes", cwd=project.root, env=env)
    run(installed.program, "build", cwd=project.root, env=env)
    (layer,), (function,) = (list(project.manifest()[kind]) for kind in ("layers", "functions"))
    assert project.packages(layer) == ["leaf"]
    assert project.members(function)["app.py"].startswith(b"import leaf")
    run(installed.program, "check", cwd=project.root, env=env)
    event = tmp_path / "event.json"
    event.write_text('{"answer": 42}')
    told = run(installed.program, "invoke", function, "--event", event, cwd=project.root, env=env)
    assert "42" in told
    # Its module lies elsewhere in a checkout
    run(installed.program, "export", "terraform", cwd=project.root, env=env)
    module = (REPOSITORY / "terraform" / "modules" / "lambda").glob("*.tf")
    written = (project.root / "terraform" / "modules" / "lambda").glob("*.tf")
    assert {path.name for path in written} == {path.name for path in module}


@pytest.mark.parametrize("installed", ["pip"], indirect=True)
def test_what_an_extra_brings_is_asked_for(installed: Installed, tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.source("app.py")
    project.configure(
        f'[tool.lamella]\nruntime = "python{PYTHON}"\n[tool.lamella.functions.api]\nhandler = "app.handler"\n'
    )
    done = subprocess.run(
        [installed.program, "pull", "api"], cwd=project.root, env=clean(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "lamella[aws]" in done.stderr
    assert "Traceback" not in done.stderr
