"""What an Invoke request asks for, in its headers and body."""

from __future__ import annotations

import binascii
import json
from typing import Any, NamedTuple, NoReturn

from lamella.endpoint.model import RefusedError
from lamella.endpoint.refusals import malformed, no_context, not_json

REQUEST_RESPONSE = "RequestResponse"
EVENT = "Event"
DRY_RUN = "DryRun"
# What a function gets when nothing was sent
NO_PAYLOAD = b"{}"

_TYPES = {name.encode(): name for name in (EVENT, REQUEST_RESPONSE, DRY_RUN)}
_TAIL = {b"Tail": True, b"None": False}


class Wanted(NamedTuple):
    """How to invoke; `context` is JSON, "" for none, `trace` the X-Ray header, `length` what Content-Length says."""

    type: str
    tail: bool
    context: str
    trace: str
    length: int


def wanted(headers: list[tuple[bytes, bytes]], longest_context: int) -> Wanted:
    """What the headers say, whose names are in lower case.  Raises RefusedError."""
    given = dict(headers)
    kind = REQUEST_RESPONSE
    if (value := given.get(b"x-amz-invocation-type")) is not None:
        if value not in _TYPES:
            raise _not_among("invocationType", value, _TYPES)
        kind = _TYPES[value]
    tail = False
    if (value := given.get(b"x-amz-log-type")) is not None:
        if value not in _TAIL:
            raise _not_among("logType", value, _TAIL)
        tail = _TAIL[value]
    context = ""
    # Source: AWS Lambda API reference, Invoke: it is passed on for synchronous invocations only
    if kind != EVENT and (value := given.get(b"x-amz-client-context")):
        context = _context(value, longest_context)
    trace = given.get(b"x-amzn-trace-id", b"").decode("latin-1")
    length = given.get(b"content-length", b"")
    return Wanted(kind, tail, context, trace, int(length) if length.isdigit() else 0)


def checked(body: bytes) -> bytes:
    """The event, which is JSON (RFC 8259) in UTF-8.  Raises RefusedError."""
    if not body:
        return NO_PAYLOAD
    try:
        _JSON.decode(body.decode())
    except UnicodeDecodeError as error:
        raise not_json(f"Invalid UTF-8 at byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise not_json(f"{error.msg}: line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise not_json("it is nested too deeply") from None
    return body


def _context(value: bytes, longest: int) -> str:
    if len(value) > longest:
        raise malformed(
            "clientContext", value.decode("latin-1"), f"Member must have length less than or equal to {longest}"
        )
    try:
        text = binascii.a2b_base64(value, strict_mode=True).decode()
        if isinstance(_JSON.decode(text), dict):
            return text
    except (ValueError, RecursionError):
        pass
    raise no_context()


def _not_among(member: str, value: bytes, known: dict[bytes, Any]) -> RefusedError:
    names = ", ".join(name.decode() for name in known)
    return malformed(member, value.decode("latin-1"), f"Member must satisfy enum value set: [{names}]")


def _refuse(name: str) -> NoReturn:
    raise json.JSONDecodeError(f"{name} is no JSON", name, 0)


# Numbers are not looked into: Python makes integers of no more than 4,300 digits, JSON knows no such limit
_JSON = json.JSONDecoder(parse_int=float, parse_constant=_refuse)
