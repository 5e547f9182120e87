from __future__ import annotations

import time

from lamella.cloud.clock import SystemClock


def test_it_tells_the_time_and_never_goes_back() -> None:
    clock = SystemClock()
    assert abs(clock.now() - time.time()) < 5
    first = clock.now()
    clock.sleep(0.001)
    clock.sleep(-1)
    assert clock.now() >= first + 0.001
