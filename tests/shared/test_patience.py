from __future__ import annotations

from lamella.shared.patience import SECONDS, SLOWEST, Patience


class Time:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_time_in_which_nobody_waits_does_not_count() -> None:
    time = Time()
    patience = Patience(time)
    with patience.waiting():
        time.seconds += SECONDS
    time.seconds += 1000
    assert patience.spent() is None
    with patience.waiting():
        time.seconds += 1
        assert patience.spent() == (SECONDS + 1, 0)
    assert patience.spent() == (SECONDS + 1, 0)


def test_those_who_wait_at_once_count_once() -> None:
    time = Time()
    patience = Patience(time)
    with patience.waiting():
        time.seconds += 10
        with patience.waiting():
            time.seconds += 15
        time.seconds += 5
    assert patience.spent() is None


def test_what_comes_buys_time() -> None:
    time = Time()
    patience = Patience(time)
    with patience.waiting():
        patience.brought(10 * SLOWEST)
        time.seconds += SECONDS + 10
        assert patience.spent() is None
        time.seconds += 1
        assert patience.spent() == (SECONDS + 11, 10 * SLOWEST)
