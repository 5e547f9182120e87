"""What an invocation came to, against what was expected of it."""

from __future__ import annotations

import base64
import json

import pytest

from lamella.cloud.model import Invoked
from lamella.config.model import Smoke
from lamella.rollout.proof.judging import Seen, Took, decoded, needs_more, seen, shortfalls, took

_REPORT = (
    "REPORT RequestId: r1\tDuration: 20.00 ms\tBilled Duration: 121 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\t"
)
_START = "START RequestId: r1 Version: 7\n"
_INIT_START = "INIT_START Runtime Version: python:3.12.v36\tRuntime Version ARN: arn:aws:lambda:x::runtime:1\n"

_UNKNOWN = Took()


def _whys(
    smoke: Smoke, answer: object = None, *, log: str = "", times: Took = _UNKNOWN, error: str = ""
) -> tuple[str, ...]:
    payload = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return shortfalls(smoke, Invoked(200, payload, error, log), Seen(log), times)


def test_an_event_that_expects_nothing_passes_with_any_answer() -> None:
    assert _whys(Smoke("e"), b"no json at all") == ()
    assert _whys(Smoke("e"), {"statusCode": 500}) == ()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"statusCode": 200}, ()),
        ({"statusCode": "200"}, ()),
        ({"statusCode": 500}, ('it answered 500, not 200: {"statusCode": 500}',)),
        ({}, ("its answer has no statusCode, 200 was expected: {}",)),
        ([1], ("its answer has no statusCode, 200 was expected: [1]",)),
        (b"<html>", ("its answer is no JSON: <html>",)),
        (b"", ("its answer is no JSON: nothing",)),
        (b"[" * 100_000, None),
    ],
)
def test_status(answer: object, said: tuple[str, ...] | None) -> None:
    found = _whys(Smoke("e", status=200), answer)
    assert found == said if said is not None else len(found) == 1


def test_what_the_function_raised_is_the_reason() -> None:
    answer = {
        "errorMessage": "Unable to import module 'app': No module named 'rawpy'",
        "errorType": "Runtime.ImportModuleError",
    }
    assert _whys(Smoke("e", status=200), answer, error="Unhandled") == (
        "it raised `Runtime.ImportModuleError`: Unable to import module 'app': No module named 'rawpy'",
    )
    assert _whys(Smoke("e"), {"errorMessage": "2026 Task timed out"}, error="Unhandled") == (
        "it failed: 2026 Task timed out",
    )
    assert _whys(Smoke("e"), b"gone", error="Unhandled") == ("it failed (Unhandled): gone",)


@pytest.mark.parametrize(
    ("expression", "value", "passes"),
    [
        ("body.ready", "true", True),
        ("body.ready", "1", False),
        ("body.count", "1", True),
        ("body.count", "1.0", True),
        ("body.count", "true", False),
        ("length(body.formats)", "2", True),
        ("body.formats", '["raw", "heif"]', True),
        ("body.formats", '["heif", "raw"]', False),
        ("body.nested", '{"a": 1}', True),
        ("body.nested", '{"a": 1, "b": 2}', False),
        ("body.missing", "null", True),
        ("headers.x", '"y"', True),
        ("length(body.count)", "1", False),  # a type that JMESPath's function doesn't take
    ],
)
def test_jmespath_on_the_decoded_body(expression: str, value: str, passes: bool) -> None:
    body = json.dumps({"ready": True, "count": 1, "formats": ["raw", "heif"], "nested": {"a": 1}})
    answer = {"statusCode": 200, "headers": {"x": "y"}, "body": body}
    whys = _whys(Smoke("e", answer=((expression, value),)), answer)
    assert (whys == ()) is passes, whys


def test_jmespath_tells_what_it_found() -> None:
    assert _whys(Smoke("e", answer=(("body.ready", "true"),)), {"body": '{"ready": false}'}) == (
        "`body.ready` is false, not true",
    )


