"""How long a shared cache is waited for in one run, whether it is silent or slow."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

SECONDS = 30.0
# What it brings may take longer, if it comes at least so fast (bytes a second, of all transfers together)
SLOWEST = 512 << 10


class Patience:
    """A stopwatch that goes while anybody waits, however many threads do.  `now` gives seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._waiting = 0
        self._since = 0.0
        self._waited = 0.0
        self._brought = 0

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        with self._lock:
            if not self._waiting:
                self._since = self._now()
            self._waiting += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting -= 1
                if not self._waiting:
                    self._waited += self._now() - self._since

    def brought(self, more: int) -> None:
        """So many bytes more have come."""
        with self._lock:
            self._brought += more

    def spent(self) -> tuple[float, int] | None:
        """The seconds waited and the bytes that came, once that is too slow."""
        with self._lock:
            waited = self._waited + (self._now() - self._since if self._waiting else 0.0)
            return (waited, self._brought) if waited > SECONDS + self._brought / SLOWEST else None
