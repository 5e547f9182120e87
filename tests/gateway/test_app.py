from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
from tests.gateway.requests import HTTP, HTTP_1, REST
from tests.runtime.faking import Fake, answered, failed

from lamella.config.model import ApiSettings, Authorizer, Cors
from lamella.errors import LamellaError, UsageError
from lamella.gateway.app import PAYLOAD, Current, Gateway, request_of
from lamella.gateway.routes import Route
from lamella.runtime.model import Asked
from lamella.serving import HEADER_NAMES
from lamella.waiting import Threads

Send = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]

ROUTES = (
    Route("POST", "/v1/jobs", "app"),
    Route("GET", "/v1/jobs/{id}", "app"),
    Route("ANY", "/open/{proxy+}", "other"),
)


def echo(asked: Asked) -> bytes:
    """A function that answers with its event."""
    return json.dumps({"statusCode": 200, "body": asked.event.decode()}).encode()


@pytest.fixture
def threads() -> Iterator[Threads]:
    made = Threads(16)
    yield made
    assert made.close(10)


def run(gateway: Any, *sends: Send) -> list[httpx.Response]:
    """The responses to requests that are sent one after the other."""

    async def each() -> list[httpx.Response]:
        transport = httpx.ASGITransport(gateway, client=("192.0.2.7", 999))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:3000") as client:
            return [await send(client) for send in sends]

    return asyncio.run(each())


def get(url: str, **more: Any) -> Send:
    return lambda client: client.get(url, **more)


def made(
    api: ApiSettings, threads: Threads, answers: Any = None, routes: tuple[Route, ...] = ROUTES, **more: Any
) -> tuple[Gateway, Fake]:
    fake = Fake({"app": echo, "other": echo, **(answers or {})})
    return Gateway(api, routes, fake, threads, **more), fake


def test_a_request_reaches_its_function_in_the_apis_form(threads: Threads) -> None:
    for api, path in ((HTTP, "/v1/jobs/a b"), (HTTP_1, "/v1/jobs/a b"), (REST, "/v1/jobs/a%20b")):
        gateway, fake = made(api, threads)
        (response,) = run(gateway, get("/v1/jobs/a%20b?x=1&x=2", headers={"X-Own": "1"}))
        assert response.status_code == 200
        event = response.json()
        assert event.get("rawPath", event.get("path")) == path
        assert event["pathParameters"] == {"id": "a b"}
        assert event["requestContext"]["domainName"] == "127.0.0.1:3000"
        assert event.get("version") == {"http": api.payload}.get(api.type)
        assert ("X-Own" if api is REST else "x-own") in event["headers"]
        ((key, asked),) = fake.asked
        assert key == "app"
        assert event["headers"].get("x-amzn-trace-id", event["headers"].get("X-Amzn-Trace-Id")) == asked.trace
        named = "x-amzn-requestid" if api is REST else "apigw-requestid"
        assert response.headers[named] == event["requestContext"]["requestId"]


def test_bodies_come_whole_and_go_back_as_bytes(threads: Threads) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for part in (b"\x00", b"\xff" * 70_000, b"\x01"):
            yield part

    def back(asked: Asked) -> bytes:
        event = json.loads(asked.event)
        assert event["isBase64Encoded"] is True
        return json.dumps({"statusCode": 200, "body": event["body"], "isBase64Encoded": True}).encode()

    gateway, _ = made(HTTP, threads, {"app": back})
    (response,) = run(gateway, lambda client: client.post("/v1/jobs", content=chunks()))
    assert response.content == b"\x00" + b"\xff" * 70_000 + b"\x01"


def test_missing_routes_and_methods(threads: Threads) -> None:
    sends = (get("/nowhere"), get("/v1/jobs"), lambda client: client.head("/v1/jobs/7"))
    gateway, fake = made(HTTP, threads)
    assert [response.status_code for response in run(gateway, *sends)] == [404, 404, 404]
    gateway, _ = made(REST, threads)
    responses = run(gateway, *sends)
    assert [response.status_code for response in responses] == [403, 403, 403]
    assert responses[0].json() == {"message": "Missing Authentication Token"}
    assert fake.asked == []


def test_failures_are_told_to_who_runs_the_server_alone(threads: Threads) -> None:
    told: list[tuple[Any, ...]] = []
    answers = {"app": lambda asked: failed(asked, "no such job", "KeyError"), "other": UsageError("no Python 3.12")}
    for api, status in ((HTTP, 500), (REST, 502)):
        gateway, _ = made(api, threads, answers, told=lambda *row: told.append(row))
        responses = run(gateway, get("/v1/jobs/7"), get("/open/x"))
        assert [response.status_code for response in responses] == [status, status]
        assert "job" not in responses[0].text
        rows = [(method, path, code, problem) for method, path, code, _, problem in told]
        assert rows == [
            ("GET", "/v1/jobs/7", status, "`app` failed: KeyError: no such job"),
            ("GET", "/open/x", status, "no Python 3.12"),
        ]
        told.clear()


