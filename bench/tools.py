"""The tools under comparison, each as its users install it, and what is known about them and this machine."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Set by other programs for their own ends; each would change what is measured
_ASIDE = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_TARGET", "UV_PROJECT",
          "PIP_NO_CACHE_DIR", "UV_NO_CACHE", "UV_COMPILE_BYTECODE", "PEX_ROOT")  # fmt: skip


class BenchError(Exception):
    """Something that the measurement can't go on without.  Its text is for the person."""


@dataclass(frozen=True, slots=True)
class Bench:
    """A folder that is thrown away, and the environment in which everything runs.

    On PATH first is `ours`, a virtual environment with lamella and nothing that it doesn't need, then `others`, with
    pip, pex and uv.
    """

    root: Path
    environment: Mapping[str, str]

    def run(self, command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a shell line, untimed."""
        return subprocess.run(
            ["bash", "-c", command],
            cwd=cwd,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )

    def must(self, command: str, cwd: Path) -> str:
        """What the line printed.  Raises BenchError when it fails."""
        done = self.run(command, cwd)
        if done.returncode:
            raise BenchError(f"`{command}` failed\n{done.stderr.strip() or done.stdout.strip()}")
        return done.stdout


def prepare(root: Path, project: Path) -> Bench:
    """Make the two virtual environments in the folder `root`; lamella is built from `project` as a normal wheel.

    Raises BenchError where uv, a python3.12 or a package can't be had.
    """
    uv = shutil.which("uv", path=f"{project / '.venv' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}")
    if uv is None:
        raise BenchError("`uv` is not on PATH and not in .venv: run `make setup`")
    environment = {name: value for name, value in os.environ.items() if name not in _ASIDE}
    ours, others = root / "ours", root / "others"
    bare = Bench(root, environment)
    for folder in (ours, others):
        bare.must(f"'{uv}' venv --quiet --python 3.12 '{folder}'", root)
    install = f"'{uv}' pip install --quiet --compile-bytecode --python"
    bare.must(f"{install} '{ours}/bin/python' --reinstall-package lamella --refresh-package lamella '{project}'", root)
    bare.must(f"{install} '{others}/bin/python' --upgrade pip pex uv", root)
    environment["PATH"] = os.pathsep.join([f"{ours}/bin", f"{others}/bin", environment.get("PATH", os.defpath)])
    environment["LAMELLA_CACHE_DIR"] = str(root / "cache")
    return Bench(root, environment)


def versions(bench: Bench) -> str:
    """Of every tool, in one line."""
    found = []
    for label, command in (
        ("lamella", "lamella --version"),
        ("uv", "uv --version"),
        ("pip", "pip --version"),
        ("pex", "pex3 --version"),
        ("zip", "zip -v | sed -n 2p"),
        ("Python", "python --version"),
        ("hyperfine", "hyperfine --version"),
        ("GNU time", "/usr/bin/time --version 2>&1 | head -n1"),
        ("coreutils", "cp --version | head -n1"),
    ):
        done = bench.run(f"set -o pipefail; {command}", bench.root)
        match = re.search(r"\d+(?:\.\w+)+", done.stdout)
        # Debian's GNU time does not know its own version
        found.append(f"{label} {match[0] if match else '(missing)' if done.returncode else '(version not told)'}")
    return ", ".join(found)


def machine() -> str:
    """The kind of machine, and nothing that names it."""
    name = platform.processor() or "unknown CPU"
    if os.path.exists("/proc/cpuinfo"):
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
        name = match[1].strip() if match else name
    return f"{name}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"
