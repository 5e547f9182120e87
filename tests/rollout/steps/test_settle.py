from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from random import Random

import pytest
from tests.cloud.fake import FakeClock, Fault, busy, denied, stale, throttled, unreachable

from lamella.aws import BusyError, DeniedError, StaleError, ThrottledError
from lamella.rollout.steps.settle import TRIES, Chance, Pace, UncertainError, patient, settled


class Thing:
    """What a write changes from "old" to "new"; `faults` are what the next writes and looks run into, by letter."""

    def __init__(self, *faults: tuple[str, bool] | None) -> None:
        self.value = "old"
        self.faults = list(faults)
        self.writes = self.looks = 0

    def write(self) -> str:
        self.writes += 1
        fault, after = (self.faults.pop(0) if self.faults else None) or ("", False)
        if not fault or after:
            self.value = "new"
        if fault:
            raise _ERRORS[fault]().error
        return "written"

    def look(self) -> str | None:
        self.looks += 1
        if self.value == "theirs":
            raise StaleError("it is somebody else's")
        return "found" if self.value == "new" else None


_ERRORS: dict[str, Callable[[], Fault]] = {
    "throttled": throttled, "lost": unreachable, "busy": busy, "stale": stale, "denied": denied,
}  # fmt: skip


def tried(thing: Thing) -> str:
    return settled(Chance(FakeClock(), lambda: 0.5), thing.write, thing.look)


def test_once_is_enough() -> None:
    thing = Thing()
    assert tried(thing) == "written"
    assert (thing.writes, thing.looks) == (1, 0)


def test_throttled_had_no_effect_and_nobody_looks() -> None:
    thing = Thing(("throttled", False), ("throttled", False))
    assert tried(thing) == "written"
    assert (thing.writes, thing.looks) == (3, 0)


def test_lost_after_its_effect_is_not_made_again() -> None:
    thing = Thing(("lost", True))
    assert tried(thing) == "found"
    assert thing.writes == 1


def test_lost_before_its_effect_is_made_again() -> None:
    thing = Thing(("lost", False))
    assert tried(thing) == "written"
    assert (thing.writes, thing.looks) == (2, 1)


def test_busy_waits() -> None:
    thing = Thing(("busy", False), ("busy", False))
    assert tried(thing) == "written"


def test_stale_for_no_reason_is_made_again() -> None:
    assert tried(Thing(("stale", False))) == "written"


def test_what_somebody_else_made_just_so_is_stale_all_the_same() -> None:
    thing = Thing(("stale", False))
    thing.value = "new"
    with pytest.raises(StaleError):
        tried(thing)


def test_stale_after_a_lost_answer_may_be_ones_own() -> None:
    thing = Thing(("lost", False), ("stale", True))
    assert tried(thing) == "found"


def test_somebody_elses_is_stale() -> None:
    thing = Thing(("lost", False))
    thing.value = "theirs"
    with pytest.raises(StaleError, match="somebody else's"):
        tried(thing)


@pytest.mark.parametrize(
    ("fault", "error"), [("throttled", ThrottledError), ("busy", BusyError), ("lost", UncertainError)]
)
def test_patience_ends(fault: str, error: type[Exception]) -> None:
    thing = Thing(*[(fault, False)] * 20)
    with pytest.raises(error):
        tried(thing)
    assert thing.writes == TRIES


def test_denied_is_certain_only_at_first() -> None:
    with pytest.raises(DeniedError):
        tried(Thing(("denied", False)))
    with pytest.raises(UncertainError):
        tried(Thing(("lost", False), ("denied", False)))


def test_waits_grow_at_random_up_to_a_limit() -> None:
    clock = FakeClock()
    chance = Chance(clock, lambda: 1.0)
    for attempt in range(1, 9):
        chance.pause(attempt)
    assert clock.slept == [1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0, 20.0]


def test_a_read_is_asked_again() -> None:
    faults = [throttled(), unreachable()]

    def read() -> str:
        if faults:
            raise faults.pop().error
        return "read"

    assert patient(Chance(FakeClock()), read) == "read"


def test_pace_learns_how_long_it_takes() -> None:
    many, few = Pace(100), Pace(3)
    assert list(islice(many.updates.each(), 4)) == [1.0, 0.5, 0.75, 1.125]
    assert next(few.updates.each()) == 0.2
    many.updates.took(7.6, 6)
    assert list(islice(many.updates.each(), 3)) == [7.6, 3.8, 5.0]
    assert next(many.versions.each()) == 1.0
    many.versions.took(600.0, 30)
    assert list(islice(many.versions.each(), 2)) == [60.0, 5.0]


def test_one_slow_update_does_not_hold_up_all_others() -> None:
    waits = Pace(100).updates
    waits.took(4.0, 4)
    waits.took(60.0, 9)
    assert next(waits.each()) == 8.0
    for _ in range(1000):
        waits.took(next(waits.each()), 1)
    assert next(waits.each()) == 1.0


@pytest.mark.parametrize(("shortest", "longest"), [(7.0, 7.0), (2.0, 8.0), (20.0, 30.0)])
def test_one_look_will_do_whatever_it_takes(shortest: float, longest: float) -> None:
    waits, numbers, looks = Pace(1000).updates, Random(1), 0
    for _ in range(1000):
        takes, slept = numbers.uniform(shortest, longest), 0.0
        for number, wait in enumerate(waits.each(), 1):
            looks += 1
            slept += wait
            if slept >= takes:
                waits.took(slept, number)
                break
    assert looks < 1050