def test_a_function_that_takes_too_long(threads: Threads) -> None:
    go = threading.Event()

    def slowly(asked: Asked) -> bytes:
        go.wait(20)
        return echo(asked)

    for api, status, text in ((HTTP, 503, "Service Unavailable"), (REST, 504, "Endpoint request timed out")):
        gateway, _ = made(api, threads, {"app": slowly}, seconds=0.05)
        (response,) = run(gateway, get("/v1/jobs/7"))
        assert (response.status_code, response.json()) == (status, {"message": text})
    go.set()


def test_limits(threads: Threads) -> None:
    def post(size: int, kind: str = "text/plain") -> Send:
        return lambda client: client.post("/v1/jobs", content=b"x" * size, headers={"Content-Type": kind})

    gateway, fake = made(REST, threads, {"app": b'{"statusCode": 204}'})
    responses = run(gateway, post(6_200_000), post(6_300_000), post(PAYLOAD + 1), post(4_800_000, "image/png"))
    assert [response.status_code for response in responses] == [204, 413, 413, 204]
    assert responses[1].json() == {"message": "Request Too Long"}
    gateway, fake = made(HTTP, threads, {"app": b'{"statusCode": 204}'})
    # In base64 it is a third larger
    responses = run(gateway, post(6_200_000), post(4_800_000, "image/png"))
    assert [response.status_code for response in responses] == [204, 413]
    assert len(fake.asked) == 1


def test_headers_and_cookies_of_answers(threads: Threads) -> None:
    given = {"statusCode": 201, "headers": {"X-A": "1", "content-length": "7"}, "cookies": ["a=1", "b=2"], "body": "é"}
    gateway, _ = made(HTTP, threads, {"app": json.dumps(given).encode()})
    (response,) = run(gateway, get("/v1/jobs/7"))
    assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert (response.status_code, response.headers["x-a"], response.content) == (201, "1", "é".encode())
    assert response.headers["content-length"] == "2"
    gateway, _ = made(HTTP, threads, {"app": b'{"statusCode": 204, "body": "none goes"}'})
    (response,) = run(gateway, get("/v1/jobs/7"))
    assert (response.content, "content-length" in response.headers) == (b"", False)


GUARDED = (Route("GET", "/v1/jobs/{id}", "app", "gate"), Route("GET", "/free", "app"))


def guarded(api: ApiSettings, kind: str = "request", **more: Any) -> ApiSettings:
    return api._replace(authorizers=(Authorizer("gate", kind, payload=api.payload, **more),))


def test_an_authorizer_goes_first_and_what_it_says_comes_with_the_event(threads: Threads) -> None:
    answer = b'{"isAuthorized": true, "context": {"team": "red"}}'
    gateway, fake = made(guarded(HTTP, simple=True), threads, {"gate": answer}, GUARDED)
    key = {"Authorization": "x"}
    responses = run(
        gateway, get("/v1/jobs/7"), get("/v1/jobs/7", headers=key), get("/v1/jobs/8", headers=key), get("/free")
    )
    assert [response.status_code for response in responses] == [401, 200, 200, 200]
    assert responses[1].json()["requestContext"]["authorizer"] == {"lambda": {"team": "red"}}
    assert "authorizer" not in responses[3].json()["requestContext"]
    assert [key for key, _ in fake.asked] == ["gate", "app", "app", "app"]


def test_a_rest_apis_token_authorizer(threads: Threads) -> None:
    def gate(asked: Asked) -> bytes:
        event = json.loads(asked.event)
        statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": event["methodArn"]}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        return json.dumps({"principalId": event["authorizationToken"], "policyDocument": document}).encode()

    gateway, fake = made(guarded(REST, "token"), threads, {"gate": gate}, GUARDED)
    key = {"Authorization": "ann"}
    responses = run(gateway, get("/v1/jobs/7", headers=key), get("/v1/jobs/8", headers=key))
    assert responses[0].json()["requestContext"]["authorizer"] == {"principalId": "ann"}
    # Its policy was for the first path alone, and is kept
    assert responses[1].status_code == 403
    assert responses[1].headers["x-amzn-errortype"] == "AccessDeniedException"
    assert [key for key, _ in fake.asked] == ["gate", "app"]


PAGE = {"Origin": "https://page.example"}
PREFLIGHT = {**PAGE, "Access-Control-Request-Method": "POST"}
CORS = Cors(("https://page.example",), ("*",), ("x-own",))


def options(url: str, **headers: str) -> Send:
    return lambda client: client.options(url, headers=headers)


