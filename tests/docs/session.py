"""The commands of a page, run in their order in an empty folder.

A fence with `title="PATH"` is a file that is written there.  In a fence of `console` each line that begins with `$ ` is
run by bash, where the one before it left off; what it printed stands below it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.build.projects import clean_environment

_FENCE = re.compile(r'^```(?P<kind>\w+)(?: title="(?P<title>[^"]+)")?\n(?P<body>.*?)^```$', re.DOTALL | re.MULTILINE)


def played(page: str, folder: Path, more: Mapping[str, str]) -> str:
    """The page with what its commands print in `folder`.  Raises AssertionError for one that fails."""
    place = folder

    def fence(found: re.Match[str]) -> str:
        nonlocal place
        if found["title"]:
            path = place / found["title"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(found["body"])
        if found["kind"] != "console":
            return found[0]
        shown = []
        for line in found["body"].splitlines():
            if line.startswith("$ "):
                printed, place = _run(line.removeprefix("$ "), place, more)
                shown.append(f"{line}\n{printed}")
        return f"```console\n{''.join(shown)}```"

    return _FENCE.sub(fence, page)


def commands(page: str) -> list[str]:
    return [
        line.removeprefix("$ ")
        for found in _FENCE.finditer(page)
        if found["kind"] == "console"
        for line in found["body"].splitlines()
        if line.startswith("$ ")
    ]


def _run(command: str, place: Path, more: Mapping[str, str]) -> tuple[str, Path]:
    """What it printed, and the folder that it left off in.  A command whose line ends in `|| true` may fail."""
    programs = f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}"
    environment = {**clean_environment(os.environ), "PATH": programs, "NO_COLOR": "1", "COLUMNS": "100", **more}
    for name in ("PIP_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "SSL_CERT_FILE"):  # how this machine is online
        if name in os.environ:
            environment[name] = os.environ[name]
    marked = f"set -e\n{command}\nprintf '\\0%s' \"$PWD\""
    done = subprocess.run(
        ["bash", "-c", marked],
        cwd=place,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    printed, _, left = done.stdout.partition("\0")
    assert done.returncode == 0, f"{command}\n{printed}"
    return printed, Path(left)
