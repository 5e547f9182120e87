"""Runs an interpreter with layers at /opt and code at /var/task, isolated as well as this machine can; it says how."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import IO, Any, NamedTuple

from lamella.errors import UsageError
from lamella.files import handed
from lamella.sandbox import bubblewrap, namespaces, path_only
from lamella.sandbox.model import AUTO, BUBBLEWRAP, KINDS, NAMESPACES, PATH_ONLY, Finished
from lamella.sandbox.running import Running, as_shells_say, kill, last_words
from lamella.sandbox.used import use
from lamella.sandbox.view import SCRATCH_BYTES, TASK, Paths, program_of, view

__all__ = ["Place", "Running", "Sandbox", "Stream", "kill"]

_PROBE_SECONDS = 20

# Whoever starts the interpreter in the foreground ignores Ctrl-C, and it inherits that
_HEED = (
    "-I",
    "-S",
    "-c",
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])",
)

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


class _Command(NamedTuple):
    """What to start: `words` of the descriptor from which it reads `told`, if that is not None.

    `base` is the folder that was made for it where there is no view.
    """

    words: Callable[[str], list[str]]
    environment: dict[str, str]
    folder: str
    told: bytes | None = None
    base: str = ""

    def start(self, prefix: Sequence[str] = (), descriptors: tuple[int, ...] = (), **how: Any) -> subprocess.Popen[Any]:
        """Start it: `how` is for Popen, `descriptors` are inherited."""
        if self.told is None:
            return self._popen([*prefix, *self.words("")], descriptors, how)
        descriptor = handed(self.told)
        try:
            return self._popen([*prefix, *self.words(str(descriptor))], (*descriptors, descriptor), how)
        finally:
            os.close(descriptor)

    def _popen(self, words: list[str], descriptors: tuple[int, ...], how: Mapping[str, Any]) -> subprocess.Popen[Any]:
        return subprocess.Popen(words, env=self.environment, cwd=self.folder, pass_fds=descriptors, **how)


class Sandbox:
    """Runs one interpreter, `python` (major, minor).

    `isolation` is one of `model.ISOLATIONS`; `auto` takes the strongest that works here, which is tried before the
    first process.  `chosen` is what was found to work before: then nothing is tried.
    """

    def __init__(
        self, interpreter: str, python: tuple[int, int], isolation: str = AUTO, *, chosen: str | None = None
    ) -> None:
        self.interpreter = interpreter
        self.python = python
        self.asked = isolation
        self.refused: list[tuple[str, str]] = []
        self._chosen = chosen

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
        running = self.start(arguments, place, env=env, stdin=stdin, stdout=stdout, stderr=stderr)
        try:
            yield running.process
        finally:
            running.end()

    def start(
        self,
        arguments: Sequence[str],
        place: Place,
        *,
        env: Mapping[str, str] | None = None,
        stdin: Stream = subprocess.DEVNULL,
        stdout: Stream = None,
        stderr: Stream = None,
        prefix: Sequence[str] = (),
    ) -> Running:
        """As `started`, for whoever ends it himself.  `prefix` is a command of this machine that runs what follows it.

        The thread that starts it must live as long: the kernel ends the process with it.  Raises UsageError, OSError.
        """
        return self._start(self.isolation, arguments, place, env or {}, stdin, stdout, stderr, prefix)

    def lasting(
        self, arguments: Sequence[str], place: Place, *, env: Mapping[str, str], descriptor: str
    ) -> tuple[list[str], bytes] | None:
        """The command that `start` would start, and what it reads from `descriptor`, where they hold for later starts.

        It is started without variables.  None where each start needs something of its own: that is so for all kinds
        but bubblewrap.
        """
        if self.isolation != BUBBLEWRAP:
            return None
        with contextlib.ExitStack() as left:
            command = self._command(BUBBLEWRAP, arguments, place, env, left)
        assert command.told is not None
        return command.words(descriptor), command.told

    def foreground(self, arguments: Sequence[str], place: Place, *, env: Mapping[str, str] | None = None) -> int:
        """Run the interpreter to its end, with the streams and the terminal of this process; its exit status.

        Ctrl-C is for the interpreter alone.  To be called in the main thread.  Raises UsageError, OSError.
        """
        kind = self.isolation
        with contextlib.ExitStack() as left:
            command = self._command(kind, arguments, place, env or {}, left, _HEED)
            # What is ignored here is so in those that make the view as well: one of them would end, and all with it
            before = signal.signal(signal.SIGINT, signal.SIG_IGN)
            left.callback(signal.signal, signal.SIGINT, before)
            process = command.start()
            left.callback(process.wait)
            left.callback(process.kill)
            return as_shells_say(process.wait())

    def _start(
        self,
        kind: str,
        arguments: Sequence[str],
        place: Place,
        env: Mapping[str, str],
        stdin: Stream,
        stdout: Stream,
        stderr: Stream,
        prefix: Sequence[str] = (),
    ) -> Running:
        with contextlib.ExitStack() as left:
            command = self._command(kind, arguments, place, env, left)
            guard, watched = path_only.guard(left, command.base) if kind == PATH_ONLY else ([], ())
            process = command.start(
                [*guard, *prefix], watched, stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True
            )
            return Running(process, left.pop_all())

    def _command(
        self,
        kind: str,
        arguments: Sequence[str],
        place: Place,
        env: Mapping[str, str],
        left: contextlib.ExitStack,
        before: Sequence[str] = (),
    ) -> _Command:
        """What to start; `left` removes what was made for it.

        `before` are arguments with which the interpreter runs a program, itself with `arguments`.
        """
        folders = {"task": place.task, "layers": place.opt, "runtime": place.runtime}
        for source in filter(None, folders.values()):
            use(source, left)
        if kind == PATH_ONLY:
            base = path_only.base(left)
            paths = path_only.paths(self.interpreter, self.python, base, **folders)
            program = program_of(self.interpreter, paths.language)
            command = _interpreting(program, arguments, before)
            return _Command(lambda _: command, path_only.environment(paths, env), paths.task, base=base)
        seen = view(
            self.interpreter, self.python, **folders, network=place.network, scratch_bytes=place.scratch_bytes
        )  # fmt: skip
        command = _interpreting(program_of(self.interpreter), arguments, before)
        environment = Paths(self.python).environment(env)
        if any("\0" in word for row in environment.items() for word in row):
            raise ValueError("embedded null byte")  # as Popen says it; for bubblewrap another option would begin there
        if kind == NAMESPACES:
            return _Command(namespaces.arguments, {}, "/", namespaces.told(seen, command, environment, TASK))
        bwrap = bubblewrap.program()
        if bwrap is None:
            raise FileNotFoundError(2, "not on PATH", "bwrap")
        words = partial(bubblewrap.arguments, bwrap, command)
        return _Command(words, {}, "/", bubblewrap.options(seen, environment, TASK))

    def _run(
        self, kind: str, arguments: Sequence[str], place: Place, env: Mapping[str, str], timeout: float, stdin: bytes
    ) -> Finished:
        pipe = subprocess.PIPE
        running = self._start(kind, arguments, place, env, pipe, pipe, pipe)
        process = running.process
        try:
            out, err = process.communicate(stdin, timeout)
        except subprocess.TimeoutExpired:
            kill(process)
            return Finished(None, *last_words(process), kind)
        else:
            return Finished(as_shells_say(process.returncode), out, err, kind)
        finally:
            running.end()

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


def _interpreting(program: str, arguments: Sequence[str], before: Sequence[str]) -> list[str]:
    return [*([program, *before] if before else []), program, *arguments]
