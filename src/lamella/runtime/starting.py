"""How a process of a function comes to be, or why it does not."""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from _socket import AF_INET, SOCK_STREAM, SocketType, socket  # `socket` itself takes longer than all the rest
from queue import SimpleQueue

from lamella.errors import LamellaError, OutsideError
from lamella.runtime.memory import Memory
from lamella.runtime.process import Process
from lamella.sandbox.model import PATH_ONLY

TYPE_CHECKING = False  # `typing` is not imported for it
if TYPE_CHECKING:
    from collections.abc import Callable

    from lamella.runtime.model import Launch
    from lamella.runtime.process import Held
    from lamella.sandbox.run import Sandbox

# As runpy says it of `-m`
_NO_CLIENT = re.compile(rb"^\S*: No module named awslambdaric$", re.MULTILINE)
# What makes the view, before there is anything in it
_REFUSED = re.compile(rb"\A(?:bwrap|lamella): .*")


def listening() -> SocketType:
    """A socket that listens on a free port of 127.0.0.1."""
    made = socket(AF_INET, SOCK_STREAM)
    made.bind(("127.0.0.1", 0))
    made.listen(16)
    return made


def runtime(launch: Launch, address: str) -> tuple[list[str], dict[str, str]]:
    """The interpreter's arguments, and the variables, for a runtime that finds its API at `address`."""
    variables = {**dict(launch.env), "_HANDLER": launch.handler, "AWS_LAMBDA_RUNTIME_API": address}
    return ["-m", "awslambdaric", launch.handler], variables


def start(sandbox: Sandbox, launch: Launch) -> Process:
    """Start `launch`.  The thread that does it must live as long as the process.

    Raises UsageError for an isolation that does not work, OutsideError where it can't be started.
    """
    began = time.monotonic()
    with contextlib.ExitStack() as left:
        listener = listening()
        left.callback(listener.close)
        host, port = listener.getsockname()
        reading, writing = os.pipe()
        left.callback(os.close, reading)
        memory = Memory(launch.memory * 1024**2, launch.place.scratch_bytes)
        left.callback(memory.close)
        arguments, environment = runtime(launch, f"{host}:{port}")
        try:
            held = sandbox.start(
                arguments,
                launch.place,
                env=environment,
                stdout=writing,
                stderr=writing,
                prefix=memory.prefix(),
            )
        except OSError as error:
            raise OutsideError(
                f"`{launch.key}` can't be started",
                why=[f"{error.strerror or error}: `{error.filename}`" if error.filename else str(error)],
                hint="see whether this Python still runs: " + launch.interpreter,
            ) from None
        finally:
            os.close(writing)
        memory.started(held.pid)
        left.callback(held.end)
        made = Process(held, listener, reading, memory, began, _response_limit())
        left.pop_all()
        return made


def adopted(held: Held, listener: SocketType, log: int, launch: Launch, began: float) -> Process:
    """A process of `launch` that somebody else started: see `Worker.adopt`."""
    memory = Memory(launch.memory * 1024**2, launch.place.scratch_bytes)
    memory.started(held.pid)
    return Process(held, listener, log, memory, began, _response_limit())


def _response_limit() -> int:
    from lamella.facts.tables import limits  # while the process starts

    return limits().response_bytes


def objection(written: bytes, launch: Launch, isolation: str) -> LamellaError | None:
    """Why a process never was at its Runtime API, where that is not the function's doing; it wrote `written`."""
    refused = _REFUSED.match(written)
    if refused is not None:
        return OutsideError(
            f"`{launch.key}` can't be started in a sandbox by {isolation}",
            why=[refused[0].decode("utf-8", "replace")],
            hint=f"try `--isolation {PATH_ONLY}`, which needs nothing of the system",
        )
    if _NO_CLIENT.search(written) is not None:
        return OutsideError(
            f"`{launch.key}` can't be started without AWS's runtime client",
            why=[f"`awslambdaric` is not in `{launch.place.runtime}`"],
            hint="remove that folder: the next run makes it again",
        )
    return None


class Starter:
    """A thread that starts processes: the kernel ends a sandbox with the thread that started it."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._thread: tuple[threading.Thread, SimpleQueue[_Work | None]] | None = None

    def run(self, begin: Callable[[], Process]) -> Process:
        """What `begin` returns or raises, in that thread."""
        work = _Work(begin)
        with self._changing:
            if self._thread is None:
                queue: SimpleQueue[_Work | None] = SimpleQueue()
                self._thread = threading.Thread(target=_serve, args=(queue,), name="lamella-start", daemon=True), queue
                self._thread[0].start()
            self._thread[1].put(work)
        return work.result()

    def stop(self) -> None:
        """End the thread, once it has done what it was asked to."""
        with self._changing:
            running, self._thread = self._thread, None
        if running is not None:
            thread, queue = running
            queue.put(None)
            thread.join()


def _serve(queue: SimpleQueue[_Work | None]) -> None:
    while (work := queue.get()) is not None:
        work.do()


class _Work:
    def __init__(self, begin: Callable[[], Process]) -> None:
        self._begin = begin
        self._made: Process | None = None
        self._error: BaseException | None = None
        self._done = threading.Lock()
        self._done.acquire()

    def do(self) -> None:
        try:
            self._made = self._begin()
        except BaseException as error:
            self._error = error
        self._done.release()

    def result(self) -> Process:
        self._done.acquire()
        if self._error is not None:
            raise self._error
        assert self._made is not None
        return self._made
