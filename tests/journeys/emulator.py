"""AWS's Runtime Interface Emulator, from the wheel of the SAM CLI, running AWS's client in the sandbox of our own runs.

It listens on 127.0.0.1 alone, and sees what Lambda shows a function: its own program lies in /opt/bin.
"""

from __future__ import annotations

import base64
import http.client
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.journeys.lambdas import EXAMPLES

from lamella.archive.entry import Entry
from lamella.build.run import index_settings
from lamella.build.standin import StandIns
from lamella.cachedir import cache_dir
from lamella.config.read import read
from lamella.digests import key_of
from lamella.interpreter import InterpreterMissingError, find
from lamella.local.client import client
from lamella.local.events import wheel
from lamella.runtime.model import Launch
from lamella.sandbox.run import Place, Sandbox
from lamella.sandbox.unpack import laid
from lamella.sandbox.variables import variables
from lamella.target import Target
from lamella.wheels.cache import Cache
from lamella.wheels.model import Wheel
from lamella.wheels.obtain import Silent, Source

INVOKE = "/2015-03-31/functions/function/invocations"
PYTHON = (3, 12)
RUNTIME = "python3.12"
MEMORY = 256  # megabytes
HERE = {"aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
_PROGRAM = "bin/aws-lambda-rie"


class Answered(NamedTuple):
    """What it answered, and what it had written to its two streams when it was ended."""

    status: int
    payload: bytes
    out: bytes
    err: bytes


def prepared(task: Path) -> tuple[Sandbox, Launch]:
    """A function whose code is the folder `task`: with AWS's client, and the emulator in /opt.

    Skips the test where the machine has no interpreter of that version.
    """
    root = cache_dir(os.environ)
    cache = Cache(root)
    settings = read(str(EXAMPLES / "spectra"), output=None)
    target = Target(RUNTIME, HERE)
    try:
        python = find(PYTHON, offline=True, install=False)
    except InterpreterMissingError as error:
        pytest.skip(f"{error.what} on this machine: nothing was run")
    with Source(cache, lambda: index_settings(settings), offline=False, progress=Silent()) as source:
        ours = client(settings, source, target)
        opt = laid(key_of("emulator", HERE, __file__), lambda: [_emulator(wheel(settings, source))], root)
    held = frozenset({"boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"})
    runtime = StandIns(settings, cache, root, Silent(), offline=True).of(target, python, held, ours).folder
    place = Place(opt, str(task), runtime, True)
    arn = "arn:aws:lambda:us-east-1:012345678912:function:case"
    env = tuple(variables("case", memory=MEMORY).items())
    launch = Launch("case", "case", arn, "", python.path, PYTHON, place, env, MEMORY, 10.0)
    return Sandbox(python.path, PYTHON), launch


def _emulator(found: Wheel) -> Entry:
    name = f"samcli/local/rapid/aws-lambda-rie-{HERE}"
    (member,) = (member for member in found.members if member.name == name)
    return Entry(
        _PROGRAM, found.name, 0o755, member.method, member.crc, member.packed, member.size, found.path, member.offset,
        member.packed_crc,
    )  # fmt: skip


class EmulatorEndedError(Exception):
    """It ended before it could be asked."""


@contextmanager
def emulator(sandbox: Sandbox, launch: Launch, streams: list[bytes]) -> Iterator[http.client.HTTPConnection]:
    """The emulator with this function, which starts with the first request; `streams` is given stdout and stderr."""
    port, api = _free_ports()
    addresses = f"--runtime-interface-emulator-address 127.0.0.1:{port} --runtime-api-address 127.0.0.1:{api}"
    # Python has set LC_CTYPE for its children (PEP 538), which none that Lambda starts sees
    starting = "import os, sys; os.environ.pop('LC_CTYPE', None); os.execv(sys.argv[1], sys.argv[1:])"
    arguments = [
        "-c",
        starting,
        f"/opt/{_PROGRAM}",
        *addresses.split(),
        "/var/lang/bin/python3.12",
        "-m",
        "awslambdaric",
    ]
    env = {**dict(launch.env), "_HANDLER": launch.handler, "AWS_LAMBDA_FUNCTION_TIMEOUT": f"{launch.timeout:g}"}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with sandbox.started([*arguments, launch.handler], launch.place, env=env, stdout=out, stderr=err) as process:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            deadline = time.monotonic() + 20
            while True:
                try:
                    connection.connect()
                    break
                except ConnectionRefusedError:
                    if process.poll() is not None:
                        raise EmulatorEndedError from None
                    assert time.monotonic() < deadline, "the emulator does not answer"
            try:
                yield connection
            finally:
                connection.close()
        for stream in (out, err):
            stream.seek(0)
            streams.append(stream.read())


def invoked(
    sandbox: Sandbox, launch: Launch, *events: bytes, client_context: str = "", trace: str = ""
) -> list[Answered]:
    """One process of the emulator, asked once for each event.

    It is given ports that were free a moment ago: where somebody else took one meanwhile, it begins anew with others.
    """
    headers = {}
    if client_context:
        headers["X-Amz-Client-Context"] = base64.b64encode(client_context.encode()).decode()
    if trace:
        headers["X-Amzn-Trace-Id"] = trace
    for last in (False, False, True):
        answers = []
        streams: list[bytes] = []
        try:
            with emulator(sandbox, launch, streams) as connection:
                for event in events:
                    connection.request("POST", INVOKE, event, headers)
                    answer = connection.getresponse()
                    answers.append((answer.status, answer.read()))
            break
        except (http.client.RemoteDisconnected, ConnectionError, EmulatorEndedError):
            if last:
                raise
    return [Answered(status, payload, *streams) for status, payload in answers]


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]
