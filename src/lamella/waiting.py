"""How a server waits for what does not come at once: in threads, or in its own loop where work says when to look."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    import asyncio

_P = ParamSpec("_P")
_T = TypeVar("_T")
_R = TypeVar("_R", covariant=True)


class Threads:
    """Threads for work that waits, started when all others are busy, up to `limit`.  Each lives until `close`.

    That long, for a process in a sandbox ends with the thread that started it.  No ThreadPoolExecutor: that one makes
    Python's end wait for work that nobody waits for any more.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._unfinished = 0
        self._closed = False

    def submit(self, act: Callable[[], None]) -> None:
        """Have `act` called, which raises nothing; in order of submission.  Nothing happens once closed."""
        with self._lock:
            if self._closed:
                return
            self._unfinished += 1
            if self._unfinished > len(self._threads) < self.limit:
                thread = threading.Thread(target=self._run, name=f"work-{len(self._threads)}", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._work.put(act)

    async def run(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """What `function` returns or raises, called in one of the threads."""
        import asyncio

        loop = asyncio.get_running_loop()
        future: asyncio.Future[_T] = loop.create_future()

        def act() -> None:
            try:
                value = function(*args, **kwargs)
            except BaseException as error:
                _soon(loop, _settle, future, error, None)
            else:
                _soon(loop, _settle, future, None, value)

        self.submit(act)
        return await future

    def close(self, seconds: float) -> bool:
        """End the threads; what has not begun never does.  False when some still work after `seconds`."""
        import time

        with self._lock:
            self._closed = True
            with contextlib.suppress(Empty):
                while True:
                    self._work.get_nowait()
            for _ in self._threads:
                self._work.put(None)
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        while (act := self._work.get()) is not None:
            act()
            del act  # it holds a request and its answer, and the next one may be long in coming
            with self._lock:
                self._unfinished -= 1


class Begun(Protocol[_R]):
    """Work that is under way elsewhere; see `runtime.model.Begun`."""

    descriptor: int
    until: float

    def go_on(self) -> _R | None: ...
    def leave(self) -> None: ...


async def driven(begun: Begun[_R]) -> _R:
    """What it comes to, waited for in this loop: no thread is woken for it.  Raises what `go_on` raises."""
    import asyncio
    import time

    loop = asyncio.get_running_loop()
    future: asyncio.Future[_R] = loop.create_future()
    timer: asyncio.TimerHandle | None = None

    def look() -> None:
        if future.done():
            return
        try:
            result = begun.go_on()
        except Exception as error:
            future.set_exception(error)
        else:
            if result is None:
                return
            future.set_result(result)
        # At once: its descriptor may be closed by now, and its number somebody else's when the loop looks next
        loop.remove_reader(begun.descriptor)

    def late() -> None:
        nonlocal timer
        look()
        if not future.done():
            timer = loop.call_later(max(0.001, begun.until - time.monotonic()), late)

    look()
    if future.done():
        return future.result()
    loop.add_reader(begun.descriptor, look)
    timer = loop.call_later(max(0, begun.until - time.monotonic()), late)
    try:
        return await future
    finally:
        timer.cancel()
        if not future.done() or future.cancelled():
            loop.remove_reader(begun.descriptor)
            begun.leave()


def _settle(future: asyncio.Future[_T], error: BaseException | None, value: _T) -> None:
    if future.done():  # cancelled: nobody waits
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(value)


def _soon(loop: asyncio.AbstractEventLoop, act: Callable[..., None], *args: Any) -> None:
    with contextlib.suppress(RuntimeError):  # it is over already
        loop.call_soon_threadsafe(act, *args)
