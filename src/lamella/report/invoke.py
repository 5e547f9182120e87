"""What came of an invocation: the answer, and where it ran."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode("utf-8", "replace")
