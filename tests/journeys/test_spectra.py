"""The examples from the real package index, by the command line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.build.projects import Project, cached_wheels

EXAMPLES = Path(__file__).parents[2] / "examples"
pytestmark = [pytest.mark.journey]


def copied(tmp_path: Path, name: str) -> Path:
    if not (EXAMPLES / name / "pyproject.toml").exists():
        pytest.skip(f"there is no examples/{name}")
    aside = shutil.ignore_patterns("dist", "uv.lock", ".venv")
    return Path(shutil.copytree(EXAMPLES / name, tmp_path / name, ignore=aside))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def run(folder: Path, cache: Path, *arguments: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-m", "lamella", *arguments],
        cwd=folder,
        env={**os.environ, "LAMELLA_CACHE_DIR": str(cache), "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def prove(path: Path) -> None:
    """Every program that can read zips reads it whole."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
    for command in (["unzip", "-tq", str(path)], ["bsdtar", "-tf", str(path)]):
        if shutil.which(command[0]):
            subprocess.run(command, check=True, capture_output=True)


def test_spectra(tmp_path: Path, cache: Path) -> None:
    folder = copied(tmp_path, "spectra")
    done = run(folder, cache, "build")
    assert done.returncode == 0, done.stderr
    output = folder / "dist" / "lambda"
    names = ["api-handler.zip", "authorizer.zip", "layer.zip", "manifest.json", "worker.zip"]
    assert sorted(os.listdir(output)) == names
    for name in names[:-2] + names[-1:]:
        prove(output / name)
    before = {name: (output / name).stat().st_mtime_ns for name in names}
    for _ in range(3):
        again = run(folder, cache, "build", "--locked")
        assert again.stderr == "Nothing changed: `dist/lambda` is up to date (4 zips)\n"
    assert {name: (output / name).stat().st_mtime_ns for name in names} == before
    manifest = json.loads((output / "manifest.json").read_bytes())
    layer = manifest["layers"]["layer"]
    assert {"aws-lambda-powertools", "boto3", "pyarrow", "pydantic", "pydantic-settings"} <= {
        row["name"] for row in layer["distributions"]
    }
    check = run(folder, cache, "check", "--only", "size")
    assert check.returncode == (1 if layer["zipped"] > 52_428_800 else 0)
    assert check.stdout.startswith("Layer size ")
    assert f": {layer['zipped']} bytes (limit: 52428800)" in check.stdout


def test_spectra_offline_from_the_cache(tmp_path: Path, cache: Path) -> None:
    folder = copied(tmp_path, "spectra")
    first = run(folder, cache, "build")
    assert first.returncode == 0, first.stderr
    again = run(folder, cache, "build", "--locked", "--offline", "--output", "again")
    assert again.returncode == 0, again.stderr
    for name in os.listdir(folder / "again"):
        assert (folder / "again" / name).read_bytes() == (folder / "dist" / "lambda" / name).read_bytes()


def test_galerly(tmp_path: Path, cache: Path) -> None:
    folder = copied(tmp_path, "galerly")
    done = run(folder, cache, "build")
    assert done.returncode == 0, done.stderr
    output = folder / "dist" / "lambda"
    manifest = json.loads((output / "manifest.json").read_bytes())
    files = [row["file"] for kind in ("layers", "functions") for row in manifest[kind].values()]
    assert sorted(os.listdir(output)) == sorted([*files, "manifest.json"])
    for name in files:
        prove(output / name)
    assert any(row["distributions"] for row in manifest["functions"].values()), "a function with its own bundle"
    assert run(folder, cache, "check").returncode == 0


def interpreter(version: str) -> str | None:
    """Its path, or None.  uv looks on PATH and among pyenv's, whatever pyenv has selected."""
    from lamella.uv import program

    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    if shutil.which("pyenv"):
        listed = subprocess.run(["pyenv", "versions", "--bare"], capture_output=True, text=True, check=False)
        environment["PYENV_VERSION"] = ":".join(listed.stdout.split())
    found = subprocess.run(
        [program(), "python", "find", "--no-project", version],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    return os.path.realpath(found.stdout.strip()) if found.returncode == 0 else None


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> tuple[Path, dict[str, str]]:
    """Galerly's project if there is one, else Spectra's, and the digests of its build by this interpreter."""
    name = "galerly" if (EXAMPLES / "galerly" / "pyproject.toml").exists() else "spectra"
    folder = copied(tmp_path_factory.mktemp("reference"), name)
    done = run(folder, cache, "build")
    assert done.returncode == 0, done.stderr
    output = folder / "dist" / "lambda"
    return folder, {path.name: Project.digest(path) for path in output.iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_the_same_bytes_by_every_python(
    version: str, reference: tuple[Path, dict[str, str]], tmp_path: Path, cache: Path
) -> None:
    from lamella.uv import program

    python = interpreter(version)
    if python is None:
        pytest.skip(f"python{version} is not on this machine: set PYENV_VERSION, or run `uv python install {version}`")
    venv = tmp_path / "venv"
    source = Path(__file__).parents[2]
    subprocess.run([program(), "venv", "--quiet", "--python", python, venv], check=True, capture_output=True)
    install = [program(), "pip", "install", "--quiet", "--python", str(venv / "bin" / "python"), str(source)]
    subprocess.run(install, check=True, capture_output=True)
    folder, wanted = reference
    own = tmp_path / "cache"
    (own / "v1").mkdir(parents=True)
    # The wheels are there; all that is found out about them is found out anew by this interpreter
    for wheel in cached_wheels(cache):
        for path in (wheel, wheel.with_suffix(".json")):
            (own / path.relative_to(cache)).parent.mkdir(parents=True, exist_ok=True)
            os.link(path, own / path.relative_to(cache))
    done = run(folder, own, "build", "--output", str(tmp_path / "out"), python=str(venv / "bin" / "python"))
    assert done.returncode == 0, done.stderr
    assert {path.name: Project.digest(path) for path in (tmp_path / "out").iterdir()} == wanted
