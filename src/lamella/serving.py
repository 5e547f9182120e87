"""An ASGI application on a port of this machine, by uvicorn, until somebody ends it.

Only this file imports uvicorn and asyncio, no earlier than they are used: together they take a tenth of a second.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

from lamella.errors import UsageError

if TYPE_CHECKING:
    import asyncio

    from uvicorn import Server

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_P = ParamSpec("_P")
_T = TypeVar("_T")
_R = TypeVar("_R", covariant=True)

LOOPBACK = "127.0.0.1"
HEADER_NAMES = "lamella.header_names"
# How long running requests are waited for when somebody asks for the end
GRACE_SECONDS = 5.0
# SDKs keep connections and use them again: one that is closed under a request costs them a retry
_KEEP_ALIVE_SECONDS = 75
_BACKLOG = 1024
# How often it is looked whether running requests have ended
_LOOK_SECONDS = 0.02
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_EVERYWHERE = {"0.0.0.0": LOOPBACK, "::": "::1"}


class Stop:
    """Ends a server from another thread: one that listens, or one that is about to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = False
        self._act: Callable[[], None] | None = None

    def __call__(self) -> None:
        with self._lock:
            self._asked = True
            if self._act is not None:
                self._act()

    @contextlib.contextmanager
    def heard_by(self, act: Callable[[], None]) -> Iterator[None]:
        """`act`, fit for any thread, is called when the end is asked for; at once where it was before."""
        with self._lock:
            self._act = act
            if self._asked:
                act()
        try:
            yield
        finally:
            with self._lock:
                self._act = None


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


def serve(
    app: App,
    *,
    port: int,
    ready: Callable[[str], None],
    host: str = LOOPBACK,
    grace: float = GRACE_SECONDS,
    stop: Stop | None = None,
    header_names: bool = False,
) -> None:
    """Serve `app` (ASGI 3; HTTP alone, no lifespan) until SIGINT, SIGTERM, SIGHUP or `stop`; then return.

    Port 0 is a free one.  `ready` is given the URL (``http://127.0.0.1:3001``) when it listens.  At the end running
    requests get `grace` seconds, or as long as no second signal comes; clients that are still sending are cut off.
    Signals are heeded in the main thread alone.  With `header_names` a scope's extension HEADER_NAMES lists the names
    of headers as they were sent.  Raises UsageError where it can't listen.
    """
    import asyncio

    with listening(host, port) as listener, asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(_serve(_server(app, header_names=header_names), listener, ready, grace, stop or Stop()))


async def _serve(
    server: Server, listener: socket.socket, ready: Callable[[str], None], grace: float, stop: Stop
) -> None:
    import asyncio

    loop = asyncio.get_running_loop()
    asked, again = asyncio.Event(), asyncio.Event()

    def end() -> None:
        (again if asked.is_set() else asked).set()

    with _signals(loop, end), stop.heard_by(lambda: _soon(loop, end)):
        await server.startup(sockets=[listener])
        await server.on_tick(0)  # the Date header, for which it wants to be called once a second
        ready(_url(listener))
        while not asked.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asked.wait(), 1)
            await server.on_tick(0)
        await _end(server, again, loop.time() + grace)


def _server(app: App, *, header_names: bool) -> Server:
    """uvicorn's, ready to start.  Its own `run` is not used: it sends signals that it got to the process once more."""
    import logging

    from uvicorn import Config, Server

    # What a client does wrong is no news for who runs the server; a traceback is
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    config = Config(
        app,
        loop="asyncio",
        http=_protocol(header_names=header_names),
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )
    config.load()
    server = Server(config)
    server.lifespan = config.lifespan_class(config)
    return server


