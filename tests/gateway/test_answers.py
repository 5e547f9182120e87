from __future__ import annotations

import json

import pytest
from tests.gateway.requests import HTTP, HTTP_1, REST, call, request

from lamella.config.model import ApiSettings
from lamella.gateway.answers import answer, failed, not_found, timed_out, too_large

BINARY = ApiSettings("rest", "1.0", "prod", binary=("image/png",))
JSON = ("content-type", "application/json")
PLAIN = ("content-type", "text/plain; charset=utf-8")


ANSWERS = [
    # The documentation's own two for format 2.0
    (HTTP, "Hello from Lambda!", 200, [JSON], b"Hello from Lambda!"),
    (HTTP, {"message": "Hello"}, 200, [JSON], b'{"message": "Hello"}'),
    (HTTP, [1, 2], 200, [JSON], b"[1, 2]"),
    (HTTP, None, 200, [JSON], b"null"),
    (HTTP, 7, 200, [JSON], b"7"),
    (HTTP, {"body": "x"}, 200, [JSON], b'{"body": "x"}'),
    (HTTP, {"statusCode": 201, "body": "x"}, 201, [PLAIN], b"x"),
    (HTTP, {"statusCode": "404"}, 404, [PLAIN], b""),
    (HTTP, {"statusCode": 200, "headers": None, "body": None}, 200, [PLAIN], b""),
    (HTTP, {"statusCode": 200, "body": "é"}, 200, [PLAIN], "é".encode()),
    (
        HTTP,
        {"statusCode": 200, "headers": {"Content-Type": "text/html", "X-N": 7, "X-B": True}, "body": "<p>"},
        200,
        [("Content-Type", "text/html"), ("X-N", "7"), ("X-B", "true")],
        b"<p>",
    ),
    (
        HTTP,
        {"statusCode": 200, "cookies": ["a=1; Path=/", "b=2"], "multiValueHeaders": {"X": ["1"]}, "extra": 1},
        200,
        [("set-cookie", "a=1; Path=/"), ("set-cookie", "b=2"), PLAIN],
        b"",
    ),
    (HTTP, {"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}, 200, [PLAIN], b"\x00\xff"),
    (
        HTTP_1,
        {"statusCode": 200, "headers": {"a": "0"}, "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]}},
        200,
        [("a", "0"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), PLAIN],
        b"",
    ),
    (REST, {"statusCode": 200, "body": "x"}, 200, [JSON], b"x"),
    (REST, {"body": "x"}, 200, [JSON], b"x"),
    # Both say X: "merges them into a single list", and what both have is there once
    (
        REST,
        {"statusCode": 200, "headers": {"X": "1"}, "multiValueHeaders": {"x": ["1", "2"]}},
        200,
        [("x", "1"), ("x", "2"), JSON],
        b"",
    ),
    (
        REST,
        {"statusCode": 401, "headers": {"WWW-Authenticate": "Basic", "Date": "x", "Transfer-Encoding": "chunked"}},
        401,
        [("x-amzn-Remapped-WWW-Authenticate", "Basic"), ("x-amzn-Remapped-Date", "x"), JSON],
        b"",
    ),
    (
        HTTP,
        {"statusCode": 401, "headers": {"WWW-Authenticate": "Basic"}},
        401,
        [("WWW-Authenticate", "Basic"), PLAIN],
        b"",
    ),
    (HTTP, {"statusCode": 200, "headers": {"Content-Length": "9", "Connection": "close"}}, 200, [PLAIN], b""),
    # A REST API gives bytes only to who asks for one of its binary types
    (REST, {"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}, 200, [JSON], b"AP8="),
    (BINARY, {"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}, 200, [JSON], b"\x00\xff"),
]


@pytest.mark.parametrize(("api", "given", "status", "headers", "body"), ANSWERS)
def test_answers(api: ApiSettings, given: object, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
    response = answer(call(api, request(Accept="image/png, */*")), json.dumps(given).encode())
    assert (response.status, list(response.headers), response.body, response.problem) == (status, headers, body, "")


MALFORMED: list[tuple[ApiSettings, object, str]] = [
    (REST, "text", "it must be an object with `statusCode`, `headers` and `body`"),
    (REST, None, "it must be an object with `statusCode`, `headers` and `body`"),
    (
        REST,
        {"statusCode": 200, "cookies": []},
        "`cookies` is none of body, headers, isBase64Encoded, multiValueHeaders",
    ),
    (HTTP_1, {"body": "x"}, "it has no `statusCode`"),
    (HTTP_1, [], "it must be an object"),
    (HTTP, {"statusCode": "ok"}, "`statusCode` must be a number from 200 to 599"),
    (HTTP, {"statusCode": "2" * 5000}, "`statusCode` must be a number from 200 to 599"),
    (HTTP, {"statusCode": 10**4000}, "`statusCode` must be a number from 200 to 599"),
    (HTTP, {"statusCode": 1e300}, "`statusCode` must be a number from 200 to 599"),
    (HTTP, {"statusCode": True}, "`statusCode` must be a number from 200 to 599"),
    (HTTP, {"statusCode": 99}, "`statusCode` must be a number from 200 to 599"),
    (HTTP, {"statusCode": 101}, "`statusCode` must be a number from 200 to 599"),
    (HTTP, {"statusCode": 200, "body": {"a": 1}}, "`body` must be a string: what is an object wants `json.dumps`"),
    (HTTP, {"statusCode": 200, "headers": []}, "`headers` must be an object"),
    (HTTP, {"statusCode": 200, "headers": {"a": ["b"]}}, "the header `a` must be a string"),
    (HTTP, {"statusCode": 200, "headers": {"a b": "c"}}, "'a b' is no name of a header"),
    (HTTP, {"statusCode": 200, "headers": {"a": "b\r\nSet-Cookie: c"}}, "the header `a` holds a control character"),
    (HTTP, {"statusCode": 200, "cookies": "a=1"}, "`cookies` must be a list of strings"),
    (HTTP, {"statusCode": 200, "body": "é!", "isBase64Encoded": True}, "`body` is no base64"),
    (REST, {"multiValueHeaders": {"a": "b"}}, "`multiValueHeaders` must have a list for `a`"),
]


@pytest.mark.parametrize(("api", "given", "reason"), MALFORMED)
def test_malformed_answers(api: ApiSettings, given: object, reason: str) -> None:
    response = answer(call(api), json.dumps(given).encode())
    told = (
        (502, b'{"message":"Internal server error"}')
        if api.type == "rest"
        else (500, b'{"message":"Internal Server Error"}')
    )
    assert (response.status, response.body) == told
    assert response.problem.startswith("the function's answer is malformed: ")
    assert reason in response.problem


def test_an_answer_that_is_no_json() -> None:
    assert answer(call(HTTP), b"<p>").problem == "the function's answer is malformed: it is no JSON"


@pytest.mark.parametrize(
    ("made", "http", "rest"),
    [
        (
            lambda rest: failed(rest, "why"),
            (500, '{"message":"Internal Server Error"}'),
            (502, '{"message":"Internal server error"}'),
        ),
        (not_found, (404, '{"message":"Not Found"}'), (403, '{"message":"Missing Authentication Token"}')),
        (
            lambda rest: timed_out(rest, 29),
            (503, '{"message":"Service Unavailable"}'),
            (504, '{"message":"Endpoint request timed out"}'),
        ),
        (
            lambda rest: too_large(rest, "why"),
            (413, '{"message":"Request Entity Too Large"}'),
            (413, '{"message":"Request Too Long"}'),
        ),
    ],
)
def test_the_gateways_own_answers(made, http, rest) -> None:  # type: ignore[no-untyped-def]
    for is_rest, (status, text) in ((False, http), (True, rest)):
        response = made(is_rest)
        assert (response.status, response.body.decode()) == (status, text)
        assert dict(response.headers)["content-type"] == "application/json"
        assert ("x-amzn-errortype" in dict(response.headers)) is is_rest
