"""Programs that tests compare with, each in an environment of its own, made once of pins with hashes.

They lie beside this environment, named by their pins, so that a change of the pins makes them anew.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable

import filelock

_HERE = os.path.dirname(os.path.abspath(__file__))
_ROOT = os.path.dirname(_HERE)
_PLACE = os.path.join(_ROOT, ".venv", "tools")


def python_tools(name: str) -> str:
    """The folder of programs of an environment made of `requirements/NAME.txt`."""
    pins = os.path.join(_ROOT, "requirements", f"{name}.txt")
    uv = os.path.join(os.path.dirname(sys.executable), "uv")

    def make(folder: str) -> None:
        _run([uv, "venv", "--quiet", "--python", sys.executable, folder])
        python = os.path.join(folder, "bin", "python")
        _run([uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "--requirement", pins])

    return os.path.join(_made(name, [pins], make), "bin")


def node_modules(name: str) -> str:
    """The folder that has a `node_modules` made of `tests/npm/NAME/package-lock.json`."""
    source = os.path.join(_HERE, "npm", name)
    files = [os.path.join(source, file) for file in ("package.json", "package-lock.json")]

    def make(folder: str) -> None:
        os.makedirs(folder)
        for file in files:
            shutil.copy(file, folder)
        _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], folder)

    return _made(f"npm-{name}", files, make)


def _made(name: str, files: list[str], make: Callable[[str], None]) -> str:
    digest = hashlib.sha256()
    for path in files:
        with open(path, "rb") as file:
            digest.update(file.read())
    folder = os.path.join(_PLACE, f"{name}-{digest.hexdigest()[:16]}")
    os.makedirs(_PLACE, exist_ok=True)
    with filelock.FileLock(f"{folder}.lock"):
        if not os.path.exists(f"{folder}.ready"):
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            with open(f"{folder}.ready", "w"):
                pass
    return folder


def _run(command: list[str], cwd: str | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
