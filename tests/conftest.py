from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.wheels.index_server import IndexServer

# What would lead a test's requests elsewhere, or change what they trust
_ELSEWHERE = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture
def plain_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxies and no certificates from this machine's environment."""
    for name in _ELSEWHERE:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def index(plain_network: None) -> Iterator[IndexServer]:  # noqa: ARG001
    with IndexServer() as server:
        yield server


@pytest.fixture
def fake_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `keyring` program that knows one login for every service; the file where it writes down what it is asked."""
    asked = tmp_path / "keyring-asked"
    program = tmp_path / "bin" / "keyring"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho \"$*\" >> '{asked}'\nprintf 'ring\\ns3cret\\n'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return asked
