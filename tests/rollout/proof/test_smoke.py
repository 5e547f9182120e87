"""A version invoked with its smoke events, on the AWS in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.cloud.fake import Fake, Fault, busy, denied, throttled, unreachable

from lamella.aws import BusyError
from lamella.cloud.model import FunctionState, Invoked, LogEvent
from lamella.config.model import Smoke
from lamella.errors import OutsideError
from lamella.rollout.proof.smoke import smoke

_GROUP = "/aws/lambda/api"


def _report(request: str = "r1", init: float | None = 120.0) -> str:
    text = f"REPORT RequestId: {request}\tDuration: 2.00 ms\tBilled Duration: 3 ms\tMemory Size: 128 MB\t"
    text += "Max Memory Used: 40 MB\t"
    return text + (f"Init Duration: {init:.2f} ms\t" if init is not None else "") + "\n"


@pytest.fixture
def fake() -> Fake:
    fake = Fake()
    fake.add_function("api", alias="live")
    return fake


def _answers(fake: Fake, *logs: str) -> list[bytes]:
    """The function answers with these logs, one after the other; the payloads that it got."""
    got: list[bytes] = []

    def answer(state: FunctionState, payload: bytes) -> Invoked:
        got.append(payload)
        return Invoked(200, b'{"statusCode": 200}', "", logs[min(len(got), len(logs)) - 1], state.version)

    fake.answers["api"] = answer
    return got


def _failing(kind: Callable[[], Fault], times: int) -> Callable[[str, tuple[Any, ...], int], Fault | None]:
    left = [times]

    def fault(name: str, *_: Any) -> Fault | None:
        if name != "invoke" or not left[0]:
            return None
        left[0] -= 1
        return kind()

    return fault


def _log(fake: Fake, *messages: str, stream: str = "2026/11/22/[1]aa") -> None:
    now = int(fake.clock.now() * 1000)
    held = fake.logs.groups.setdefault(_GROUP, [])
    held += [LogEvent(now, message, stream, f"{len(held) + at:06}") for at, message in enumerate(messages)]


def test_each_event_is_sent_to_the_version(fake: Fake) -> None:
    got = _answers(fake, "")
    events = (Smoke("one", '{"a": 1}', status=200), Smoke("two", '"ü"'))
    assert smoke(fake.cloud(), fake.state("api", "1"), events) == ()
    assert got == [b'{"a": 1}', '"ü"'.encode()]
    assert [call[:3] for call in fake.calls if call[0] == "invoke"] == [("invoke", "api", "1")] * 2


def test_latest_is_invoked_without_a_qualifier(fake: Fake) -> None:
    assert smoke(fake.cloud(), fake.state("api"), (Smoke("one"),)) == ()
    assert fake.calls[0][:3] == ("invoke", "api", "")


def test_all_events_are_judged_and_each_failure_told(fake: Fake) -> None:
    _answers(fake, "")
    found = smoke(
        fake.cloud(), fake.state("api", "1"), (Smoke("one", status=500), Smoke("two"), Smoke("three", status=404))
    )
    assert [failure.what for failure in found] == ["`one` failed on version 1", "`three` failed on version 1"]
    assert found[0].why == ('it answered 200, not 500: {"statusCode": 200}',)
    assert found[0].function == "api"


def test_the_init_of_the_first_event_counts_for_the_later_ones(fake: Fake) -> None:
    _answers(fake, _report(init=3000.0), _report(init=None))
    found = smoke(fake.cloud(), fake.state("api", "1"), (Smoke("one"), Smoke("two", longest_init=2.0)))
    assert [failure.why for failure in found] == [("its init took 3.00 s, more than 2 s",)]


def test_a_version_that_was_started_before_is_remarked_on(fake: Fake) -> None:
    _answers(fake, _report(init=None))
    said: list[str] = []
    assert smoke(fake.cloud(), fake.state("api", "1"), (Smoke("one", longest_init=2.0),), said.append) == ()
    assert said == ["`api`: version 1 had been started before, so `one` says nothing of its init (at most 2 s)"]


def test_what_imports_log_is_not_asked_of_a_version_that_users_meet(fake: Fake) -> None:
    event = Smoke("one", log=("ready",))
    said: list[str] = []
    _answers(fake, _report(init=None))
    assert smoke(fake.cloud(), fake.state("api", "1"), (event,), said.append, standing=True) == ()
    assert said == ["`api`: version 1 had been started before, so for `one` its log has no `ready`"]
    # Not of one that nobody met yet, and not where it has started just now
    (found,) = smoke(fake.cloud(), fake.state("api", "1"), (event,), said.append)
    assert found.why[0] == "its log has no `ready`"
    _answers(fake, _report())
    (found,) = smoke(fake.cloud(), fake.state("api", "1"), (event,), said.append, standing=True)
    assert found.why[0] == "its log has no `ready`"
    # What else is wrong stays wrong
    _answers(fake, _report(init=None))
    (found,) = smoke(fake.cloud(), fake.state("api", "1"), (event._replace(status=500),), said.append, standing=True)
    assert found.why[0].startswith("it answered 200, not 500")


@pytest.mark.parametrize("kind", [throttled, busy, unreachable])
def test_what_has_no_answer_is_asked_again(fake: Fake, kind: Callable[[], Fault]) -> None:
    fake.faults = _failing(kind, 2)
    assert smoke(fake.cloud(), fake.state("api", "1"), (Smoke("one"),)) == ()
    assert len(fake.clock.slept) == 2


@pytest.mark.parametrize(("kind", "tries"), [(throttled, 8), (busy, 8), (unreachable, 3), (denied, 1)])
def test_what_aws_keeps_refusing_is_a_failure(fake: Fake, kind: Callable[[], Fault], tries: int) -> None:
    fake.faults = _failing(kind, 100)
    (found,) = smoke(fake.cloud(), fake.state("api", "1"), (Smoke("one"), Smoke("two")))
    assert found.what.startswith("it could not be invoked with `one`: ")
    assert len(fake.calls) == tries


def test_what_the_answers_log_lacks_is_read_in_cloudwatch(fake: Fake) -> None:
    start = "START RequestId: r1 Version: 1\n"
    _answers(fake, start + _report())
    _log(fake, "someone else's: not installed\n", stream="2026/11/22/[$LATEST]bb")
    _log(fake, "of an earlier one: not installed\n", _report("r0"), "rawpy imported\n", start, _report())
    _log(fake, "of a later one: not installed\n")
    event = Smoke("one", log=("rawpy imported",), no_log=("not installed",))
    said: list[str] = []
    assert smoke(fake.cloud(), fake.state("api", "1"), (event,), said.append) == ()
    assert said == []
    (found,) = smoke(fake.cloud(), fake.state("api", "1"), (Smoke("one", no_log=("rawpy imported",)),))
    assert found.why == ("its log has `rawpy imported`",)


def test_cloudwatch_is_waited_for(fake: Fake) -> None:
    _answers(fake, _report())
    fake.logs.groups[_GROUP] = []
    cloud = fake.cloud()
    asked = [0]

    def late(name: str, *_: Any) -> None:
        if name == "events":
            asked[0] += 1
            if asked[0] == 3:
                _log(fake, "rawpy imported", _report())

    fake.faults = late
    assert smoke(cloud, fake.state("api", "1"), (Smoke("one", log=("rawpy imported",)),)) == ()
    assert fake.clock.slept == [0.0, 1.0, 2.0]


def test_a_log_that_never_comes_fails_what_had_to_be_in_it(fake: Fake) -> None:
    _answers(fake, _report())
    fake.logs.groups[_GROUP] = []
    event = Smoke("one", log=("rawpy imported",))
    (found,) = smoke(fake.cloud(), fake.state("api", "1"), (event,))
    assert found.why[0] == "its log has no `rawpy imported`"
    assert f"CloudWatch has no log of it in `{_GROUP}` yet" in found.why[1]
    assert sum(fake.clock.slept) == 15
    fake.logs.groups.clear()
    (found,) = smoke(fake.cloud(), fake.state("api", "1"), (event,))
    assert f"there is no log group `{_GROUP}`" in found.why[1]


def test_lines_that_must_not_be_there_pass_with_a_remark_where_only_the_inits_may_be_missing(fake: Fake) -> None:
    _answers(fake, _report())
    said: list[str] = []
    assert smoke(fake.cloud(), fake.state("api", "1"), (Smoke("one", no_log=("not installed",)),), said.append) == ()
    assert "searched in part only" in said[0]


def test_lines_that_must_not_be_there_fail_where_the_log_was_cut(fake: Fake) -> None:
    _answers(fake, "x" * 4000 + "\n" + _report())
    (found,) = smoke(fake.cloud(), fake.state("api", "1"), (Smoke("one", no_log=("not installed",)),))
    assert found.why[0] == "it can't be told whether its log has `not installed`"


def test_a_function_that_is_isolated_by_tenant(fake: Fake) -> None:
    why = ["InvalidParameterValueException: Add a valid tenant ID in your request and try again."]
    fake.faults = lambda name, *_: (
        Fault(OutsideError("could not invoke `api:1`", why=why)) if name == "invoke" else None
    )
    (failure,) = smoke(fake.cloud(), fake.state("api", "1"), (Smoke("one"),))
    assert failure.why == tuple(why)
    assert failure.hint.startswith("a function that is isolated by tenant can't be invoked with smoke events")


def test_what_is_not_ready_yet_is_waited_for(fake: Fake) -> None:
    error = BusyError("could not invoke `api:1`", why=["ResourceNotReadyException"], hint="try again, once it is ready")
    fake.faults = _failing(lambda: Fault(error), 6)
    assert smoke(fake.cloud(), fake.state("api", "1"), (Smoke("one"),)) == ()
