"""boto3 as the client, over HTTP: it has to understand every answer, and to raise what it raises in AWS."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import ClientError  # type: ignore[import-untyped]
from tests.endpoint.making import API, BASE, WORKER
from tests.runtime.faking import Fake, answered, failed
from tests.test_serving import server

from lamella.endpoint.app import Endpoint
from lamella.endpoint.events import Events
from lamella.endpoint.later import Later
from lamella.endpoint.letters import Letters
from lamella.errors import LamellaError, UsageError
from lamella.waiting import Threads


class Running:
    """An endpoint as `start-lambda` makes it, on functions in memory, and a client of it."""

    def __init__(self, fake: Fake, folder: Path) -> None:
        self.fake = fake
        self.said: list[str] = []
        self.failed: list[LamellaError] = []
        self.file = folder / "dead.jsonl"
        self.buried = threading.Event()
        self.threads = Threads(8)
        self.later = Later()
        self.events = Events(
            fake, self.threads.submit, Letters(str(self.file)), self.say, self.failed.append,
            after=self.later, retry_delay=0, most=4,
        )  # fmt: skip
        self.app = Endpoint(
            fake, lambda: [API, WORKER], self.threads.run, self.events, self.say, self.failed.append
        )  # fmt: skip
        self.client: Any = None

    def say(self, text: str) -> None:
        self.said.append(text)
        if "its record is in" in text:
            self.buried.set()

    def connect(self, url: str) -> None:
        self.client = boto3.client(
            "lambda", endpoint_url=url, region_name="us-east-1", aws_access_key_id="none",
            aws_secret_access_key="none", config=Config(retries={"total_max_attempts": 1}, max_pool_connections=8),
        )  # fmt: skip

    def close(self) -> None:
        if self.client is not None:
            self.client.close()
        self.events.close(20)
        self.later.close()
        assert self.threads.close(20)


@pytest.fixture
def running(tmp_path: Path, plain_network: None) -> Iterator[Running]:  # noqa: ARG001
    made = Running(Fake({"api": lambda asked: asked.event, "worker": failed}), tmp_path)
    with server(made.app) as served:
        made.connect(served.url)
        yield made
        made.close()


def refused(running: Running, **asked: Any) -> ClientError:
    with pytest.raises(ClientError) as caught:
        running.client.invoke(**asked)
    return caught.value


def test_it_gets_answers_logs_and_versions(running: Running) -> None:
    running.fake.answers["api"] = [lambda asked: answered(asked, b'{"a": "\xc3\xbc"}', said=b"hello\n")]
    response = running.client.invoke(FunctionName="spectra-api", Payload=b"{}", LogType="Tail", Qualifier="live")
    assert response["StatusCode"] == 200
    assert response["ExecutedVersion"] == "$LATEST"
    assert "FunctionError" not in response
    assert json.load(response["Payload"]) == {"a": "ü"}
    assert b"\nhello\n" in base64.b64decode(response["LogResult"])
    [(_, asked)] = running.fake.asked
    assert asked.arn == f"{BASE}spectra-api:live"
    assert asked.request_id == response["ResponseMetadata"]["RequestId"]


def test_it_sends_streams_arns_and_contexts(running: Running, tmp_path: Path) -> None:
    (tmp_path / "event.json").write_bytes(b'"' + b"x" * 100_000 + b'"')
    context = base64.b64encode(b'{"client": {"app_title": "t"}}').decode()
    with open(tmp_path / "event.json", "rb") as file:
        response = running.client.invoke(FunctionName=f"{BASE}spectra-api:live", Payload=file, ClientContext=context)
    assert response["Payload"].read() == (tmp_path / "event.json").read_bytes()
    assert running.fake.asked[0][1].client_context == '{"client": {"app_title": "t"}}'


def test_a_function_error_is_one(running: Running) -> None:
    response = running.client.invoke(FunctionName="worker")
    assert (response["StatusCode"], response["FunctionError"]) == (200, "Unhandled")
    assert json.load(response["Payload"])["errorType"] == "ValueError"


def test_dry_runs_and_events_give_their_status(running: Running) -> None:
    assert running.client.invoke(FunctionName="api", InvocationType="DryRun")["StatusCode"] == 204
    response = running.client.invoke(FunctionName="worker", InvocationType="Event", Payload=b"[1]")
    assert response["StatusCode"] == 202
    assert response["Payload"].read() == b""
    assert running.buried.wait(20)
    [letter] = [json.loads(line) for line in running.file.read_text().splitlines()]
    assert letter["requestContext"]["requestId"] == response["ResponseMetadata"]["RequestId"]
    assert letter["requestContext"]["approximateInvokeCount"] == 3
    assert letter["requestPayload"] == [1]
    assert [asked.request_id for _, asked in running.fake.asked] == [letter["requestContext"]["requestId"]] * 3
    assert running.client.invoke_async(FunctionName="api", InvokeArgs=b"{}")["Status"] == 202


def test_it_raises_the_exceptions_of_its_model(running: Running) -> None:
    exceptions = running.client.exceptions
    missing = refused(running, FunctionName="nope")
    assert isinstance(missing, exceptions.ResourceNotFoundException)
    assert missing.response["Error"]["Message"] == f"Function not found: {BASE}nope"
    assert missing.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert isinstance(refused(running, FunctionName="api:1"), exceptions.ResourceNotFoundException)
    assert isinstance(refused(running, FunctionName="api", Payload=b"{'"), exceptions.InvalidRequestContentException)
    assert isinstance(
        refused(running, FunctionName="api", ClientContext="string"), exceptions.InvalidRequestContentException
    )
    assert isinstance(
        refused(running, FunctionName="api:live", Qualifier="$LATEST"), exceptions.InvalidParameterValueException
    )
    running.fake.answers["api"] = [UsageError("no python3.12", hint="install it")]
    broken = refused(running, FunctionName="api")
    assert isinstance(broken, exceptions.ServiceException)
    assert broken.response["Error"]["Message"] == "no python3.12\n  hint: install it"


def test_it_gets_the_codes_that_its_model_lacks(running: Running) -> None:
    def code(**asked: Any) -> str:
        return str(refused(running, FunctionName="api", **asked).response["Error"]["Code"])

    large = b'"' + b"x" * 7_000_000 + b'"'
    assert code(Payload=large) == "RequestEntityTooLargeException"
    assert code(Payload=large[:1_100_000] + b'"', InvocationType="Event") == "RequestEntityTooLargeException"
    assert code(InvocationType="Later") == "ValidationException"
    # The connection is as good as before
    assert running.client.invoke(FunctionName="api", Payload=b"1")["Payload"].read() == b"1"


def test_other_operations_say_what_is_served(running: Running) -> None:
    with pytest.raises(
        ClientError, match="GET /2015-03-31/functions is not served here: `lamella start-lambda` serves"
    ):
        running.client.list_functions()


def test_each_of_many_at_once_gets_its_own_answer(running: Running) -> None:
    def ask(number: int) -> int:
        response = running.client.invoke(FunctionName="api", Payload=b"%d" % number)
        return int(response["Payload"].read())

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(400))) == list(range(400))
    assert running.threads.limit == 8
