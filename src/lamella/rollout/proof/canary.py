"""Watch new versions that get a part of the invocations, before they get all.

Lambda's metrics have one value a minute, and CloudWatch has them late (AWS Lambda developer guide, "Using CloudWatch
metrics with Lambda"): what failed in the last minute is known only after it.  So the alias keeps its weight for up to
`LATE` seconds beyond the canary's minutes, and what comes in then counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lamella.aws import UnreachableError
from lamella.cloud.model import AlarmState, Cloud
from lamella.config.model import Canary
from lamella.errors import LamellaError
from lamella.rollout.commands import command
from lamella.rollout.model import Failure, Plan, ShiftAlias
from lamella.rollout.steps.stopping import Tell
from lamella.wording import counted, printable

EVERY = 15.0  # seconds
LATE = 120.0  # seconds; at most twice the canary's own time
_ALARM = "ALARM"
_MINUTE = 60


class Shift(NamedTuple):
    """An alias that sends a part of its invocations to the new `version`, from now on."""

    function: str
    alias: str
    version: str
    canary: Canary


class _Round(NamedTuple):
    """One look at everything.  `unseen` is why something could not be looked at, "" where all was."""

    failures: tuple[Failure, ...]
    invocations: dict[Shift, int]
    unseen: tuple[str, ...] = ()


def obstacles(cloud: Cloud, plan: Plan) -> tuple[Failure, ...]:
    """Alarms of the plan's canaries that aren't there, or that are in ALARM already.  To be asked before any change.

    Raises what AWS refuses.
    """
    steps = [(change.wanted.name, step) for change in plan.changes for step in change.steps]
    canaries = [(name, step.canary) for name, step in steps if isinstance(step, ShiftAlias) and step.canary is not None]
    found = []
    for function, name, state in _warning(cloud, canaries):
        if state is None:
            what, why = f"there is no CloudWatch alarm `{printable(name)}`", ("its canary is to be watched by it",)
            found.append(Failure(function, what, why, "create it, or correct `canary.alarms`"))
        else:
            hint = "put right first what it warns of, or take it out of `canary.alarms`"
            found.append(Failure(function, f"the alarm `{printable(name)}` is in ALARM already", _said(state), hint))
    return tuple(found)


def watch(cloud: Cloud, shifts: Sequence[Shift], tell: Tell | None = None) -> tuple[Failure, ...]:
    """Look every 15 s at each new version's errors behind its alias, and at the alarms, until the minutes are over.

    They are watched together: all keep their weight for as long as the longest of them.
    Ends with the first look that finds something; () where nothing was found.  A look that AWS doesn't answer is made
    again; where the last one failed, or AWS refuses it, that is a failure: nothing was proven.  `tell` takes remarks.
    """
    say = tell or (lambda _: None)
    start = cloud.clock.now()
    seconds = max((shift.canary.minutes * 60 for shift in shifts), default=0.0)
    last = start + seconds + min(LATE, 2 * seconds)
    invocations: dict[Shift, int] = {}
    told = False
    while True:
        now = cloud.clock.now()
        seen = _look(cloud, shifts, start, now)
        invocations |= seen.invocations
        if seen.failures:
            return seen.failures
        if now >= last:
            break
        if seen.unseen and not told:
            say(f"CloudWatch does not answer, and is asked again: {seen.unseen[0]}")
        told = bool(seen.unseen)
        cloud.clock.sleep(max(0.0, min(now + EVERY, last) - cloud.clock.now()))
    if seen.unseen:
        return (Failure("", "the canary could not be watched to its end", seen.unseen, "deploy again"),)
    for shift in shifts:
        if not invocations.get(shift):
            say(f"`{shift.function}`: no invocation of `{shift.alias}` met version {shift.version} in its canary")
    return ()


def _look(cloud: Cloud, shifts: Sequence[Shift], start: float, now: float) -> _Round:
    failures: list[Failure] = []
    invocations: dict[Shift, int] = {}
    unseen: list[str] = []
    # Whole minutes, as the metrics have
    since = start // _MINUTE * _MINUTE
    for shift in shifts:
        try:
            errors, invocations[shift] = cloud.alarms.errors(shift.function, shift.alias, shift.version, since, now)
        except UnreachableError as error:
            unseen.append(error.in_one_line)
            continue
        except LamellaError as error:
            failures.append(_unwatched(shift.function, error))
            continue
        if errors > shift.canary.errors:
            failures.append(_erred(cloud, shift, errors, invocations[shift]))
    try:
        failures += _alarmed(cloud, shifts)
    except UnreachableError as error:
        unseen.append(error.in_one_line)
    except LamellaError as error:
        failures.append(_unwatched("", error))
    return _Round(tuple(failures), invocations, tuple(unseen))


def _alarmed(cloud: Cloud, shifts: Sequence[Shift]) -> list[Failure]:
    found = []
    for function, name, state in _warning(cloud, [(shift.function, shift.canary) for shift in shifts]):
        if state is None:
            found.append(Failure(function, f"the alarm `{printable(name)}` is gone", (), "create it again"))
        else:
            hint = "see what it warns of: `aws cloudwatch describe-alarm-history`"
            found.append(Failure(function, f"the alarm `{printable(name)}` is in ALARM", _said(state), hint))
    return found


def _warning(cloud: Cloud, canaries: Iterable[tuple[str, Canary]]) -> list[tuple[str, str, AlarmState | None]]:
    """The function, the name and the state of each alarm in ALARM, and of each that isn't there (None), once."""
    watching: dict[str, str] = {}
    for function, canary in canaries:
        for name in canary.alarms:
            watching.setdefault(name, function)
    states = {state.name: state for state in cloud.alarms.alarms(tuple(watching))} if watching else {}
    rows = [(function, name, states.get(name)) for name, function in watching.items()]
    return [row for row in rows if row[2] is None or row[2].state == _ALARM]


def _erred(cloud: Cloud, shift: Shift, errors: int, invocations: int) -> Failure:
    allowed = f"more than {counted(shift.canary.errors, 'error')}" if shift.canary.errors else "none may fail"
    why = f"{counted(errors, 'error')} in {counted(invocations, 'invocation')} through `{shift.alias}`: {allowed}"
    hint = f"{command(cloud.place, 'logs', shift.function, '--since', '1h')} has its log"
    return Failure(shift.function, f"version {shift.version} failed in its canary", (why,), hint)


def _unwatched(function: str, error: LamellaError) -> Failure:
    return Failure(function, "its canary can't be watched", (error.what, *error.why), error.hint or "")


def _said(state: AlarmState) -> tuple[str, ...]:
    return (f"AWS: {printable(state.reason)}",) if state.reason else ()
