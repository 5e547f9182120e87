from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator

import pytest

from lamella.runtime.wire import Connection, Request, answer, line


class Ends:
    """Both ends of a connection over loopback."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.other = socket.create_connection(server.getsockname())
            taken, _ = server.accept()
        self.taken = taken
        self.connection = Connection(taken, 100)

    def received(self) -> Request:
        """The next request: the other side has sent all of it."""
        self.taken.setblocking(True)
        while True:
            request = self.connection.receive()
            if request is not None:
                return request
            assert not self.connection.over


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    made.other.close()
    made.connection.close()


HEAD = b"POST /2018-06-01/runtime/invocation/r1/response?x=1 HTTP/1.1\r\nHost: h\r\nX-Some: Thing\r\n"


def test_requests_in_any_pieces(ends: Ends) -> None:
    whole = HEAD + b"Content-Length: 5\r\n\r\nhello"
    for size in (1, 7, 50, 1000):
        for at in range(0, len(whole), size):
            ends.other.sendall(whole[at : at + size])
        request = ends.received()
        assert (request.method, request.path) == (b"POST", b"/2018-06-01/runtime/invocation/r1/response")
        assert (request.body, request.size) == (b"hello", 5)
        assert (request.header(b"x-some"), request.header(b"x-none")) == ("Thing", "")


def test_nothing_there(ends: Ends) -> None:
    assert ends.connection.receive() is None
    assert not ends.connection.over


def test_chunks(ends: Ends) -> None:
    ends.other.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    assert ends.received().body == b"abcde"


@pytest.mark.parametrize("size", [100, 101, 100_000])
def test_a_body_is_kept_up_to_its_limit(ends: Ends, size: int) -> None:
    ends.other.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % size + b"x" * size)
    request = ends.received()
    assert (request.body, request.size) == (b"x" * 100, size)
    ends.other.sendall(b"GET / HTTP/1.1\r\n\r\n")
    assert ends.received().size == 0, "the next one begins anew"


def test_who_asks_before_a_large_body_is_told_to_go_on(ends: Ends) -> None:
    ends.other.sendall(HEAD + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    assert ends.connection.receive() is None
    assert ends.other.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    ends.other.sendall(b"ok")
    assert ends.received().body == b"ok"


def test_the_end_and_what_is_no_http(ends: Ends) -> None:
    ends.other.sendall(b"\x16\x03\x01 hello\r\n\r\n")
    ends.taken.setblocking(True)
    assert ends.connection.receive() is None
    assert ends.connection.over
    other = Ends()
    other.other.close()
    other.taken.setblocking(True)
    assert other.connection.receive() is None
    assert other.connection.over


def test_an_answer_is_read_by_a_client(ends: Ends) -> None:
    body = "ü".encode() * 10
    ends.connection.send(answer(200, body, headers=line(b"X-Id", "a\r\nb") + line(b"X-None", "")))
    read = http.client.HTTPResponse(ends.other, method="GET")
    read.begin()
    assert (read.status, read.reason, read.read()) == (200, "OK", body)
    assert (read.headers["X-Id"], read.headers["X-None"]) == ("a  b", None)
    assert read.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "odd", ["\r", "\n", "\r\nX-More: 1", "\0", "\x0b", "\x1c", "\x7f", "\x85", "à", "😀", "\udc85"]
)
def test_no_value_breaks_a_header(ends: Ends, odd: str) -> None:
    ends.connection.send(answer(200, b"{}", headers=line(b"X-Id", f"a{odd}b") + line(b"X-Next", "next")))
    read = http.client.HTTPResponse(ends.other, method="GET")
    read.begin()
    assert read.read() == b"{}"
    assert read.headers["X-Next"] == "next"
    assert "X-More" not in read.headers
    value = read.headers["X-Id"]
    assert value.isascii()
    if odd.isascii():
        assert value == f"a{odd}b".translate({ord(char): " " for char in odd if not char.isprintable()})
    else:
        assert json.loads(f'"{value}"') == f"a{odd}b"


def test_a_large_answer_goes_on_as_the_other_side_reads(ends: Ends) -> None:
    body = bytes(range(256)) * 40_000
    ends.connection.send(body)
    assert ends.connection.unsent
    ends.connection.send(b"more")
    read = bytearray()
    while len(read) < len(body) + 4:
        read += ends.other.recv(1 << 20)
        ends.connection.resume()
    assert bytes(read) == body + b"more"
    assert not ends.connection.unsent


def test_an_answer_to_nobody(ends: Ends) -> None:
    ends.other.close()
    for _ in range(3):
        ends.connection.send(b"x" * 1000)
    assert ends.connection.over


def test_it_knows_how_long_nothing_came(ends: Ends) -> None:
    ends.other.sendall(b"G")
    assert 0 <= ends.connection.silence() < 30
