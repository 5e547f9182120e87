"""Invoke a new version with its smoke events, and judge what comes back.

An event may be sent more than once: where AWS took none, and where nobody knows whether it did.
"""

from __future__ import annotations

from collections.abc import Sequence

from lamella.aws import BusyError, NotThereError, ThrottledError, UnreachableError
from lamella.cloud.model import LATEST, Cloud, FunctionState, Invoked
from lamella.cloud.reports import Report, Started, lines, read, version_of
from lamella.config.model import Smoke
from lamella.errors import LamellaError
from lamella.rollout.commands import command
from lamella.rollout.model import Failure
from lamella.rollout.proof.judging import Seen, Took, needs_more, seen, shortfalls, took
from lamella.rollout.steps.settle import TRIES, Chance
from lamella.rollout.steps.stopping import Tell

# Where no answer came, the handler may have run to its timeout each time
_UNANSWERED = 2
# What AWS says where an invocation names no tenant (Lambda API reference, Invoke: TenantId)
_TENANT = "tenant"
# CloudWatch has a log some seconds after the answer
_LOG_WAITS = (1.0, 2.0, 3.0, 4.0, 5.0)
# An init goes before its invocation, and clocks differ
_BEFORE = 60.0  # seconds

# How a text that a log should have is missed (judging.py)
_SILENT = "its log has no `"


def smoke(
    cloud: Cloud, got: FunctionState, smokes: Sequence[Smoke], tell: Tell | None = None, *, standing: bool = False
) -> tuple[Failure, ...]:  # fmt: skip
    """Invoke `got` (a version, or $LATEST) with each event, one after the other; () where all passed.

    `tell` takes remarks.  What AWS refuses is a failure, too, and ends the proof; nothing of it is raised.
    `standing`: users meet it already.  Where its environments were started before, what imports log can't be asked of
    it, and texts that are missing in a log are a remark.
    """
    failures: list[Failure] = []
    init: float | None = None
    for event in smokes:
        started = cloud.clock.now()
        try:
            invoked = _invoked(cloud, got, event)
        except LamellaError as error:
            return (*failures, _refused(got, event, error))
        times = took(invoked)
        init = max((time for time in (init, times.init) if time is not None), default=None)
        found = seen(invoked)
        if not invoked.error and needs_more(event, found):
            found = _more(cloud, got, invoked, started, found)
        whys = shortfalls(event, invoked, found, Took(times.handler, init))
        if standing and init is None:
            silent = [why for why in whys if why.startswith(_SILENT)]
            whys = tuple(why for why in whys if why not in silent)
            if silent and not whys and tell is not None:
                tell(
                    f"`{got.name}`: {_called(got)} had been started before, so for `{event.event}` {'; '.join(silent)}"
                )
        if whys:
            failures.append(_failure(cloud, got, event, whys, warm=times.init is None and bool(event.log)))
        elif tell is not None:
            _remark(got, event, found, init, tell)
    return tuple(failures)


def _refused(got: FunctionState, event: Smoke, error: LamellaError) -> Failure:
    what = f"it could not be invoked with `{event.event}`: {error.what}"
    hint = error.hint or ""
    if any(_TENANT in line.lower() for line in error.why):
        hint = "a function that is isolated by tenant can't be invoked with smoke events: configure none for it"
    return Failure(got.name, what, error.why, hint)


def _failure(cloud: Cloud, got: FunctionState, event: Smoke, whys: tuple[str, ...], *, warm: bool) -> Failure:
    if warm and any(why.startswith(_SILENT) for why in whys):
        whys += ("it met an environment that had been started before: what imports log came with an earlier event",)
    hint = f"{command(cloud.place, 'logs', got.name, '--since', '10m')} has its log"
    return Failure(got.name, f"`{event.event}` failed on {_called(got)}", whys, hint)


def _remark(got: FunctionState, event: Smoke, found: Seen, init: float | None, tell: Tell) -> None:
    """What was not proven, though nothing failed."""
    if event.longest_init is not None and init is None:
        tell(
            f"`{got.name}`: {_called(got)} had been started before, so `{event.event}` says nothing of its init "
            f"(at most {event.longest_init:g} s)"
        )
    if event.no_log and found.whole:
        tell(f"`{got.name}`: the log of `{event.event}` could be searched in part only: {found.whole}")


def _called(got: FunctionState) -> str:
    return "$LATEST" if got.version == LATEST else f"version {got.version}"


def _invoked(cloud: Cloud, got: FunctionState, event: Smoke) -> Invoked:
    """Raises what AWS refuses, or keeps refusing."""
    qualifier = "" if got.version == LATEST else got.version
    chance = Chance(cloud.clock)
    unanswered = 0
    for attempt in range(1, TRIES):
        try:
            return cloud.lambdas.invoke(got.name, qualifier, event.payload.encode())
        except (ThrottledError, BusyError):
            pass
        except UnreachableError:
            unanswered += 1
            if unanswered > _UNANSWERED:
                raise
        chance.pause(attempt)
    return cloud.lambdas.invoke(got.name, qualifier, event.payload.encode())


def _more(cloud: Cloud, got: FunctionState, invoked: Invoked, started: float, tail: Seen) -> Seen:
    """The whole log of one invocation, as CloudWatch has it; else the tail, with the reason why that is all."""
    request = next((line.request for line in lines(invoked.log) if isinstance(line, Report | Started)), "")
    if not request:
        return tail
    group = got.log_group or f"/aws/lambda/{got.name}"
    start = int((started - _BEFORE) * 1000)
    why = f"CloudWatch has no log of it in `{group}` yet"
    for wait in (0.0, *_LOG_WAITS):
        cloud.clock.sleep(wait)
        try:
            found = _logged(cloud, group, start, got, request)
        except NotThereError:
            why = f"there is no log group `{group}`"
            break
        except LamellaError as error:
            why = error.in_one_line
            break
        if found is not None:
            return Seen(f"{tail.text}\n{found}")
    return tail._replace(whole=f"{tail.whole}; {why}")


def _logged(cloud: Cloud, group: str, start: int, got: FunctionState, request: str) -> str | None:
    """What was logged for one request, its init included; None where its REPORT has not come yet.

    An environment has a stream of its own and one invocation at a time: what is between two reports is of one.
    """
    streams: dict[str, list[str]] = {}
    for event in cloud.logs.events(group, start):
        if version_of(event.stream, got.name) != got.version:
            continue
        lines_of = streams.setdefault(event.stream, [])
        lines_of.append(event.message)
        line = read(event.message)
        if isinstance(line, Report):
            if line.request == request:
                return "\n".join(lines_of)
            lines_of.clear()
    return None
