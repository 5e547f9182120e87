"""A function's answer, or its failure, as the HTTP response that API Gateway makes of it.

Sources: API Gateway developer guide, "Output format of a Lambda function for proxy integration", "Lambda function
response format" for HTTP APIs, "Gateway response types", "Important notes" (read on 2026-11-22).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from typing import NamedTuple

from lamella.gateway.request import Call, is_among, media_type

JSON = "application/json"
_KEYS = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"})
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")  # RFC 9110, 5.6.2
# "may be remapped to x-amzn-Remapped-HEADER when … sent back by your integration endpoint"
_REMAPPED = frozenset(
    {"authorization", "connection", "content-length", "content-md5", "date", "host", "server"}
    | {"user-agent", "www-authenticate"}
)
_DROPPED = frozenset({"connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"})


class Response(NamedTuple):
    """An HTTP response.  `problem` says to who runs the server, in a sentence, what the client is not told."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    problem: str = ""


class MalformedError(Exception):
    """The function's answer is none of the form that API Gateway takes."""


def error(status: int, message: str | None, kind: str = "", problem: str = "", *, key: str = "message") -> Response:
    """A response of API Gateway's own.  `kind` is a REST API's x-amzn-ErrorType."""
    headers = (("content-type", JSON), *((("x-amzn-errortype", kind),) if kind else ()))
    return Response(status, headers, json.dumps({key: message}).replace(": ", ":").encode(), problem)


def failed(rest: bool, problem: str) -> Response:
    """The function failed, or its answer makes no response."""
    if rest:
        return error(502, "Internal server error", "InternalServerErrorException", problem)
    return error(500, "Internal Server Error", problem=problem)


def timed_out(rest: bool, seconds: float) -> Response:
    """The function took longer than API Gateway waits: 29 seconds for a REST API, 30 for an HTTP API."""
    problem = f"no answer within {seconds:g} seconds: API Gateway waits no longer, whatever the function's timeout"
    if rest:
        return error(504, "Endpoint request timed out", "InternalServerErrorException", problem)
    # What clients of HTTP APIs report: serverless/serverless issue 11222, anomalyco/sst issue 2232
    return error(503, "Service Unavailable", problem=problem)


def not_found(rest: bool) -> Response:
    """No route takes the request."""
    if rest:
        return error(403, "Missing Authentication Token", "MissingAuthenticationTokenException")
    return error(404, "Not Found")


def too_large(rest: bool, problem: str) -> Response:
    """The request has more bytes than API Gateway (10 MB), or Lambda (6 MB, the whole event), takes."""
    if rest:
        return error(413, "Request Too Long", "RequestTooLargeException", problem)
    return error(413, "Request Entity Too Large", problem=problem)


def answer(call: Call, payload: bytes) -> Response:
    """The response that the function's answer, JSON, makes."""
    try:
        return _answer(call, payload)
    except MalformedError as malformed:
        return failed(call.rest, f"the function's answer is malformed: {malformed}")


def _answer(call: Call, payload: bytes) -> Response:
    try:
        given = json.loads(payload)
    except ValueError:
        raise MalformedError("it is no JSON") from None
    inferring = call.api.payload == "2.0" and not call.rest
    if inferring and not (isinstance(given, dict) and "statusCode" in given):
        text = given if isinstance(given, str) else None
        return Response(200, (("content-type", JSON),), payload if text is None else _encoded(text))
    if not isinstance(given, dict):
        raise MalformedError("it must be an object with `statusCode`, `headers` and `body`")
    if call.rest:
        for key in given:
            if key not in _KEYS:
                raise MalformedError(f"`{key}` is none of {', '.join(sorted(_KEYS))}, which a REST API takes alone")
    elif "statusCode" not in given:
        raise MalformedError("it has no `statusCode`")
    headers = list(_headers(given, call.rest, multiple=not inferring))
    if inferring:
        headers.extend(("set-cookie", value) for value in _cookies(given))
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("content-type", JSON if call.rest else "text/plain; charset=utf-8"))
    return Response(_status(given), tuple(headers), _body(given, call))


def _status(given: dict[str, object]) -> int:
    value = given.get("statusCode")
    if value is None:
        return 200
    digits = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 3
    number = int(str(value)) if digits else value
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if not isinstance(number, int) or isinstance(number, bool) or not 200 <= number <= 599:
        raise MalformedError("`statusCode` must be a number from 200 to 599")
    return number


def _headers(given: dict[str, object], rest: bool, *, multiple: bool) -> Iterable[tuple[str, str]]:
    single = _table(given, "headers")
    several = _table(given, "multiValueHeaders") if multiple else {}
    named = {name.lower() for name in several}
    pairs = [(name, value) for name, value in single.items() if name.lower() not in named]
    for name, values in several.items():
        if not isinstance(values, list):
            raise MalformedError(f"`multiValueHeaders` must have a list for `{name}`")
        # "If you specify values for both …, API Gateway merges them into a single list"
        both = [value for key, value in single.items() if key.lower() == name.lower() and value not in values]
        pairs.extend((name, value) for value in [*both, *values])
    for name, value in pairs:
        text = _text(name, value)
        lower = name.lower()
        if rest and lower in _REMAPPED:
            yield f"x-amzn-Remapped-{name}", text
        elif lower not in _DROPPED:
            yield name, text


def _table(given: dict[str, object], key: str) -> dict[str, object]:
    value = given.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedError(f"`{key}` must be an object")
    return value


def _text(name: str, value: object) -> str:
    if not name or not _TOKEN.issuperset(name):
        raise MalformedError(f"{name!r} is no name of a header")
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise MalformedError(f"the header `{name}` must be a string")
    text = str(value).strip()
    if not all(character >= " " or character == "\t" for character in text) or "\x7f" in text:
        raise MalformedError(f"the header `{name}` holds a control character")
    return text


def _cookies(given: dict[str, object]) -> list[str]:
    value = given.get("cookies")
    if value is None:
        return []
    if not isinstance(value, list):
        raise MalformedError("`cookies` must be a list of strings")
    return [_text("set-cookie", one) for one in value]


def _body(given: dict[str, object], call: Call) -> bytes:
    value = given.get("body")
    if value is None:
        return b""
    if not isinstance(value, str):
        raise MalformedError("`body` must be a string: what is an object wants `json.dumps`")
    if given.get("isBase64Encoded") is True and (not call.rest or _takes_binary(call)):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise MalformedError("`isBase64Encoded` is true, and `body` is no base64") from None
    return _encoded(value)


def _takes_binary(call: Call) -> bool:
    """A REST API decodes a body where the first type of the request's Accept header is one of the API's binary ones."""
    return is_among(media_type((call.request.header("accept") or "").partition(",")[0]), call.api.binary)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode()
