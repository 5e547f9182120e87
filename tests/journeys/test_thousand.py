# ruff: noqa: F811  fixtures of another folder
"""A thousand functions and twenty layers: few calls, not more in a second than allowed, and memory that stays flat."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import multiprocessing
import random
import re
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.cloud.strict import StrictServer
from tests.cloud.strict_fixtures import _strict, owner, strict  # noqa: F401
from tests.deployed.conftest import nobody, somebody  # noqa: F401
from tests.deployed.moto_server import ACCOUNT, REGION, Deployer
from tests.journeys.rollouts import packed

from lamella.cloud.model import Content, Place
from lamella.cloud.places import open_cloud
from lamella.config.model import Smoke
from lamella.rollout.journal.journal import FOLDER, name_of, open_journal
from lamella.rollout.journal.keeping import open_downloads
from lamella.rollout.journal.record import to_json
from lamella.rollout.model import After, Record, Wanted, WantedFunction, WantedLayer
from lamella.rollout.perform import perform
from lamella.rollout.planning.plan import plan

pytestmark = pytest.mark.slow

FUNCTIONS, LAYERS = 1000, 20
RATE = 250  # calls of one second
HURRY = 30
# How long AWS takes, in seconds: Lambda says it of each function anew
TAKES = {"UpdateFunctionConfiguration": (2.0, 8.0), "PublishVersion": (0.5, 2.0)}
RUNTIME, ARCHITECTURE, HANDLER = "python3.12", "x86_64", "app.handler"
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer"
CODE = packed("app.py", "def handler(event, context): ...\n")


class Hurried:
    """`cloud.model.Clock` of which 30 seconds pass in one: all processes have the same."""

    def now(self) -> float:
        return time.monotonic() * HURRY

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / HURRY)


class Measured(NamedTuple):
    """What came of it in the process that made it: `resident` is its memory, in bytes, by functions that were done."""

    changes: int
    failures: tuple[str, ...]
    notes: tuple[str, ...]
    resident: dict[int, int]


def bytes_of(layer: int, edition: int = 1) -> bytes:
    return packed("python/own.py", f"# {layer}, edition {edition}\n" if layer == 0 else f"# {layer}\n")


def fleet(folder: Path, edition: int) -> Wanted:
    """Each function has the layer that all use, and another one.  Only the former differs with the edition."""

    def content(name: str, data: bytes) -> Content:
        path = folder / f"{name}.zip"
        path.write_bytes(data)
        digest = hashlib.sha256(data)
        return Content(str(path), len(data), digest.hexdigest(), base64.b64encode(digest.digest()).decode())

    layers = tuple(
        WantedLayer(name, name, content(f"{name}-{edition}", bytes_of(number, edition)), (RUNTIME,), ARCHITECTURE)
        for number in range(LAYERS)
        for name in (f"layer{number:02}",)
    )
    code = content("code", CODE)
    smoke = (Smoke("health", status=200),)
    functions = tuple(
        WantedFunction(name, name, code, RUNTIME, HANDLER, ARCHITECTURE, (layers[0].name, other), "live", smoke)
        for number in range(FUNCTIONS)
        for name, other in ((f"function{number:04}", layers[1 + number % (LAYERS - 1)].name),)
    )
    return Wanted("fleet", "", layers, functions)


def found_fleet(server: StrictServer, wanted: Wanted, role: str) -> None:
    """Everything as it is wanted, with an alias and a version behind it."""
    server.functions.settle_polls = 0
    arns = {}
    for number, layer in enumerate(wanted.layers):
        zip_file = base64.b64encode(bytes_of(number)).decode()
        told = server.do("PublishLayerVersion", LayerName=layer.name, Content={"ZipFile": zip_file})
        arns[layer.name] = told["LayerVersionArn"]
    code = {"ZipFile": base64.b64encode(CODE).decode()}
    for one in wanted.functions:
        server.do(
            "CreateFunction", FunctionName=one.name, Runtime=RUNTIME, Handler=HANDLER, Role=role, Code=code,
            Layers=[arns[name] for name in one.layers], Architectures=[ARCHITECTURE], Publish=True,
        )  # fmt: skip
        server.do("CreateAlias", FunctionName=one.name, Name="live", FunctionVersion="1")


def remember_fleet(wanted: Wanted, folder: Path) -> None:
    """The journal says so, as after a deploy."""
    place = Place(region=REGION, account=ACCOUNT)
    rows = tuple(
        After(
            one.name, one.content.code_sha256, tuple(f"{ARN}:{layer}:1" for layer in one.layers), RUNTIME, HANDLER,
            ARCHITECTURE, "1", one.alias,
        )
        for one in wanted.functions
    )  # fmt: skip
    path = folder / FOLDER / f"{name_of(place)}.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(to_json(Record(functions=rows)))


def roll_out(wanted: Wanted, folder: str, reached: Connection) -> None:
    """Plan and deploy in a process of its own, as the command does.  Waits are hurried, but the rate is a real one."""
    place = Place(region=REGION, account=ACCOUNT, rate=RATE)
    cloud = open_cloud(place)._replace(clock=Hurried())
    journal = open_journal(cloud, folder)
    record = journal.read()
    made = plan(cloud, wanted, record)
    if made.is_empty:
        reached.send(Measured(0, (), made.notes, {}))
        return
    resident: dict[int, int] = {}
    done = 0

    def tell(line: str) -> None:
        nonlocal done
        done += "is as it was meant" in line
        if done in (100, FUNCTIONS):
            resident.setdefault(done, _resident())

    outcome = perform(made, cloud, journal, tell, downloads=open_downloads(cloud))
    failures = tuple(f"{one.function}: {one.what} {one.why}" for one in outcome.failures)
    reached.send(Measured(len(made.changes), failures, outcome.remains, resident))


def _resident() -> int:
    found = re.search(r"^VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) * 1024


def in_a_process(wanted: Wanted, folder: Path) -> Measured:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=roll_out, args=(wanted, str(folder), theirs))
    process.start()
    theirs.close()
    try:
        assert ours.poll(200), "it takes too long"
        measured = ours.recv()
        assert isinstance(measured, Measured)
        return measured
    finally:
        process.join(20)
        process.kill()


@contextlib.contextmanager
def taking_time(server: StrictServer) -> Iterator[None]:
    """Updates and versions are under way for some of the clock's seconds, each for as long as it happens."""
    numbers, before = random.Random(1), server.clock

    def taking(number: int, service: str, operation: str) -> None:  # noqa: ARG001
        server.functions.settle_seconds = numbers.uniform(*TAKES.get(operation, (0.0, 0.0)))

    server.clock = Hurried().now
    server.fault = taking
    try:
        yield
    finally:
        server.clock, server.fault = before, None


