"""One process of a function with its sockets and its log: whoever waits for it drives them."""

from __future__ import annotations

import os
import select
import time
from _socket import SocketType, socket  # `socket` itself takes longer than all the rest

from lamella.runtime.logs import Lines, Pipe
from lamella.runtime.memory import Memory

TYPE_CHECKING = False  # `typing` is not imported for it
if TYPE_CHECKING:
    from typing import Any, Protocol

    from lamella.runtime.api import Said
    from lamella.runtime.wire import Connection

    class Held(Protocol):
        """A process, as `sandbox.run.Running` is one.  `pid` is its group's number, too."""

        @property
        def pid(self) -> int: ...
        def returned(self) -> int | None:
            """None while it runs; its exit status, 128 + N where signal N killed it."""

        def end(self) -> None:
            """Kill it and all of its group, and wait for it.  Called more than once, and from several threads."""


# How long an end is waited for that nothing tells of: without pidfd_open
_BLIND_SECONDS = 0.01
# What a process wrote and answered before its end is taken in so many rounds at most: its children may go on
_LAST_ROUNDS = 64
# How long the pipe of a killed process is waited for: one that left its group may hold it open
_LAST_WORDS_SECONDS = 0.25


# Of all that a process does, one descriptor tells: for those who wait for many
_EPOLL = hasattr(select, "epoll")
_SECOND = 1 if _EPOLL else 1000


def _poll() -> Any:
    return select.epoll() if _EPOLL else select.poll()


class Process:
    """A process at work, from its start to its `end`.  One thread at a time may drive it.

    `began` is when it was started (`time.monotonic`); `ended` is its exit status, once it was seen to have one;
    `connected` is whether it ever was at its Runtime API.
    """

    def __init__(
        self, held: Held, listener: SocketType, log: int, memory: Memory, began: float, response_limit: int
    ) -> None:
        from lamella.runtime import api, wire  # while the process starts

        self.held = held
        self.memory = memory
        self.began = began
        self.ended: int | None = None
        self.connected = False
        self.line = wire.line
        self._wire = wire
        self._api = api.Api(response_limit)
        self._limit = response_limit
        self._listener = listener
        listener.setblocking(False)
        self._pipe = Pipe(log)
        self._watched = _descriptor_of(held.pid)
        self._watch = select.poll()
        self._connections: dict[int, Connection] = {}
        self._poll = _poll()
        for descriptor in (listener.fileno(), log, self._watched):
            if descriptor >= 0:
                self._poll.register(descriptor, select.POLLIN)
        if self._watched >= 0:
            self._watch.register(self._watched, select.POLLIN)

    @property
    def descriptor(self) -> int:
        """Becomes readable when there is something to do; -1 where there is no such thing, and after its end."""
        return self._poll.fileno() if _EPOLL and not self._poll.closed else -1

    @property
    def asks(self) -> bool:
        """Whether it waits for an event."""
        return self._api.next is not None

    def waited(self) -> float:
        """For how many seconds it has been waiting for an event."""
        return self._api.next.silence() if self._api.next is not None else 0.0

    @property
    def said(self) -> Said | None:
        """What it has said, if it has."""
        return self._api.said

    def take(self) -> Said:
        """What it has said, which is not there any more then."""
        said, self._api.said = self._api.said, None
        assert said is not None
        return said

    def gone(self) -> bool:
        """Whether it has ended, asked of the kernel."""
        if self._watched < 0:
            return self.held.returned() is not None
        return bool(self._watch.poll(0))

    def deliver(self, request_id: str, headers: bytes, event: bytes) -> None:
        """Give it an event.  It must have asked."""
        self._send(*self._api.deliver(request_id, headers, event))

    def wait(self, lines: Lines, until: float) -> None:
        """Do what there is to do, once; if there is nothing, wait for it, at most `until` (`time.monotonic`)."""
        left = max(0.0, until - time.monotonic())
        if self._watched < 0:
            left = min(left, _BLIND_SECONDS)
        ending = False
        for descriptor, events in self._poll.poll(left * _SECOND):
            connection = self._connections.get(descriptor)
            if connection is not None:
                self._serve(connection, events)
            elif descriptor == self._pipe.descriptor:
                self._drain(lines)
            elif descriptor == self._watched:
                ending = True
            else:
                self._accept()
        if ending or (self._watched < 0 and self.held.returned() is not None):
            self._finish(lines)

    def read(self, lines: Lines) -> None:
        """Take what it has written.  No more than a pipe holds: all that was written before now."""
        if not self._pipe.over:
            self._drain(lines)

    def end(self, lines: Lines) -> None:
        """Kill it, take its last words, and leave nothing of it."""
        self.held.end()
        if self.ended is None:
            self.ended = self.held.returned()
        until = time.monotonic() + _LAST_WORDS_SECONDS
        waiting = select.poll()
        waiting.register(self._pipe.descriptor, select.POLLIN)
        while not self._pipe.over and (left := until - time.monotonic()) > 0:
            if waiting.poll(left * 1000):
                self._pipe.read(lines)
        self.memory.close()
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()
        self._pipe.close()
        self._listener.close()
        if _EPOLL:
            self._poll.close()
        if self._watched >= 0:
            os.close(self._watched)
            self._watched = -1

    def _finish(self, lines: Lines) -> None:
        """It has ended: what it sent before is still taken."""
        ended = self.held.returned()
        if ended is None:
            return  # another thread is about to have its status: what told of the end still does so
        if self._watched >= 0:
            self._poll.unregister(self._watched)
            os.close(self._watched)
            self._watched = -1
        for _ in range(_LAST_ROUNDS):
            found = self._poll.poll(0)
            for descriptor, events in found:
                connection = self._connections.get(descriptor)
                if connection is not None:
                    self._serve(connection, events)
                elif descriptor == self._pipe.descriptor:
                    self._drain(lines)
                else:
                    self._accept()
            if not found:
                break
        self.ended = ended

    def _drain(self, lines: Lines) -> None:
        self._pipe.read(lines)
        if self._pipe.over:
            self._poll.unregister(self._pipe.descriptor)

    def _accept(self) -> None:
        try:
            descriptor, _ = self._listener._accept()  # type: ignore[attr-defined]
        except OSError:
            return
        connection = self._wire.Connection(socket(fileno=descriptor), self._limit)
        self.connected = True
        self._connections[descriptor] = connection
        self._poll.register(descriptor, select.POLLIN)

    def _serve(self, connection: Connection, events: int) -> None:
        if events & select.POLLOUT:
            connection.resume()
            if not connection.unsent:
                self._poll.modify(connection.descriptor, select.POLLIN)
        if events & ~select.POLLOUT:
            request = connection.receive()
            if request is not None:
                answer = self._api.answer(connection, request)
                if answer:
                    self._send(connection, answer)
        if connection.over:
            self._poll.unregister(connection.descriptor)
            del self._connections[connection.descriptor]
            self._api.lose(connection)
            connection.close()

    def _send(self, connection: Connection, data: bytes) -> None:
        connection.send(data)
        if connection.unsent:
            self._poll.modify(connection.descriptor, select.POLLIN | select.POLLOUT)


def _descriptor_of(pid: int) -> int:
    """Becomes readable with the end of the process; -1 where there is no such thing."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return -1
