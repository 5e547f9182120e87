"""Invocations that nobody waits for: an idle worker's, driven by whoever has many."""

from __future__ import annotations

import asyncio
import json
import os
import select
import threading
import time
from typing import TYPE_CHECKING

import pytest
from tests.runtime.conftest import Functions, asked
from tests.runtime.test_pool import HERE, alive, number, wait_for_end

from lamella.runtime.model import Gone, Result
from lamella.runtime.pool import Pool, PoolClosedError
from lamella.runtime.turn import Turn
from lamella.sandbox.model import PATH_ONLY
from lamella.waiting import driven

if TYPE_CHECKING:
    from lamella.runtime.process import Held

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
            came = turn.go_on()
            if came is not None:
                return came() if callable(came) else came
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


def test_the_end_of_a_process_is_left_to_who_may_wait(function: Functions) -> None:
    pool = function(
        """
        import os, sys, time
        def handler(event, context):
            if event:
                sys.stdout.write("last words")
                sys.stdout.flush()
                time.sleep(100)
            return os.getpid()
        """,
        timeout=0.3,
        isolation=PATH_ONLY,
    )
    pid = number(pool.invoke(asked("0")))
    turn = begun(pool, "1")
    rest = None
    while rest is None:
        rest = turn.go_on()
        time.sleep(0.01)
    assert callable(rest)
    assert alive(pid), "nobody has waited for anything yet"
    assert pool._busy == 1
    turn.leave()
    assert alive(pid), "the rest is somebody's by now"
    result = rest()
    wait_for_end(pid)
    assert not alive(pid)
    assert result.log.decode().splitlines()[1] == "last words"
    assert result.report.status == "timeout"
    assert pool._busy == 0


def test_retired_meanwhile_it_is_ended_by_who_may_wait(function: Functions) -> None:
    pool = function(HERE, isolation=PATH_ONLY)
    pid = number(pool.invoke(asked()))
    turn = begun(pool)
    pool.retire()
    with select.epoll() as loop:
        loop.register(turn.descriptor, select.EPOLLIN)
        while (rest := turn.go_on()) is None:
            loop.poll()
    assert callable(rest)
    assert alive(pid)
    assert number(rest()) == pid
    wait_for_end(pid)
    assert not alive(pid)


def test_a_log_that_can_not_be_written(function: Functions) -> None:
    pool = function(ECHO)
    pool.invoke(asked())

    def fail(line: bytes) -> None:
        if not line.startswith(b"START"):
            raise BrokenPipeError("the log")

    turn = pool.begin(asked(), fail)
    assert turn is not None
    with pytest.raises(BrokenPipeError, match="the log"):
        drive(turn)
    assert pool._busy == 0
    assert pool.invoke(asked()).error == ""


def test_a_loop_drives_it(function: Functions) -> None:
    pool = function(
        "import os, time\ndef handler(event, context):\n    if event == 1: os._exit(4)\n    time.sleep(event)\n",
        timeout=0.5,
    )

    async def both() -> list[Result]:
        results = []
        for event in ("0", "1"):
            results.append(await driven(begun(pool, event)))
        await asyncio.to_thread(pool.invoke, asked("0"))
        results.append(await driven(begun(pool, "60")))
        return results

    pool.invoke(asked("0"))
    fine, exited, late = asyncio.run(both())
    assert (fine.error, fine.payload) == ("", b"null")
    assert b"exit status 4" in exited.payload
    assert b"Task timed out" in late.payload
    assert b"END RequestId" in late.log


def test_a_loop_that_ends_leaves_nothing(function: Functions) -> None:
    pool = function(HERE, isolation=PATH_ONLY)
    pid = number(pool.invoke(asked()))

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(driven(begun(pool, '"wait"')), 0.05)

    asyncio.run(give_up())
    pool.close()
    wait_for_end(pid)
    assert not alive(pid)


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


class Reaped:
    """A process whose status another thread is about to have: the first who asks is not told."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self.pid = held.pid
        self.end = held.end
        self._told = False

    def returned(self) -> int | None:
        told, self._told = self._told, True
        return self._held.returned() if told else None


def test_an_end_that_another_thread_sees_first(function: Functions) -> None:
    pool = function("import os\ndef handler(event, context):\n    if event: os._exit(4)\n")
    pool.invoke(asked("0"))
    (worker,) = pool._idle
    worker._process.held = Reaped(worker._process.held)
    began = time.monotonic()
    assert b"exit status 4" in drive(begun(pool, "1")).payload
    assert time.monotonic() - began < 10, "it is seen at once, not at the timeout"


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
