"""Every call of a deploy goes wrong once, in every way; the next run finds everything whole.

Three functions (two with an alias) and two layers, smoke events included, over HTTP; killed processes are real ones.
What comes after a call took effect is tried with the calls that have one.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.cloud.strict import (
    BROKEN,
    CONFLICT,
    CUT_AFTER,
    CUT_BEFORE,
    DENIED,
    THROTTLED,
    Call,
    Fault,
    StrictServer,
)
from tests.cloud.strict_fixtures import _strict, owner, strict  # noqa: F401
from tests.cloud.strict_state import State
from tests.deployed.conftest import nobody, somebody  # noqa: F401
from tests.deployed.moto_server import Deployer
from tests.journeys.rollouts import (
    Seen,
    Way,
    deploy,
    found_shop,
    lost,
    published,
    seen,
    shop,
    start_deploy,
    twins,
    way,
)

from lamella.aws import BusyError
from lamella.errors import LamellaError
from lamella.rollout.model import Outcome, Wanted

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("strict")]

MISSED = "not reached"
ANSWERS = {
    "throttled": THROTTLED,
    "server's fault": BROKEN,
    "cut before": CUT_BEFORE,
    "cut after": CUT_AFTER,
    "access denied": DENIED,
    "conflict": CONFLICT,
}


class World(NamedTuple):
    """`old` and `new` are what is there before and after a deploy that nothing happens to.

    `calls` are its calls, by how many looks at an update it takes until that is done, beyond the first.
    """

    server: StrictServer
    way: Way
    wanted: Wanted
    start: State
    journal: Path
    folder: Path
    old: dict[str, Seen]
    new: dict[str, Seen]
    published: list[tuple[object, ...]]
    calls: dict[int, list[Call]]

    def begin(self, polls: int) -> None:
        """Everything as it was after the first deploy."""
        self.server.fault = None
        self.server.functions.settle_polls = polls
        self.server.restore(self.start)
        self.server.clear()
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.journal, self.folder)

    def run(self) -> Outcome | LamellaError:
        return deploy(self.wanted, str(self.folder), self.way)

    def whole(self) -> str:
        """What is wrong with the state, "" for nothing."""
        there = seen(self.server)
        if there not in (self.old, self.new):
            return f"neither old nor new: {there}"
        return "; ".join([*(f"twice: {row}" for row in twins()), *(f"lost: {row}" for row in lost(self.published))])


@pytest.fixture
def world(strict: StrictServer, owner: Deployer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:  # noqa: F811
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")  # nobody waits for botocore, and a fault of a read is lamella's
    found_shop(owner)
    folder, journal = tmp_path / "project", tmp_path / "journal"
    folder.mkdir()
    opened = way(strict.url)
    first = deploy(shop(tmp_path / "zips", 1), str(folder), opened)
    assert isinstance(first, Outcome)
    assert not first.failures
    shutil.copytree(folder, journal)
    old, rows, start = seen(strict), published(), strict.snapshot()
    found = World(strict, opened, shop(tmp_path / "zips", 2), start, journal, folder, old, old, rows, {})
    for polls in (0, 1):
        found.begin(polls)
        outcome = found.run()
        assert isinstance(outcome, Outcome)
        assert not outcome.failures
        found.calls[polls] = list(strict.calls)
    assert len([row for row in published() if row not in rows]) == 4  # two layers, two functions
    yield found._replace(new=seen(strict))
    strict.forget()


class Row(NamedTuple):
    """One line of the table."""

    fault: str
    calls: int
    wrong: tuple[str, ...]


def test_whatever_fails_the_next_run_finds_everything_whole(world: World) -> None:
    rows = [_answered(world, name, fault) for name, fault in ANSWERS.items()]
    _fork(world)
    rows += [
        _killed(world, "killed before", after=False),
        _killed(world, "killed after", after=True),
        _killed(world, "killed after, no journal", after=True, forgets=True),
    ]
    print(f"\n{'fault':28} {'calls':>6} {'survived':>9}")
    for row in rows:
        print(f"{row.fault:28} {row.calls:6} {row.calls - len(row.wrong):9}")
    total, wrong = sum(row.calls for row in rows), [each for row in rows for each in row.wrong]
    print(f"{'all':28} {total:6} {total - len(wrong):9}")
    assert not wrong, "\n".join(wrong)
    writes = len([call for call in world.calls[0] if _is_write(call)])
    assert [row.calls for row in rows if "after" in row.fault] == [writes] * 3
    assert min(row.calls for row in rows if "after" not in row.fault) >= len(world.calls[0])


def _answered(world: World, name: str, fault: Fault) -> Row:
    def failed_run(number: int) -> str:
        world.server.fault = _once(number, fault)
        outcome = world.run()
        if len(world.server.calls) < number:
            return MISSED
        wrong = world.whole()
        if wrong:
            return f"after its own rollback ({outcome}): {wrong}"
        there = seen(world.server)
        if _is_fine(outcome) and there != world.new:
            return f"said to be well: {outcome}"
        if not _is_fine(outcome) and there != world.old:
            return f"said to have failed: {outcome}"
        return ""

    return _each(world, name, failed_run, polls=0, after=fault.after)


def _fork(world: World) -> None:
    """The process that others are forked from makes its clients now, while nothing goes wrong."""
    world.begin(0)
    process = start_deploy(world.wanted, str(world.folder), world.server.url)
    process.join(60)
    assert process.exitcode == 0
    assert seen(world.server) == world.new


def _killed(world: World, name: str, *, after: bool, forgets: bool = False) -> Row:
    def failed_run(number: int) -> str:
        process: list[Any] = []

        def kill() -> None:
            os.kill(process[0].pid, signal.SIGKILL)
            wait([process[0].sentinel], 60)

        world.server.fault = _once(number, Fault(after=after, act=kill))
        process.append(start_deploy(world.wanted, str(world.folder), world.server.url))
        process[0].join(60)
        if len(world.server.calls) < number:
            return MISSED
        return "" if process[0].exitcode == -signal.SIGKILL else f"it ended by itself: {process[0].exitcode}"

    # What it leaves is under way still
    return _each(world, name, failed_run, polls=1, after=after, forgets=forgets)


def _each(
    world: World, name: str, failed_run: Callable[[int], str], *, polls: int, after: bool, forgets: bool = False
) -> Row:
    """A run that fails at each call in turn, and one that nothing happens to."""
    wrong, calls = [], 0
    for number, call in enumerate(world.calls[polls], 1):
        if after and not _is_write(call):
            continue
        world.begin(polls)
        said = failed_run(number)
        if said == MISSED:
            continue
        calls += 1
        struck = ":".join(world.server.calls[number - 1])
        said = said or _gone_on(world, forgets=forgets)
        if said:
            wrong.append(f"{name}, call {number} ({struck}): {said}")
    return Row(name, calls, tuple(wrong))


def _gone_on(world: World, *, forgets: bool) -> str:
    """What is wrong after the next run, that nothing happens to; "" for nothing."""
    world.server.fault = None
    if forgets:
        shutil.rmtree(world.folder)
        world.folder.mkdir()
    outcome = world.run()
    if forgets and isinstance(outcome, BusyError):
        outcome = world.run()  # nobody knows whose update is under way: it said to wait, and try again
    if not _is_fine(outcome) or seen(world.server) != world.new:
        return f"the next run: {outcome}; {seen(world.server)}"
    return world.whole()


def _is_fine(outcome: Outcome | LamellaError) -> bool:
    return isinstance(outcome, Outcome) and not outcome.failures


def _is_write(call: Call) -> bool:
    return not call.operation.startswith(("Get", "List", "Filter", "Download"))


def _once(number: int, fault: Fault) -> Callable[[int, str, str], Fault | None]:
    return lambda count, _service, _operation: fault if count == number else None
