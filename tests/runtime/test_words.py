from __future__ import annotations

import json

import pytest

from lamella.runtime import words
from lamella.runtime.model import Report

ROW = Report("r1", 1.234, 2, 128, 40, None, "")


@pytest.mark.parametrize(
    ("row", "kind", "text"),
    [
        (ROW, "", "Max Memory Used: 40 MB\t\n"),
        (ROW._replace(init=100.0), "", "Max Memory Used: 40 MB\tInit Duration: 100.00 ms\t\n"),
        (ROW._replace(status="timeout"), "", "Max Memory Used: 40 MB\tStatus: timeout\n"),
        (
            ROW._replace(status="error", init=495.04),
            "Runtime.OutOfMemory",
            "Max Memory Used: 40 MB\tInit Duration: 495.04 ms\tStatus: error\tError Type: Runtime.OutOfMemory\n",
        ),
    ],
)
def test_the_report(row: Report, kind: str, text: str) -> None:
    head = "REPORT RequestId: r1\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\t"
    assert words.report(row, kind).decode() == head + text


def test_start_end_and_timeout() -> None:
    assert words.start("r1", "$LATEST") == b"START RequestId: r1 Version: $LATEST\n"
    assert words.end("r1") == b"END RequestId: r1\n"
    line = words.timeout_line("r1", 3, 1709572958.0334)
    assert line == b"2024-03-04T17:22:38.033Z r1 Task timed out after 3.00 seconds\n"


def test_init_that_failed() -> None:
    assert (
        words.init_report(1236.04, "init", "timeout")
        == b"INIT_REPORT Init Duration: 1236.04 ms\tPhase: init\tStatus: timeout\n"
    )
    assert words.init_report(1.5, "invoke", "error", words.EXIT_ERROR) == (
        b"INIT_REPORT Init Duration: 1.50 ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError\n"
    )


@pytest.mark.parametrize(
    ("duration", "init", "billed"), [(1.0, None, 1), (1.01, None, 2), (133.61, 80.0, 214), (0.0, None, 0)]
)
def test_what_is_billed(duration: float, init: float | None, billed: int) -> None:
    assert words.billed(duration, init) == billed


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (0, "Runtime exited without providing a reason"),
        (1, "Runtime exited with error: exit status 1"),
        (137, "Runtime exited with error: signal: killed"),
        (139, "Runtime exited with error: signal: segmentation fault"),
        (134, "Runtime exited with error: signal: aborted"),
        (255, "Runtime exited with error: exit status 255"),
    ],
)
def test_how_a_runtime_ended(code: int, text: str) -> None:
    assert words.exited(code) == text


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ("Runtime.ImportModuleError", "Runtime.ImportModuleError"),
        ("Function.Mine", "Function.Mine"),
        ("Function.x", "Function.Unknown"),
        ("ValueError", "Runtime.Unknown"),
        ("", "Runtime.Unknown"),
    ],
)
def test_types_of_errors(given: str, known: str) -> None:
    assert words.known_kind(given) == known


def test_payloads_are_json_as_aws_writes_it() -> None:
    assert words.failed(words.TIMED_OUT, "r1", words.timed_out(3)) == (
        b'{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: r1 Error: Task timed out after 3.00 seconds"}'
    )
    assert json.loads(words.failed("x", 'a"b\n', "é")) == {
        "errorType": "x",
        "errorMessage": 'RequestId: a"b\n Error: é',
    }
    assert words.too_large(6291556) == (
        b'{"errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes).",'
        b'"errorType":"Function.ResponseSizeTooLarge"}'
    )
