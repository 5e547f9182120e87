"""What is asked of a function: an event that is JSON, and what the handler's context says of the call."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import NoReturn

from lamella.errors import UsageError
from lamella.runtime.model import Asked
from lamella.wording import did_you_mean, printable

# What no limit was ever under: to know today's, a table has to be read
_SMALL = 100_000
_PLAIN = ("aws_request_id", "invoked_function_arn")
# They are sent in headers and paths
_SENT = re.compile(r"[A-Za-z0-9_:.$-]{1,256}")
# client_context.PART.KEY; AWS Lambda developer guide, "Using the Lambda context object ... in Python"
_CLIENT = ("client", "custom", "env")
_IDENTITY = {"cognito_identity_id": "cognitoIdentityId", "cognito_identity_pool_id": "cognitoIdentityPoolId"}


def event_of(data: bytes, source: str) -> bytes:
    """`data` itself, which is JSON that Lambda takes.  Raises UsageError that names `source`."""
    if len(data) > _SMALL:
        _refuse_large(data, source)
    try:
        json.loads(data.decode(), parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise UsageError(
            f"the event in {source} is no UTF-8", why=[f"byte {error.start} is not"], hint="save it as UTF-8"
        ) from None
    except RecursionError:
        raise UsageError(f"the event in {source} is nested too deeply", hint="make it flatter") from None
    except ValueError as error:
        raise UsageError(
            f"the event in {source} is no JSON",
            why=[str(error)],
            hint="Lambda takes JSON alone, in UTF-8 without a byte order mark",
        ) from None
    return data


def _refuse_large(data: bytes, source: str) -> None:
    from lamella.facts.tables import limits

    most = limits().request_bytes
    if len(data) > most:
        raise UsageError(
            f"the event in {source} is too large",
            why=[f"it has {len(data):,} bytes, and Lambda takes {most:,} in a request"],
            hint="put the data into S3, and its place into the event",
        )


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"`{name}` is Python's, and no number in JSON")


def asked(event: bytes, request_id: str, context: Iterable[tuple[str, str]] = ()) -> Asked:
    """One invocation.  `context` are pairs of a context's attribute, dotted, and its value.  Raises UsageError."""
    plain: dict[str, str] = {}
    client: dict[str, dict[str, str]] = {}
    identity: dict[str, str] = {}
    for name, value in context:
        first, _, rest = name.partition(".")
        part, _, key = rest.partition(".")
        if name in _PLAIN:
            if not _SENT.fullmatch(value):
                raise UsageError(
                    f"`{printable(value)}` can't be an `{name}`",
                    hint="it is letters, digits, `-`, `_`, `:`, `.` and `$`",
                )
            plain[name] = value
        elif first == "client_context" and part in _CLIENT and key:
            client.setdefault(part, {})[key] = value
        elif first == "identity" and rest in _IDENTITY:
            identity[_IDENTITY[rest]] = value
        else:
            raise _unknown(name)
    return Asked(
        event,
        plain.get("aws_request_id", request_id),
        plain.get("invoked_function_arn", ""),
        json.dumps(client) if client else "",
        json.dumps(identity) if identity else "",
    )


def _unknown(name: str) -> UsageError:
    known = [*_PLAIN, *(f"identity.{key}" for key in _IDENTITY), *(f"client_context.{part}.KEY" for part in _CLIENT)]
    return UsageError(
        f"the context has no `{name}` that can be set",
        why=[f"what can be set is {', '.join(known)}"],
        hint=did_you_mean(name, known),
    )
