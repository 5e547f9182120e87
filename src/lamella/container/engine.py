"""Finds the engine: `docker` or `podman`, whichever is there and answers."""

from __future__ import annotations

import shutil
import subprocess
from typing import NamedTuple

from lamella.container.model import ContainerSettings, Engine
from lamella.errors import OutsideError
from lamella.wording import scrubbed

# Docker first: where both are there, it is the one that has BuildKit's cache
KINDS = ("docker", "podman")
_PATIENCE = 30.0  # seconds that an engine has to answer; a virtual machine may have to wake up
# What each is asked: its version, and the architecture of the machine that containers run on (Go's name)
_ASKED = {
    "docker": ("version", "--format", "{{.Server.Version}} {{.Server.Arch}}"),
    "podman": ("info", "--format", "{{.Version.Version}} {{.Host.Arch}}"),
}
_ARCHITECTURES = {"amd64": "x86_64", "x86_64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}
_HINTS = {
    "docker": "start Docker's daemon, or install podman",
    "podman": "`podman info` shows what it lacks; on macOS, `podman machine start`",
}


class _Silent(NamedTuple):
    """An engine that did not answer, and its own words."""

    kind: str
    program: str
    words: str


def find(settings: ContainerSettings) -> Engine:
    """The configured engine, else the first that answers.

    Raises OutsideError saying what was found of each, and what to do.
    """
    silent: list[_Silent] = []
    kinds = (settings.engine,) if settings.engine else KINDS
    for kind in kinds:
        program = shutil.which(kind)
        if program is None:
            continue
        answer = _asked(kind, program, settings.options)
        if isinstance(answer, Engine):
            return answer
        silent.append(answer)
    raise _none(settings, kinds, silent)


def _asked(kind: str, program: str, options: tuple[str, ...]) -> Engine | _Silent:
    # Debian's podman-docker installs podman under docker's name
    spoken = "podman" if kind == "docker" and "podman" in _words(program, "--version")[1] else kind
    code, out = _words(program, *_ASKED[spoken])
    words = out.split()
    if code or len(words) != 2:
        lines = [line for line in out.splitlines() if line.strip()]
        return _Silent(kind, program, scrubbed(lines[-1]) if lines else "it says nothing")
    return Engine(spoken, program, words[0], _ARCHITECTURES.get(words[1], words[1]), options)


def _words(program: str, *arguments: str) -> tuple[int, str]:
    """The exit code and all that the program says; stderr only where it failed."""
    try:
        done = subprocess.run(
            [program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace",
            timeout=_PATIENCE, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return 1, f"it did not answer within {_PATIENCE:.0f} s"
    except OSError as error:
        return 1, error.strerror or str(error)
    return done.returncode, done.stdout if done.returncode == 0 else f"{done.stdout}\n{done.stderr}"


def _none(settings: ContainerSettings, kinds: tuple[str, ...], silent: list[_Silent]) -> OutsideError:
    found = {one.kind: one for one in silent}
    why = [
        f"`{found[kind].program}` is here and does not answer: {found[kind].words}"
        if kind in found
        else f"`{kind}` is not on PATH"
        for kind in kinds
    ]
    if settings.engine:
        what = f"`{settings.engine}` can't be used, which `[tool.lamella.container] engine` names"
    else:
        what = "no container engine can be used here"
    hint = _HINTS[silent[0].kind] if silent else f"install {' or '.join(reversed(kinds))}"
    return OutsideError(what, why=why, hint=hint)