def _protocol(*, header_names: bool) -> type[asyncio.Protocol]:
    """uvicorn's, that sends a response in one piece and tells, if it is to, how headers were spelt."""
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    class Whole(HttpToolsProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(_Gathering(transport, self.loop))  # type: ignore[arg-type]

    class Naming(Whole):
        def on_message_begin(self) -> None:
            super().on_message_begin()
            self.names: list[bytes] = []
            extensions: dict[str, Any] = {HEADER_NAMES: self.names}
            self.scope["extensions"] = extensions

        def on_header(self, name: bytes, value: bytes) -> None:
            self.names.append(name)
            super().on_header(name, value)

    return Naming if header_names else Whole


class _Gathering:
    """A transport that sends what is written in one go, once the loop comes round: headers and body are two writes.

    Two packets wake the client twice, which takes a tenth of a warm invocation.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []
        for name in ("get_extra_info", "is_closing", "pause_reading", "resume_reading", "set_protocol", "abort"):
            setattr(self, name, getattr(transport, name))

    def write(self, data: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self._send)
        self._parts.append(data)

    def close(self) -> None:
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._parts:
            parts, self._parts = self._parts, []
            self._transport.write(b"".join(parts))


async def _end(server: Server, at_once: asyncio.Event, deadline: float) -> None:
    """Accept nothing more, let running requests end, and close all that is open then."""
    import asyncio
    import logging

    for listening_one in server.servers:
        listening_one.close()
    connections: set[Any] = server.server_state.connections
    for connection in list(connections):
        connection.shutdown()  # closes one that has no request, others with their answer
        if connection.cycle is not None and connection.cycle.more_body:
            connection.transport.abort()
    while connections and not at_once.is_set() and asyncio.get_running_loop().time() < deadline:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(at_once.wait(), _LOOK_SECONDS)
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # it reports each task that is cancelled
    for connection in list(connections):
        connection.transport.abort()
    for task in list(server.server_state.tasks):
        task.cancel()
    await asyncio.gather(*server.server_state.tasks, return_exceptions=True)


@contextlib.contextmanager
def _signals(loop: asyncio.AbstractEventLoop, end: Callable[[], None]) -> Iterator[None]:
    """In the main thread, have `end` called for signals that ask for the end; afterwards all is as it was."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # `nohup` starts programs that ignore SIGHUP, and means it
    heeded = [each for each in _ENDINGS if each != signal.SIGHUP or signal.getsignal(each) != signal.SIG_IGN]
    before = [(each, signal.getsignal(each)) for each in heeded]
    try:
        for each in heeded:
            loop.add_signal_handler(each, end)
        yield
    finally:
        for each, handler in before:
            loop.remove_signal_handler(each)
            signal.signal(each, handler)


def _soon(loop: asyncio.AbstractEventLoop, act: Callable[..., None], *args: Any) -> None:
    with contextlib.suppress(RuntimeError):  # it is over already
        loop.call_soon_threadsafe(act, *args)


def listening(host: str, port: int) -> socket.socket:
    """A socket that is bound to a port of `host`, by its first address; IPv4 goes before IPv6.

    Raises UsageError.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError, OverflowError) as error:
        raise UsageError(
            f"there is no host `{host}` to listen on",
            why=[getattr(error, "strerror", None) or str(error)],
            hint=f"leave `--host` out: {LOOPBACK} is this machine alone, 0.0.0.0 all that reach it",
        ) from None
    found.sort(key=lambda one: one[0] != socket.AF_INET)
    family, kind, _, _, address = found[0]
    # With the protocol named, for asyncio turns Nagle's algorithm off only on sockets that say they are TCP
    bound = socket.socket(family, kind, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(_BACKLOG)
    except OSError as error:
        bound.close()
        raise _refused(host, port, error) from None
    return bound


def _refused(host: str, port: int, error: OSError) -> UsageError:
    if error.errno == errno.EADDRINUSE:
        return UsageError(
            f"port {port} of `{host}` is in use",
            hint="end what listens there, or give another one by `--port`; `--port 0` takes a free one",
        )
    if error.errno == errno.EACCES:
        return UsageError(
            f"port {port} is one that only root may listen on", hint="give `--port` a number from 1024 to 65535"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return UsageError(
            f"`{host}` is no address of this machine",
            hint=f"leave `--host` out: {LOOPBACK} is this machine alone, 0.0.0.0 all that reach it",
        )
    return UsageError(f"port {port} of `{host}` can't be listened on", why=[os.strerror(error.errno or 0)])


def _url(listener: socket.socket) -> str:
    """Where clients on this machine reach it."""
    address, port = listener.getsockname()[:2]
    address = _EVERYWHERE.get(address, address)
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"
