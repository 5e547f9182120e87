"""The system's clock."""

from __future__ import annotations

import time


class SystemClock:
    """`model.Clock`: the time of day when it was made, and from there on a clock that nobody sets."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        return self._offset + time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))
