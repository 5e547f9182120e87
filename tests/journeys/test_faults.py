# ruff: noqa: F811  fixtures of another folder
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

import boto3  # type: ignore[import-untyped]
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
from lamella.rollout.journal.journal import open_journal
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
    in_s3: str = ""

    def begin(self, polls: int) -> None:
        """Everything as it was after the first deploy."""
        self.server.fault = None
        self.server.functions.settle_polls = polls
        self.server.restore(self.start)
        self.server.clear()
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.journal, self.folder)

    def run(self) -> Outcome | LamellaError:
        return deploy(self.wanted, str(self.folder), self.way, self.in_s3)

    def start_run(self) -> Any:
        return start_deploy(self.wanted, str(self.folder), self.server.url, journal=self.in_s3)

    def whole(self) -> str:
        """What is wrong with the state, "" for nothing."""
        there = seen(self.server)
        if there not in (self.old, self.new):
            return f"neither old nor new: {there}"
        return "; ".join([*(f"twice: {row}" for row in twins()), *(f"lost: {row}" for row in lost(self.published))])


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for botocore, and what goes wrong with a read is lamella's to bear."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


@pytest.fixture
def world(strict: StrictServer, owner: Deployer, tmp_path: Path, patience: None) -> Iterator[World]:  # noqa: ARG001
    found_shop(owner)
    yield found_world(strict, tmp_path)
    strict.forget()


@pytest.fixture
def world_in_s3(strict: StrictServer, owner: Deployer, tmp_path: Path, patience: None) -> Iterator[World]:  # noqa: ARG001
    """The journal is in S3: for machines that have nothing else in common."""
    found_shop(owner)
    boto3.client("s3").create_bucket(Bucket="deploys")
    yield found_world(strict, tmp_path, "s3://deploys/journals")
    strict.forget()


def found_world(server: StrictServer, tmp_path: Path, in_s3: str = "") -> World:
    """The first edition is deployed, the second known."""
    folder, journal = tmp_path / "project", tmp_path / "journal"
    folder.mkdir()
    opened = way(server.url)
    assert _is_fine(deploy(shop(tmp_path / "zips", 1), str(folder), opened, in_s3))
    shutil.copytree(folder, journal)
    old, rows, start = seen(server), published(), server.snapshot()
    wanted = shop(tmp_path / "zips", 2)
    found = World(server, opened, wanted, start, journal, folder, old, old, rows, {}, in_s3)
    for polls in (0, 1):
        found.begin(polls)
        assert _is_fine(found.run())
        found.calls[polls] = list(server.calls)
    assert len([row for row in published() if row not in rows]) == 4  # two layers, two functions
    return found._replace(new=seen(server))


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
    _show(rows)
    writes = len([call for call in world.calls[0] if _is_write(call) and call.service == "lambda"])
    assert [row.calls for row in rows if "after" in row.fault] == [writes] * 3
    assert min(row.calls for row in rows if "after" not in row.fault) >= len(world.calls[0])


def test_a_journal_in_s3_is_as_good(world_in_s3: World) -> None:
    """The calls of S3 that change something: the lock, the record, and the code that is kept."""
    world = world_in_s3
    _fork(world)
    rows = [
        _answered(world, "cut after, in S3", CUT_AFTER, service="s3"),
        _killed(world, "killed after, in S3", after=True, service="s3"),
    ]
    _show(rows)
    assert [row.calls for row in rows] == [6, 6]


def _show(rows: list[Row]) -> None:
    print(f"\n{'fault':28} {'calls':>6} {'survived':>9}")
    for row in rows:
        print(f"{row.fault:28} {row.calls:6} {row.calls - len(row.wrong):9}")
    total, wrong = sum(row.calls for row in rows), [each for row in rows for each in row.wrong]
    print(f"{'all':28} {total:6} {total - len(wrong):9}")
    assert not wrong, "\n".join(wrong)


def _answered(world: World, name: str, fault: Fault, service: str = "lambda") -> Row:
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

    return _each(world, name, failed_run, polls=0, after=service if fault.after else "")


def _fork(world: World) -> None:
    """The process that others are forked from makes its clients now, while nothing goes wrong."""
    world.begin(0)
    process = world.start_run()
    process.join(60)
    assert process.exitcode == 0
    assert seen(world.server) == world.new


def _killed(world: World, name: str, *, after: bool, forgets: bool = False, service: str = "lambda") -> Row:
    def failed_run(number: int) -> str:
        process: list[Any] = []

        def kill() -> None:
            os.kill(process[0].pid, signal.SIGKILL)
            wait([process[0].sentinel], 60)

        world.server.fault = _once(number, Fault(after=after, act=kill))
        process.append(world.start_run())
        process[0].join(60)
        if len(world.server.calls) < number:
            return MISSED
        return "" if process[0].exitcode == -signal.SIGKILL else f"it ended by itself: {process[0].exitcode}"

    # What it leaves is under way still
    return _each(world, name, failed_run, polls=1, after=service if after else "", forgets=forgets)


def _each(
    world: World, name: str, failed_run: Callable[[int], str], *, polls: int, after: str, forgets: bool = False
) -> Row:
    """A run that fails at each call in turn, and one that nothing happens to.

    `after`: at the calls of this service that change something; "" for all calls.
    """
    wrong, calls = [], 0
    for number, call in enumerate(world.calls[polls], 1):
        if after and not (_is_write(call) and call.service == after):
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
    if isinstance(outcome, BusyError) and (forgets or world.in_s3):
        # Nobody knows whose update is under way, or whether the lock's owner is gone: it said what to do
        if world.in_s3:
            assert "--unlock" in (outcome.hint or "")
            cloud = world.way.cloud
            open_journal(cloud._replace(place=cloud.place._replace(journal=world.in_s3)), "").unlock()
        outcome = world.run()
    if not _is_fine(outcome) or seen(world.server) != world.new:
        return f"the next run: {outcome}; {seen(world.server)}"
    return world.whole()


def _is_fine(outcome: Outcome | LamellaError) -> bool:
    return isinstance(outcome, Outcome) and not outcome.failures


def _is_write(call: Call) -> bool:
    return not call.operation.startswith(("Get", "List", "Head", "Filter", "Download"))


def _once(number: int, fault: Fault) -> Callable[[int, str, str], Fault | None]:
    return lambda count, _service, _operation: fault if count == number else None
