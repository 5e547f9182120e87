"""Requests, and calls of them, for tests of this room."""

from __future__ import annotations

from typing import Any

from lamella.config.model import ApiSettings
from lamella.gateway.request import Call, Request
from lamella.gateway.routes import Match, Route

HTTP = ApiSettings()
HTTP_1 = ApiSettings(payload="1.0")
REST = ApiSettings("rest", "1.0", "prod")
# 2020-03-04 19:15:17.135 UTC, as in API Gateway's documentation
THEN = 1583349317.135
TRACE = "Root=1-5e5ff745-000000000000000000000001"


def request(method: str = "GET", url: str = "/", body: bytes = b"", **headers: str) -> Request:
    """`headers` have `_` for `-`, and are sent as they are written."""
    path, _, query = url.partition("?")
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Request(method, path, query, (("Host", "127.0.0.1:3000"), *pairs), body, "192.0.2.7", port=3000)


def call(
    api: ApiSettings = HTTP, asked: Request | None = None, route: str = "ANY /{proxy+}", **parameters: str
) -> Call:
    """`route` is written as in the configuration."""
    method, _, path = route.partition(" ")
    matched = Match(Route(method, path, "app"), tuple(parameters.items()))
    return Call(api, asked or request(), matched, "the-id", TRACE, THEN)


def with_headers(asked: Request, *pairs: tuple[str, str]) -> Request:
    """The request with these headers behind its own."""
    return asked._replace(headers=(*asked.headers, *pairs))


def inside(event: Any, *keys: str) -> Any:
    """What stands in an event at a path of keys."""
    for key in keys:
        event = event[key]
    return event
