from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.cloud.strict import StrictServer
from tests.deployed.moto_server import Deployer


@pytest.fixture(scope="session")
def _strict() -> Iterator[StrictServer]:
    with StrictServer() as server:
        yield server


@pytest.fixture
def strict(_strict: StrictServer, somebody: None, monkeypatch: pytest.MonkeyPatch) -> StrictServer:  # noqa: ARG001
    """A strict account with nothing in it, where AWS_ENDPOINT_URL leads."""
    _strict.forget()
    monkeypatch.setenv("AWS_ENDPOINT_URL", _strict.url)
    return _strict


@pytest.fixture
def owner(strict: StrictServer) -> Deployer:
    """Somebody who deploys there with boto3; there is a role for functions."""
    deployer = Deployer(strict)
    deployer.role()
    strict.clear()
    return deployer
