from __future__ import annotations

import threading
from pathlib import Path

import pytest
from tests.endpoint.making import API, WORKER, Queue
from tests.runtime.faking import Fake, failed

from lamella.errors import OutsideError, UsageError
from lamella.runtime.model import Asked, Result


def asked(number: int = 1) -> Asked:
    return Asked(b'{"n": %d}' % number, f"id-{number}")


def test_an_event_that_succeeds_leaves_nothing(tmp_path: Path) -> None:
    fake = Fake({"api": b"1"})
    queue = Queue(fake, tmp_path)
    queue.events.accept(API, asked())
    assert fake.asked == []  # nothing runs in the thread that accepts
    assert not queue.events.idle
    assert queue.work_off() == 1
    assert fake.asked == [("api", asked())]
    assert (queue.events.idle, queue.later, queue.said, queue.letters()) == (True, [], [], [])


def test_an_event_is_tried_three_times_under_one_id_with_longer_pauses(tmp_path: Path) -> None:
    fake = Fake({"api": failed})
    queue = Queue(fake, tmp_path)
    queue.events.accept(API, asked())
    assert queue.work_off() == 1
    assert queue.wait() == 10
    assert queue.work_off() == 1
    assert queue.wait() == 20
    assert queue.work_off() == 1
    assert (queue.later, queue.events.idle) == ([], True)
    assert fake.asked == [("api", asked())] * 3
    [letter] = queue.letters()
    assert letter["requestContext"] == {
        "requestId": "id-1", "functionArn": f"{API.arn}:$LATEST", "condition": "RetriesExhausted",
        "approximateInvokeCount": 3,
    }  # fmt: skip
    assert letter["requestPayload"] == {"n": 1}
    assert letter["responseContext"]["functionError"] == "Unhandled"
    assert queue.said[:2] == [
        "event id-1 for `api` failed 1 time; tried again in 10 s",
        "event id-1 for `api` failed 2 times; tried again in 20 s",
    ]
    assert queue.said[2].startswith("event id-1 for `api` failed 3 times; its record is in `")


def test_an_event_that_succeeds_in_the_end_leaves_no_letter(tmp_path: Path) -> None:
    queue = Queue(Fake({"api": [failed, failed, b"1"]}), tmp_path)
    queue.events.accept(API, asked())
    queue.work_off()
    for _ in range(2):
        queue.wait()
        queue.work_off()
    assert (queue.later, queue.letters(), queue.events.idle) == ([], [], True)


@pytest.mark.parametrize("error", [UsageError("no interpreter", hint="get one"), ZeroDivisionError("a bug")])
def test_an_event_survives_that_its_function_can_not_be_started(tmp_path: Path, error: Exception) -> None:
    queue = Queue(Fake({"api": [error, error, error]}), tmp_path)
    queue.events.accept(API, asked())
    queue.work_off()
    for _ in range(2):
        queue.wait()
        queue.work_off()
    [letter] = queue.letters()
    assert letter["responseContext"] == {"statusCode": 500, "executedVersion": "$LATEST"}
    assert letter["responsePayload"]["errorType"] == "ServiceException"
    assert str(error) in letter["responsePayload"]["errorMessage"]
    first = str(error).splitlines()[0]
    assert first in queue.said[0]
    assert "\n" not in queue.said[0]


def test_no_more_run_at_once_than_there_is_room_for(tmp_path: Path) -> None:
    fake = Fake({"api": b"1", "worker": b"2"})
    queue = Queue(fake, tmp_path, most=2)
    for number in range(5):
        queue.events.accept(API if number % 2 else WORKER, asked(number))
    assert len(queue.work) == 2
    queue.work.pop(0)()
    assert len(queue.work) == 2
    queue.work_off()
    assert [request.request_id for _, request in fake.asked] == [f"id-{number}" for number in range(5)]


def test_the_end_turns_what_waits_for_another_try_into_letters(tmp_path: Path) -> None:
    queue = Queue(Fake({"api": failed}), tmp_path)
    queue.events.accept(API, asked())
    queue.work_off()
    queue.events.close(0)
    [letter] = queue.letters()
    assert letter["requestContext"]["condition"] == "ServerEnded"
    assert letter["requestContext"]["waitingFor"] == "attempt 2"
    assert letter["requestContext"]["approximateInvokeCount"] == 1
    assert letter["responsePayload"]["errorMessage"] == "no"
    queue.wait()  # its time comes nevertheless
    assert (queue.work_off(), len(queue.letters()), queue.events.idle) == (0, 1, True)


def test_the_end_turns_what_never_ran_and_what_does_not_come_to_an_end_into_letters(tmp_path: Path) -> None:
    queue = Queue(Fake({"api": failed}), tmp_path, most=1)
    queue.events.accept(API, asked(1))
    queue.events.accept(API, asked(2))
    queue.events.close(0)
    told = [letter["requestContext"] for letter in queue.letters()]
    assert {one["requestId"]: one["waitingFor"] for one in told} == {
        "id-1": "the end of attempt 1",
        "id-2": "attempt 1",
    }
    assert all("responseContext" not in letter for letter in queue.letters())
    queue.work_off()  # it ends after all
    assert (len(queue.letters()), queue.later, queue.events.idle) == (2, [], True)
    assert all("did not come to an end" in text for text in queue.said)


def test_the_end_waits_for_what_runs_and_gives_the_rest_a_first_try(tmp_path: Path) -> None:
    running, go = threading.Event(), threading.Event()

    def slow(request: Asked) -> Result:
        running.set()
        assert go.wait(20)
        return failed(request) if request.request_id == "id-1" else Fake({"x": b"1"}).invoke("x", request)

    fake = Fake({"api": slow})
    queue = Queue(fake, tmp_path, most=1)
    queue.events.accept(API, asked(1))
    queue.events.accept(API, asked(2))
    worker = threading.Thread(target=queue.work_off)
    worker.start()
    assert running.wait(20)
    closing = threading.Thread(target=queue.events.close, args=(60,))
    closing.start()
    go.set()
    closing.join(20)
    worker.join(20)
    assert not closing.is_alive()
    assert [request.request_id for _, request in fake.asked] == ["id-1", "id-2"]
    # The one that failed either was to be tried again when the end came, or found that it had come
    [letter] = queue.letters()
    assert letter["requestContext"]["requestId"] == "id-1"
    assert letter["requestContext"]["waitingFor"] == "attempt 2"


def test_a_letter_that_can_not_be_written_is_told_whole(tmp_path: Path) -> None:
    queue = Queue(Fake({"api": failed}), tmp_path)
    (tmp_path / "letters").write_text("a file where the folder was to be")
    queue.events.accept(API, asked(7))
    queue.work_off()
    queue.events.close(0)
    [error] = queue.failed
    assert isinstance(error, OutsideError)
    assert '"requestPayload": {"n": 7}' in str(error)
