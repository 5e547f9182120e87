"""A log followed by a clock that nobody waits for."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest
from tests.cloud.fake import Fake, Killed, denied, killed, unreachable

from lamella.aws import DeniedError
from lamella.cloud.following import OVERLAP, SKEW, followed
from lamella.cloud.model import LogEvent
from lamella.errors import LamellaError

_GROUP = "/aws/lambda/api"


def _event(fake: Fake, number: int, *, ago: float = 0.0) -> LogEvent:
    return LogEvent(int((fake.clock.now() - ago) * 1000), f"line {number}", "2026/11/22/[7]aa", f"{number:06}")


def _at_each_look(fake: Fake, *batches: list[tuple[int, float]]) -> None:
    """Before each look these events come: numbers, and how many seconds ago they happened."""
    coming = list(batches)
    fake.logs.groups[_GROUP] = []

    def arrive(name: str, *_: Any) -> None:
        if name == "events" and coming:
            fake.logs.groups[_GROUP] += [_event(fake, number, ago=ago) for number, ago in coming.pop(0)]

    fake.faults = arrive


def _numbers(fake: Fake, count: int, **more: Any) -> list[int]:
    cloud = fake.cloud()
    found = followed(cloud.logs, cloud.clock, _GROUP, fake.clock.now() - 100, **more)
    return [int(event.message.split()[1]) for event in islice(found, count)]


def test_no_line_twice_and_late_ones_too() -> None:
    fake = Fake()
    _at_each_look(fake, [(1, 90), (2, 1)], [], [(3, 0), (4, 50)], [(5, 0), (6, 5)])
    assert _numbers(fake, 6) == [1, 2, 4, 3, 6, 5]
    assert fake.clock.slept == [2.0] * 3


@pytest.mark.parametrize("ahead", [-240.0, 90.0, 600.0])
def test_no_line_is_lost_where_the_clock_here_is_wrong(ahead: float) -> None:
    """By AWS's time every event is new when it comes."""
    fake = Fake()
    batches = [[(number, ahead + number % 3)] for number in range(40)]
    _at_each_look(fake, [(100, ahead + 1)], [], [], *batches)
    cloud = fake.cloud()
    found = followed(cloud.logs, cloud.clock, _GROUP, fake.clock.now() - 700)
    assert [event.id for event in islice(found, 41)] == ["000100", *(f"{number:06}" for number in range(40))]


def test_a_line_that_says_a_time_to_come_hides_no_other() -> None:
    fake = Fake()
    _at_each_look(fake, [(1, -3600)], [(2, 0)], [(3, 0)])
    assert _numbers(fake, 3) == [1, 2, 3]


def test_a_line_of_the_very_first_millisecond_comes_once() -> None:
    fake = Fake()
    fake.clock.sleep(0.0004)
    fake.logs.groups[_GROUP] = [LogEvent(int(fake.clock.now() * 1000), "line 1", "s", "1")]
    found = followed(fake.cloud().logs, fake.clock, _GROUP, fake.clock.now())
    assert next(found).id == "1"
    fake.faults = lambda name, *_: killed() if name == "events" and len(fake.clock.slept) > 40 else None
    with pytest.raises(Killed):
        next(found)


def test_what_is_remembered_does_not_grow_and_is_not_shown_again() -> None:
    fake = Fake()
    _at_each_look(fake, *([(number, 0.0)] for number in range(200)))
    assert _numbers(fake, 200) == list(range(200))
    starts = [call for call in fake.calls if call[0] == "events"]
    assert len(starts) == 200


def test_looks_begin_where_late_lines_may_come() -> None:
    fake = Fake()
    asked = []
    real = fake.logs.events

    class Logs:
        def events(self, group: str, start: int, end: int | None = None, words: str = "") -> Any:
            asked.append((fake.clock.now() - start / 1000, words))
            if len(asked) == 500:
                raise KeyboardInterrupt
            return real(group, start, end, words)

    fake.logs.groups[_GROUP] = []
    with pytest.raises(KeyboardInterrupt):
        list(followed(Logs(), fake.clock, _GROUP, fake.clock.now() - 100, "ERROR"))
    assert asked[0][0] == pytest.approx(100)
    assert asked[-1][0] == pytest.approx(OVERLAP + SKEW + 2)
    assert {words for _, words in asked} == {"ERROR"}


def test_a_group_that_is_not_there_yet_and_a_network_that_is_gone_are_waited_for() -> None:
    fake = Fake()
    told: list[LamellaError] = []

    def fault(name: str, arguments: tuple[Any, ...], number: int) -> Any:  # noqa: ARG001
        if number == 3:
            fake.logs.groups[_GROUP] = [_event(fake, 1)]
        if number in (4, 5):
            return unreachable()
        if number == 6:
            fake.logs.groups[_GROUP] += [_event(fake, 2)]
        return None

    fake.faults = fault
    assert _numbers(fake, 2, trouble=told.append) == [1, 2]
    assert [error.what for error in told] == [f"there is no log group `{_GROUP}`", "could not ask"]


def test_what_is_refused_is_raised() -> None:
    fake = Fake()
    fake.faults = lambda *_: denied("logs:FilterLogEvents")
    with pytest.raises(DeniedError):
        _numbers(fake, 1)
