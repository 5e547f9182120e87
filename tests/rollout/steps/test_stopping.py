from __future__ import annotations

import pytest
from tests.cloud.fake import FakeClock

from lamella.rollout.steps.stopping import Stop, StoppableClock, StoppedError, together


def test_who_asks_stops_what_is_done_and_not_the_way_back() -> None:
    stop = Stop()
    beside, way_back = stop.beside(), stop.undoing()
    stop.asked.set()
    for one in (stop, beside):
        with pytest.raises(StoppedError):
            one.check()
    way_back.check()
    StoppableClock(FakeClock(), way_back).sleep(5.0)


def test_what_is_abandoned_stops_everywhere() -> None:
    stop = Stop()
    beside = stop.beside()
    ways_back = [stop.undoing(), beside.undoing()]
    stop.abandon()
    for one in (stop, beside, *ways_back):
        with pytest.raises(StoppedError):
            one.check()
        with pytest.raises(StoppedError):
            StoppableClock(FakeClock(), one).sleep(0.1)


@pytest.mark.parametrize("workers", [1, 4])
def test_nothing_begins_after_it_was_abandoned(workers: int) -> None:
    way_back = Stop()
    began = []

    def do(row: int) -> None:
        began.append(row)
        way_back.abandon()

    with pytest.raises(StoppedError):
        together(range(100), do, workers, way_back.undoing())
    assert len(began) <= workers
