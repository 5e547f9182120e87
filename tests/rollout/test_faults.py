"""Every call of a deploy fails in turn, in every way: what AWS has is the old release or the new one, whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cloud.fake import Fault, Killed, busy, denied, killed, stale, throttled, unreachable
from tests.rollout.scene import Scene, at

from lamella.aws import BusyError
from lamella.config.model import Canary, Smoke
from lamella.errors import LamellaError
from lamella.rollout.planning.plan import plan as planned

SMOKE = (Smoke("events/health.json", status=200),)
CANARY = Canary(0.1, 1)

LIVED = {
    "throttled": throttled,
    "cut before": unreachable,
    "cut after": lambda: unreachable(after=True),
    "denied": denied,
    "conflict": busy,
    "stale": stale,
}  # fmt: skip
JOURNAL = ("get", "put", "delete", "keys", "has", "put_file", "fetch")
DIED = {"killed before": killed, "killed after": lambda: killed(after=True)}


def scene(folder: Path, canary: Canary | None = CANARY) -> Scene:
    return Scene(folder, smoke=SMOKE, canary=canary)


def calls_of(folder: Path, canary: Canary | None = CANARY) -> int:
    """The calls of a deploy that nothing disturbs."""
    whole = scene(folder, canary)
    plan = whole.plan(2)
    before = len(whole.fake.calls)
    assert not whole.deploy(plan=plan).failures
    assert whole.release() == 2
    return len(whole.fake.calls) - before


def is_single(shop: Scene) -> None:
    """Nothing was published twice."""
    assert max(Counter(shop.digests()).values()) == 1
    assert max(Counter(shop.versions()).values()) == 1


@pytest.mark.parametrize("kind", LIVED)
def test_every_call_fails_and_the_state_is_whole(kind: str, tmp_path: Path) -> None:
    calls = calls_of(tmp_path)
    for number in range(1, calls + 1):
        shop = scene(tmp_path)
        plan = shop.plan(2)
        shop.fake.faults = at(number, LIVED[kind])
        try:
            outcome = shop.deploy(plan=plan)
            assert outcome.remains == () or shop.fake.calls[-1][0] in JOURNAL
            assert shop.release() == (1 if outcome.failures else 2), (number, shop.fake.calls[-1], outcome.failures)
        except LamellaError:
            assert shop.release() == 1  # nothing was changed yet
        shop.fake.faults = None
        shop.journal().unlock()
        assert not shop.deploy().failures, number
        assert shop.release() == 2, (number, shop.lacking(2))
        is_single(shop)
        assert shop.journal().read().unfinished is None


@pytest.mark.parametrize("kind", ["throttled", "cut before", "cut after"])
def test_what_passes_by_itself_is_no_failure(kind: str, tmp_path: Path) -> None:
    whole = scene(tmp_path, None)
    plan = whole.plan(2)
    before = len(whole.fake.calls)
    assert not whole.deploy(plan=plan).failures
    for number, call in enumerate(whole.fake.calls[before:], 1):
        if call[0] in JOURNAL:  # the bucket's own client tries these again
            continue
        shop = scene(tmp_path, None)
        plan = shop.plan(2)
        shop.fake.faults = at(number, LIVED[kind])
        assert not shop.deploy(plan=plan).failures, (number, shop.fake.calls)
        assert shop.release() == 2


@pytest.mark.parametrize("with_journal", [True, False])
@pytest.mark.parametrize("kind", DIED)
def test_every_call_kills_and_the_next_run_goes_on(kind: str, with_journal: bool, tmp_path: Path) -> None:
    calls = calls_of(tmp_path)
    for number in range(1, calls + 1):
        shop = dead(tmp_path, number, DIED[kind])
        if not with_journal:
            shop.lose_journal()
        try:
            outcome = shop.deploy()
        except BusyError:  # without a journal nobody knows whose update is under way
            assert not with_journal
            shop.fake.clock.sleep(60)
            outcome = shop.deploy()
        assert not outcome.failures, (number, outcome.failures)
        assert shop.release() == 2, (number, shop.lacking(2))
        is_single(shop)
        assert shop.journal().read().unfinished is None
        shop.fake.calls.clear()
        assert not shop.deploy().failures
        assert shop.fake.written() == []


@pytest.mark.parametrize("kind", DIED)
def test_every_call_kills_and_the_next_run_fails_and_goes_back(kind: str, tmp_path: Path) -> None:
    calls = calls_of(tmp_path)
    for number in range(1, calls + 1):
        shop = dead(tmp_path, number, DIED[kind])
        if shop.release() == 2 and not shop.journal().read().unfinished:
            continue  # all was done, and written down
        shop.break_release(2)
        outcome = shop.deploy()
        assert outcome.failures
        assert outcome.remains == ()
        assert shop.release() == 1, (number, shop.lacking(1))
        assert shop.journal().read().unfinished is None
        is_single(shop)


@pytest.mark.parametrize("kind", DIED)
def test_every_call_kills_and_a_rollback_goes_back(kind: str, tmp_path: Path) -> None:
    calls = calls_of(tmp_path)
    for number in range(1, calls + 1):
        shop = dead(tmp_path, number, DIED[kind])
        if shop.journal().read().unfinished is None:  # it was killed before its first change, or at its very end
            assert shop.release() is not None
            continue
        outcome = shop.roll_back()
        assert (outcome.failures, outcome.remains) == ((), ())
        assert shop.release() == 1, (number, shop.lacking(1))
        assert shop.journal().read().unfinished is None


@pytest.mark.parametrize("kind", ["cut after", "denied", "stale", *DIED])
def test_every_call_of_a_rollback_fails(kind: str, tmp_path: Path) -> None:
    """The next rollback, or deploy, comes to a whole state from wherever one ended."""
    whole = scene(tmp_path)
    assert not whole.deploy().failures
    before = len(whole.fake.calls)
    assert not whole.roll_back().failures
    assert whole.release() == 1
    calls = len(whole.fake.calls) - before
    for number in range(1, calls + 1):
        for then in ("roll_back", "deploy"):
            shop = scene(tmp_path)
            assert not shop.deploy().failures
            shop.fake.faults = at(number, {**LIVED, **DIED}[kind])
            try:
                outcome = shop.roll_back()
                assert shop.release() == 1 or outcome.failures
                assert outcome.remains or not outcome.failures
            except (Killed, LamellaError):
                pass
            shop.fake.faults = None
            shop.journal().unlock()
            if then == "deploy":
                assert not shop.deploy().failures
            elif shop.release() == 2 or shop.journal().read().unfinished:
                assert not shop.roll_back().failures
            assert shop.release() == (1 if then == "roll_back" else 2), (number, then)
            is_single(shop)


@pytest.mark.parametrize("kind", ["cut after", "denied", "stale", *DIED])
def test_every_call_of_taking_back_fails(kind: str, tmp_path: Path) -> None:
    """A deploy fails at its very end, and then a call of what takes it back."""
    whole = scene(tmp_path)
    whole.fake.alarms.counts = lambda *_: (1, 1)
    assert whole.deploy().failures
    assert whole.release() == 1
    names = [call[0] for call in whole.fake.calls]
    first = names.index("errors") + 1
    for number in range(first + 1, len(names) + 1):
        shop = scene(tmp_path)
        shop.fake.alarms.counts = lambda *_: (1, 1)
        shop.fake.faults = at(number, {**LIVED, **DIED}[kind])
        try:
            outcome = shop.deploy()
            assert outcome.failures
            assert shop.release() == 1 or outcome.remains
        except Killed:
            pass
        shop.fake.faults = None
        shop.journal().unlock()
        if shop.journal().read().unfinished:
            assert not shop.roll_back().failures
        assert shop.release() == 1, (number, shop.lacking(1))
        assert shop.journal().read().unfinished is None


@pytest.mark.parametrize("kind", DIED)
def test_every_call_kills_and_a_hot_fix_stays(kind: str, tmp_path: Path) -> None:
    """Somebody mends `cron` by hand after that.  The next deploy says so, fails, and goes back to it."""
    calls = calls_of(tmp_path)
    for number in range(1, calls + 1):
        shop = dead(tmp_path, number, DIED[kind])
        if shop.journal().read().unfinished is None:
            continue
        shop.fake.clock.sleep(60)
        left = shop.fake.state("cron")
        shop.fake.change("cron", code=b"hot fix")
        plan = shop.plan(2)
        assert [(one.function, one.kind) for one in plan.drift] == [("cron", "code")], number
        shop.break_release(2)
        assert shop.deploy(plan=plan).failures
        there = shop.fake.state("cron")
        assert (shop.fake.blobs[there.code_sha256], there.layers) == (b"hot fix", left.layers), number
        assert [line for line in shop.lacking(1) if not line.startswith("cron")] == []
        assert shop.journal().read().unfinished is None


@pytest.mark.parametrize("kind", DIED)
def test_every_call_kills_and_a_hot_fix_is_replaced_and_comes_back(kind: str, tmp_path: Path) -> None:
    """The next deploy holds; a rollback of it brings the hot fix again."""
    calls = calls_of(tmp_path)
    for number in range(1, calls + 1):
        shop = dead(tmp_path, number, DIED[kind])
        if shop.journal().read().unfinished is None:
            continue
        shop.fake.clock.sleep(60)
        shop.fake.change("cron", code=b"hot fix")
        assert not shop.deploy().failures
        assert shop.release() == 2
        assert not shop.roll_back().failures
        assert shop.fake.blobs[shop.fake.state("cron").code_sha256] == b"hot fix", number


@pytest.mark.parametrize("kind", DIED)
def test_every_call_kills_and_then_a_function_is_no_longer_configured(kind: str, tmp_path: Path) -> None:
    """What half of a deploy left of it stays in the journal, and is said, until a rollback."""
    calls = calls_of(tmp_path)
    halves = 0
    for number in range(1, calls + 1):
        shop = dead(tmp_path, number, DIED[kind])
        record = shop.journal().read()
        if record.unfinished is None:
            continue
        shop.fake.clock.sleep(60)
        wanted = shop.wanted(2)
        wanted = wanted._replace(functions=tuple(one for one in wanted.functions if one.name != "cron"))
        made = planned(shop.fake.cloud(), wanted, record)
        assert any("`cron` was part of a deploy" in note for note in made.notes)
        is_whole = not [line for line in shop.lacking(1) if line.startswith("cron")]
        outcome = shop.deploy(plan=made)
        assert not outcome.failures
        unfinished = shop.journal().read().unfinished
        if is_whole:
            assert (unfinished, outcome.remains) == (None, ())
            continue
        halves += 1
        assert unfinished is not None
        assert [one.function.name for one in unfinished.before] == ["cron"]
        [line] = outcome.remains
        assert line.startswith("`cron` is as a deploy left it that did not come to its end")
        assert not shop.roll_back().failures
        assert [line for line in shop.lacking(1) if line.startswith("cron")] == []
        assert [line for line in shop.lacking(2) if not line.startswith("cron")] == []
        assert shop.journal().read().unfinished is None
    assert halves


def dead(folder: Path, number: int, fault: Callable[[], Fault]) -> Scene:
    """A scene in which a deploy was killed at the call of this number."""
    shop = scene(folder)
    plan = shop.plan(2)
    shop.fake.faults = at(number, fault)
    with pytest.raises(Killed):
        shop.deploy(plan=plan)
    shop.fake.faults = None
    shop.journal().unlock()
    return shop
