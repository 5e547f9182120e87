"""The `uv` program: where it is, and how it is run.  Everything that is uv's to decide goes through here."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

from lamella.errors import LamellaError
from lamella.wording import scrubbed


class UvMissingError(LamellaError):
    """There is no `uv` on this machine."""

    def __init__(self) -> None:
        super().__init__(
            "`uv` is not on PATH",
            why=["resolving, reading uv.lock and building wheels from source are uv's work"],
            hint="install uv, or run `pip install 'lamella[uv]'`",
        )


class UvFailedError(LamellaError):
    """`uv` ended with an error.  `lines` are its own words, credentials blotted out."""

    def __init__(self, arguments: Sequence[str], lines: tuple[str, ...]) -> None:
        super().__init__(f"`uv {' '.join(arguments[:2])}` failed", why=lines)
        self.lines = lines


def program() -> str:
    """The path of uv: the one on PATH, else the one of the `uv` package.  Raises UvMissingError."""
    found = shutil.which("uv")
    if found:
        return found
    try:
        from uv import find_uv_bin

        return os.fsdecode(find_uv_bin())
    except (ImportError, FileNotFoundError):
        raise UvMissingError from None


def run(arguments: Sequence[str], *, cwd: str, offline: bool = False) -> str:
    """Run uv in `cwd` and return what it printed to stdout.  Raises UvFailedError, UvMissingError."""
    command = [program(), *arguments, "--no-progress", "--color", "never"]
    if offline:
        command.append("--offline")
    # What is active for us says nothing about the project that uv is asked about
    aside = ("VIRTUAL_ENV", "UV_PROJECT", "UV_WORKING_DIR")
    environment = {name: value for name, value in os.environ.items() if name not in aside}
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise UvFailedError(arguments, tuple(scrubbed(line) for line in done.stderr.splitlines() if line.strip()))
    return done.stdout
