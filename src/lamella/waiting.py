"""How a server waits for what does not come at once: in threads, or in its own loop where work says when to look."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar

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
        """What `function` returns or raises, called in one of the threads; RuntimeError for a StopIteration."""
        import asyncio

        loop = asyncio.get_running_loop()
        future: asyncio.Future[_T] = loop.create_future()
        self.submit(_doing(loop, future, partial(function, *args, **kwargs)))
        return await future

    def close(self, seconds: float) -> bool:
        """End the threads; what has not begun never does.  False when some still work after `seconds`."""
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

    def go_on(self) -> _R | Callable[[], _R] | None: ...
    def leave(self) -> None: ...


async def driven(begun: Begun[_T]) -> _T:
    """What it comes to, waited for in this loop: no thread is woken for it, but for what has to wait.

    Raises what `go_on` raises, or what is left of it; RuntimeError for a StopIteration.
    """
    import asyncio

    driving = _Driving(begun, asyncio.get_running_loop())
    driving.look()
    try:
        return await driving.future
    finally:
        driving.leave()


class _Driving(Generic[_T]):
    """Work that goes on in a loop.

    Its thread for what waits is its own: those of a server may all be taken, or closed, while a process is yet to end.
    """

    def __init__(self, begun: Begun[_T], loop: asyncio.AbstractEventLoop) -> None:
        self.future: asyncio.Future[_T] = loop.create_future()
        self._begun = begun
        self._loop = loop
        self._over = False
        self._watched = False
        self._timer: asyncio.TimerHandle | None = None
        self._due = math.inf

    def look(self) -> None:
        """Let it go on, and see that it is looked at again when it wants to."""
        if self._over:
            return
        begun = self._begun
        try:
            came = begun.go_on()
        except Exception as error:
            self._let_go()
            _settle(self.future, error, None)
            return
        if came is None:
            if begun.until < self._due:  # it may come closer
                self._arm(begun.until)
            if not self._watched:
                self._watched = True
                self._loop.add_reader(begun.descriptor, self.look)
            return
        self._let_go()
        if callable(came):
            _aside(_doing(self._loop, self.future, came))
        else:
            self.future.set_result(came)

    def leave(self) -> None:
        """Nobody waits for it any more.  Nothing happens where it is over."""
        if not self._over:
            self._let_go()
            _aside(self._begun.leave)

    def _arm(self, until: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due = until
        self._timer = self._loop.call_later(max(0.001, until - time.monotonic()), self._late)

    def _late(self) -> None:
        self._due = math.inf
        self.look()

    def _let_go(self) -> None:
        """At once: its descriptor may soon be closed, and its number somebody else's when the loop looks next."""
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        if self._watched:
            self._loop.remove_reader(self._begun.descriptor)


def _aside(act: Callable[[], object]) -> None:
    threading.Thread(target=act, name="lamella-end", daemon=True).start()


def _doing(loop: asyncio.AbstractEventLoop, future: asyncio.Future[_T], act: Callable[[], _T]) -> Callable[[], None]:
    """Calls `act`, in a thread, and settles the future of that loop."""

    def do() -> None:
        try:
            value = act()
        except BaseException as error:
            _soon(loop, _settle, future, error, None)
        else:
            _soon(loop, _settle, future, None, value)

    return do


def _settle(future: asyncio.Future[Any], error: BaseException | None, value: Any) -> None:
    if future.done():  # cancelled: nobody waits
        return
    if isinstance(error, StopIteration):  # a future takes none
        wrong = RuntimeError("work raised StopIteration")
        wrong.__cause__ = error
        error = wrong
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(value)


def _soon(loop: asyncio.AbstractEventLoop, act: Callable[..., None], *args: Any) -> None:
    with contextlib.suppress(RuntimeError):  # it is over already
        loop.call_soon_threadsafe(act, *args)
