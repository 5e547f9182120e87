from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.deployed.moto_server import REGION, AwsServer, Deployer


@pytest.fixture(scope="session")
def _moto() -> Iterator[AwsServer]:
    with AwsServer() as server:
        yield server


@pytest.fixture
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plain_network: None) -> None:  # noqa: ARG001
    """Nothing of this machine's AWS: no credentials, no configuration, no region, no endpoint."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "BOTO"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # a port where nobody is
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def somebody(nobody: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    """Made-up credentials and a region."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)


@pytest.fixture
def aws_server(_moto: AwsServer, somebody: None, monkeypatch: pytest.MonkeyPatch) -> AwsServer:  # noqa: ARG001
    """An account with nothing in it, where AWS_ENDPOINT_URL leads."""
    _moto.forget()
    monkeypatch.setenv("AWS_ENDPOINT_URL", _moto.url)
    return _moto


@pytest.fixture
def deployer(aws_server: AwsServer) -> Deployer:
    return Deployer(aws_server)
