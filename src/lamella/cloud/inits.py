"""How long a function's environments took to start, by the version that started.  Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from lamella.cloud.model import LATEST, LogEvent
from lamella.cloud.reports import InitReport, Report, read, version_of

# CloudWatch Logs user guide, "Filter pattern syntax": any of these; text and JSON
PATTERN = (
    '?"Init Duration" ?"Restore Duration" ?initDurationMs ?restoreDurationMs ?"platform.initReport" '
    '?"platform.restoreReport"'
)


class Inits(NamedTuple):
    """The inits of one version, or of what $LATEST was before or after some time.

    `number` are those that went well; `p50`, `p95` and `longest` of them are in milliseconds.  `failed` are those that
    failed or ran out of time.
    """

    version: str
    number: int
    failed: int
    p50: float = 0.0
    p95: float = 0.0
    longest: float = 0.0


class Change(NamedTuple):
    """Two versions, or two states of $LATEST: before and after the last deploy.

    `deployed` is false where nobody knows of a deploy: `after` is then what was measured since AWS had a last change.
    """

    before: Inits
    after: Inits
    deployed: bool = True


EARLIER = f"{LATEST} (earlier)"


def inits(events: Iterable[LogEvent], function: str, since: float | None = None) -> tuple[Inits, ...]:
    """The versions that started anything, oldest first, $LATEST last.

    `since` (seconds of the epoch) divides $LATEST: what started before is `EARLIER`.  A start from a snapshot counts as
    an init.  A failed init that is repeated within its invocation counts as failed once for each try.
    """
    went: dict[str, list[float]] = {}
    failed: dict[str, int] = {}
    for event in events:
        version = version_of(event.stream, function)
        if not version:
            continue
        if version == LATEST and since is not None and event.time < since * 1000:
            version = EARLIER
        line = read(event.message)
        if isinstance(line, InitReport) and line.status:
            failed[version] = failed.get(version, 0) + 1
        elif isinstance(line, Report):
            # With JSON logging an init that went well is told of twice: the invocation's report counts
            time = line.init if line.init is not None else line.restore
            if time is not None:
                went.setdefault(version, []).append(time)
    return tuple(
        _summed(version, sorted(went.get(version, ())), failed.get(version, 0))
        for version in sorted(went.keys() | failed.keys(), key=_order)
    )


def _summed(version: str, times: list[float], failed: int) -> Inits:
    if not times:
        return Inits(version, 0, failed)
    return Inits(version, len(times), failed, _rank(times, 0.5), _rank(times, 0.95), times[-1])


def _rank(times: list[float], share: float) -> float:
    """The nearest rank: a time that was measured, not one between two."""
    return times[max(0, math.ceil(share * len(times)) - 1)]


def _order(version: str) -> tuple[int, int]:
    return (0, int(version)) if version.isdigit() else (1 if version == EARLIER else 2, 0)


def change(found: Iterable[Inits], after: str, before: str = "") -> Change | None:
    """The version `after` against `before`; where that is "" or measured nothing, against the one below it.

    None where nothing was measured on one side.
    """
    measured = {one.version: one for one in found if one.number}
    if after not in measured:
        return None
    if before in measured and before != after:
        return Change(measured[before], measured[after])
    lower = [version for version in measured if _order(version) < _order(after) and _kind(version) == _kind(after)]
    return Change(measured[max(lower, key=_order)], measured[after]) if lower else None


def _kind(version: str) -> bool:
    return version.isdigit()
