"""The ASGI application: Lambda's data plane, as far as it is needed to invoke functions."""

from __future__ import annotations

import base64
import json
import os
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import parse_qs

from lamella.endpoint.events import Events, Failed, Say
from lamella.endpoint.model import Found, Named, RefusedError
from lamella.endpoint.names import Names
from lamella.endpoint.refusals import event_too_large, not_served, not_started, of_a_page, request_too_large
from lamella.endpoint.requests import DRY_RUN, EVENT, Wanted, checked, wanted
from lamella.errors import LamellaError
from lamella.facts.tables import limits
from lamella.runtime.model import Asked, Functions, Gone, Log, Result
from lamella.waiting import driven
from lamella.wording import listed, printable

if TYPE_CHECKING:
    from lamella.serving import Receive, Scope, Send

Headers = list[tuple[bytes, bytes]]
_T = TypeVar("_T")

_INVOKE = (b"/2015-03-31/functions/", b"/invocations")
_INVOKE_ASYNC = (b"/2014-11-13/functions/", b"/invoke-async")
# To look through more JSON than this would hold up other requests
_AT_ONCE_BYTES = 65536
_CAPITAL = ("ResourceNotFoundException", "ServiceException")
_JSON = (b"content-type", b"application/json")


class Run(Protocol):
    """Calls something that waits, in a thread."""

    def __call__(self, function: Callable[..., _T], *args: Any) -> Awaitable[_T]: ...


