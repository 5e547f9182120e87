"""S3 over HTTP: moto's server, what it was asked, and requests that go wrong.  Fixtures to import."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.deployed.moto_server import REGION, AwsServer

from lamella import aws


class Front:
    """Before moto: what was asked, and requests that go wrong.

    Each of `faults` is (what a request's line holds, kind, …): ("GET", "cut", bytes), ("PUT", "status", 403, code).
    """

    def __init__(self, server: AwsServer) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.faults: list[tuple[Any, ...]] = []
        self._behind = server._moto

    def lines(self) -> list[str]:
        return [line for line, _ in self.asked]

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        line = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        if environ.get("QUERY_STRING"):
            line += f"?{environ['QUERY_STRING']}"
        self.asked.append((line, {name: value for name, value in environ.items() if name.startswith("HTTP_")}))
        fault = next((fault for fault in self.faults if fault[0] in line), None)
        if fault is None:
            return self._behind(environ, start)  # type: ignore[no-any-return]
        self.faults.remove(fault)
        if fault[1] == "status":
            body = f"<Error><Code>{fault[3]}</Code><Message>no</Message></Error>".encode()
            body = b"" if environ["REQUEST_METHOD"] == "HEAD" else body
            start(f"{fault[2]} Fault", [("Content-Length", str(len(body)))])
            return [body]
        answer = b"".join(self._behind(environ, start))
        return iter([answer[: fault[2]]])  # the connection is closed behind it


@pytest.fixture(scope="module")
def s3_server() -> Iterator[AwsServer]:
    server = AwsServer()
    server._server.app = Front(server)
    with server:
        yield server


@pytest.fixture
def front(s3_server: AwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Front:
    """S3 with the bucket `built`, where AWS_ENDPOINT_URL_S3 leads."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "BOTO"))]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_CONFIG_FILE": str(tmp_path / "aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "aws-credentials"),
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL_S3": s3_server.url,
        "AWS_MAX_ATTEMPTS": "1",
        "NO_PROXY": "*",
    }.items():
        monkeypatch.setenv(name, value)
    s3_server.forget()
    front: Any = s3_server._server.app
    front.asked.clear()
    front.faults.clear()
    aws.client("s3").create_bucket(Bucket="built")
    front.asked.clear()
    return front  # type: ignore[no-any-return]
