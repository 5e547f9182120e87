"""Small projects with wheels on this disk, built in this process or by the command line.

project = Project(tmp_path)
project.wheel("demo", requires=["leaf"])
project.wheel("leaf")
project.source("app.py", "import demo\\n\\ndef handler(event, context): ...\\n")
project.configure()
project.lock()
outcome = project.build()
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.wheels.wheelmaker import make_wheel, sha256, wheel_filename

from lamella.build.model import Outcome, Request
from lamella.build.run import build
from lamella.config.read import read
from lamella.shared.depot import Depot
from lamella.wheels.cache import Cache
from lamella.wheels.obtain import Progress, Silent

CONFIGURATION = """
[tool.lamella]
runtime = "python3.12"

[tool.lamella.layers.layer]

[tool.lamella.functions.api]
handler = "app.handler"
layers = ["layer"]
"""
# The same without bytecode, which takes an interpreter of the target
WITHOUT_BYTECODE = CONFIGURATION.replace("layers.layer]\n", 'layers.layer]\nbytecode = "none"\n', 1)
# One that runs on the Python of the tests, its function's table last
RUNTIME = "python{}.{}".format(*sys.version_info[:2])
RUNNABLE = WITHOUT_BYTECODE.replace("python3.12", RUNTIME)
HANDLER = "def handler(event, context):\n    return event\n"

# Settings of whoever runs the tests, which would lead elsewhere
FOREIGN = ("UV_", "PIP_", "LAMELLA_", "SSL_CERT_")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "VIRTUAL_ENV")

# A build backend inside of a project: it takes what lies in src/ and needs nothing from an index
BACKEND = """
import base64, hashlib, os, zipfile

NAME, VERSION, TAG, REQUIRES = {name!r}, {version!r}, {tag!r}, {requires!r}


