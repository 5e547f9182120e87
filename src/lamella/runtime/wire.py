"""HTTP/1.1 as the runtime client speaks it: requests off a socket that does not block, answers in one piece.

Imported once a process is on its way: the parser takes longer to load than a request.
"""

from __future__ import annotations

import re
import sys
from _socket import IPPROTO_TCP, TCP_INFO, TCP_NODELAY, SocketType  # `socket` itself takes longer than all the rest

from httptools import HttpParserError, HttpRequestParser

# To make room for more than 128 kB takes the kernel ten times as long: only where so much is under way
_PIECE = 16 * 1024
_LARGE_PIECE = 256 * 1024
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# <linux/tcp.h>, struct tcp_info: tcpi_last_data_recv, in milliseconds
_LAST_DATA_RECEIVED = slice(52, 56)
_REASONS = {
    200: b"OK",
    202: b"Accepted",
    400: b"Bad Request",
    403: b"Forbidden",
    404: b"Not Found",
    405: b"Method Not Allowed",
    413: b"Request Entity Too Large",
}
_ODD = re.compile(r"[^ -~]")


class Request:
    """`path` is without its query.  `body` has at most the limit's bytes, `size` says how many there were."""

    __slots__ = ("body", "headers", "method", "path", "size")

    def __init__(self, method: bytes, path: bytes, headers: list[tuple[bytes, bytes]], body: bytes, size: int) -> None:
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
        self.size = size

    def header(self, name: bytes) -> str:
        """The first one of this name (in lower case), "" for none."""
        for key, value in self.headers:
            if key.lower() == name:
                return value.decode("latin-1")
        return ""


class Connection:
    """One connection of a runtime: one request after the other, each answered before the next.

    Of a body, `limit` bytes are kept; the rest is read and forgotten.
    """

    def __init__(self, taken: SocketType, limit: int) -> None:
        taken.setblocking(False)
        # Headers and body go together: without this the second part waits for an acknowledgement of the first
        taken.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        self.descriptor = taken.fileno()
        self.over = False
        self._socket = taken
        self._limit = limit
        self._piece = _PIECE
        self._parser = HttpRequestParser(self)
        self._unsent = b""
        self._done: Request | None = None
        self.on_message_begin()

    @property
    def unsent(self) -> bool:
        """Whether a part of an answer waits until the other side reads."""
        return bool(self._unsent)

    def silence(self) -> float:
        """For how many seconds nothing has come; the kernel knows it from before the connection was accepted, too."""
        told = self._socket.getsockopt(IPPROTO_TCP, TCP_INFO, _LAST_DATA_RECEIVED.stop)
        return int.from_bytes(told[_LAST_DATA_RECEIVED], sys.byteorder) / 1000

    def receive(self) -> Request | None:
        """Read what is there; the request, once all of it is there.  `over` is set where the other side has gone."""
        try:
            data = self._socket.recv(self._piece)
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        if not data:
            self.over = True
            return None
        self._piece = _PIECE if len(data) < _PIECE else _LARGE_PIECE
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            self.over = True
            return None
        done = self._done
        if done is not None:
            self._done = None
        return done

    def send(self, data: bytes) -> None:
        """Send an answer; what the other side does not take at once is left to `resume`."""
        if self._unsent:
            self._unsent += data
            return
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.over = True
            return
        if sent < len(data):
            self._unsent = data[sent:]

    def resume(self) -> None:
        """Send more of what was left."""
        data, self._unsent = memoryview(self._unsent), b""
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.over = True
            return
        self._unsent = bytes(data[sent:])

    def close(self) -> None:
        self.over = True
        self._socket.close()

    # What the parser calls
    def on_message_begin(self) -> None:
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._size = 0

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))
        if value == b"100-continue" and name.lower() == b"expect":
            self.send(_CONTINUE)

    def on_body(self, body: bytes) -> None:
        room = self._limit - self._size
        self._size += len(body)
        if room > 0:
            self._body.append(body if len(body) <= room else body[:room])

    def on_message_complete(self) -> None:
        path = self._url.partition(b"?")[0]
        self._done = Request(self._parser.get_method(), path, self._headers, b"".join(self._body), self._size)


def answer(status: int, body: bytes, kind: bytes = b"application/json", headers: bytes = b"") -> bytes:
    """A response.  `headers` are whole lines, each with its end."""
    return b"HTTP/1.1 %d %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n%b\r\n%b" % (
        status, _REASONS[status], kind, len(body), headers, body,
    )  # fmt: skip


def line(name: bytes, value: str) -> bytes:
    """A header, "" for an empty value.

    Nothing in it ends the line: control characters are spaces, and what is not ASCII is escaped as JSON has it (clients
    that read Latin-1 take parts of it for ends of lines).  To a value that is JSON both mean the same.
    """
    if not value:
        return b""
    if not (value.isascii() and value.isprintable()):
        value = _ODD.sub(_plain, value)
    return b"%b: %b\r\n" % (name, value.encode())


def _plain(odd: re.Match[str]) -> str:
    if odd[0].isascii():
        return " "
    units = odd[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
