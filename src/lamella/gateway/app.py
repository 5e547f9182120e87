"""The API as an ASGI application: routes, authorizers, functions and what browsers want, one after the other.

Source of limits: API Gateway developer guide, "Quotas" (payload 10 MB; integration timeout 29 s for a REST API, 30 s
for an HTTP API); Lambda developer guide, "Lambda quotas" (read on 2026-11-22).
"""

from __future__ import annotations

import json
import os
import time
import uuid
from base64 import b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING

from lamella.config.model import ApiSettings
from lamella.errors import LamellaError
from lamella.facts.tables import limits
from lamella.gateway import answers, cors, events_v1, events_v2
from lamella.gateway.answers import Response
from lamella.gateway.authorizers import Authorizers
from lamella.gateway.request import REST, Call, Request
from lamella.gateway.routes import Route, Routes
from lamella.runtime.model import Asked, Functions, Log, Result
from lamella.serving import HEADER_NAMES

if TYPE_CHECKING:
    from lamella.serving import Receive, Scope, Send
    from lamella.waiting import Threads

PAYLOAD = 10 * 1024 * 1024
SECONDS = {"http": 30.0, REST: 29.0}

# Told of each request: method, path, status, milliseconds, and what is wrong, or ""
Told = Callable[[str, str, int, float, str], None]


class Gateway:
    """An API whose routes lead to `functions`, which are waited for in `threads`.

    `log` is given the functions' log as it comes, `told` each request when it is answered.  `clock` gives seconds
    since 1970; `seconds` is how long a function is waited for, None for as long as API Gateway does.
    """

    def __init__(
        self,
        api: ApiSettings,
        routes: tuple[Route, ...],
        functions: Functions,
        threads: Threads,
        *,
        log: Log | None = None,
        told: Told | None = None,
        clock: Callable[[], float] = time.time,
        seconds: float | None = None,
    ) -> None:
        self.api = api
        self.rest = api.type == REST
        self.routes = Routes(routes, rest=self.rest)
        self._functions = functions
        self._log = log
        self._told = told
        self._clock = clock
        self._seconds = SECONDS[api.type] if seconds is None else seconds
        self._declared = {one.function: one for one in api.authorizers}
        self._threads = threads
        self._authorizers = Authorizers(functions, clock, log)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3, HTTP)."""
        began = time.perf_counter()
        data = await _body(receive)
        if data is None:
            return
        request = request_of(scope, data)
        response = await self._response(request)
        if self.api.cors is not None and not self.rest and not cors.is_preflight(request):
            response = cors.allowed(self.api.cors, request, response)
        await _send(send, response)
        if self._told is not None:
            milliseconds = (time.perf_counter() - began) * 1000
            self._told(request.method, request.path, response.status, milliseconds, response.problem)

    async def _response(self, request: Request) -> Response:
        if len(request.body) > PAYLOAD:
            return answers.too_large(self.rest, f"API Gateway takes {PAYLOAD:,} bytes")
        call = self._call(request)
        if isinstance(call, Response):
            return call
        response = await self._through(call, request)
        name = "x-amzn-requestid" if self.rest else "apigw-requestid"
        return response._replace(headers=(*response.headers, (name, call.request_id)))

    async def _through(self, call: Call, request: Request) -> Response:
        import asyncio

        authorizer = self._declared.get(call.match.route.authorizer)
        try:
            if authorizer is not None:
                admitted = await self._threads.run(self._authorizers.admit, authorizer, call)
                if isinstance(admitted, Response):
                    return admitted
                call = admitted
            if self.api.cors is not None and self._is_preflight(request):
                return cors.preflight(self.api.cors, request, rest=self.rest)
            asked = _asked(call)
            if isinstance(asked, Response):
                return asked
            invoked = self._threads.run(self._functions.invoke, call.match.route.function, asked, self._log)
            try:
                # A function that takes longer goes on, and nobody hears what comes of it
                result = await asyncio.wait_for(invoked, self._seconds)
            except TimeoutError:
                return answers.timed_out(self.rest, self._seconds)
        except LamellaError as error:
            return answers.failed(self.rest, str(error))
        return _answered(call, result)

    def _call(self, request: Request) -> Call | Response:
        """The call that a request becomes, or the response that the gateway has for it alone."""
        match = self.routes.match(request.method, request.path)
        # "The $default route catches requests for all methods …, including OPTIONS requests": with an authorizer that
        # is asked first.  A REST API's OPTIONS is a mock of its own, which asks nobody
        asks = match is not None and match.route.authorizer and not self.rest
        if self.api.cors is not None and self._is_preflight(request) and not asks:
            return cors.preflight(self.api.cors, request, rest=self.rest)
        if match is None:
            return answers.not_found(self.rest)
        request_id = str(uuid.uuid4()) if self.rest else b64encode(os.urandom(11)).decode()
        now = self._clock()
        trace = request.header("x-amzn-trace-id") or f"Root=1-{int(now):08x}-{os.urandom(12).hex()}"
        return Call(self.api, request, match, request_id, trace, now)

    def _is_preflight(self, request: Request) -> bool:
        """Does the gateway itself answer it, where CORS is configured?"""
        if self.rest:
            own = self.routes.has("OPTIONS", request.path)
            return request.method == "OPTIONS" and not own and self.routes.takes(request.path)
        return cors.is_preflight(request)


class Current:
    """The API as it is at each request: `gateway` gives it, and may take its time, or raise LamellaError."""

    def __init__(
        self, gateway: Callable[[], Gateway], threads: Threads, failed: Callable[[LamellaError], None]
    ) -> None:
        self._gateway = gateway
        self._threads = threads
        self._failed = failed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3, HTTP)."""
        try:
            gateway = await self._threads.run(self._gateway)
        except LamellaError as error:
            self._failed(error)
            if await _body(receive) is not None:
                await _send(send, answers.failed(False, ""))
            return
        await gateway(scope, receive, send)