class Endpoint:
    """Answers Invoke and InvokeAsync; give it to a server.

    `named` are the functions, asked for anew when one is not found; with `changing`, before each request.  `run` calls
    functions in threads.  `log` gets their log lines, `say` what a person should know of requests that went wrong, and
    `failed` what keeps a function from being run here.
    """

    def __init__(
        self,
        functions: Functions,
        named: Callable[[], Sequence[Named]],
        run: Run,
        events: Events,
        say: Say,
        failed: Failed,
        log: Log | None = None,
        *,
        changing: bool = False,
    ) -> None:
        self._functions = functions
        self._changing = changing
        self._named = named
        self._run = run
        self._events = events
        self._say = say
        self._failed = failed
        self._log = log
        self._names = Names(named())
        self._limits = limits()
        self._told: dict[str, str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request_id = str(uuid.uuid4())
        try:
            status, headers, body = await self._answer(scope, receive, request_id)
        except RefusedError as refusal:
            status, headers, body = _refused(refusal)
            # A body that is on its way is passed over; one that was to come when asked for never does, and what comes
            # next on the connection would be taken for it
            if any(name == b"expect" for name, _ in scope["headers"]):
                headers.append((b"connection", b"close"))
        except _GoneError:
            return
        headers.append((b"x-amzn-requestid", request_id.encode()))
        if status != 204:  # it has no body to be long
            headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive, request_id: str) -> tuple[int, Headers, bytes]:
        if any(name == b"origin" for name, _ in scope["headers"]):
            raise of_a_page()
        path: bytes = scope["raw_path"].rstrip(b"/")
        post = scope["method"] == "POST"
        if post and path.startswith(_INVOKE[0]) and path.endswith(_INVOKE[1]):
            raw, asynchronous = path[len(_INVOKE[0]) : -len(_INVOKE[1])], False
        elif post and path.startswith(_INVOKE_ASYNC[0]) and path.endswith(_INVOKE_ASYNC[1]):
            raw, asynchronous = path[len(_INVOKE_ASYNC[0]) : -len(_INVOKE_ASYNC[1])], True
        else:
            raise not_served(scope["method"], printable(scope["path"]))
        want = wanted(scope["headers"], self._limits.client_context_bytes)
        most = self._limits.request_bytes
        if asynchronous:
            want, most = want._replace(type=EVENT), self._limits.invoke_async_bytes
        found = await self._find(raw, _qualifier(scope["query_string"]))
        event = await self._event(want, receive, most)
        trace = want.trace or _trace()
        headers: Headers = [(b"x-amzn-trace-id", trace.encode("latin-1"))]
        asked = Asked(event, request_id, found.arn, want.context, "", trace)
        if want.type == DRY_RUN:
            return 204, headers, b""
        if want.type == EVENT:
            self._events.accept(found.named, asked)
            return 202, headers, b""
        result = await self._invoke(found.named, asked)
        headers.append(_JSON)
        headers.append((b"x-amz-executed-version", found.named.version.encode()))
        if result.error:
            headers.append((b"x-amz-function-error", result.error.encode()))
        if want.tail:
            headers.append((b"x-amz-log-result", base64.b64encode(result.log[-self._limits.log_tail_bytes :])))
        return 200, headers, result.payload

    async def _find(self, raw: bytes, qualifier: str) -> Found:
        try:
            if not self._changing:
                return self._names.find(raw, qualifier)
        except RefusedError as refusal:
            if refusal.status != 404:
                raise
        try:
            self._names = Names(await self._run(self._named))
        except LamellaError as error:  # the project as it is now can't be built
            raise self._not_started("", error) from None
        try:
            return self._names.find(raw, qualifier)
        except RefusedError as refusal:
            keys = listed(named.key for named in self._names.functions)
            self._say(f"{printable(refusal.message)}; the functions here are {keys}")
            raise

    async def _event(self, want: Wanted, receive: Receive, most: int) -> bytes:
        if want.length > most:
            raise request_too_large(most)
        message = await receive()
        body: bytes = message.get("body", b"")
        if message.get("more_body"):
            body = await _rest(body, receive, most)
        if message["type"] == "http.disconnect":
            raise _GoneError
        if want.type == EVENT and len(body) > self._limits.event_bytes:
            raise event_too_large(len(body), self._limits.event_bytes)
        return checked(body) if len(body) < _AT_ONCE_BYTES else await self._run(checked, body)

    async def _invoke(self, named: Named, asked: Asked) -> Result:
        try:
            begun = self._functions.begin(named.key, asked, self._log)
            try:
                result = await (driven(begun) if begun else self._waited_for(named, asked))
            except Gone:
                result = await self._waited_for(named, asked)
        except LamellaError as error:
            raise self._not_started(named.key, error) from None
        if self._told:
            self._told.pop(named.key, None)
        return result

    def _waited_for(self, named: Named, asked: Asked) -> Awaitable[Result]:
        return self._run(self._functions.invoke, named.key, asked, self._log)

    def _not_started(self, key: str, error: LamellaError) -> RefusedError:
        """The refusal; told here as well, but not again for each time that an SDK tries."""
        text = str(error)
        if self._told.get(key) != text:
            self._told[key] = text
            self._failed(error)
        return not_started(text)


class _GoneError(Exception):
    """The client went away before it had sent all."""


async def _rest(first: bytes, receive: Receive, most: int) -> bytes:
    parts, size = [first], len(first)
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _GoneError
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            raise request_too_large(most)
        more = message.get("more_body", False)
    return b"".join(parts)


def _refused(refusal: RefusedError) -> tuple[int, Headers, bytes]:
    # As botocore's service model has it; SDKs that are made from it read one of them
    key = "Message" if refusal.kind in _CAPITAL else "message"
    body = json.dumps({**({"Type": refusal.type} if refusal.type else {}), key: refusal.message}).encode()
    return refusal.status, [_JSON, (b"x-amzn-errortype", refusal.kind.encode())], body


def _qualifier(query: bytes) -> str:
    if not query:
        return ""
    return parse_qs(query.decode("latin-1")).get("Qualifier", [""])[-1]


def _trace() -> str:
    """An X-Ray header that says: not sampled."""
    return f"Root=1-{int(time.time()):08x}-{os.urandom(12).hex()};Parent={os.urandom(8).hex()};Sampled=0"