def test_browsers_on_other_origins(threads: Threads) -> None:
    answer = b'{"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "https://wrong.example"}}'
    gateway, fake = made(HTTP._replace(cors=CORS), threads, {"app": answer, "other": answer})
    responses = run(
        gateway, options("/v1/jobs", **PREFLIGHT), options("/nowhere", **PREFLIGHT), get("/v1/jobs/7", headers=PAGE)
    )
    assert [response.status_code for response in responses] == [204, 204, 200]
    assert responses[0].headers["access-control-allow-methods"] == "*"
    assert responses[0].headers["access-control-allow-headers"] == "x-own"
    for response in responses:
        assert response.headers.get_list("access-control-allow-origin") == ["https://page.example"]
    assert len(fake.asked) == 1
    # Errors of the gateway's can be read by the page, and OPTIONS that asks for nothing goes where routes lead
    responses = run(gateway, get("/nowhere", headers=PAGE), options("/open/x"), options("/v1/jobs"))
    assert responses[0].headers["access-control-allow-origin"] == "https://page.example"
    assert [response.status_code for response in responses] == [404, 200, 404]


def test_the_default_routes_authorizer_is_asked_about_preflights_too(threads: Threads) -> None:
    api = guarded(HTTP, simple=True)._replace(cors=CORS)
    routes = (Route("$default", "", "app", "gate"), Route("OPTIONS", "/open/{proxy+}", "app"))
    gateway, fake = made(api, threads, {"gate": b'{"isAuthorized": true}'}, routes)
    sends = options("/a", **PREFLIGHT), options("/open/a", **PREFLIGHT), options("/a", **PREFLIGHT, Authorization="x")
    assert [response.status_code for response in run(gateway, *sends)] == [401, 204, 204]
    assert [key for key, _ in fake.asked] == ["gate"]


def test_a_rest_apis_options_are_a_mock_where_there_is_no_route_for_them(threads: Threads) -> None:
    routes = (*ROUTES, Route("OPTIONS", "/own", "app"))
    gateway, fake = made(guarded(REST)._replace(cors=CORS), threads, None, routes)
    sends = options("/v1/jobs", **PREFLIGHT), options("/own", **PREFLIGHT), options("/nowhere", **PREFLIGHT)
    responses = run(gateway, *sends, get("/v1/jobs/7", headers=PAGE))
    assert [response.status_code for response in responses] == [200, 200, 403, 200]
    assert responses[0].headers["access-control-allow-origin"] == "https://page.example"
    # Its function says so itself, or nobody does
    assert "access-control-allow-origin" not in responses[3].headers
    assert len(fake.asked) == 2


def test_no_cors_unless_it_is_configured(threads: Threads) -> None:
    gateway, _ = made(HTTP, threads)
    responses = run(gateway, options("/v1/jobs", **PREFLIGHT), get("/v1/jobs/7", headers=PAGE))
    assert [response.status_code for response in responses] == [404, 200]
    assert "access-control-allow-origin" not in responses[1].headers


def test_the_log_comes_through(threads: Threads) -> None:
    lines: list[bytes] = []
    gateway, _ = made(HTTP, threads, {"app": lambda asked: answered(asked, b"1", said=b"hello\n")}, log=lines.append)
    run(gateway, get("/v1/jobs/7"))
    assert b"hello\n" in lines


def test_many_at_once_each_get_their_own(threads: Threads) -> None:
    gateway, fake = made(HTTP, threads)

    async def all_at_once() -> list[httpx.Response]:
        transport = httpx.ASGITransport(gateway)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:3000") as client:
            return await asyncio.gather(*(client.get(f"/v1/jobs/{number}") for number in range(100)))

    responses = asyncio.run(all_at_once())
    assert [response.json()["pathParameters"]["id"] for response in responses] == [str(n) for n in range(100)]
    assert len({asked.request_id for _, asked in fake.asked}) == 100


def test_the_gateway_may_change_between_requests(threads: Threads) -> None:
    one, _ = made(HTTP, threads)
    other, _ = made(HTTP, threads, None, ())
    now: list[Any] = [one, other, UsageError("the lock is out of date"), one]
    failures: list[LamellaError] = []

    def current() -> Gateway:
        found = now.pop(0)
        if isinstance(found, LamellaError):
            raise found
        assert isinstance(found, Gateway)
        return found

    responses = run(Current(current, threads, failures.append), *[get("/v1/jobs/7")] * 4)
    assert [response.status_code for response in responses] == [200, 404, 500, 200]
    assert [failure.what for failure in failures] == ["the lock is out of date"]


SCOPE: dict[str, Any] = {
    "type": "http",
    "method": "GET",
    "path": "/a b",
    "raw_path": b"/a%20b",
    "query_string": b"x=%20",
    "headers": [(b"host", b"h"), (b"x-own", b"\xe9")],
    "client": ("192.0.2.7", 1),
    "server": ("127.0.0.1", 3000),
    "http_version": "1.0",
}


def test_what_a_scope_says() -> None:
    request = request_of(SCOPE, b"x")
    assert request == (
        "GET",
        "/a%20b",
        "x=%20",
        (("Host", "h"), ("X-Own", "é")),
        b"x",
        "192.0.2.7",
        "HTTP/1.0",
        "http",
        3000,
    )
    named = {**SCOPE, "extensions": {HEADER_NAMES: [b"HOST", b"x-OWN"]}}
    assert request_of(named, b"").headers == (("HOST", "h"), ("x-OWN", "é"))
    assert request_of({**SCOPE, "client": None, "server": None}, b"").client == "127.0.0.1"
