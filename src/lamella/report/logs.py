"""Log lines, and how long a function takes to start, as people and programs read them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lamella.cloud.reports import version_of
from lamella.report.sizes import duration

if TYPE_CHECKING:
    from lamella.cloud.inits import Change, Inits
    from lamella.cloud.model import LogEvent
    from lamella.report.console import Console

SCHEMA = 1
_COLUMNS = ("version", "inits", "failed", "p50", "p95", "longest")
_RIGHT = frozenset({1, 2, 3, 4, 5})


def line(event: LogEvent) -> str:
    """One event, with its time (UTC) and the version that wrote it; its further lines as they are."""
    version = version_of(event.stream)
    named = f" [{version}]" if version else ""
    return f"{_time(event.time)}{named} {event.message.rstrip()}"


def as_json_line(event: LogEvent) -> str:
    """One event as one line of JSON; `time` is in ISO 8601."""
    tree = {
        "time": _time(event.time),
        "version": version_of(event.stream) or None,
        "message": event.message.rstrip("\n"),
        "stream": event.stream,
        "id": event.id,
    }
    return json.dumps(tree, ensure_ascii=False)


def show_inits(console: Console, name: str, found: Sequence[Inits], change: Change | None) -> None:
    if not found:
        console.say(f"Nothing of `{name}` was started in this time, or its log does not tell")
        return
    rows = [_row(one) for one in found]
    console.table(_COLUMNS, rows, right=_RIGHT)
    if change is not None:
        before, after, deployed = change
        versions = f"{before.version} to {after.version}"
        since = "Since the last deploy" if deployed else "Since it was last changed"
        p50, p95 = _compared(before.p50, after.p50), _compared(before.p95, after.p95)
        console.say(f"{since} ({versions}): p50 {p50}, p95 {p95}")


def inits_as_json(name: str, found: Sequence[Inits], change: Change | None) -> str:
    """Times in milliseconds; null where nothing was measured."""
    tree: dict[str, Any] = {"schema": SCHEMA, "function": name, "versions": [_tree(one) for one in found]}
    tree["change"] = None
    if change is not None:
        before, after, deployed = change
        tree["change"] = {
            "since": "deploy" if deployed else "change",
            "before": before.version,
            "after": after.version,
            "p50": round(after.p50 - before.p50, 2),
            "p95": round(after.p95 - before.p95, 2),
        }
    return json.dumps(tree, indent=2)


def _tree(one: Inits) -> dict[str, Any]:
    times = {"p50": one.p50, "p95": one.p95, "longest": one.longest}
    known = {name: time if one.number else None for name, time in times.items()}
    return {"version": one.version, "inits": one.number, "failed": one.failed, **known}


def _time(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03}Z"


def _row(one: Inits) -> tuple[str, ...]:
    times = (duration(time / 1000) if one.number else "-" for time in (one.p50, one.p95, one.longest))
    return (one.version, f"{one.number}", f"{one.failed}", *times)


def _compared(before: float, after: float) -> str:
    share = f" ({(after - before) / before:+.0%})" if before else ""
    return f"{duration(before / 1000)} to {duration(after / 1000)}{share}"
