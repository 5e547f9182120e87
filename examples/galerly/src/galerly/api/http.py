"""Requests and answers as an HTTP API knows them (payload 2.0), and the routes between them."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import unquote

LONGEST = 200  # characters of a name in a path


class RefusedError(Exception):
    """A request that gets another status than 2xx, and a sentence that says why."""

    def __init__(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.headers = dict(headers or {})


@dataclass(frozen=True)
class Request:
    """`names` are the values of the route's `{names}`; `user` is who is signed in, "" on routes that anybody may call.

    `headers` have lower-case names.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    names: Mapping[str, str] = field(default_factory=dict)
    user: str = ""

    def json(self) -> dict[str, Any]:
        """The body, an object.  Raises RefusedError."""
        try:
            tree = json.loads(self.body or b"{}")
        except (ValueError, RecursionError):
            raise RefusedError(400, "the body is not JSON") from None
        if not isinstance(tree, dict):
            raise RefusedError(400, "the body is no object")
        return tree

    def text(self, name: str, longest: int) -> str:
        """A field of the body: text with something in it.  Raises RefusedError."""
        value = self.json().get(name)
        if not isinstance(value, str) or not value.strip():
            raise RefusedError(422, f"{name} is needed")
        if len(value) > longest:
            raise RefusedError(422, f"{name} has more than {longest} characters")
        if any(ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 for letter in value):
            raise RefusedError(422, f"{name} has characters that no text has")
        return value.strip()

    def number(self, name: str, least: int, most: int, default: int) -> int:
        """A field of the body, or of the query where there is no body.  Raises RefusedError."""
        given = self.json().get(name, self.query.get(name, default))
        if isinstance(given, str) and re.fullmatch(r"[0-9]{1,9}", given):
            given = int(given)
        if not isinstance(given, int) or isinstance(given, bool) or not least <= given <= most:
            raise RefusedError(422, f"{name} is a number from {least} to {most}")
        return given


class Answer(NamedTuple):
    """`body` becomes JSON; None is no body at all."""

    status: int
    body: Mapping[str, Any] | None

    def event(self, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """What the function returns to API Gateway."""
        # No cache may keep what one user sees; and a browser must not guess another type
        plain = {"cache-control": "no-store", "x-content-type-options": "nosniff", **(headers or {})}
        if self.body is None:
            return {"statusCode": self.status, "headers": plain}
        shown = {"content-type": "application/json", **plain}
        return {"statusCode": self.status, "headers": shown, "body": json.dumps(self.body, ensure_ascii=False)}


Handler = Callable[[Request], Answer]


class Route(NamedTuple):
    method: str
    path: tuple[str, ...]
    anybody: bool
    handler: Handler

    def names(self, path: tuple[str, ...]) -> dict[str, str] | None:
        """The values of `{names}` where the path is this route's."""
        if len(path) != len(self.path):
            return None
        names = {}
        for part, given in zip(self.path, path, strict=True):
            if part.startswith("{") and 0 < len(given) <= LONGEST:
                names[part[1:-1]] = given
            elif part != given:
                return None
        return names


class Routes:
    """A module's routes: ``@routes("GET", "/v1/galleries/{gallery}")`` in front of what answers."""

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def __call__(self, method: str, path: str, *, anybody: bool = False) -> Callable[[Handler], Handler]:
        def added(handler: Handler) -> Handler:
            self.routes.append(Route(method, _parts(path), anybody, handler))
            return handler

        return added


def found(routes: list[Route], request: Request) -> tuple[Route, dict[str, str]]:
    """The request's route, and the values of its `{names}`.  Raises RefusedError: 404, or 405 with what is allowed."""
    path = tuple(unquote(part) for part in _parts(request.path))
    fitting = [(route, names) for route in routes if (names := route.names(path)) is not None]
    if not fitting:
        raise RefusedError(404, "no such route")
    for route, names in fitting:
        if route.method == request.method:
            return route, names
    allowed = ", ".join(sorted({route.method for route, _ in fitting}))
    raise RefusedError(405, f"here: {allowed}", {"allow": allowed})


def read(event: Mapping[str, Any]) -> Request:
    """The request of API Gateway's event.  Raises RefusedError."""
    text = event.get("body") or ""
    try:
        body = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    except (binascii.Error, UnicodeEncodeError):
        raise RefusedError(400, "the body can't be read") from None
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    query = event.get("queryStringParameters") or {}
    return Request(event["requestContext"]["http"]["method"], event["rawPath"], query, headers, body)


def _parts(path: str) -> tuple[str, ...]:
    return tuple(path.strip("/").split("/"))
