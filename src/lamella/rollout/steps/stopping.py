"""Functions side by side, and how they all stop: when one of them fails, or when somebody wants it so."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import TypeVar

from lamella.cloud.model import Clock

S = TypeVar("S")
T = TypeVar("T")
# Takes a line for each thing that is done, from any thread
Tell = Callable[[str], None]

# Somebody who wants it to stop waits no longer than this, in seconds
_PIECE = 1.0


class StoppedError(Exception):
    """It is to stop here: somebody wants it so, or another function failed.  No failure of what it stops."""


class Stop:
    """`asked` is set by whoever wants a rollout to stop and to go back: another thread, a signal's handler.

    `abandoned` is set, by `abandon`, where it is not even to go back.
    """

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.abandoned = threading.Event()
        self._failed = threading.Event()

    def abandon(self) -> None:
        """Stop, and leave what was changed as it is then."""
        self.abandoned.set()
        self.asked.set()

    def beside(self) -> Stop:
        """One for another place: asked together, but failing each for itself."""
        other = Stop()
        other.asked, other.abandoned = self.asked, self.abandoned
        return other

    def undoing(self) -> Stop:
        """One for the way back, which stops only where it is abandoned."""
        other = Stop()
        other.asked = other.abandoned = self.abandoned
        return other

    def fail(self) -> None:
        """Something failed: what goes on beside it is in vain."""
        self._failed.set()

    def check(self) -> None:
        """Raises StoppedError."""
        if self.asked.is_set():
            raise StoppedError("stopped, as was asked for")
        if self._failed.is_set():
            raise StoppedError("stopped, because another function failed")


class StoppableClock:
    """`cloud.model.Clock`, whose waits end with StoppedError once that is asked for."""

    def __init__(self, clock: Clock, stop: Stop) -> None:
        self._clock = clock
        self._stop = stop

    def now(self) -> float:
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        self._stop.check()
        while seconds > _PIECE:
            self._clock.sleep(_PIECE)
            seconds -= _PIECE
            self._stop.check()
        self._clock.sleep(seconds)
        self._stop.check()


def together(rows: Sequence[S], do: Callable[[S], T], workers: int, stop: Stop | None = None) -> list[T]:
    """What `do` gives for each, in order, up to `workers` at a time.

    With `stop`, what raises tells the others to stop; all that began have ended when this raises the first of it.
    KeyboardInterrupt does so, too.
    """
    if len(rows) < 2 or workers < 2:
        return [_guarded(do, row, stop) for row in rows]
    pool = ThreadPoolExecutor(min(len(rows), workers), thread_name_prefix="rollout")
    futures = [pool.submit(_guarded, do, row, stop) for row in rows]
    try:
        pending = set(futures)
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            if any(future.exception() is not None for future in done):
                break
    except KeyboardInterrupt:
        if stop is None:  # nobody listens: what is under way ends with the process
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        stop.asked.set()
    pool.shutdown(wait=True, cancel_futures=True)
    errors = [error for future in futures if not future.cancelled() and (error := future.exception())]
    if errors:
        # What fails for itself says more than what was stopped for it
        raise next((error for error in errors if not isinstance(error, StoppedError)), errors[0])
    if any(future.cancelled() for future in futures):
        raise StoppedError("stopped, as was asked for")
    return [future.result() for future in futures]


def _guarded(do: Callable[[S], T], row: S, stop: Stop | None) -> T:
    if stop is None:
        return do(row)
    stop.check()
    try:
        return do(row)
    except BaseException:
        stop.fail()
        raise
