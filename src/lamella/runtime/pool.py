"""The workers of one function: as many as invocations are under way at once, kept while they are warm."""

from __future__ import annotations

import threading
from collections import deque

from lamella.errors import LamellaError
from lamella.runtime.logs import Lines
from lamella.runtime.model import Gone
from lamella.runtime.starting import Starter
from lamella.runtime.turn import Turn
from lamella.runtime.worker import Worker, checked

TYPE_CHECKING = False  # `typing` is not imported for it
if TYPE_CHECKING:
    from lamella.runtime.model import Asked, Launch, Log, Result
    from lamella.sandbox.run import Sandbox

LIMIT = 32


class PoolClosedError(LamellaError):
    """A function was invoked after its end."""


class Pool:
    """Invokes `launch` from several threads at once; `close` it.

    An idle worker is taken before a new one is started, the last one used first: the others stay idle, and few serve
    as long as few are needed.  There are at most `limit` of them: who comes then waits for his turn.
    """

    def __init__(
        self, sandbox: Sandbox, launch: Launch, *, limit: int = LIMIT, init_seconds: float | None = None
    ) -> None:
        self.launch = launch
        self._sandbox = sandbox
        self._limit = limit
        self._init_seconds = init_seconds
        self._starter = Starter()
        self._changing = threading.Lock()
        self._idle: list[Worker] = []
        self._busy = 0
        self._working: set[Worker] = set()
        self._waiting: deque[_Turn] = deque()
        self._retired = False
        self._closed = False
        self._quiet = threading.Condition(self._changing)

    def invoke(self, asked: Asked, log: Log | None = None) -> Result:
        """Invoke the function and wait for its end.  `log` is given its lines as they come, from this thread.

        Raises UsageError, OutsideError where it can't be started, UsageError for a request's id that can't be one,
        PoolClosedError after `close`.
        """
        checked(asked)
        lines = Lines(log)
        worker: Worker | None = self._take()
        try:
            if worker is not None:
                try:
                    result = worker.serve(asked, lines)
                except Gone:
                    self._working.discard(worker)
                    worker = None
            if worker is None:
                worker = self._start()
                result = worker.serve(asked, lines)
        except BaseException:
            if worker is not None:
                worker.end()
            self.give(worker)
            raise
        self.give(worker)
        return result

    def begin(self, asked: Asked, log: Log | None = None) -> Turn | None:
        """Begin an invocation that nobody has to wait for: None where none of the workers is idle and warm.

        Raises PoolClosedError after `close`, UsageError for a request's id that can't be one.
        """
        checked(asked)
        with self._changing:
            self._refuse_when_closed()
            worker = self._idle[-1] if self._idle else None
            if worker is None or not worker.warm or worker.descriptor < 0:
                return None
            self._idle.pop()
            self._working.add(worker)
            self._busy += 1
        return Turn(self, worker, asked, log)

    def adopt(self, worker: Worker) -> None:
        """Take a worker that somebody else started (`Worker.adopt`); the next invocation is its first."""
        with self._changing:
            self._idle.append(worker)

    def retire(self) -> None:
        """End the idle workers now, the others after their invocation.  Who invokes from here on gets one of his own.

        When the last one has ended, nothing is left of the pool, without `close`.
        """
        with self._changing:
            self._retired = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.end()
        self._rest()

    def close(self) -> None:
        """End all workers, those in the midst of an invocation too, and wait for their end."""
        with self._changing:
            self._closed = self._retired = True
            idle, self._idle = self._idle, []
            working = list(self._working)
            while self._waiting:
                self._waiting.popleft().refuse()
        for worker in working:
            worker.kill()
        for worker in idle:
            worker.end()
        with self._changing:
            while self._busy:
                self._quiet.wait()
        self._rest()

    def _take(self) -> Worker | None:
        """An idle worker, or the right to start one."""
        with self._changing:
            self._refuse_when_closed()
            if self._idle:
                idle = self._idle.pop()
                self._working.add(idle)
                self._busy += 1
                return idle
            if self._busy < self._limit:
                self._busy += 1
                return None
            turn = _Turn()
            self._waiting.append(turn)
        try:
            worker = turn.wait()
        except BaseException:
            with self._changing:
                waits = turn in self._waiting
                if waits:
                    self._waiting.remove(turn)
            if not (waits or turn.refused):  # it came meanwhile
                self.give(turn.worker)
            raise
        if turn.refused:
            raise self._closed_error()
        return worker

    def keep(self, worker: Worker) -> bool:
        """End a turn: the next in line has the worker, or it is idle.  False where it must be ended: `give` it."""
        with self._changing:
            if self._retired or worker.ended:
                return False
            if self._waiting:
                self._waiting.popleft().come(worker)
            else:
                self._busy -= 1
                self._working.discard(worker)
                self._idle.append(worker)
            return True

    def give(self, worker: Worker | None) -> None:
        """End a turn: `keep` the worker, or wait for its end.  The next in line has its place in any case."""
        if worker is not None:
            if self.keep(worker):
                return
            with self._changing:
                self._working.discard(worker)
            worker.end()  # before its place is another's
        with self._changing:
            if self._waiting:
                self._waiting.popleft().come(None)
                return
            self._busy -= 1
            retired = self._retired and not self._busy
            if retired:
                self._quiet.notify_all()
        if retired:
            self._rest()

    def _start(self) -> Worker:
        worker = Worker(
            self._sandbox, self.launch, starting=self._starter.run, init_seconds=self._init_seconds
        )  # fmt: skip
        with self._changing:
            if not self._closed:
                self._working.add(worker)
                return worker
        worker.end()
        raise self._closed_error()

    def _rest(self) -> None:
        """Let go of the thread, when no process needs it any more.  Who comes meanwhile has a new one."""
        with self._changing:
            if self._busy:
                return
            starter, self._starter = self._starter, Starter()
        starter.stop()

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise self._closed_error()

    def _closed_error(self) -> PoolClosedError:
        return PoolClosedError(f"`{self.launch.key}` was ended", hint="start it again")


class _Turn:
    """Somebody who waits: for a worker, or the right to start one."""

    def __init__(self) -> None:
        self.worker: Worker | None = None
        self.refused = False
        self._gate = threading.Lock()
        self._gate.acquire()

    def come(self, worker: Worker | None) -> None:
        self.worker = worker
        self._gate.release()

    def refuse(self) -> None:
        self.refused = True
        self._gate.release()

    def wait(self) -> Worker | None:
        self._gate.acquire()
        return self.worker