def build_wheel(folder, config_settings=None, metadata_directory=None):
    with open({log!r}, "a") as log:
        log.write("built\\n")
    open("left-behind", "w").close()
    info = f"{{NAME}}-{{VERSION}}.dist-info"
    files = {{f"{{info}}/METADATA": f"Metadata-Version: 2.1\\nName: {{NAME}}\\nVersion: {{VERSION}}\\n" + REQUIRES,
             f"{{info}}/WHEEL": f"Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: {{TAG}}\\n"}}
    for base, folders, names in os.walk("src"):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in names:
            path = os.path.join(base, name)
            with open(path) as file:
                files[os.path.relpath(path, "src")] = file.read()
    rows = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows += f"{{path}},sha256={{digest}},{{len(text.encode())}}\\n"
    files[f"{{info}}/RECORD"] = rows + f"{{info}}/RECORD,,\\n"
    wheel = f"{{NAME}}-{{VERSION}}-{{TAG}}.whl"
    with zipfile.ZipFile(os.path.join(folder, wheel), "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return wheel


def build_editable(folder, config_settings=None, metadata_directory=None):
    return build_wheel(folder)
"""


def clean_environment(environ: Mapping[str, str], **more: str) -> dict[str, str]:
    """The environment without what would lead a build elsewhere, and with `more`."""
    kept = {
        name: value for name, value in environ.items() if not name.startswith(FOREIGN) and name.upper() not in PROXIES
    }
    return {**kept, "UV_PYTHON_DOWNLOADS": "never", **more}


class Project:
    """A project in `folder`/project with its cache and settings beside it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "project"
        self.cache = folder / "cache"
        self.home = folder / "home"
        self.wheelhouse = folder / "wheelhouse"
        self.wheels: dict[str, bytes] = {}
        for made in (self.root / "src", self.home, self.wheelhouse):
            made.mkdir(parents=True)

    @property
    def output(self) -> Path:
        return self.root / "dist" / "lambda"

    @property
    def environment(self) -> dict[str, str]:
        return clean_environment(
            os.environ,
            LAMELLA_CACHE_DIR=str(self.cache),
            UV_CACHE_DIR=str(self.home / "uv"),
            HOME=str(self.home),
            NO_COLOR="1",
        )

    def wheel(
        self, name: str, version: str = "1.0", files: Mapping[str, str | bytes] | None = None, **options: Any
    ) -> Path:
        """Make a wheel in the wheelhouse; without `files` it has one package of the distribution's name."""
        module = name.replace("-", "_").replace(".", "_").lower()
        content = make_wheel(name, version, files if files is not None else {f"{module}/__init__.py": ""}, **options)
        filename = wheel_filename(name, version, tag=options.get("tag", "py3-none-any"))
        self.wheels[filename] = content
        path = self.wheelhouse / filename
        path.write_bytes(content)
        return path

    def source(self, path: str, text: str = HANDLER) -> Path:
        file = self.root / "src" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def configure(self, tables: str = CONFIGURATION, project: str = "") -> None:
        """Write pyproject.toml: `project` are lines of its [project] table and what follows."""
        text = '[project]\nname = "spectra"\nversion = "1"\nrequires-python = ">=3.9"\n'
        (self.root / "pyproject.toml").write_text(f"{text}{project}\n{tables}")

    def pylock(self, url: str | None = None) -> str:
        """pylock.toml with every wheel: by path, or below `url`; several wheels of a version are one package."""
        packages: dict[tuple[str, str], list[str]] = {}
        for filename, content in self.wheels.items():
            name, version = filename.split("-")[:2]
            place = f'url = "{url}/{filename}"' if url else f'path = "{self.wheelhouse / filename}"'
            row = f'{{name = "{filename}", {place}, size = {len(content)}, hashes = {{sha256 = "{sha256(content)}"}}}}'
            packages.setdefault((name.replace("_", "-"), version), []).append(row)
        lines = ['lock-version = "1.0"', 'created-by = "tests"']
        for (name, version), rows in packages.items():
            wheels = ",\n  ".join(rows)
            lines += ["[[packages]]", f'name = "{name}"', f'version = "{version}"', f"wheels = [\n  {wheels}\n]"]
        return "\n".join(lines) + "\n"

    def lock(self, url: str | None = None) -> None:
        """Write `pylock`."""
        (self.root / "pylock.toml").write_text(self.pylock(url))

    def requirements(self, *lines: str) -> None:
        (self.root / "requirements.txt").write_text("".join(f"{line}\n" for line in lines))

    def sources_of(
        self, folder: Path, name: str, files: Mapping[str, str], *, tag: str = "py3-none-any", requires: str = ""
    ) -> Path:
        """A project that builds into a wheel with nothing from an index.  `requires` is a line of METADATA."""
        for path, text in files.items():
            place = folder / "src" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        values = {"name": name, "version": "0.1", "tag": tag, "requires": requires, "log": str(folder / "builds")}
        (folder / "backend.py").write_text(BACKEND.format(**values))
        (folder / "pyproject.toml").write_text(
            f'[project]\nname = "{name}"\nversion = "0.1"\nrequires-python = ">=3.9"\n'
            '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        )
        return folder

    def build(
        self,
        *names: str,
        locked: bool = False,
        offline: bool = False,
        output: str | None = None,
        progress: Progress | None = None,
        depot: Depot | None = None,
    ) -> Outcome:
        """Build in this process.  The caller sees to the environment."""
        settings = read(str(self.root), output=output)
        request = Request(names, locked=locked, offline=offline)
        return build(settings, request, Cache(str(self.cache)), progress or Silent(), depot)

    def run(
        self,
        *arguments: str,
        cwd: Path | None = None,
        python: str = sys.executable,
        check: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """The command line, in a process of its own."""
        return subprocess.run(
            [python, "-m", "lamella", *arguments],
            cwd=cwd or self.root,
            env={**self.environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=check,
            timeout=120,
        )

    def listing(self) -> list[str]:
        """What lies in the output folder, hidden files included."""
        return sorted(os.listdir(self.output))

    def states(self) -> dict[str, tuple[int, int, int]]:
        """Size, time and inode of all that lies in the output folder."""
        found = {path.name: path.stat() for path in self.output.iterdir()}
        return {name: (state.st_size, state.st_mtime_ns, state.st_ino) for name, state in found.items()}

    def digests(self) -> dict[str, str]:
        return {path.name: self.digest(path) for path in sorted(self.output.iterdir())}

    def digest_of(self, name: str) -> str:
        return self.digest(self.output / name)

    @staticmethod
    def digest(path: Path) -> str:
        return sha256(path.read_bytes())

    def members(self, artifact: str) -> dict[str, bytes]:
        """The zip `artifact`.zip, by the standard library."""
        with zipfile.ZipFile(self.output / f"{artifact}.zip") as archive:
            assert archive.testzip() is None
            return {info.filename: archive.read(info) for info in archive.infolist()}

    def modes(self, artifact: str) -> dict[str, int]:
        with zipfile.ZipFile(self.output / f"{artifact}.zip") as archive:
            return {info.filename: info.external_attr >> 16 for info in archive.infolist()}

    def manifest(self) -> dict[str, Any]:
        tree: dict[str, Any] = json.loads((self.output / "manifest.json").read_bytes())
        return tree

    def packages(self, artifact: str) -> list[str]:
        """The importable top-level names of a zip: below python/ in a layer."""
        names = {name.removeprefix("python/").partition("/")[0] for name in self.members(artifact)}
        return sorted(name for name in names if not name.endswith(".dist-info"))


def cached_wheels(cache: Path) -> list[Path]:
    return sorted(cache.glob("v1/wheels/*/*.whl"))


def all_bytes(folder: Path) -> Iterable[tuple[Path, bytes]]:
    """Every file below a folder."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path, path.read_bytes()


def with_one_function(folder: Path) -> Project:
    """A project with one function, whose layer holds `stem` and `leaf`, which it needs; locked by path."""
    made = Project(folder)
    made.wheel("stem", requires=["leaf"])
    made.wheel("leaf")
    made.source("app.py", "import stem\n\n" + HANDLER)
    made.configure()
    made.lock()
    return made


def alone(made: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """`made`, with its environment for that of this process."""
    for name in os.environ:
        if name not in clean_environment(os.environ):
            monkeypatch.delenv(name)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made