def request_of(scope: Scope, data: bytes) -> Request:
    """The request that an ASGI scope describes.

    Servers give headers' names in lower case.  Where the scope's extensions have them as they were sent, those are
    taken; else they are written as most clients do: ``Content-Type``.
    """
    path = scope.get("raw_path") or scope["path"].encode()
    names: list[bytes] = (scope.get("extensions") or {}).get(HEADER_NAMES) or []
    headers = list(scope["headers"])
    if len(names) == len(headers):
        headers = [(name, value) for name, (_, value) in zip(names, headers, strict=True)]
    else:
        headers = [(name.title(), value) for name, value in headers]
    client, server = scope.get("client"), scope.get("server")
    return Request(
        method=scope["method"],
        path=path.partition(b"?")[0].decode("latin-1") or "/",
        query=scope["query_string"].decode("latin-1"),
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers),
        body=data,
        client=client[0] if client else "127.0.0.1",
        protocol=f"HTTP/{scope.get('http_version', '1.1')}",
        scheme=scope.get("scheme", "http"),
        port=server[1] if server and server[1] else 80,
    )


def _asked(call: Call) -> Asked | Response:
    event = events_v2.event(call) if call.api.payload == "2.0" and not call.rest else events_v1.event(call)
    data = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    most = limits().request_bytes
    if len(data) > most:
        return answers.too_large(call.rest, f"the event would have {len(data):,} bytes, and Lambda takes {most:,}")
    return Asked(data, str(uuid.uuid4()), trace=call.trace)


def _answered(call: Call, result: Result) -> Response:
    if result.error:
        return answers.failed(call.rest, f"`{call.match.route.function}` failed: {_message(result.payload)}")
    return answers.answer(call, result.payload)


def _message(payload: bytes) -> str:
    try:
        given = json.loads(payload)
    except ValueError:
        return "its error is no JSON"
    message = given.get("errorMessage") if isinstance(given, dict) else given
    kind = given.get("errorType") if isinstance(given, dict) else None
    return f"{kind}: {message}" if kind else str(message)


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None when the client left.  What is far too large is read, and not kept."""
    data = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        if len(data) <= PAYLOAD:
            data += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(data)


async def _send(send: Send, response: Response) -> None:
    data = b"" if response.status in (204, 304) else response.body
    headers = [(name.lower().encode("latin-1"), value.encode("utf-8")) for name, value in response.headers]
    if response.status not in (204, 304):
        headers.append((b"content-length", b"%d" % len(data)))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": data})
