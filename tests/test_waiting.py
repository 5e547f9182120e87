from __future__ import annotations

import asyncio
import os
import select
import socket
import threading
import time
from collections.abc import Callable

import pytest

from lamella.waiting import Threads, driven


def test_threads_are_as_many_as_work_needs_up_to_their_limit() -> None:
    threads = Threads(3)
    both = threading.Barrier(3)
    done = threading.Semaphore(0)

    def act() -> None:
        both.wait(20)  # three at once, or never
        done.release()

    for _ in range(6):
        threads.submit(act)
    for _ in range(6):
        assert done.acquire(timeout=20)
    assert threads.close(20)


def test_threads_that_are_closed_forget_what_has_not_begun() -> None:
    threads = Threads(1)
    began, go = threading.Event(), threading.Event()
    late: list[int] = []

    def wait() -> None:
        began.set()
        go.wait(20)

    threads.submit(wait)
    threads.submit(lambda: late.append(1))
    assert began.wait(20)
    assert not threads.close(0)
    go.set()
    assert threads.close(20)
    threads.submit(lambda: late.append(2))
    assert late == []


def test_threads_give_what_is_returned_or_raised() -> None:
    def fail() -> int:
        raise KeyError("x")

    async def both() -> None:
        assert await threads.run(pow, 2, 10) == 1024
        assert await threads.run(os.getpid) == os.getpid()
        with pytest.raises(KeyError):
            await threads.run(fail)

    threads = Threads(2)
    asyncio.run(both())
    assert threads.close(20)


def test_the_end_of_an_iterator_is_an_error_as_any_other() -> None:
    async def both() -> None:
        with pytest.raises(RuntimeError, match="StopIteration"):
            await asyncio.wait_for(threads.run(next, iter(())), 20)
        with Work() as work:
            work.there.send(b"empty")
            with pytest.raises(RuntimeError, match="StopIteration"):
                await asyncio.wait_for(driven(work), 20)

    threads = Threads(1)
    asyncio.run(both())
    assert threads.close(20)


def test_an_answer_that_nobody_waits_for_any_more_is_let_go() -> None:
    threads = Threads(1)
    go = threading.Event()

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(threads.run(go.wait, 20), 0.01)

    asyncio.run(give_up())
    go.set()  # its loop is closed by now
    assert threads.close(20)


class Work:
    """Work on a socket: it ends with what is sent to it, or with its time."""

    def __init__(self, seconds: float = 3600) -> None:
        self.here, self.there = socket.socketpair()
        self.here.setblocking(False)
        self.descriptor = self.here.fileno()
        self.until = time.monotonic() + seconds
        self.left = threading.Event()
        self.rests = threading.Event()
        self.may_end = threading.Event()

    def go_on(self) -> bytes | Callable[[], bytes] | None:
        try:
            got = self.here.recv(100)
        except BlockingIOError:
            return b"late" if time.monotonic() >= self.until else None
        if got == b"more":
            return None
        if got == b"soon":
            self.until = time.monotonic() + 0.01
            return None
        if got == b"waits":
            return self.rest
        if got == b"empty":
            raise StopIteration
        if got == b"wrong":
            raise KeyError("wrong")
        return got

    def rest(self) -> bytes:
        self.rests.set()
        return b"waited" if self.may_end.wait(20) else b"nobody let it"

    def leave(self) -> None:
        self.may_end.wait(20)
        self.left.set()

    def __enter__(self) -> Work:
        return self

    def __exit__(self, *_: object) -> None:
        self.here.close()
        self.there.close()


def test_work_that_is_done_is_not_waited_for() -> None:
    with Work() as work:
        work.there.send(b"done")
        assert asyncio.run(driven(work)) == b"done"
        assert not work.left.is_set()


def test_work_goes_on_whenever_something_came() -> None:
    async def both(work: Work) -> bytes:
        waiting = asyncio.create_task(driven(work))
        for said in (b"more", b"done"):
            await asyncio.sleep(0)
            work.there.send(said)
            while not waiting.done() and select.select([work.here], [], [], 0)[0]:
                await asyncio.sleep(0)
        return await waiting

    with Work() as work:
        assert asyncio.run(both(work)) == b"done"


def test_work_goes_on_when_its_time_comes() -> None:
    with Work(0.02) as work:
        assert asyncio.run(driven(work)) == b"late"
        assert not work.left.is_set()


def test_work_whose_time_comes_closer() -> None:
    async def both(work: Work) -> bytes:
        waiting = asyncio.create_task(driven(work))
        await asyncio.sleep(0)
        work.there.send(b"soon")
        return await asyncio.wait_for(waiting, 20)

    with Work() as work:
        assert asyncio.run(both(work)) == b"late"


def test_the_loop_goes_on_while_work_waits() -> None:
    async def both(work: Work) -> bytes:
        waiting = asyncio.create_task(driven(work))
        await asyncio.sleep(0)
        work.there.send(b"waits")
        while not (work.rests.is_set() or waiting.done()):
            await asyncio.sleep(0)
        work.may_end.set()
        return await waiting

    with Work() as work:
        assert asyncio.run(both(work)) == b"waited"
        assert not work.left.is_set()


def test_work_that_waits_goes_on_to_its_end_when_nobody_waits_any_more() -> None:
    async def give_up(work: Work) -> None:
        work.there.send(b"waits")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(driven(work), 0.01)

    with Work() as work:
        asyncio.run(give_up(work))
        work.may_end.set()  # its loop is closed by now
        for thread in threading.enumerate():
            if thread.name == "lamella-end":
                thread.join(20)
        assert not work.left.is_set()


def test_what_work_raises_is_raised() -> None:
    with Work() as work:
        work.there.send(b"wrong")
        with pytest.raises(KeyError):
            asyncio.run(driven(work))


def test_work_that_nobody_waits_for_any_more_is_left() -> None:
    async def give_up(work: Work) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(driven(work), 0.01)
        work.may_end.set()  # the loop did not wait for it
        assert work.left.wait(20)
        assert not asyncio.get_running_loop().remove_reader(work.descriptor), "it is not looked at any more"

    with Work() as work:
        asyncio.run(give_up(work))
