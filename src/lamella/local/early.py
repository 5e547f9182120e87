"""The process of `lamella invoke`, started before the command itself is loaded, where nothing changed since last time.

A function needs as long to start as the rest of the command: side by side they take half.  What was started for the
same words is kept in the cache with the state of every file that it came from; while all of them are as they were, so
is what is started.  Variables that are given to the command are secrets: with them nothing is kept.  What is kept is
for its owner's eyes alone, and so is what is started: its variables are not on its command line.

Nothing here decides anything: whoever wants the process compares nothing, for the words and files are the same, and
whoever does not want it ends it.  So a function may be started where the command then finds that it can't be invoked,
as with an event that is no JSON; Lambda, too, may start one that it never invokes.  This module is on the way of every
`invoke`: it imports next to nothing.
"""

from __future__ import annotations

import marshal
import os
import sys
from _thread import allocate_lock

from lamella.cachedir import cache_dir
from lamella.files import handed, settled, state, write_atomic
from lamella.revision import revision

TYPE_CHECKING = False  # `typing` is not imported for it
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

# Stands for the port in what is kept, and for the number of the descriptor in the command
PORT = "{port}"
DESCRIPTOR = "{descriptor}"
# What is asked has no part in what is started; the second is whether a value follows
_ASKING = {
    "--event": True, "--generate": True, "--set": True, "--context": True, "--repeat": True,
    "--json": False, "--quiet": False, "-q": False,
}  # fmt: skip


class Early:
    """A process that was started; see `runtime.process.Held`.

    What it writes is read from `log`, and it finds the Runtime API where `listener` listens.  `began` is when it was
    started (`time.monotonic`).  `launch` and `told` are what `remember` was given, and `place` is where that is kept.
    """

    def __init__(self, place: str, pid: int, listener: Any, log: int, began: float, launch: Any, told: Any) -> None:
        self.place = place
        self.pid = pid
        self.listener = listener
        self.log = log
        self.began = began
        self.launch = launch
        self.told = told
        self._code: int | None = None
        self._waiting = allocate_lock()

    def returned(self) -> int | None:
        """None while it runs; its exit status, 128 + N where signal N killed it, as shells say it."""
        with self._waiting:
            return self._wait(os.WNOHANG)

    def end(self) -> None:
        """Kill it with all that it started, and wait for its end.  A second time does no harm."""
        with self._waiting:
            if self._wait(os.WNOHANG) is None:
                # Until it was waited for its number, and so its group's, is nobody else's
                os.killpg(self.pid, 9)
                self._wait(0)

    def forget(self) -> None:
        """Let nothing be started next time: what is kept does not work any more."""
        try:  # noqa: SIM105  contextlib would be imported for this alone
            os.unlink(self.place)
        except OSError:
            pass

    def _wait(self, how: int) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, how)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                self._code = code if code >= 0 else 128 - code
        return self._code


_started: Early | None = None


def begin(arguments: Sequence[str]) -> None:
    """Start what these words started last time, if all is as it was.  Whatever is wrong: then it is not started."""
    global _started
    try:
        place = _place(arguments)
        if place is None:
            return
        with open(place[0], "rb") as file:
            question, command, options, launch, told, inputs, needs = marshal.loads(file.read())
        if question != place[1] or any(state(path) != known for path, known in inputs):
            return
        for path in needs:
            _touch(path)
        _started = Early(place[0], *_start(command, options), launch, told)
    except (OSError, ValueError, EOFError, TypeError):
        return


def taken() -> Early | None:
    """What `begin` started, once: it is the caller's to end."""
    global _started
    early, _started = _started, None
    return early


def remember(
    arguments: Sequence[str],
    command: Sequence[str],
    options: bytes,
    launch: Any,
    told: Any,
    inputs: Iterable[str],
    needs: Iterable[str],
    began: int,
) -> None:
    """Keep what was started by these words: `command`, without variables.

    It reads `options`, which has `PORT` where the port belongs, from the descriptor that `DESCRIPTOR` stands for.
    `launch` and `told` are values that marshal takes.  `inputs` are files that must stay as they are, `needs` folders
    that must be there.  Not kept where an input changed so shortly before `began` (ns since 1970) that its time would
    not tell.
    """
    place = _place(arguments)
    rows = [(path, state(path)) for path in sorted(set(inputs))]
    if place is None or not all(settled(path, began) for path, _ in rows):
        return
    os.makedirs(os.path.dirname(place[0]), exist_ok=True)
    kept = (place[1], list(command), options, launch, told, rows, sorted(needs))
    write_atomic(place[0], marshal.dumps(kept), flush=False, private=True)


def _place(arguments: Sequence[str]) -> tuple[str, str] | None:
    """Where it is kept, and for what; None where these words can't be known before they are parsed."""
    words: list[str] = []
    rest = iter(arguments[1:])
    for word in rest:
        name, equals, _ = word.partition("=")
        if name in _ASKING:
            if _ASKING[name] and not equals:
                next(rest, None)
        elif word.startswith(("--e", "--f", "--h", "-h", "--p", "--r")):
            return None
        else:
            words.append(word)
    variables = [f"{name}={os.environ.get(name, '')}" for name in ("PATH", "PYENV_VERSION", "LAMELLA_CGROUP")]
    question = "\n".join([revision(), sys.version, os.getcwd(), str(os.getuid()), *variables, *words])
    from zlib import crc32

    name = f"{crc32(question.encode('utf-8', 'surrogateescape')):08x}"
    # Here a process may be given a control group, which nothing that is started early joins, and there it may not
    with open("/proc/self/cgroup") as file:
        groups = file.read()
    return os.path.join(cache_dir(os.environ), "v1", "starts", name), f"{question}\n{groups}"


def _touch(path: str) -> None:
    """An unpacked folder is used: see `sandbox.unpack`.  Raises OSError where it is not there."""
    try:
        os.utime(path)
    except PermissionError:
        os.stat(path)  # somebody else's cache


def _start(command: list[str], options: bytes) -> tuple[int, Any, int, float]:
    """The process, where its Runtime API listens, the pipe that it writes to, and when it began.  Raises OSError."""
    import time
    from _socket import AF_INET, SOCK_STREAM, socket

    listener = socket(AF_INET, SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    given = handed(options.replace(PORT.encode(), b"%d" % listener.getsockname()[1]))
    os.set_inheritable(given, True)
    log, writing = os.pipe()
    began = time.monotonic()
    try:
        pid = os.posix_spawn(
            command[0],
            [str(given) if word == DESCRIPTOR else word for word in command],
            {},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, writing, 1),
                (os.POSIX_SPAWN_DUP2, writing, 2),
            ],
            setsid=True,
        )
    except OSError:
        os.close(log)
        listener.close()
        raise
    finally:
        os.close(given)
        os.close(writing)
    return pid, listener, log, began
