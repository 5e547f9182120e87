"""Durations of inits, by version."""

from __future__ import annotations

import json

from lamella.cloud.inits import EARLIER, PATTERN, Change, Inits, change, inits
from lamella.cloud.model import LogEvent


def _report(version: str, init: float | None, *, time: int = 0, kind: str = "Init") -> LogEvent:
    text = (
        "REPORT RequestId: r\tDuration: 2.00 ms\tBilled Duration: 3 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\t"
    )
    text += f"{kind} Duration: {init:.2f} ms\t" if init is not None else ""
    return LogEvent(time, text + "\n", f"2026/11/22/[{version}]aa", "")


def test_ranks_are_times_that_were_measured() -> None:
    events = [_report("7", float(time)) for time in range(100, 0, -1)]
    assert inits(events, "api") == (Inits("7", 100, 0, 50.0, 95.0, 100.0),)
    assert inits([_report("7", 5.0)], "api") == (Inits("7", 1, 0, 5.0, 5.0, 5.0),)
    assert inits([_report("7", 1.0), _report("7", 2.0)], "api") == (Inits("7", 2, 0, 1.0, 2.0, 2.0),)


def test_versions_are_in_order_and_warm_invocations_do_not_count() -> None:
    events = [_report("$LATEST", 1.0), _report("10", 1.0), _report("9", None), _report("9", 3.0, kind="Restore")]
    assert [one.version for one in inits(events, "api")] == ["9", "10", "$LATEST"]
    assert inits([_report("9", None)], "api") == ()


def test_failed_inits_are_counted_apart() -> None:
    text = "INIT_REPORT Init Duration: 9999.00 ms\tPhase: init\tStatus: timeout\n"
    events = [LogEvent(0, text, "2026/11/22/[7]aa", ""), _report("7", 10.0)]
    assert inits(events, "api") == (Inits("7", 1, 1, 10.0, 10.0, 10.0),)
    assert inits(events[:1], "api") == (Inits("7", 0, 1),)


def test_failed_starts_from_a_snapshot_count() -> None:
    text = "RESTORE_REPORT Restore Duration: 10000.00 ms\tStatus: timeout\n"
    tree = {"type": "platform.restoreReport", "record": {"status": "error", "metrics": {"durationMs": 99}}}
    went = "RESTORE_REPORT Restore Duration: 300.00 ms\n"
    events = [LogEvent(0, line, "2026/11/22/[7]aa", "") for line in (text, json.dumps(tree), went)]
    assert inits([*events, _report("7", 300.0, kind="Restore")], "api") == (Inits("7", 1, 2, 300.0, 300.0, 300.0),)
    for word in ("Restore Duration", "platform.restoreReport", "platform.initReport"):
        assert f'?"{word}"' in PATTERN


def test_an_init_that_json_tells_of_twice_counts_once() -> None:
    init = {"type": "platform.initReport", "record": {"status": "success", "metrics": {"durationMs": 99}}}
    report = {
        "type": "platform.report",
        "record": {"requestId": "r", "status": "success", "metrics": {"durationMs": 1, "initDurationMs": 99}},
    }
    events = [LogEvent(0, json.dumps(tree), "2026/11/22/[7]aa", "") for tree in (init, report)]
    assert inits(events, "api") == (Inits("7", 1, 0, 99.0, 99.0, 99.0),)


def test_other_functions_in_a_shared_group_are_left_out() -> None:
    events = [_report("7", 1.0)._replace(stream=f"2026/11/22/{name}[7][aa]") for name in ("api", "worker")]
    assert inits(events, "api") == (Inits("7", 1, 0, 1.0, 1.0, 1.0),)


def test_latest_is_divided_by_its_last_change() -> None:
    events = [_report("$LATEST", 9.0, time=999), _report("$LATEST", 3.0, time=1000)]
    found = inits(events, "api", since=1.0)
    assert [(one.version, one.p50) for one in found] == [(EARLIER, 9.0), ("$LATEST", 3.0)]
    assert change(found, "$LATEST", EARLIER) == Change(found[0], found[1])


def test_a_change_is_told_against_the_version_before() -> None:
    found = inits([_report(version, float(version)) for version in ("5", "6", "8")], "api")
    by = {one.version: one for one in found}
    assert change(found, "8", "5") == Change(by["5"], by["8"])
    assert change(found, "8") == change(found, "8", "7") == Change(by["6"], by["8"])
    assert change(found, "5") is None
    assert change(found, "9", "8") is None
    assert change(found, "$LATEST", EARLIER) is None
