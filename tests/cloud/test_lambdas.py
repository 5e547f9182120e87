"""What the contract of all Lambdas can't say: how AWS is asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from tests.cloud.fake import FakeClock, content_of
from tests.deployed.moto_server import AwsServer, Deployer, zipped

from lamella import aws
from lamella.cloud.lambdas import Lambdas
from lamella.cloud.model import Content, NewLayer, Permission
from lamella.cloud.rate import Rate
from lamella.errors import LamellaError, OutsideError, UsageError

CODE = Content("", 3, "", "", "code", "key.zip")
WRITES: dict[str, Callable[[Lambdas], object]] = {
    "publish_layer": lambda port: port.publish_layer(NewLayer("deps", CODE)),
    "update_configuration": lambda port: port.update_configuration(
        "api", revision="r", layers=[], runtime="python3.12", handler="app.handler"
    ),
    "update_code": lambda port: port.update_code("api", revision="r", content=CODE, architecture="arm64"),
    "publish_version": lambda port: port.publish_version("api", revision="r", code_sha256="", description="d"),
    "create_alias": lambda port: port.create_alias("api", "live", "1"),
    "update_alias": lambda port: port.update_alias("api", "live", version="1", weights=[("2", 0.1)], revision="r"),
    "delete_alias": lambda port: port.delete_alias("api", "live"),
    "delete_layer_version": lambda port: port.delete_layer_version("deps", 1),
    "share": lambda port: port.share("deps", 1, Permission("org", "*", "o-1234567890")),
    "unshare": lambda port: port.unshare("deps", 1, "org"),
    "invoke": lambda port: port.invoke("api", "1", b"{}"),
}


@pytest.fixture
def port(aws_server: AwsServer) -> Lambdas:  # noqa: ARG001
    return Lambdas(aws.Access())


REFUSALS = [
    (429, "TooManyRequestsException", aws.ThrottledError),
    (500, "ServiceException", aws.UnreachableError),
    (503, "ServiceUnavailable", aws.UnreachableError),
    (412, "PreconditionFailedException", aws.StaleError),
    (409, "ResourceConflictException", aws.BusyError),
    (403, "AccessDeniedException", aws.DeniedError),
    (400, "InvalidParameterValueException", OutsideError),
]


def test_a_layer_is_published_with_all_that_is_said_of_it(port: Lambdas, deployer: Deployer, tmp_path: Path) -> None:
    code = content_of(zipped({"python/x.py": "1"}), tmp_path)
    made = port.publish_layer(NewLayer("deps", code, ("python3.12",), ("arm64",), "what it is", "MIT AND BSD-3-Clause"))
    told = deployer.lambdas.get_layer_version(LayerName="deps", VersionNumber=made.version)
    assert told["LicenseInfo"] == "MIT AND BSD-3-Clause"
    assert told["Description"] == "what it is"
    assert (told["CompatibleRuntimes"], told["CompatibleArchitectures"]) == (["python3.12"], ["arm64"])


@pytest.mark.parametrize("name", WRITES)
def test_a_write_is_made_once(
    port: Lambdas, aws_server: AwsServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:  # fmt: skip
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
    for status, code, kind in REFUSALS:
        aws_server.asked.clear()
        aws_server.faults = [("api", status, code, "no")]
        with pytest.raises(LamellaError) as caught:
            WRITES[name](port)
        assert type(caught.value) is kind
        assert caught.value.what.startswith("could not ")
        assert len(aws_server.asked) == 1


def test_a_missing_permission_is_named(port: Lambdas, aws_server: AwsServer) -> None:
    aws_server.faults = [("api", 403, "AccessDeniedException", "no")]
    with pytest.raises(aws.DeniedError) as caught:
        WRITES["update_alias"](port)
    assert caught.value.action == "lambda:UpdateAlias"


def test_reads_are_tried_again_and_each_try_takes_its_turn(
    aws_server: AwsServer, deployer: Deployer, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    deployer.function("api", zipped({"app.py": "1"}))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    aws_server.asked.clear()
    aws_server.faults = [("api", 429, "TooManyRequestsException", "Rate exceeded")]
    rate = Rate(10, FakeClock())
    assert Lambdas(aws.Access(before_send=rate.take)).function("api").name == "api"
    assert rate.calls == len(aws_server.asked) == 2


def test_a_file_that_was_built_again(port: Lambdas, aws_server: AwsServer, tmp_path: Path) -> None:
    content = content_of(zipped({"app.py": "1"}), tmp_path)
    Path(content.path).write_bytes(zipped({"app.py": "2"}))
    with pytest.raises(LamellaError) as caught:
        port.update_code("api", revision="", content=content, architecture="x86_64")
    assert caught.value.what == "`code.zip` was changed since it was planned with"
    Path(content.path).unlink()
    with pytest.raises(LamellaError) as caught:
        port.publish_layer(NewLayer("deps", content))
    assert caught.value.what == "`code.zip` can't be read"
    assert aws_server.asked == []


@pytest.mark.parametrize(
    "call",
    [
        lambda port: port.update_configuration("", revision="", layers=[], runtime="python3.12", handler="a.b"),
        lambda port: port.publish_layer(NewLayer("a", CODE._replace(key=""))),
        lambda port: port.publish_layer(NewLayer("", CODE)),
        lambda port: port.create_alias("api", "", "1"),
        lambda port: port.update_alias("api", "live", version="", weights=[], revision=""),
        lambda port: port.share("deps", 1, Permission("", "*")),
    ],
)
def test_what_aws_could_not_take_is_not_sent(
    port: Lambdas, aws_server: AwsServer, call: Callable[[Lambdas], object]
) -> None:  # fmt: skip
    with pytest.raises(UsageError) as caught:
        call(port)
    assert caught.value.what.startswith("could not ")
    assert "Parameter validation failed" in caught.value.why[0]
    assert aws_server.asked == []


@pytest.fixture
def page() -> Iterator[tuple[str, list[bytes]]]:
    """The endpoint of somebody who answers everything with the first of some bodies, and says that all is well."""
    bodies: list[bytes] = []

    class Answers(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200)
            self.send_header("Content-Length", str(len(bodies[0])))
            self.end_headers()
            self.wfile.write(bodies[0])

        do_GET = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", bodies
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("body", [b"<html>Log in to the network", b"{}", b'{"FunctionName": "api"}', b"[]"])
def test_an_answer_that_is_not_of_aws(
    somebody: None,  # noqa: ARG001
    page: tuple[str, list[bytes]],
    monkeypatch: pytest.MonkeyPatch,
    body: bytes,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", page[0])
    page[1].append(body)
    port = Lambdas(aws.Access())
    calls: list[Callable[[], object]] = [
        lambda: port.function("api"),
        lambda: list(port.functions()),
        lambda: port.layer_version("deps", 1),
        lambda: WRITES["update_code"](port),
        lambda: WRITES["publish_layer"](port),
    ]
    for call in calls:
        with pytest.raises(aws.UnreachableError) as caught:
            call()
        assert "can't be understood" in caught.value.why[0]
