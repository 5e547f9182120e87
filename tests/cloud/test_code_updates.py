"""What an update of code must not change on its way: the key that the code is encrypted with, and where it is."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from tests.cloud.fake import code_digest
from tests.deployed.conftest import nobody, somebody  # noqa: F401

from lamella import aws
from lamella.cloud.lambdas import Lambdas
from lamella.cloud.model import Content
from lamella.deployed.lambdas import Lambdas as Downloads
from lamella.errors import LamellaError

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
CODE = Content("", 3, "", "", "code", "key.zip")
CONFIGURATION = {
    "FunctionName": "api", "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:api", "Version": "$LATEST",
    "CodeSha256": code_digest(b"code"), "CodeSize": 4, "Runtime": "python3.12", "Handler": "app.handler",
}  # fmt: skip


class OneFunction:
    """Answers with one function; `code` is where its code is, `updates` what it was to be updated with."""

    def __init__(self) -> None:
        self.code: dict[str, Any] = {"RepositoryType": "S3", "Location": "https://zips.example/1"}
        self.updates: list[dict[str, Any]] = []


@pytest.fixture
def one(somebody: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[OneFunction]:  # noqa: ARG001, F811
    found = OneFunction()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({"Configuration": CONFIGURATION, "Code": found.code})

        def do_PUT(self) -> None:
            found.updates.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer(CONFIGURATION)

        def _answer(self, tree: dict[str, Any]) -> None:
            body = json.dumps(tree).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_key_that_code_is_encrypted_with_stays(one: OneFunction) -> None:
    port = Lambdas(aws.Access())
    port.update_code("api", revision="r", content=CODE, architecture="arm64")
    one.code["SourceKMSKeyArn"] = KEY
    port.update_code("api", revision="r", content=CODE, architecture="arm64")
    assert [update.get("SourceKMSKeyArn") for update in one.updates] == [None, KEY]


def test_code_that_lambda_has_no_copy_of_is_left_alone(one: OneFunction) -> None:
    one.code = {"ResolvedS3Object": {"S3Bucket": "zips", "S3Key": "api.zip", "S3ObjectVersion": "1"}}
    with pytest.raises(LamellaError, match=r"the code of `api` is not Lambda's own, but `s3://zips/api\.zip`"):
        Lambdas(aws.Access()).update_code("api", revision="r", content=CODE, architecture="arm64")
    assert one.updates == []
    with pytest.raises(LamellaError, match="the code of the function `api` is not Lambda's own"):
        Downloads().function("api", "")
