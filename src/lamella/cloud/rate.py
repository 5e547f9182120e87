"""How often AWS is asked.

AWS counts the calls of Lambda's control plane per account and region, for all its callers together: 15 a second
(AWS Lambda developer guide, Lambda quotas: API requests).  Who stays below it leaves something for the others.
"""

from __future__ import annotations

import threading
from collections import deque

from lamella.cloud.model import Clock

_LATE = 1.1


class Rate:
    """Lets at most `per_second` calls begin in any second: the first ones at once, then as their turns come.

    Threads share it: one waits for the next turn, the others for that one.  `calls` counts them.
    """

    def __init__(self, per_second: float, clock: Clock) -> None:
        # As many tokens as fit in a second, each free again one `_span` after it was taken: a little more than they
        # are worth, since calls that begin a second apart may arrive closer
        tokens = max(1, int(per_second))
        self._span = _LATE * tokens / per_second
        self._taken: deque[float] = deque(maxlen=tokens)
        self._clock = clock
        self._lock = threading.Lock()
        self.calls = 0

    def take(self) -> None:
        """Wait for the turn of one call."""
        with self._lock:
            if len(self._taken) == self._taken.maxlen:
                missing = self._taken[0] + self._span - self._clock.now()
                if missing > 0:
                    self._clock.sleep(missing)
            # The time at which it truly begins: a thread that was woken late leaves no room for one more
            self._taken.append(self._clock.now())
            self.calls += 1
