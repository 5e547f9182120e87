"""What Lambda itself writes into a function's log: reports of invocations and inits, as text or as JSON.

Sources: AWS Lambda developer guide, "Understanding the Lambda execution environment lifecycle" (REPORT, INIT_REPORT,
RESTORE_REPORT), "Configuring JSON and plain text log formats" (platform events; AWS Lambda Telemetry API, "Event schema
reference"), and "Configuring CloudWatch log groups" (names of streams).  `lamella.runtime.words` writes the same lines.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NamedTuple

_STREAM = re.compile(r"\d{4}/\d\d/\d\d/([^\[\]]*)\[([^\[\]]+)\]")
_MILLISECONDS = r"([\d.]+) ms"
_REQUEST = re.compile(r"(?:REPORT|START|END) RequestId: (\S+)")
_DURATION = re.compile(rf"(?:^|\t)Duration: {_MILLISECONDS}")
_BILLED = re.compile(rf"\tBilled Duration: {_MILLISECONDS}")
_MEMORY = re.compile(r"\tMemory Size: (\d+) MB")
_USED = re.compile(r"\tMax Memory Used: (\d+) MB")
_INIT = re.compile(rf"(?:INIT_REPORT |\t)Init Duration: {_MILLISECONDS}")
_RESTORE = re.compile(rf"(?:^RESTORE_REPORT |\t)Restore Duration: {_MILLISECONDS}")
_STATUS = re.compile(r"\tStatus: (\w+)")
_PHASE = re.compile(r"\tPhase: (\w+)")
_RUNTIME = re.compile(r"Runtime Version: (\S+)")


class Report(NamedTuple):
    """The end of an invocation.  Times are in milliseconds, memory in megabytes.

    `init` is None for one that met an environment that had been started before.  `restore` is what starting from a
    snapshot (SnapStart) took.  `status` is "" for success, or what AWS says: "error", "timeout", "failure".
    """

    request: str
    duration: float
    billed: int
    memory: int
    used: int
    init: float | None = None
    restore: float | None = None
    status: str = ""


class InitReport(NamedTuple):
    """The end of an init, or of a start from a snapshot; as text AWS writes an init's only where it failed.

    `phase` is "init", "invoke" where a failed one is repeated within the invocation, or "restore".  `duration` is in
    milliseconds, `status` as a report's.
    """

    duration: float
    phase: str
    status: str


class InitStart(NamedTuple):
    """`runtime` is the runtime's own version: ``python:3.12.v36``."""

    runtime: str


class Started(NamedTuple):
    """The beginning of an invocation."""

    request: str


Line = Report | InitReport | InitStart | Started


def read(message: str) -> Line | None:
    """What a line of a log means; None for what is the function's own, or that nothing here needs."""
    text = message.strip()
    if text.startswith("{"):
        return _event(text)
    if text.startswith("REPORT RequestId: "):
        return _report(text)
    if text.startswith("INIT_REPORT "):
        phase = _PHASE.search(text)
        return InitReport(_number(_INIT, text) or 0.0, phase[1] if phase else "init", _status(text))
    if text.startswith("RESTORE_REPORT "):
        return InitReport(_number(_RESTORE, text) or 0.0, "restore", _status(text))
    if text.startswith("INIT_START "):
        runtime = _RUNTIME.search(text)
        return InitStart(runtime[1] if runtime else "")
    if text.startswith("START RequestId: ") and (found := _REQUEST.match(text)):
        return Started(found[1])
    return None


def lines(log: str) -> tuple[Line, ...]:
    """All that `read` finds in the text of a log."""
    return tuple(found for line in log.splitlines() if (found := read(line)) is not None)


def version_of(stream: str, function: str = "") -> str:
    """The version of the function that wrote a log stream: "7", "$LATEST".

    The streams are ``2026/11/22/[7]5ec2e7…``; in a log group that functions share they have its name, too:
    ``2026/11/22/api[7][5ec2e7…]``.  "" for any other stream, and for one of another function than `function`.
    """
    found = _STREAM.match(stream)
    if found is None or (function and found[1] not in ("", function)):
        return ""
    return found[2]


def _report(text: str) -> Report:
    request = _REQUEST.match(text)
    return Report(
        request[1] if request else "",
        _number(_DURATION, text) or 0.0,
        int(_number(_BILLED, text) or 0),
        int(_number(_MEMORY, text) or 0),
        int(_number(_USED, text) or 0),
        _number(_INIT, text),
        _number(_RESTORE, text),
        _status(text),
    )


def _number(pattern: re.Pattern[str], text: str) -> float | None:
    found = pattern.search(text)
    try:
        return float(found[1]) if found else None
    except ValueError:
        return None


def _status(text: str) -> str:
    found = _STATUS.search(text)
    return "" if found is None or found[1] == "success" else found[1]


def _event(text: str) -> Line | None:
    """A platform event of JSON logging.  A function's own JSON may look alike: what doesn't fit is none."""
    if '"platform.' not in text:
        return None
    try:
        tree = json.loads(text)
        record = tree["record"]
        if not isinstance(record, dict):
            return None
        return _platform(str(tree["type"]), record)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        return None


def _measured(value: Any) -> float:
    """A time.  Raises ValueError for what Python takes for a number, and is none: ``NaN``, ``Infinity``."""
    time = float(value)
    if not math.isfinite(time):
        raise ValueError(value)
    return time


def _platform(kind: str, record: dict[str, Any]) -> Line | None:
    status = str(record.get("status", ""))
    status = "" if status == "success" else status
    if kind == "platform.report":
        metrics = record["metrics"]
        init, restore = metrics.get("initDurationMs"), metrics.get("restoreDurationMs")
        return Report(
            str(record["requestId"]),
            _measured(metrics["durationMs"]),
            int(metrics.get("billedDurationMs", 0)),
            int(metrics.get("memorySizeMB", 0)),
            int(metrics.get("maxMemoryUsedMB", 0)),
            None if init is None else _measured(init),
            None if restore is None else _measured(restore),
            status,
        )
    if kind == "platform.initReport":
        return InitReport(_measured(record["metrics"]["durationMs"]), str(record.get("phase", "init")), status)
    if kind == "platform.restoreReport":
        return InitReport(_measured(record["metrics"]["durationMs"]), "restore", status)
    if kind == "platform.initStart":
        return InitStart(str(record.get("runtimeVersion", "")))
    if kind == "platform.start":
        return Started(str(record["requestId"]))
    return None