def test_a_body_is_decoded_where_it_is_an_object_or_a_list() -> None:
    assert decoded(b'{"body": "123"}') == {"body": "123"}
    assert decoded(b'{"body": "plain"}') == {"body": "plain"}
    assert decoded(b'{"body": "[1]"}') == {"body": [1]}
    held = base64.b64encode(b'{"a": 1}').decode()
    assert decoded(json.dumps({"body": held, "isBase64Encoded": True}).encode()) == {
        "body": {"a": 1},
        "isBase64Encoded": True,
    }
    assert decoded(json.dumps({"body": "%%", "isBase64Encoded": True}).encode())["body"] == "%%"
    with pytest.raises(ValueError, match="utf-8"):
        decoded(b"\xff")


def test_log_lines() -> None:
    smoke = Smoke("e", log=("RAW: on",), no_log=("not installed",))
    assert _whys(smoke, log="x RAW: on y") == ()
    assert _whys(smoke, log="rawpy not installed") == (
        "its log has `not installed`: rawpy not installed",
        "its log has no `RAW: on`",
    )


def test_a_line_within_json_is_found_without_its_escapes() -> None:
    line = json.dumps({"level": "INFO", "message": 'format "RAW" ünabled'})
    assert _whys(Smoke("e", log=('format "RAW" ünabled',)), log=f"{{broken\\\n{line}\n") == ()


def test_times() -> None:
    smoke = Smoke("e", longest_init=2.0, longest=0.5)
    assert _whys(smoke, times=Took(0.5, 2.0)) == ()
    assert _whys(smoke, times=Took(None, None)) == ()
    assert _whys(smoke, times=Took(0.51, 2.5)) == (
        "its init took 2.50 s, more than 2 s",
        "its handler took 0.51 s, more than 0.5 s",
    )


def test_took_takes_the_longest_init() -> None:
    def measured(log: str) -> Took:
        return took(Invoked(200, b"", "", log))

    assert measured(_START + _REPORT) == Took(0.02, None)
    assert measured(_START + _REPORT + "Init Duration: 100.50 ms\t") == Took(0.02, 0.1005)
    assert measured(_START + _REPORT + "Restore Duration: 300.00 ms\tBilled Restore Duration: 10 ms\t") == Took(
        0.02, 0.3
    )
    repeated = "INIT_REPORT Init Duration: 9999.00 ms\tPhase: init\tStatus: timeout\n"
    assert measured(repeated + _START + _REPORT) == Took(0.02, 9.999)
    assert measured("") == Took()


def test_whether_the_log_is_whole() -> None:
    cold = _REPORT + "Init Duration: 100.00 ms\t\n"
    assert not seen(Invoked(200, b"", "", _START + _REPORT)).whole
    assert not seen(Invoked(200, b"", "", _INIT_START + _START + cold)).whole
    without = seen(Invoked(200, b"", "", _START + cold))
    assert without.whole
    assert not without.cut
    assert seen(Invoked(200, b"", "", "x" * 4096)).cut
    assert seen(Invoked(200, b"", "", "ü" * 2047)).cut  # a byte of one was cut off


def test_more_of_the_log_is_needed_only_where_it_would_decide() -> None:
    part = Seen("RAW: on", "cut off", cut=True)
    assert not needs_more(Smoke("e", log=("RAW: on",)), part)
    assert needs_more(Smoke("e", log=("HEIF: on",)), part)
    assert needs_more(Smoke("e", no_log=("not installed",)), part)
    assert not needs_more(Smoke("e", no_log=("RAW",)), part)
    assert not needs_more(Smoke("e", log=("HEIF: on",)), Seen("RAW: on"))
    assert not needs_more(Smoke("e"), part)


def test_what_can_not_be_told_of_a_log_that_was_cut_counts_as_failed() -> None:
    def whys(smoke: Smoke, log: Seen) -> tuple[str, ...]:
        return shortfalls(smoke, Invoked(200, b"null"), log, Took())

    cut = Seen("the end", "the log is longer", cut=True)
    assert whys(Smoke("e", log=("a",)), cut) == ("its log has no `a`", "the log is longer")
    assert whys(Smoke("e", no_log=("a",)), cut) == ("it can't be told whether its log has `a`", "the log is longer")
    assert whys(Smoke("e", no_log=("a",)), cut._replace(cut=False)) == ()
