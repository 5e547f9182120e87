"""A canary watched by a clock that nobody waits for."""

from __future__ import annotations

from typing import Any

import pytest
from tests.cloud.fake import Fake, Fault, content_of, denied, throttled, unreachable

from lamella.cloud.model import AliasState, Place
from lamella.config.model import Canary
from lamella.rollout.model import FunctionChange, Plan, ShiftAlias, Wanted, WantedFunction
from lamella.rollout.proof.canary import Shift, obstacles, watch

_SHIFT = Shift("api", "live", "8", Canary(0.1, 5))


@pytest.fixture
def fake() -> Fake:
    return Fake()


def _counting(fake: Fake, after: float, errors: int, invocations: int = 100) -> None:
    """So many errors are known `after` seconds."""
    start = fake.clock.now()
    fake.alarms.counts = lambda *_: (errors if fake.clock.now() - start >= after else 0, invocations)


def _elapsed(fake: Fake) -> float:
    return sum(fake.clock.slept)


def test_one_that_goes_well_lasts_its_minutes_and_two_for_late_metrics(fake: Fake) -> None:
    _counting(fake, 0, 0)
    said: list[str] = []
    assert watch(fake.cloud(), (_SHIFT,), said.append) == ()
    assert _elapsed(fake) == 5 * 60 + 120
    assert max(fake.clock.slept) == 15
    assert said == []


def test_a_short_one_does_not_wait_long_for_late_metrics(fake: Fake) -> None:
    assert watch(fake.cloud(), (_SHIFT._replace(canary=Canary(0.1, 0.1)),)) == ()
    assert _elapsed(fake) == pytest.approx(6 + 12)


@pytest.mark.parametrize(("after", "elapsed"), [(0, 0), (20, 30), (300, 300), (415, 420)])
def test_errors_end_it_also_those_that_come_late(fake: Fake, after: float, elapsed: float) -> None:
    _counting(fake, after, 3)
    (found,) = watch(fake.cloud(), (_SHIFT,))
    assert found.function == "api"
    assert found.what == "version 8 failed in its canary"
    assert found.why == ("3 errors in 100 invocations through `live`: none may fail",)
    assert _elapsed(fake) == elapsed


def test_so_many_errors_may_be(fake: Fake) -> None:
    _counting(fake, 0, 3)
    shift = _SHIFT._replace(canary=Canary(0.1, 1, errors=3))
    assert watch(fake.cloud(), (shift,)) == ()
    (found,) = watch(fake.cloud(), (shift._replace(canary=Canary(0.1, 1, errors=2)),))
    assert found.why == ("3 errors in 100 invocations through `live`: more than 2 errors",)


def test_metrics_are_asked_for_from_the_whole_minute_on(fake: Fake) -> None:
    asked = []

    def counts(*arguments: Any) -> tuple[int, int]:
        asked.append(arguments)
        return 0, 1

    fake.alarms.counts = counts
    start = fake.clock.now()
    watch(fake.cloud(), (_SHIFT._replace(canary=Canary(0.1, 0.1)),))
    assert asked[0] == ("api", "live", "8", start // 60 * 60, start)
    assert asked[-1][3:] == (start // 60 * 60, start + 18)


def test_all_shifts_are_watched_together_and_all_failures_told(fake: Fake) -> None:
    fake.alarms.counts = lambda function, *_: (0 if function == "fine" else 1, 10)
    shifts = tuple(Shift(name, "live", "2", Canary(0.5, 1)) for name in ("api", "fine", "worker"))
    assert [failure.function for failure in watch(fake.cloud(), shifts)] == ["api", "worker"]


def test_an_alarm_ends_it(fake: Fake) -> None:
    shift = _SHIFT._replace(canary=Canary(0.1, 5, ("p95",)))
    fake.alarms.states["p95"] = "INSUFFICIENT_DATA"

    def goes_off(name: str, *_: Any) -> None:
        if name == "alarms" and _elapsed(fake) >= 60:
            fake.alarms.states["p95"] = "ALARM"

    fake.faults = goes_off
    (found,) = watch(fake.cloud(), (shift,))
    assert (found.function, found.what) == ("api", "the alarm `p95` is in ALARM")
    assert _elapsed(fake) == 60
    fake.alarms.states.clear()
    fake.faults = None
    (found,) = watch(fake.cloud(), (shift,))
    assert found.what == "the alarm `p95` is gone"


def test_nothing_seen_is_remarked_on(fake: Fake) -> None:
    said: list[str] = []
    assert watch(fake.cloud(), (_SHIFT,), said.append) == ()
    assert said == ["`api`: no invocation of `live` met version 8 in its canary"]


@pytest.mark.parametrize("fault", [throttled(), unreachable()])
def test_a_look_without_an_answer_is_made_again(fake: Fake, fault: Fault) -> None:
    fake.faults = lambda *call: fault if call[2] in (3, 4) else None
    said: list[str] = []
    _counting(fake, 0, 0)
    assert watch(fake.cloud(), (_SHIFT,), said.append) == ()
    assert len(said) == 1
    assert said[0].startswith("CloudWatch does not answer, and is asked again: could not ask")


def test_what_could_not_be_watched_to_the_end_is_not_proven(fake: Fake) -> None:
    fake.faults = lambda *_: throttled() if _elapsed(fake) >= 100 else None
    (found,) = watch(fake.cloud(), (_SHIFT,))
    assert found.what == "the canary could not be watched to its end"
    assert _elapsed(fake) == 420


def test_a_permission_that_is_missing_ends_it(fake: Fake) -> None:
    fake.faults = lambda *_: denied("cloudwatch:GetMetricData")
    (found,) = watch(fake.cloud(), (_SHIFT,))
    assert found.what == "its canary can't be watched"
    assert "cloudwatch:GetMetricData" in found.hint
    assert _elapsed(fake) == 0


def _plan(fake: Fake, canary: Canary | None) -> Plan:
    wanted = WantedFunction("api", "api", content_of(b""), "python3.12", "app.handler", "x86_64", (), "live")
    alias = AliasState("api", "live", "7", "r")
    step = ShiftAlias("live", alias, canary, "new code")
    change = FunctionChange(wanted, fake.add_function("api", alias="live"), alias, None, (step,))
    return Plan(Place(), Wanted("p", "", (), (wanted,)), (), (), (change,), (), (), ())


def test_alarms_that_are_missing_or_off_are_told_beforehand(fake: Fake) -> None:
    plan = _plan(fake, Canary(0.1, 5, ("gone", "off", "fine", "new")))
    fake.alarms.states = {"off": "ALARM", "fine": "OK", "new": "INSUFFICIENT_DATA"}
    assert [(failure.function, failure.what) for failure in obstacles(fake.cloud(), plan)] == [
        ("api", "there is no CloudWatch alarm `gone`"),
        ("api", "the alarm `off` is in ALARM already"),
    ]


def test_without_alarms_nothing_is_asked(fake: Fake) -> None:
    assert obstacles(fake.cloud(), _plan(fake, Canary(0.1, 5))) == ()
    assert obstacles(fake.cloud(), _plan(fake, None)) == ()
    assert fake.calls == []
