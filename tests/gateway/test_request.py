from __future__ import annotations

import pytest
from tests.gateway.requests import HTTP, REST, call, request, with_headers

from lamella.config.model import ApiSettings
from lamella.gateway.request import body, forwarded, is_among, media_type, query, written_time

QUERIES = [
    ("", {}),
    ("a=1&b=2&a=3", {"a": ["1", "3"], "b": ["2"]}),
    ("a=b+c&d=e%2Bf", {"a": ["b c"], "d": ["e+f"]}),
    ("empty=&bare", {"empty": [""], "bare": [""]}),
    ("n%20ame=caf%C3%A9", {"n ame": ["café"]}),
    ("a=1;b=2", {"a": ["1;b=2"]}),
    ("a=%FF", {"a": ["\ufffd"]}),
    ("a==&b=c=d", {"a": ["="], "b": ["c=d"]}),
]


@pytest.mark.parametrize(("raw", "decoded"), QUERIES)
def test_queries(raw: str, decoded: dict[str, list[str]]) -> None:
    assert query(request(url=f"/?{raw}")) == decoded


BINARY = ApiSettings("rest", "1.0", "prod", binary=("image/*", "application/pdf"))
ALL = ApiSettings("rest", "1.0", "prod", binary=("*/*",))
BODIES = [
    (HTTP, "application/json", b'{"a":1}', '{"a":1}', False),
    (HTTP, "application/json; charset=utf-8", "é".encode(), "é", False),
    (HTTP, "TEXT/Plain", b"x", "x", False),
    (HTTP, "application/xml", b"<a/>", "<a/>", False),
    # Measured on AWS, see request.py
    (HTTP, "application/x-www-form-urlencoded", b"a=1", "YT0x", True),
    (HTTP, "application/vnd.api+json", b"{}", "e30=", True),
    (HTTP, None, b"x", "eA==", True),
    (HTTP, "application/octet-stream", b"\x00\xff", "AP8=", True),
    (HTTP, "text/plain", b"\xff", "/w==", True),
    (HTTP, "image/png", b"", None, False),
    (REST, "application/x-www-form-urlencoded", b"a=1", "a=1", False),
    (REST, "application/octet-stream", b"x", "x", False),
    (REST, "application/octet-stream", b"\xff", "/w==", True),
    (REST, None, b"x", "x", False),
    (BINARY, "image/png", b"x", "eA==", True),
    (BINARY, "application/pdf; x=y", b"x", "eA==", True),
    (BINARY, "application/json", b"x", "x", False),
    (BINARY, None, b"x", "x", False),
    (ALL, None, b"x", "eA==", True),
]


@pytest.mark.parametrize(("api", "kind", "data", "text", "encoded"), BODIES)
def test_bodies(api: ApiSettings, kind: str | None, data: bytes, text: str | None, encoded: bool) -> None:
    asked = request("POST", body=data, **({} if kind is None else {"Content_Type": kind}))
    assert body(call(api, asked)) == (text, encoded)


def test_headers_are_found_whatever_their_case() -> None:
    asked = with_headers(request(), ("X-Two", "1"), ("x-two", "2"))
    assert asked.values("X-TWO") == ["1", "2"]
    assert asked.header("x-Two") == "2"
    assert asked.header("x-three") is None


def test_what_api_gateway_adds_to_headers_and_takes_away() -> None:
    asked = request(
        "POST", body=b"abc", Connection="close", Transfer_Encoding="chunked", X_Forwarded_For="198.51.100.1"
    )
    assert forwarded(call(REST, asked)) == [
        ("Host", "127.0.0.1:3000"),
        ("X-Amzn-Trace-Id", "Root=1-5e5ff745-000000000000000000000001"),
        ("X-Forwarded-For", "198.51.100.1, 192.0.2.7"),
        ("X-Forwarded-Port", "3000"),
        ("X-Forwarded-Proto", "http"),
    ]
    assert ("content-length", "3") in forwarded(call(HTTP, asked))
    assert ("content-length", "0") in forwarded(call(HTTP, request()))


def test_a_client_can_name_the_trace_and_not_the_protocol() -> None:
    asked = request(X_Amzn_Trace_Id="Root=1-a-b", X_Forwarded_Proto="https", X_Forwarded_Port="443")
    assert dict(forwarded(call(REST, asked))) == {
        "Host": "127.0.0.1:3000",
        "X-Amzn-Trace-Id": "Root=1-a-b",
        "X-Forwarded-For": "192.0.2.7",
        "X-Forwarded-Port": "3000",
        "X-Forwarded-Proto": "http",
    }


def test_times_are_written_as_the_documentation_shows() -> None:
    assert written_time(1583349317.135) == "04/Mar/2020:19:15:17 +0000"


def test_arns_and_paths() -> None:
    asked = request("GET", "/v1/a%20b")
    assert call(HTTP, asked).arn == "arn:aws:execute-api:us-east-1:123456789012:lamella000/$default/GET/v1/a b"
    assert call(REST, asked).arn == "arn:aws:execute-api:us-east-1:123456789012:lamella000/prod/GET/v1/a%20b"
    assert call(HTTP, asked).staged == "/v1/a b"
    assert call(HTTP._replace(stage="dev"), asked).staged == "/dev/v1/a b"
    assert call(REST, asked).staged == "/prod/v1/a%20b"


def test_media_types() -> None:
    assert media_type(" Text/HTML ; charset=x") == "text/html"
    assert media_type(None) == ""
    assert is_among("image/png", ("image/png",))
    assert not is_among("image/png", ("image/jpeg",))
    assert not is_among("", ("image/*",))
