"""Runs an interpreter with layers at /opt and code at /var/task, isolated as well as this machine can; it says how."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any, NamedTuple

from lamella.errors import UsageError
from lamella.sandbox import bubblewrap, namespaces, path_only
from lamella.sandbox.model import AUTO, BUBBLEWRAP, KINDS, NAMESPACES, PATH_ONLY, Finished
from lamella.sandbox.view import SCRATCH_BYTES, TASK, Paths, program_of, view

_PROBE_SECONDS = 20
# How long the pipes of a killed process are waited for: one that left its group may hold them open
_LAST_WORDS_SECONDS = 1

Stream = int | IO[bytes] | None


class Place(NamedTuple):
    """What a process finds: folders of this machine, seen read-only at /opt, /var/task and /var/runtime.

    None is an empty folder.  With `network` it shares this machine's; without, it has a loopback of its own (path-only
    always shares).  `scratch_bytes` is the room in /tmp.
    """

    opt: str | None = None
    task: str | None = None
    runtime: str | None = None
    network: bool = False
    scratch_bytes: int = SCRATCH_BYTES


class Sandbox:
    """Runs one interpreter, `python` (major, minor).

    `isolation` is one of `model.ISOLATIONS`; `auto` takes the strongest that works here, which is tried before the
    first process.
    """

    def __init__(self, interpreter: str, python: tuple[int, int], isolation: str = AUTO) -> None:
        self.interpreter = interpreter
        self.python = python
        self.asked = isolation
        self.refused: list[tuple[str, str]] = []
        self._chosen: str | None = None

    @property
    def isolation(self) -> str:
        """The kind that is used.  `refused` then says why stronger ones are not: (kind, reason) each.

        Raises UsageError where the one that was asked for does not work.
        """
        if self._chosen is None:
            self._chosen = self._choose()
        return self._chosen

    def run(
        self,
        arguments: Sequence[str],
        *,
        opt: str | None = None,
        task: str | None = None,
        runtime: str | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 60,
        stdin: bytes = b"",
        network: bool = False,
    ) -> Finished:
        """Run the interpreter with `arguments` to its end, or for `timeout` seconds: then it is killed.

        The folders are those of `Place`; `env` is added to the variables that the runtime sets.
        Raises UsageError, OSError.
        """
        return self._run(self.isolation, arguments, Place(opt, task, runtime, network), env or {}, timeout, stdin)

    @contextlib.contextmanager
    def started(
        self,
        arguments: Sequence[str],
        place: Place,
        *,
        env: Mapping[str, str] | None = None,
        stdin: Stream = subprocess.DEVNULL,
        stdout: Stream = None,
        stderr: Stream = None,
    ) -> Iterator[subprocess.Popen[bytes]]:
        """The interpreter at work, for as long as the block lasts: at its end it is killed with all that it started.

        The thread that enters must live as long: the kernel ends the process with it.  Raises UsageError, OSError.
        """
        with self._started(self.isolation, arguments, place, env or {}, stdin, stdout, stderr) as process:
            yield process

    @contextlib.contextmanager
    def _started(
        self,
        kind: str,
        arguments: Sequence[str],
        place: Place,
        env: Mapping[str, str],
        stdin: Stream,
        stdout: Stream,
        stderr: Stream,
    ) -> Iterator[subprocess.Popen[bytes]]:
        with contextlib.ExitStack() as left:
            command, environment, folder = self._command(kind, arguments, place, env, left)
            process: subprocess.Popen[Any] = subprocess.Popen(
                command, env=environment, cwd=folder, stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True
            )
            try:
                yield process
            finally:
                kill(process)
                for stream in (process.stdin, process.stdout, process.stderr):
                    if stream is not None:
                        with contextlib.suppress(OSError):
                            stream.close()

    def _command(
        self, kind: str, arguments: Sequence[str], place: Place, env: Mapping[str, str], left: contextlib.ExitStack
    ) -> tuple[list[str], dict[str, str], str]:
        """What to start, with which environment, in which folder here; `left` removes what was made for it."""
        folders = {"task": place.task, "layers": place.opt, "runtime": place.runtime}
        if kind == PATH_ONLY:
            base = tempfile.mkdtemp(prefix="lamella-")
            left.callback(shutil.rmtree, base, ignore_errors=True)
            paths = path_only.paths(self.interpreter, self.python, base, **folders)
            program = program_of(self.interpreter, paths.language)
            return [program, *arguments], {**path_only.environment(paths), **env}, paths.task
        seen = view(
            self.interpreter, self.python, **folders, network=place.network, scratch_bytes=place.scratch_bytes
        )  # fmt: skip
        command = [program_of(self.interpreter), *arguments]
        environment = {**Paths(self.python).environment(), **env}
        if kind == NAMESPACES:
            return namespaces.arguments(seen, command, environment, TASK), {}, "/"
        bwrap = bubblewrap.program()
        if bwrap is None:
            raise FileNotFoundError(2, "not on PATH", "bwrap")
        return bubblewrap.arguments(bwrap, seen, command, environment, TASK), {}, "/"

    def _run(
        self, kind: str, arguments: Sequence[str], place: Place, env: Mapping[str, str], timeout: float, stdin: bytes
    ) -> Finished:
        pipe = subprocess.PIPE
        with self._started(kind, arguments, place, env, pipe, pipe, pipe) as process:
            try:
                out, err = process.communicate(stdin, timeout)
            except subprocess.TimeoutExpired:
                kill(process)
                return Finished(None, *_last_words(process), kind)
            return Finished(_as_shells_say(process.returncode), out, err, kind)

    def _choose(self) -> str:
        for kind in KINDS if self.asked == AUTO else (self.asked,):
            why = self._objection(kind)
            if why is None:
                return kind
            self.refused.append((kind, why))
        kind, why = self.refused[-1]
        if kind == PATH_ONLY:
            raise UsageError(
                f"`{self.interpreter}` can't be run",
                why=[why],
                hint="install this Python again, say by `uv python install`",
            )
        raise UsageError(
            f"isolation by {kind} does not work here",
            why=[why],
            hint="leave `--isolation` out: it takes the strongest that works",
        )

    def _objection(self, kind: str) -> str | None:
        """Why this kind does not work here, or None."""
        if kind == BUBBLEWRAP and bubblewrap.program() is None:
            return "`bwrap` is not on PATH"
        if kind == NAMESPACES and not namespaces.possible():
            return "it needs Linux on x86_64 or aarch64"
        try:
            done = self._run(kind, ["-I", "-S", "-c", ""], Place(), {}, _PROBE_SECONDS, b"")
        except OSError as error:
            return f"{error.strerror or error}: `{error.filename}`" if error.filename else str(error)
        if done.code == 0:
            return None
        said = done.err.decode("utf-8", "replace").strip().splitlines()
        return said[-1] if said else f"it ended with code {done.code}"


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process that `Sandbox` started, and all of its group; with a view, all in it.  Waits for its end."""
    # Before it is waited for: until then its number, and so its group's, is nobody else's
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _last_words(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    try:
        out, err = process.communicate(timeout=_LAST_WORDS_SECONDS)
    except subprocess.TimeoutExpired as held:
        out, err = held.output or b"", held.stderr or b""
    return out, err


def _as_shells_say(code: int) -> int:
    return code if code >= 0 else 128 - code
