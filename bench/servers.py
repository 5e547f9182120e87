"""What answers invocations over HTTP: `lamella start-lambda`, and AWS's emulator, both on loopback alone."""

from __future__ import annotations

import contextlib
import http.client
import os
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.tools import Bench, BenchError

SERVE = "lamella start-lambda --port PORT"
EMULATOR = (
    "aws-lambda-rie --runtime-interface-emulator-address 127.0.0.1:PORT --runtime-api-address 127.0.0.1:PORT "
    "python3.12 -m awslambdaric HANDLER"
)
_POLL = 0.00025  # seconds
_PATIENCE = 30.0


@dataclass(frozen=True)
class Function:
    """One and the same function: a project with it, built, and its folders, unpacked for the emulator."""

    folder: Path
    key: str
    handler: str
    event: bytes
    command: tuple[str, ...]
    environment: Mapping[str, str]


@contextlib.contextmanager
def emulator(function: Function) -> Iterator[http.client.HTTPConnection]:
    """A connection to the emulator.  It listens on loopback alone."""
    port, api = _free_port(), _free_port()
    program, python = function.command
    command = [program, "--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    command += ["--runtime-api-address", f"127.0.0.1:{api}", python, "-m", "awslambdaric", function.handler]
    with _answering(command, function.folder, function.environment, port) as connection:
        yield connection


@contextlib.contextmanager
def served(bench: Bench, function: Function) -> Iterator[http.client.HTTPConnection]:
    """A connection to `lamella start-lambda`."""
    port = _free_port()
    command = shlex.split(SERVE.replace("PORT", str(port)))
    command[0] = str(bench.root / "ours" / "bin" / "lamella")
    with _answering(command, function.folder, bench.environment, port) as connection:
        yield connection


@contextlib.contextmanager
def _answering(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], port: int
) -> Iterator[http.client.HTTPConnection]:
    """A connection to the process of `command`, as soon as it takes one.  Whatever it writes goes nowhere."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    try:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                connection.connect()
                break
            except ConnectionRefusedError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise BenchError(f"`{shlex.join(command)}` does not answer") from None
                time.sleep(_POLL)
        yield connection
    finally:
        connection.close()
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def asked(connection: http.client.HTTPConnection, name: str, event: bytes) -> bytes:
    connection.request("POST", f"/2015-03-31/functions/{name}/invocations", event)
    answer = connection.getresponse()
    payload = answer.read()
    if answer.status != 200:
        raise BenchError(f"`{name}` answered {answer.status}: {payload[:200]!r}")
    return payload


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]  # type: ignore[no-any-return]
