"""Runs what is to be done in an image, by `ENGINE build` alone: the last stage holds the result, which comes out.

Nothing is ever started by `ENGINE run`: a build works with docker's BuildKit, with podman, and where no container can
be run at all (`podman build --isolation chroot`).
Sources: docs.docker.com, Dockerfile reference and `docker buildx build`; podman-build(1), read on 2026-11-22.
"""

from __future__ import annotations

import collections
import contextlib
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence

from lamella.container.model import Engine, Work
from lamella.errors import OutsideError
from lamella.wording import scrubbed

_PLATFORMS = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}
_TOLD = 20  # lines of the engine's log that an error shows
_GRACE = 10.0  # seconds between asking the engine to end and ending it
_STAGE = "work"
# Older dockers have a builder that knows neither secrets nor `--output`
_ENVIRONMENT = {"DOCKER_BUILDKIT": "1", "NO_COLOR": "1"}
_STEPS = re.compile(r"^(\[\d+/\d+\] )?STEP \d+/\d+: |^Error: building at STEP |^subprocess exited with ")
# Stands before what a person is to see of a log
SAID = "lamella: "
Said = Callable[[str], None]


def silence(line: str) -> None:
    """A `Said` that says nothing."""


def platform(architecture: str) -> str:
    """``linux/arm64`` for `arm64`."""
    return _PLATFORMS[architecture]


def run(engine: Engine, work: Work, output: str, said: Said = silence) -> None:
    """Do the work; what it left in its `result` is in the folder `output` (made, if need be) then.

    `said` is called with each line of the engine's log.  Raises OutsideError with the last of them; whatever ends the
    call, Ctrl-C too, ends the engine first.
    """
    os.makedirs(output, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="lamella-") as folder:
        containerfile = os.path.join(folder, "Containerfile")
        with open(containerfile, "w", encoding="utf-8") as file:
            file.write(containerfile_of(work))
        image = os.path.join(folder, "image")
        command = [engine.program, "build", "--file", containerfile, "--platform", platform(work.architecture)]
        command += ["--output", f"type=local,dest={output}"]
        command += ["--progress", "plain"] if engine.kind == "docker" else ["--layers=false", "--iidfile", image]
        for name, path in work.secrets:
            command += ["--secret", f"id={name},src={path}"]
        for name, path in work.folders:
            command += ["--build-context", f"{name}={path}"]
        try:
            code, lines = followed([*command, *engine.options, work.context], {**os.environ, **_ENVIRONMENT}, said)
        finally:
            _forget(engine, image)
    if code:
        raise _failed(engine, work, lines)


def containerfile_of(work: Work) -> str:
    """The Containerfile: the work's steps, then a stage that holds nothing but the result."""
    steps = "\n".join(work.steps)
    return f"FROM {work.image} AS {_STAGE}\n{steps}\nFROM scratch\nCOPY --from={_STAGE} {work.result}/ /\n"


def followed(command: Sequence[str], environ: Mapping[str, str], said: Said) -> tuple[int, list[str]]:
    """Run it in a process group of its own; its exit code and the last lines of what it said."""
    last: collections.deque[str] = collections.deque(maxlen=400)
    with _started(command, environ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            text = scrubbed(line.rstrip())
            if text:
                last.append(text)
                said(text)
        return process.wait(), list(last)


@contextlib.contextmanager
def _started(command: Sequence[str], environ: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
        errors="replace", env=environ, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    """Nothing of the group outlives this, and an engine that is asked tidies up behind itself.

    SIGHUP ends what a step runs and not podman, which then fails the step and puts its container away; at SIGTERM or
    SIGINT podman (4.3) leaves that lying.  docker ends at any of them, and its daemon sees that nobody waits.
    """
    try:
        if process.poll() is None:
            _signal(process, signal.SIGHUP)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE)
    finally:  # whoever interrupts once more does not wait
        _signal(process, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _signal(process: subprocess.Popen[str], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _forget(engine: Engine, noted: str) -> None:
    """podman keeps the image whose content came out; nobody needs it."""
    try:
        with open(noted, encoding="utf-8") as file:
            image = file.read().strip()
    except FileNotFoundError:
        return
    subprocess.run(
        [engine.program, "image", "rm", "--force", image],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
    )  # fmt: skip


def _failed(engine: Engine, work: Work, lines: Sequence[str]) -> OutsideError:
    if work.architecture != engine.architecture and any("exec format error" in line.lower() for line in lines):
        return OutsideError(
            f"{engine.kind} can't run programs for {work.architecture} on this machine, which is {engine.architecture}",
            why=[line for line in lines if "exec format error" in line.lower()][:1],
            hint="install QEMU's user emulation (Debian: `qemu-user-static` and `binfmt-support`; Docker Desktop has "
            f"it), or build on a machine that is {work.architecture}",
        )
    # podman repeats each step before it and when it failed, docker numbers it
    own = [line for line in lines if not _STEPS.search(line)] or list(lines)
    return OutsideError(
        f"`{engine.kind} build` failed with the image `{work.image}`",
        why=[line.partition(SAID)[2] or line for line in own[-_TOLD:]],
        hint=f"what it says last is why; `[tool.lamella.container] options` are passed to `{engine.kind} build`",
    )
