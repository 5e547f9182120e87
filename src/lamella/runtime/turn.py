"""An invocation that nobody waits for: whoever has many goes on with each when there is something to do."""

from __future__ import annotations

from functools import partial

from lamella.runtime.logs import Lines

TYPE_CHECKING = False  # `typing` is not imported for it
if TYPE_CHECKING:
    from typing import NoReturn

    from lamella.runtime.model import Asked, Log, Rest, Result
    from lamella.runtime.pool import Pool
    from lamella.runtime.worker import Worker


class Turn:
    """An invocation under way on a warm worker of `pool`; see `runtime.model.Begun`."""

    def __init__(self, pool: Pool, worker: Worker, asked: Asked, log: Log | None) -> None:
        self.descriptor = worker.descriptor
        self.until = 0.0
        self._pool = pool
        self._worker = worker
        self._lines = Lines(log)
        self._steps = worker.steps(asked, self._lines)
        self._over = False

    def go_on(self) -> Result | Rest | None:
        """Do what there is to do; the result, once there is one.  Waits for nothing.

        What ends a process has to wait: it is what is given then, and must be called, by a thread that may.
        """
        try:
            if self.until:
                self._worker.look(self._lines)
            until = next(self._steps)
        except StopIteration as over:
            self._over = True
            result: Result = over.value
            return result if self._pool.keep(self._worker) else partial(self._give_back, result)
        except Exception as error:
            self._over = True
            return partial(self._fail, error)
        if until is None:
            self._over = True
            return self._finish
        self.until = until
        return None

    def leave(self) -> None:
        """End the process of an invocation that is not over, and wait for its end.  A second time does no harm."""
        if not self._over:
            self._over = True
            self._end()

    def _finish(self) -> Result:
        try:
            return self._worker.finish(self._steps, self._lines)
        finally:
            self._end()

    def _give_back(self, result: Result) -> Result:
        self._end()
        return result

    def _fail(self, error: Exception) -> NoReturn:
        self._end()
        raise error

    def _end(self) -> None:
        self._worker.end()
        self._pool.give(self._worker)
