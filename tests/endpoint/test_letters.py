from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.endpoint.making import API, NOW

from lamella.endpoint.letters import ENDED, Letters, record
from lamella.endpoint.model import Pending
from lamella.runtime.model import Asked


def pending(event: bytes = b"{}", **more: Any) -> Pending:
    return Pending(API, Asked(event, "e4b46cbf"), 3, b'{"errorMessage": "no"}', 200, "Unhandled")._replace(**more)


def test_a_record_has_the_form_of_lambdas() -> None:
    line = record(pending(b'{"ORDER_IDS": [1, 2]}'), NOW)
    assert line.endswith(b"\n")
    assert json.loads(line) == {
        "version": "1.0",
        "timestamp": "2019-11-14T18:16:05.568Z",
        "requestContext": {
            "requestId": "e4b46cbf",
            "functionArn": f"{API.arn}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": {"ORDER_IDS": [1, 2]},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorMessage": "no"},
    }
    assert list(json.loads(line))[:4] == ["version", "timestamp", "requestContext", "requestPayload"]


def test_the_arn_is_the_one_that_was_invoked() -> None:
    asked = Asked(b"{}", "1", f"{API.arn}:live")
    assert json.loads(record(pending(asked=asked), NOW))["requestContext"]["functionArn"] == f"{API.arn}:live"


def test_what_has_not_run_has_no_response() -> None:
    told = json.loads(record(pending(payload=b"", attempts=0), NOW, ENDED, "attempt 1"))
    assert "responseContext" not in told
    assert "responsePayload" not in told
    assert told["requestContext"]["condition"] == "ServerEnded"
    assert told["requestContext"]["waitingFor"] == "attempt 1"


@pytest.mark.parametrize(
    "event", [b'{\r\n  "a": 1.10000000000000000001,\n  "b": "\\n"\n}\n', b"1" * 5000, '"ü "'.encode()]
)
def test_an_event_stands_there_on_one_line_digit_by_digit(event: bytes) -> None:
    line = record(pending(event), NOW)
    assert line.count(b"\n") == 1
    assert b"".join(event.split()) in b"".join(line.split())


@pytest.mark.parametrize("payload", [b"no json\n", b"\xff", b"[" * 100_000])
def test_an_answer_that_is_no_json_becomes_a_string(payload: bytes) -> None:
    assert json.loads(record(pending(payload=payload), NOW))["responsePayload"] == payload.decode("utf-8", "replace")


def test_lines_of_many_writers_stay_whole(tmp_path: Path) -> None:
    line = record(pending(json.dumps("x" * 100_000).encode()), NOW)
    writers = [Letters(str(tmp_path / "new" / "dead.jsonl")) for _ in range(8)]
    threads = [threading.Thread(target=writer.append, args=(line,)) for writer in writers for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "new" / "dead.jsonl").read_bytes() == line * 40


def test_to_try_it_leaves_nothing_behind(tmp_path: Path) -> None:
    letters = Letters(str(tmp_path / "dead.jsonl"))
    letters.try_it()
    assert not (tmp_path / "dead.jsonl").exists()
    letters.append(b"{}\n")
    letters.try_it()
    assert (tmp_path / "dead.jsonl").read_bytes() == b"{}\n"
    with pytest.raises(IsADirectoryError):
        Letters(str(tmp_path)).try_it()
