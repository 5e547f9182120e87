"""A request as it came, and what all forms of events say of it."""

from __future__ import annotations

import base64
import time
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from lamella.config.model import ApiSettings
from lamella.gateway.routes import Match
from lamella.runtime.model import ACCOUNT
from lamella.sandbox.variables import REGION

API = "lamella000"  # an API's ID has ten letters and digits
REST = "rest"
# What a request's body is given as text for in an HTTP API; all else is base64, forms and no content type, too.
# The documentation doesn't list them; measured on AWS by the authors of ministack (its pull request 766, 2026-06-01)
_TEXT = frozenset({"application/json", "application/xml", "application/javascript"})
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# Of the connection, not of the request (RFC 9110, 7.6.1); the body is whole by now
_HOP = frozenset({"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"})


class Request(NamedTuple):
    """An HTTP request.

    `path` and `query` are percent-encoded, as they were sent; `headers` are pairs in their order, names as the client
    wrote them; `client` is its address, `protocol` ``HTTP/1.1``, `port` the server's.
    """

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    client: str = "127.0.0.1"
    protocol: str = "HTTP/1.1"
    scheme: str = "http"
    port: int = 80

    def header(self, name: str) -> str | None:
        """The last value of a header; the case of `name` doesn't matter."""
        values = self.values(name)
        return values[-1] if values else None

    def values(self, name: str) -> list[str]:
        """All values of a header."""
        lower = name.lower()
        return [value for key, value in self.headers if key.lower() == lower]


class Call(NamedTuple):
    """A request on its way to a function: the API, the route that it takes and what it is called.

    `time` is in seconds since 1970.  `trace` is an X-Ray header.  `context` is what the authorizer passes on, None
    where none was asked; `principal` whom it named.
    """

    api: ApiSettings
    request: Request
    match: Match
    request_id: str
    trace: str
    time: float
    context: dict[str, object] | None = None
    principal: str = ""

    @property
    def rest(self) -> bool:
        return self.api.type == REST

    @property
    def path(self) -> str:
        """The path as events have it, without the stage: REST APIs leave it encoded, HTTP APIs decode it.

        Not documented; live captures in middleapi/standard-server, pull request 93 (2026-09-15).
        """
        return self.request.path if self.rest else unquote(self.request.path)

    @property
    def staged(self) -> str:
        """The path with its stage in front, unless that is $default."""
        return self.path if self.api.stage == "$default" else f"/{self.api.stage}{self.path}"

    @property
    def arn(self) -> str:
        """The ARN of what is invoked: an authorizer's methodArn or routeArn, and the resource of its policy."""
        resource = f"{API}/{self.api.stage}/{self.request.method}{self.path}"
        return f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{resource}"


def query(request: Request) -> dict[str, list[str]]:
    """The query's parameters, decoded: a plus is a space, a name without a value has an empty one."""
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.query, keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return found


def forwarded(call: Call) -> list[tuple[str, str]]:
    """The headers that the function sees: the client's, and what API Gateway adds."""
    request = call.request
    kept = [
        (name, value)
        for name, value in request.headers
        if name.lower() not in _HOP and name.lower() not in ("content-length", "x-forwarded-proto", "x-forwarded-port")
    ]
    if not call.rest:
        kept.append(("content-length", str(len(request.body))))
    before = [value for name, value in kept if name.lower() == "x-forwarded-for"]
    kept = [(name, value) for name, value in kept if name.lower() != "x-forwarded-for"]
    if not any(name.lower() == "x-amzn-trace-id" for name, _ in kept):
        kept.append(("X-Amzn-Trace-Id", call.trace))
    return [
        *kept,
        ("X-Forwarded-For", ", ".join([*before, request.client])),
        ("X-Forwarded-Port", str(request.port)),
        ("X-Forwarded-Proto", request.scheme),
    ]


def body(call: Call) -> tuple[str | None, bool]:
    """The body as text, and whether that is base64; None for an empty one.

    What is no UTF-8 is base64 whatever its type: as text it would be lost.
    """
    data = call.request.body
    if not data:
        return None, False
    kind = media_type(call.request.header("content-type"))
    if not (is_among(kind, call.api.binary) if call.rest else _is_binary(kind)):
        try:
            return data.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(data).decode(), True


def _is_binary(kind: str) -> bool:
    return not (kind.startswith("text/") or kind in _TEXT)


def media_type(header: str | None) -> str:
    """A Content-Type's type alone, in lower case: ``text/html``."""
    return (header or "").partition(";")[0].strip().lower()


def is_among(kind: str, patterns: tuple[str, ...]) -> bool:
    """Is a media type one of a REST API's binary ones?  ``*/*`` is all, ``image/*`` those of one kind."""
    return "*/*" in patterns or (bool(kind) and (kind in patterns or f"{kind.partition('/')[0]}/*" in patterns))


def written_time(seconds: float) -> str:
    """The time as $context.requestTime has it: ``04/Mar/2020:19:15:17 +0000``.  Independent of the locale."""
    moment = time.gmtime(seconds)
    return f"{moment.tm_mday:02}/{_MONTHS[moment.tm_mon - 1]}/{time.strftime('%Y:%H:%M:%S +0000', moment)}"


def domain(request: Request) -> str:
    """The name that the client called the API by."""
    return request.header("host") or f"{API}.execute-api.{REGION}.amazonaws.com"
