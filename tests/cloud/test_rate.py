from __future__ import annotations

import threading

import pytest
from tests.cloud.fake import FakeClock

from lamella.cloud.rate import Rate


def turns(per_second: float, count: int) -> list[float]:
    """When each of some calls at once gets its turn, in seconds from the first."""
    clock = FakeClock(0.0)
    rate = Rate(per_second, clock)
    found = []
    for _ in range(count):
        rate.take()
        found.append(round(clock.now(), 6))
    return found


def test_the_first_second_is_free_then_calls_wait_for_their_turn() -> None:
    assert turns(4, 10) == [0, 0, 0, 0, 1.1, 1.1, 1.1, 1.1, 2.2, 2.2]


@pytest.mark.parametrize(("per_second", "expected"), [(0.5, [0, 2.2, 4.4]), (1, [0, 1.1, 2.2]), (2.5, [0, 0, 0.88])])
def test_odd_rates(per_second: float, expected: list[float]) -> None:
    assert turns(per_second, 3) == expected


def test_never_more_than_the_rate_in_any_second() -> None:
    clock = FakeClock(0.0)
    rate = Rate(10, clock)
    times = []
    for number in range(200):
        rate.take()
        times.append(clock.now())
        clock.sleep((number * 7 % 11) / 40)  # what the caller does meanwhile
    assert all(later - earlier >= 1 for earlier, later in zip(times, times[10:], strict=False))


def test_who_was_idle_has_saved_nothing_up() -> None:
    clock = FakeClock(0.0)
    rate = Rate(2, clock)
    clock.sleep(100)
    for _ in range(4):
        rate.take()
    assert round(clock.now(), 6) == 101.1


def test_threads_get_a_turn_each() -> None:
    clock = FakeClock(0.0)
    rate = Rate(5, clock)

    def ten() -> None:
        for _ in range(10):
            rate.take()

    threads = [threading.Thread(target=ten) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rate.calls == 80
    # The first five at once, then five in every 1.1 seconds
    assert round(clock.now(), 6) == round(1.1 * 15, 6)
