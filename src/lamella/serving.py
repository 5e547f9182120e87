"""An ASGI application on a port of this machine, by uvicorn, until somebody ends it.

Only this file imports uvicorn and asyncio, no earlier than they are used: together they take a tenth of a second.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from lamella.listening import BACKLOG, LOOPBACK, listening, url_of

if TYPE_CHECKING:
    import asyncio

    from uvicorn import Server

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HEADER_NAMES = "lamella.header_names"
# How long running requests are waited for when somebody asks for the end
GRACE_SECONDS = 5.0
# SDKs keep connections and use them again: one that is closed under a request costs them a retry
_KEEP_ALIVE_SECONDS = 75
# How often it is looked whether running requests have ended
_LOOK_SECONDS = 0.02
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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
        ready(url_of(listener))
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
        backlog=BACKLOG,
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
