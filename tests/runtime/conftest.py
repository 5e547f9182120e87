from __future__ import annotations

import itertools
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from tests.runtime.clients import stand_in

from lamella.errors import UsageError
from lamella.runtime.model import Asked, Launch
from lamella.runtime.pool import Pool
from lamella.sandbox.model import AUTO, KINDS
from lamella.sandbox.run import Place, Sandbox

PYTHON = (sys.version_info[0], sys.version_info[1])
ARN = "arn:aws:lambda:us-east-1:123456789012:function:shop-orders"
_numbers = itertools.count()


class Functions(Protocol):
    """Makes a pool of the module `app` with this code."""

    def __call__(
        self,
        code: str,
        *,
        handler: str = ...,
        timeout: float = ...,
        memory: int = ...,
        limit: int = ...,
        init_seconds: float | None = ...,
        isolation: str = ...,
        variables: tuple[tuple[str, str], ...] = ...,
    ) -> Pool: ...


def asked(event: bytes | str = b"{}", request_id: str = "", **more: str) -> Asked:
    data = event.encode() if isinstance(event, str) else event
    return Asked(data, request_id or f"8f2a-{next(_numbers)}", **more)


@pytest.fixture(scope="session")
def awslambdaric(tmp_path_factory: pytest.TempPathFactory) -> str:
    """AWS's own client, as the package pins it, for the Python of the tests."""
    folder = tmp_path_factory.mktemp("client")
    pins = Path(__file__).parents[2] / "src" / "lamella" / "local" / "client.txt"
    uv = os.path.join(os.path.dirname(sys.executable), "uv")
    install = [uv, "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:"]
    subprocess.run([*install, "--python", sys.executable, "--target", str(folder), "-r", str(pins)], check=True)
    return str(folder)


@pytest.fixture(params=["stand-in", pytest.param("awslambdaric", marks=pytest.mark.journey)])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The folder of a runtime client: one for tests without the network, and AWS's own."""
    if request.param == "stand-in":
        return stand_in(tmp_path)
    folder: str = request.getfixturevalue("awslambdaric")
    return folder


@pytest.fixture(params=KINDS)
def isolation(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    try:
        assert Sandbox(sys.executable, PYTHON, kind).isolation == kind
    except UsageError as error:
        pytest.skip(str(error).replace("\n", " "))
    return kind


def launch_of(
    folder: Path, client: str | None, code: str, *, handler: str = "app.handler", timeout: float = 20, memory: int = 512
) -> Launch:
    folder.mkdir(exist_ok=True)
    (folder / "app.py").write_text(textwrap.dedent(code))
    place = Place(task=str(folder), runtime=client, network=True)
    return Launch("orders", "shop-orders", ARN, handler, sys.executable, PYTHON, place, (), memory, timeout)


@pytest.fixture
def function(client: str, tmp_path: Path) -> Iterator[Functions]:
    pools: list[Pool] = []

    def make(
        code: str,
        *,
        handler: str = "app.handler",
        timeout: float = 20,
        memory: int = 512,
        limit: int = 8,
        init_seconds: float | None = None,
        isolation: str = AUTO,
        variables: tuple[tuple[str, str], ...] = (),
    ) -> Pool:
        folder = tmp_path / f"task{len(pools)}"
        launch = launch_of(folder, client, code, handler=handler, timeout=timeout, memory=memory)
        launch = launch._replace(env=variables)
        sandbox = Sandbox(sys.executable, PYTHON, isolation)
        pools.append(Pool(sandbox, launch, limit=limit, init_seconds=init_seconds))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


@pytest.fixture
def real(awslambdaric: str, tmp_path: Path) -> Iterator[Callable[..., Pool]]:
    """As `function`, with AWS's own client alone."""
    pools: list[Pool] = []

    def make(code: str, *, handler: str = "app.handler") -> Pool:
        folder = tmp_path / f"task{len(pools)}"
        launch = launch_of(folder, awslambdaric, code, handler=handler)
        pools.append(Pool(Sandbox(sys.executable, PYTHON), launch))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()
