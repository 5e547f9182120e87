"""The application as a server calls it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.endpoint.making import API, BASE, WORKER, Queue
from tests.runtime.faking import Answer, Fake, answered, failed

from lamella.endpoint.app import Endpoint
from lamella.endpoint.model import Named
from lamella.errors import BuildError, LamellaError, UsageError
from lamella.facts.tables import limits
from lamella.runtime.model import Asked, Begun, Gone, Log, Result

INVOKE = "/2015-03-31/functions/{}/invocations"


class Served:
    """An endpoint on functions in memory, in one thread."""

    def __init__(
        self, folder: Path, answers: dict[str, Answer | list[Answer]], *, changing: bool = False
    ) -> None:  # fmt: skip
        self.fake = Fake(answers)
        self.queue = Queue(self.fake, folder)
        self.named: list[Named] = [API, WORKER]
        self.renewing: Callable[[], object] = lambda: None
        self.said: list[str] = []
        self.failed: list[LamellaError] = []
        self.log: list[bytes] = []
        self.endpoint = Endpoint(
            self.fake, self.functions, run, self.queue.events, self.said.append, self.failed.append, self.log.append,
            changing=changing,
        )  # fmt: skip

    def functions(self) -> list[Named]:
        if hasattr(self, "endpoint"):
            self.renewing()
        return list(self.named)

    def post(self, path: str, body: bytes | None = b"{}", method: str = "POST", **headers: str) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.endpoint)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                given = {name.replace("_", "-"): value for name, value in headers.items()}
                return await client.request(method, path, content=body, headers=given)

        return asyncio.run(send())

    def invoke(self, name: str = "api", body: bytes | None = b"{}", **headers: str) -> httpx.Response:
        return self.post(INVOKE.format(name), body, **headers)


async def run(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path, {"api": lambda asked: asked.event, "worker": failed})


def error_of(response: httpx.Response) -> tuple[int, str, str]:
    """What SDKs make an exception of."""
    body = response.json()
    assert response.headers["content-type"] == "application/json"
    assert len(response.headers["x-amzn-requestid"]) == 36
    kind = response.headers["x-amzn-errortype"]
    key = "Message" if kind in ("ResourceNotFoundException", "ServiceException") else "message"
    assert set(body) - {"Type"} == {key}
    return response.status_code, kind, body[key]


def test_an_invocation_gives_the_answer_and_awss_headers(served: Served) -> None:
    response = served.invoke(body=b'{"a": "\xc3\xbc"}')
    assert (response.status_code, response.content) == (200, b'{"a": "\xc3\xbc"}')
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-amz-executed-version"] == "$LATEST"
    assert response.headers["content-length"] == "11"
    assert "x-amz-function-error" not in response.headers
    assert "x-amz-log-result" not in response.headers
    [(key, asked)] = served.fake.asked
    assert (key, asked.event, asked.arn, asked.client_context) == ("api", b'{"a": "\xc3\xbc"}', "", "")
    assert asked.request_id == response.headers["x-amzn-requestid"]
    assert asked.trace == response.headers["x-amzn-trace-id"]
    assert asked.trace.startswith("Root=1-")
    assert served.log[0].startswith(b"START RequestId: ")


def test_a_function_that_fails_is_no_error_of_http(served: Served) -> None:
    response = served.invoke("worker")
    assert response.status_code == 200
    assert response.headers["x-amz-function-error"] == "Unhandled"
    assert response.json()["errorType"] == "ValueError"
    assert (served.said, served.failed) == ([], [])


def test_the_tail_of_the_log_is_the_last_four_kilobytes(served: Served) -> None:
    served.fake.answers["api"] = [lambda asked: answered(asked, b"1", said=b"x" * 5000 + b"\n")]
    response = served.invoke(x_amz_log_type="Tail")
    log = base64.b64decode(response.headers["x-amz-log-result"])
    assert len(log) == limits().log_tail_bytes == 4096
    assert log.startswith(b"xxx")
    assert log.splitlines()[-1].startswith(b"REPORT RequestId: ")


def test_the_context_and_the_trace_of_the_client_are_passed_on(served: Served) -> None:
    context = '{"custom": {"a": 1}}'
    encoded = base64.b64encode(context.encode()).decode()
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
    response = served.invoke(x_amz_client_context=encoded, x_amzn_trace_id=trace)
    assert response.headers["x-amzn-trace-id"] == trace
    assert [(asked.client_context, asked.trace) for _, asked in served.fake.asked] == [(context, trace)]


@pytest.mark.parametrize(
    ("path", "arn"),
    [
        ("spectra-api", ""),
        ("spectra-api%3Alive", f"{API.arn}:live"),
        (f"{API.arn}", API.arn),
        ("arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Aspectra-api%3Alive", f"{API.arn}:live"),
    ],
)
def test_names_may_be_encoded(served: Served, path: str, arn: str) -> None:
    assert served.invoke(path).status_code == 200
    assert served.fake.asked[0][1].arn == arn


def test_the_qualifier_may_stand_in_the_query(served: Served) -> None:
    assert served.post(INVOKE.format("api") + "?Qualifier=%24LATEST").status_code == 200
    assert served.post(INVOKE.format("api") + "/?Qualifier=live").status_code == 200
    assert [asked.arn for _, asked in served.fake.asked] == [f"{API.arn}:$LATEST", f"{API.arn}:live"]


@pytest.mark.parametrize("body", [b"", None])
def test_no_payload_is_an_empty_event(served: Served, body: bytes | None) -> None:
    assert served.invoke(body=body).content == b"{}"


def test_a_dry_run_says_yes_and_runs_nothing(served: Served) -> None:
    response = served.invoke(x_amz_invocation_type="DryRun")
    assert (response.status_code, response.content) == (204, b"")
    assert "content-length" not in response.headers
    assert served.fake.asked == []
    assert served.invoke("nope", x_amz_invocation_type="DryRun").status_code == 404


def test_an_event_is_accepted_before_it_runs(served: Served) -> None:
    context = base64.b64encode(b"{}").decode()
    response = served.invoke("api:live", b'{"a": 1}', x_amz_invocation_type="Event", x_amz_client_context=context)
    assert (response.status_code, response.content) == (202, b"")
    assert served.fake.asked == []
    assert served.queue.work_off() == 1
    [(key, asked)] = served.fake.asked
    assert (key, asked.event, asked.arn) == ("api", b'{"a": 1}', f"{API.arn}:live")
    assert asked.request_id == response.headers["x-amzn-requestid"]
    assert asked.client_context == ""  # "for synchronous invocations only"


def test_invoke_async_is_an_event(served: Served) -> None:
    path = "/2014-11-13/functions/spectra-api/invoke-async/"
    assert served.post(path, b"[1]").status_code == 202
    assert served.queue.work_off() == 1
    assert served.fake.asked[0][1].event == b"[1]"
    assert error_of(served.post(path, b" " * (262144 + 1)))[0] == 413


def test_a_function_that_is_not_there_is_refused_and_told(served: Served) -> None:
    assert error_of(served.invoke("nope")) == (
        404, "ResourceNotFoundException", f"Function not found: {BASE}nope",
    )  # fmt: skip
    assert served.invoke("nope").json()["Type"] == "User"
    assert served.said[0] == f"Function not found: {BASE}nope; the functions here are `api`, `worker`"


def test_a_function_that_came_since_is_found(served: Served) -> None:
    assert served.invoke("new").status_code == 404
    served.named.append(Named("new", "n", f"{BASE}n"))
    served.fake.answers["new"] = [b"1"]
    assert served.invoke("new").content == b"1"


def test_a_project_that_can_not_be_built_any_more_is_told(served: Served) -> None:
    def fail() -> object:
        raise BuildError("no", hint="yes")

    served.renewing = fail
    assert error_of(served.invoke("nope")) == (500, "ServiceException", "no\n  hint: yes")
    assert [str(error) for error in served.failed] == ["no\n  hint: yes"]


def test_payloads_may_be_as_large_as_aws_says(served: Served) -> None:
    def string(size: int) -> bytes:
        return b'"' + b"x" * (size - 2) + b'"'

    assert served.invoke(body=string(6_291_456)).content == string(6_291_456)
    assert error_of(served.invoke(body=string(6_291_457))) == (
        413, "RequestEntityTooLargeException",
        "Request must be smaller than 6291456 bytes for the InvokeFunction operation",
    )  # fmt: skip
    assert served.invoke(body=string(1_048_576), x_amz_invocation_type="Event").status_code == 202
    assert error_of(served.invoke(body=string(1_048_577), x_amz_invocation_type="Event")) == (
        413, "RequestEntityTooLargeException",
        "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)",
    )  # fmt: skip
    assert len(served.fake.asked) == 1


def test_a_payload_in_pieces_is_put_together_and_cut_off_when_too_large(served: Served) -> None:
    async def call(pieces: int) -> tuple[list[Any], int]:
        sent: list[Any] = []
        left = [{"type": "http.request", "body": b" " * 1_000_000, "more_body": True} for _ in range(pieces)]
        left.append({"type": "http.request", "body": b"1", "more_body": False})

        async def receive() -> Any:
            return left.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        path = INVOKE.format("api").encode()
        scope = {"type": "http", "method": "POST", "raw_path": path, "path": path, "query_string": b"", "headers": []}
        await served.endpoint(scope, receive, send)
        return sent, len(left)

    sent, left = asyncio.run(call(3))
    assert (sent[0]["status"], sent[1]["body"], left) == (200, b" " * 3_000_000 + b"1", 0)
    sent, left = asyncio.run(call(9))
    assert (sent[0]["status"], left) == (413, 3)


def test_a_client_that_leaves_in_the_middle_invokes_nothing(served: Served) -> None:
    async def call() -> None:
        left = [{"type": "http.request", "body": b"1", "more_body": True}, {"type": "http.disconnect"}]

        async def receive() -> Any:
            return left.pop(0)

        async def send(message: Any) -> None:
            raise AssertionError(message)

        path = INVOKE.format("api").encode()
        scope = {"type": "http", "method": "POST", "raw_path": path, "path": path, "query_string": b"", "headers": []}
        await served.endpoint(scope, receive, send)

    asyncio.run(call())
    assert served.fake.asked == []


def test_a_client_that_waits_to_be_asked_for_a_body_that_is_refused_is_sent_away(served: Served) -> None:
    response = served.invoke("nope", expect="100-continue")
    assert response.headers["connection"] == "close"
    assert "connection" not in served.invoke("nope").headers


def test_a_function_that_can_not_be_started_is_told_once(served: Served) -> None:
    error = UsageError("there is no python3.12", hint="install it")
    served.fake.answers["api"] = [error, error, b"1", error]
    expected = (500, "ServiceException", "there is no python3.12\n  hint: install it")
    assert error_of(served.invoke()) == expected
    assert error_of(served.invoke()) == expected
    assert len(served.failed) == 1
    assert served.invoke().json() == 1
    assert error_of(served.invoke()) == expected
    assert len(served.failed) == 2


class Warm(Fake):
    """Functions whose processes are idle and warm: `begins` are what `begin` gives, one after the other."""

    begins: list[Begun | None]

    def begin(self, key: str, asked: Asked, log: Log | None = None) -> Any:  # noqa: ARG002
        return self.begins.pop(0)


class Done:
    """An invocation that is over when it is first looked at."""

    descriptor = 0
    until = 0.0

    def __init__(self, outcome: Result | Exception) -> None:
        self.outcome = outcome

    def go_on(self) -> Result:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def leave(self) -> None:
        raise AssertionError("it was over")


def test_a_warm_process_is_taken_and_another_where_it_has_gone(served: Served) -> None:
    warm = Warm({"api": b'"another"'})
    warm.begins = [Done(answered(Asked(b"", "1"), b'"warm"')), Done(Gone()), None, Done(UsageError("ended"))]
    served.endpoint._functions = warm
    assert [served.invoke().json() for _ in range(3)] == ["warm", "another", "another"]
    assert error_of(served.invoke())[1:] == ("ServiceException", "ended")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/2015-03-31/functions/"),
        ("GET", "/2015-03-31/functions/api"),
        ("GET", "/2015-03-31/functions/api/invocations"),
        ("POST", "/2021-11-15/functions/api/response-streaming-invocations"),
        ("DELETE", "/2015-03-31/functions/api"),
    ],
)
def test_other_operations_are_refused_and_what_is_served_is_said(served: Served, method: str, path: str) -> None:
    status, kind, message = error_of(served.post(path, method=method))
    assert (status, kind) == (501, "UnknownOperationException")
    assert message.startswith(f"{method} {path} is not served here: `lamella start-lambda` serves Invoke")


def test_wrong_parameters_are_refused_before_the_function_is_asked(served: Served) -> None:
    assert error_of(served.invoke(x_amz_invocation_type="Now"))[:2] == (400, "ValidationException")
    assert "Type" not in served.invoke(x_amz_invocation_type="Now").json()
    assert error_of(served.invoke(body=b"{'"))[:2] == (400, "InvalidRequestContentException")
    long = json.dumps("x" * 70_000).encode()
    assert error_of(served.invoke(body=long[:-1]))[:2] == (400, "InvalidRequestContentException")
    assert error_of(served.post(INVOKE.format("api:live") + "?Qualifier=x"))[:2] == (
        400,
        "InvalidParameterValueException",
    )
    assert served.fake.asked == []


def test_where_functions_change_each_request_finds_them_as_they_are(tmp_path: Path) -> None:
    served = Served(tmp_path, {"api": b"1", "worker": b"2"}, changing=True)
    assert served.invoke("api:live").status_code == 200
    served.named = [API._replace(alias="prod"), WORKER]
    assert error_of(served.invoke("api:live"))[1] == "ResourceNotFoundException"
    assert served.invoke("api:prod").status_code == 200
    served.named = [API]
    assert error_of(served.invoke("worker"))[1] == "ResourceNotFoundException"
    assert len(served.fake.asked) == 2


def test_a_page_of_a_browser_invokes_nothing(served: Served) -> None:
    refused = served.invoke(origin="https://evil.example")
    assert error_of(refused)[:2] == (403, "AccessDeniedException")
    assert served.fake.asked == []
