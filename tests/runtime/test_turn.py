"""Invocations that nobody waits for: an idle worker's, driven by whoever has many."""

from __future__ import annotations

import json
import os
import select
import threading
import time

import pytest
from tests.runtime.conftest import Functions, asked
from tests.runtime.test_pool import HERE, alive, number, wait_for_end

from lamella.runtime.model import Gone, Result
from lamella.runtime.pool import Pool, PoolClosedError, Turn
from lamella.sandbox.model import PATH_ONLY

pytestmark = pytest.mark.skipif(not hasattr(select, "epoll"), reason="there is no epoll here")

ECHO = """
    import os
    def handler(event, context):
        print(event)
        return [os.getpid(), event, context.aws_request_id]
"""


def drive(turn: Turn) -> Result:
    """As a loop does it: go on when its descriptor is readable, or it is time."""
    with select.epoll() as loop:
        loop.register(turn.descriptor, select.EPOLLIN)
        while True:
            result = turn.go_on()
            if result is not None:
                return result
            loop.poll(max(0.0, turn.until - time.monotonic()))


def begun(pool: Pool, event: str = "{}", request_id: str = "id") -> Turn:
    turn = pool.begin(asked(event, request_id))
    assert turn is not None
    return turn


def test_without_an_idle_worker_there_is_none(function: Functions) -> None:
    pool = function(ECHO)
    assert pool.begin(asked()) is None
    pool.invoke(asked())
    first = begun(pool)
    assert pool.begin(asked()) is None, "the one worker is taken"
    drive(first)
    drive(begun(pool))


def test_it_says_what_a_waited_for_one_says(function: Functions) -> None:
    pool = function(ECHO)
    waited = pool.invoke(asked("1", "one"))
    for n in range(20):
        result = drive(begun(pool, str(n), f"id-{n}"))
        assert json.loads(result.payload) == [json.loads(waited.payload)[0], n, f"id-{n}"]
        assert result.error == ""
        lines = result.log.decode().splitlines()
        assert lines[:3] == [f"START RequestId: id-{n} Version: $LATEST", f"{n}", f"END RequestId: id-{n}"]
        assert result.report.init is None


def test_an_exception_leaves_it_warm_and_an_exit_does_not(function: Functions) -> None:
    pool = function(
        "import os\ndef handler(event, context):\n    if event == 1: raise ValueError('no')\n"
        "    if event == 2: os._exit(4)\n    return event\n"
    )
    pool.invoke(asked("0"))
    assert json.loads(drive(begun(pool, "1")).payload)["errorType"] == "ValueError"
    assert drive(begun(pool, "3")).payload == b"3"
    ended = drive(begun(pool, "2", "two"))
    assert json.loads(ended.payload)["errorMessage"] == "RequestId: two Error: Runtime exited with error: exit status 4"
    assert pool.begin(asked()) is None


def test_a_timeout_needs_nothing_to_be_read(function: Functions) -> None:
    pool = function("import time\ndef handler(event, context):\n    time.sleep(event)\n", timeout=0.3)
    pool.invoke(asked("0"))
    result = drive(begun(pool, "60"))
    assert json.loads(result.payload)["errorType"] == "Sandbox.Timedout"
    assert result.report.duration == 300


def test_one_that_died_idle_was_given_nothing(function: Functions) -> None:
    pool = function(HERE, isolation=PATH_ONLY)
    pid = number(pool.invoke(asked()))
    os.kill(pid, 9)
    wait_for_end(pid)
    with pytest.raises(Gone):
        drive(begun(pool))
    assert number(pool.invoke(asked())) != pid


def test_one_that_is_left_is_ended(function: Functions) -> None:
    pool = function(HERE, isolation=PATH_ONLY, limit=1)
    pid = number(pool.invoke(asked()))
    turn = begun(pool, '"wait"')
    assert turn.go_on() is None
    turn.leave()
    turn.leave()
    wait_for_end(pid)
    assert not alive(pid)
    assert number(pool.invoke(asked())) != pid, "its place is free"


def test_the_end_of_the_pool_ends_it(function: Functions) -> None:
    pool = function(HERE, isolation=PATH_ONLY)
    pid = number(pool.invoke(asked()))
    waits = threading.Event()
    turn = pool.begin(asked('"wait"'), lambda line: waits.set() if line == b"waits\n" else None)
    assert turn is not None
    results: list[Result] = []
    driving = threading.Thread(target=lambda: results.append(drive(turn)))
    driving.start()
    assert waits.wait(20)
    pool.close()
    driving.join(20)
    assert json.loads(results[0].payload)["errorMessage"].endswith("signal: killed")
    assert not alive(pid)
    with pytest.raises(PoolClosedError):
        pool.begin(asked())
