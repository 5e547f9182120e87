from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lamella.serving import HEADER_NAMES, App, Message, Receive, Scope, Send, Stop, serve
from lamella.waiting import Threads


async def answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def hello(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
    await receive()
    await answer(send, 200, b"hello")


class Server:
    """`serve` in a thread of its own."""

    def __init__(self, app: App, *, grace: float = 60, header_names: bool = False) -> None:
        self.stop = Stop()
        self.url = ""
        listens = threading.Event()

        def ready(url: str) -> None:
            self.url = url
            listens.set()

        def run() -> None:
            serve(app, port=0, ready=ready, grace=grace, stop=self.stop, header_names=header_names)

        self.thread = threading.Thread(target=run)
        self.thread.start()
        assert listens.wait(20)
        self.address = ("127.0.0.1", int(self.url.rpartition(":")[2]))

    def get(self, path: str = "/") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(*self.address, timeout=20)
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response.status, body

    def ended(self, seconds: float = 20) -> bool:
        self.thread.join(seconds)
        return not self.thread.is_alive()


@contextmanager
def server(app: App = hello, *, grace: float = 60, header_names: bool = False) -> Iterator[Server]:
    before = set(threading.enumerate())
    running = Server(app, grace=grace, header_names=header_names)
    try:
        yield running
    finally:
        running.stop()
        running.stop()
        assert running.ended()
    assert {thread for thread in threading.enumerate() if not thread.name.startswith("work-")} <= before


def until_refused(address: tuple[str, int]) -> None:
    """Returns when nothing listens there any more."""
    try:
        while True:
            socket.create_connection(address).close()
    except ConnectionError:
        return


class Gate:
    """An application that answers when it is let."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.go = threading.Event()
        self.threads = Threads(4)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await receive()
        self.asked.set()
        await self.threads.run(self.go.wait, 20)
        await answer(send, 200, b"at last")

    def close(self) -> None:
        self.go.set()
        assert self.threads.close(20)


def test_a_free_port_is_taken_and_told() -> None:
    with server() as running:
        assert running.url.startswith("http://127.0.0.1:")
        assert running.get() == (200, b"hello")


def test_headers_and_body_come_in_one_piece() -> None:
    with server() as running, socket.create_connection(running.address) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(65536).endswith(b"\r\n\r\nhello")


def test_a_response_to_head_comes_whole() -> None:
    with server() as running:
        connection = http.client.HTTPConnection(*running.address, timeout=20)
        for _ in range(2):
            connection.request("HEAD", "/")
            assert connection.getresponse().read() == b""
        connection.close()


def test_a_long_response_comes_whole_to_a_slow_reader() -> None:
    async def long(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
        await receive()
        await answer(send, 200, b"x" * 8_000_000)

    with server(long) as running:
        assert running.get() == (200, b"x" * 8_000_000)


def test_header_names_are_told_as_they_were_sent() -> None:
    seen: list[object] = []

    async def look(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope["extensions"][HEADER_NAMES], [name for name, _ in scope["headers"]]))
        await hello(scope, receive, send)

    with server(look, header_names=True) as running, socket.create_connection(running.address) as client:
        for _ in range(2):
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-oDD: 1\r\n\r\n")
            assert client.recv(65536)
    assert seen == [([b"Host", b"X-oDD"], [b"host", b"x-odd"])] * 2


def test_what_is_no_http_is_refused_in_silence(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with server() as running, socket.create_connection(running.address) as client:
        client.sendall(b"hello?\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 400 ")
        assert running.get() == (200, b"hello")
    assert (*capfd.readouterr(), caplog.text) == ("", "", "")


def test_a_mistake_in_the_application_is_a_500_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    async def wrong(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
        raise ZeroDivisionError("here")

    with server(wrong) as running:
        assert running.get()[0] == 500
    assert "ZeroDivisionError: here" in caplog.text


def test_a_client_that_leaves_harms_nobody(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate()
    with server(gate) as running:
        with socket.create_connection(running.address) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert gate.asked.wait(20)
        gate.go.set()
        assert running.get() == (200, b"at last")
    gate.close()
    assert (*capfd.readouterr(), caplog.text) == ("", "", "")


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HT",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["nothing", "half of a request", "half of a body", "a request, and then idle"],
)
def test_clients_that_hang_on_do_not_keep_it_from_ending(sent: bytes) -> None:
    reading = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
        reading.set()
        message: Message = await receive()
        while message.get("more_body"):
            message = await receive()
        if message["type"] == "http.request":
            await answer(send, 200, b"hello")

    with server(app) as running, socket.create_connection(running.address) as client:
        client.sendall(sent)
        if b"\r\n\r\n" in sent:
            assert reading.wait(20)
        running.stop()
        assert running.ended(10)


def test_a_request_under_way_gets_its_answer_before_the_end() -> None:
    gate = Gate()
    with server(gate) as running, socket.create_connection(running.address) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert gate.asked.wait(20)
        running.stop()
        until_refused(running.address)
        gate.go.set()
        assert client.recv(65536).endswith(b"at last")
        assert running.ended()
    gate.close()


def test_a_request_that_takes_too_long_is_cut_off(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate()
    with server(gate, grace=0.05) as running, socket.create_connection(running.address) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert gate.asked.wait(20)
        running.stop()
        assert running.ended()
    gate.close()
    assert (*capfd.readouterr(), caplog.text) == ("", "", "")


def test_who_asks_twice_does_not_wait() -> None:
    gate = Gate()
    with server(gate, grace=3600) as running, socket.create_connection(running.address) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert gate.asked.wait(20)
        running.stop()
        running.stop()
        assert running.ended()
    gate.close()


def test_a_stop_before_it_listens_ends_it_at_once() -> None:
    stop = Stop()
    stop()
    serve(hello, port=0, ready=lambda _: None, stop=stop)


PROGRAM = """
import signal, sys
from lamella.serving import serve
{before}
async def app(scope, receive, send):
    import asyncio
    await receive()
    print("asked", flush=True)
    await asyncio.sleep(3600)
handlers = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
serve(app, port=0, ready=lambda url: print(url, flush=True), grace=3600)
assert handlers == [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
print("returned")
"""


@contextmanager
def program(before: str = "") -> Iterator[tuple[subprocess.Popen[str], tuple[str, int]]]:
    command = [sys.executable, "-c", PROGRAM.format(before=before)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, ("127.0.0.1", int(process.stdout.readline().rpartition(":")[2]))
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_lets_it_return_and_leaves_the_process_alive(number: signal.Signals) -> None:
    with program() as (process, _):
        process.send_signal(number)
        assert process.communicate(timeout=20) == ("returned\n", "")
        assert process.returncode == 0


def test_a_second_signal_ends_it_at_once() -> None:
    with program() as (process, address), socket.create_connection(address) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert process.stdout is not None
        assert process.stdout.readline() == "asked\n"
        process.send_signal(signal.SIGINT)
        until_refused(address)  # it has heard the first
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=20) == ("returned\n", "")


def test_who_ignores_hanging_up_goes_on() -> None:
    with program("signal.signal(signal.SIGHUP, signal.SIG_IGN)") as (process, address):
        process.send_signal(signal.SIGHUP)
        with socket.create_connection(address) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert process.stdout is not None
            assert process.stdout.readline() == "asked\n"


def test_uvicorn_and_asyncio_are_loaded_late() -> None:
    code = "import sys, lamella.serving; print({'uvicorn', 'asyncio', 'ssl'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
