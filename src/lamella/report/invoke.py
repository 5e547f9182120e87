"""What came of an invocation: the answer, and where it ran."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from lamella.local.events import Sample
    from lamella.report.console import Console
    from lamella.runtime.model import Result


def show(console: Console, result: Result, *, last: bool) -> None:
    """The answer on stdout, as the function gave it; after the last one, what it was isolated by on stderr."""
    console.data(result.payload.decode("utf-8", "replace"))
    if last:
        console.say(f"isolation: {result.isolation}")


def as_json(function: str, results: Sequence[Result]) -> str:
    """All that came of them.  Durations are in milliseconds, memory in megabytes."""
    tree = {"function": function, "invocations": [_told(result) for result in results]}
    return json.dumps(tree, indent=2, ensure_ascii=False)


def _told(result: Result) -> dict[str, Any]:
    report = result.report
    return {
        "requestId": report.request_id,
        "payload": _payload(result.payload),
        "functionError": result.error or None,
        "log": result.log.decode("utf-8", "replace").splitlines(),
        "report": {
            "duration": report.duration,
            "billedDuration": report.billed,
            "memorySize": report.memory,
            "maxMemoryUsed": report.used,
            "initDuration": report.init,
            "status": report.status or "success",
        },
        "isolation": result.isolation,
    }


def _payload(payload: bytes) -> Any:
    """What it is as JSON; as text where it is none, or holds what only Python takes for a number."""
    try:
        return json.loads(payload, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return payload.decode("utf-8", "replace")


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def show_samples(console: Console, samples: Sequence[Sample]) -> None:
    """A row for each sample event, with the names of its values."""
    rows = [(sample.name, sample.about, ", ".join(_values(sample))) for sample in samples]
    console.table(("event", "about", "values"), rows, right=frozenset())


def samples_as_json(samples: Sequence[Sample]) -> str:
    tree = [{"name": sample.name, "about": sample.about, "values": _values(sample)} for sample in samples]
    return json.dumps(tree, indent=2, ensure_ascii=False)


def _values(sample: Sample) -> list[str]:
    return [value.name for value in sample.values if value.of == value.name]
