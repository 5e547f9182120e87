"""What Lambda writes into logs, read back."""

from __future__ import annotations

import json

import pytest

from lamella.cloud.reports import InitReport, InitStart, Report, Started, lines, read, version_of
from lamella.runtime import words
from lamella.runtime.model import Report as Written

_EVENT = {"time": "2026-11-22T10:00:00.000Z", "type": "platform.report"}


def test_what_the_local_runtime_writes_is_read_back() -> None:
    """`runtime.words` writes these lines for functions that run here."""
    for init, status, said in ((None, "success", ""), (120.5, "error", "error"), (1.0, "timeout", "timeout")):
        row = Written(request_id="r1", duration=12.34, billed=133, memory=512, used=99, init=init, status=status)
        line = words.report(row, "Runtime.Unknown").decode()
        assert read(line) == Report("r1", 12.34, 133, 512, 99, init, None, said)
    assert read(words.init_report(9999.5, "invoke", "timeout").decode()) == InitReport(9999.5, "invoke", "timeout")
    assert read(words.start("r1", "7").decode()) == Started("r1")
    assert read(words.end("r1").decode()) is None


def test_a_report_as_aws_writes_it() -> None:
    line = (
        "REPORT RequestId: 8f5e-1\tDuration: 1.46 ms\tBilled Duration: 2 ms\tMemory Size: 1769 MB\t"
        "Max Memory Used: 33 MB\tRestore Duration: 411.20 ms\tBilled Restore Duration: 59 ms\t\n"
        "XRAY TraceId: 1-5-a\tSegmentId: b\tSampled: true\t\n"
    )
    assert read(line) == Report("8f5e-1", 1.46, 2, 1769, 33, None, 411.2, "")


def test_a_restore_as_aws_writes_it() -> None:
    assert read("RESTORE_REPORT Restore Duration: 411.20 ms\n") == InitReport(411.2, "restore", "")
    line = "RESTORE_REPORT Restore Duration: 10000.00 ms\tStatus: timeout\n"
    assert read(line) == InitReport(10000.0, "restore", "timeout")


def test_init_start() -> None:
    line = "INIT_START Runtime Version: python:3.12.v36\tRuntime Version ARN: arn:aws:lambda:eu-west-1::runtime:ab\n"
    assert read(line) == InitStart("python:3.12.v36")


@pytest.mark.parametrize(
    ("kind", "record", "found"),
    [
        (
            "platform.report",
            {
                "requestId": "r1",
                "status": "success",
                "metrics": {
                    "durationMs": 1.5, "billedDurationMs": 2, "memorySizeMB": 128, "maxMemoryUsedMB": 40,
                    "initDurationMs": 120.25,
                },
            },
            Report("r1", 1.5, 2, 128, 40, 120.25, None, ""),
        ),
        (
            "platform.report",
            {"requestId": "r1", "status": "timeout", "metrics": {"durationMs": 3000, "restoreDurationMs": 5}},
            Report("r1", 3000.0, 0, 0, 0, None, 5.0, "timeout"),
        ),
        (
            "platform.initReport",
            {"phase": "init", "status": "error", "metrics": {"durationMs": 10}},
            InitReport(10.0, "init", "error"),
        ),
        (
            "platform.restoreReport",
            {"status": "failure", "errorType": "Runtime.X", "metrics": {"durationMs": 10.5}},
            InitReport(10.5, "restore", "failure"),
        ),
        ("platform.initReport", {"status": "error", "metrics": {"durationMs": "NaN"}}, None),
        ("platform.report", {"requestId": "r1", "metrics": {"durationMs": float("nan")}}, None),
        ("platform.report", {"requestId": "r1", "metrics": {"durationMs": 1, "initDurationMs": "Infinity"}}, None),
        ("platform.initStart", {"runtimeVersion": "python:3.13.v5"}, InitStart("python:3.13.v5")),
        ("platform.start", {"requestId": "r1", "version": "7"}, Started("r1")),
        ("platform.extension", {"name": "x"}, None),
        ("platform.report", {"requestId": "r1"}, None),
        ("platform.report", {"requestId": "r1", "metrics": {"durationMs": "many"}}, None),
        ("platform.report", {"requestId": "r1", "metrics": [1]}, None),
    ],
)  # fmt: skip
def test_events_of_json_logging(kind: str, record: object, found: object) -> None:
    assert read(json.dumps({**_EVENT, "type": kind, "record": record}) + "\n") == found


@pytest.mark.parametrize(
    "line",
    [
        "", "hello", "REPORT", "REPORT RequestId:", "the REPORT RequestId: x", '{"message": "platform."}', "{broken",
        '{"type": "platform.report", "record": []}', '{"type": "platform.', "[" * 5000, '{"platform.":' * 20_000,
    ],
)  # fmt: skip
def test_what_functions_write_is_not_taken_for_lambdas_own(line: str) -> None:
    assert read(line) is None


def test_numbers_that_are_none_do_no_harm() -> None:
    assert read("REPORT RequestId: r\tDuration: 1.2.3 ms\tBilled Duration: .. ms\t") == Report("r", 0, 0, 0, 0)


def test_lines_of_a_log() -> None:
    log = "INIT_START Runtime Version: p\nhello\nSTART RequestId: r1 Version: 7\nEND RequestId: r1\n"
    assert lines(log) == (InitStart("p"), Started("r1"))


@pytest.mark.parametrize(
    ("stream", "function", "version"),
    [
        ("2026/11/22/[7]5ec2e7", "api", "7"),
        ("2026/11/22/[$LATEST]5ec2e7", "", "$LATEST"),
        ("2026/11/22/api[7][5ec2e7]", "api", "7"),
        ("2026/11/22/api[7][5ec2e7]", "", "7"),
        ("2026/11/22/worker[7][5ec2e7]", "api", ""),
        ("my-own-stream", "api", ""),
        ("", "", ""),
    ],
)
def test_the_version_is_in_the_streams_name(stream: str, function: str, version: str) -> None:
    assert version_of(stream, function) == version
