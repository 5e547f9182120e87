from __future__ import annotations

import pytest
from tests.gateway.requests import request

from lamella.config.model import Cors
from lamella.gateway.answers import Response
from lamella.gateway.cors import allowed, is_preflight, preflight
from lamella.gateway.request import Request

EVERYONE = Cors(("*",))
FULL = Cors(
    ("https://www.example.com", "http://localhost:5173", "https://*"),
    methods=("GET", "POST"),
    headers=("authorization", "x-own"),
    expose=("x-total",),
    credentials=True,
    max_age=300,
)


def asks(origin: str) -> Request:
    return request("OPTIONS", Origin=origin, Access_Control_Request_Method="POST")


def test_what_a_preflight_is() -> None:
    assert is_preflight(asks("http://a"))
    assert not is_preflight(request("OPTIONS", Origin="http://a"))
    assert not is_preflight(request("OPTIONS", Access_Control_Request_Method="POST"))
    assert not is_preflight(asks("http://a")._replace(method="POST"))


def test_preflight_answers() -> None:
    asked = asks("http://localhost:5173")
    response = preflight(FULL, asked, rest=False)
    assert (response.status, response.body) == (204, b"")
    assert dict(response.headers) == {
        "access-control-allow-origin": "http://localhost:5173",
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "GET,POST",
        "access-control-allow-headers": "authorization,x-own",
        "access-control-max-age": "300",
    }
    assert dict(preflight(EVERYONE, asked, rest=False).headers) == {"access-control-allow-origin": "*"}
    mock = preflight(EVERYONE, asked, rest=True)
    assert mock.status == 200
    assert dict(mock.headers) == {"content-type": "application/json", "access-control-allow-origin": "*"}


@pytest.mark.parametrize(
    ("origin", "told"),
    [
        ("https://www.example.com", "https://www.example.com"),
        ("https://other.example", "https://other.example"),
        ("HTTP://localhost:5173", "HTTP://localhost:5173"),
        ("http://localhost:5174", None),
        ("http://www.example.com", None),
        ("null", None),
    ],
)
def test_origins(origin: str, told: str | None) -> None:
    headers = dict(preflight(FULL, asks(origin), rest=False).headers)
    assert headers.get("access-control-allow-origin") == told
    if told is None:
        assert not headers


def test_the_functions_own_headers_give_way() -> None:
    own = Response(200, (("Access-Control-Allow-Origin", "https://mine"), ("x-total", "7")), b"")
    response = allowed(FULL, request(Origin="https://www.example.com"), own)
    assert response.headers == (
        ("x-total", "7"),
        ("access-control-allow-origin", "https://www.example.com"),
        ("access-control-allow-credentials", "true"),
        ("access-control-expose-headers", "x-total"),
    )
    assert allowed(FULL, request(Origin="http://evil"), own).headers == (("x-total", "7"),)
    assert allowed(FULL, request(), own) == own  # no browser asks