def test_a_thousand_functions(strict: StrictServer, owner: Deployer, tmp_path: Path) -> None:
    first = fleet(tmp_path, 1)
    found_fleet(strict, first, owner.role())
    remember_fleet(first, tmp_path)
    strict.rate = RATE
    strict.clear()

    assert in_a_process(first, tmp_path).changes == 0
    planned = len(strict.calls)
    print(f"\nplan of {FUNCTIONS} unchanged functions, {LAYERS} layers: {planned} calls")
    assert planned <= 60
    assert not strict.writes

    second = fleet(tmp_path, 2)
    strict.clear()
    with taking_time(strict):
        measured = in_a_process(second, tmp_path)
    assert (measured.changes, measured.failures, measured.notes) == (FUNCTIONS, (), ())
    invoked = sum(call.operation == "Invoke" for call in strict.calls)
    others = len(strict.calls) - invoked
    reading = next(at for at, call in enumerate(strict.calls) if call in strict.writes)  # its own plan
    grown = measured.resident[FUNCTIONS] - measured.resident[100]
    print(
        f"deploy of a layer that all use: {others / FUNCTIONS:.2f} calls a function, "
        f"{reading / FUNCTIONS:.2f} of them for its plan, and {invoked} smoke events; "
        f"at most {strict.busiest} calls in a second of {RATE} allowed; "
        f"{measured.resident[100] >> 20} MB after 100 functions, {measured.resident[FUNCTIONS] >> 20} MB at the end"
    )
    assert invoked == FUNCTIONS
    assert others <= 7 * FUNCTIONS
    assert strict.busiest <= RATE
    assert grown < 8 << 20

    arn = f"{ARN}:layer00"
    for one in (second.functions[0], second.functions[-1]):
        behind = owner.lambdas.get_function_configuration(FunctionName=one.name, Qualifier="live")
        assert (behind["Version"], behind["Layers"][0]["Arn"]) == ("2", f"{arn}:2")

    strict.clear()
    assert in_a_process(second, tmp_path).changes == 0
    assert len(strict.calls) <= 60
    assert not strict.writes
