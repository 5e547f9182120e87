"""The Runtime API of one process: what is answered to which request, in which state.

Sources: AWS Lambda developer guide, "Using the Lambda runtime API for custom runtimes"; AWS's runtime interface
emulator, internal/lambda: rapi/router.go, rapi/middleware, rapi/handler, rapi/rendering, core/states.go.
"""

from __future__ import annotations

from lamella.runtime.wire import Connection, Request, answer
from lamella.runtime.words import refusal

_ROOT = b"/2018-06-01/"
_INVOCATION = b"runtime/invocation/"
_ERROR_TYPE = b"lambda-runtime-function-error-type"
_ACCEPTED = answer(202, b'{"status":"OK"}\n')
_NOT_FOUND = answer(404, b"404 page not found\n", b"text/plain")
_NOT_ALLOWED = answer(405, b"", b"text/plain")


class Said:
    """What a runtime said of an invocation or of its init.  `kind` is the type that it gives an error.

    `too_large`: there was more than may be, and none of it is in `body`.
    """

    __slots__ = ("body", "failed", "kind", "too_large")

    def __init__(self, body: bytes, failed: bool = False, kind: str = "", too_large: bool = False) -> None:
        self.body = body
        self.failed = failed
        self.kind = kind
        self.too_large = too_large


class Api:
    """`next` is the connection that waits for an event; `said` is the last thing that the runtime said, until taken.

    `limit` is how many bytes a response may have.
    """

    def __init__(self, limit: int) -> None:
        self.next: Connection | None = None
        self.said: Said | None = None
        self._limit = limit
        self._id = b""
        self._event = b""
        self._started = False

    def deliver(self, request_id: str, headers: bytes, event: bytes) -> tuple[Connection, bytes]:
        """An event for the runtime, which must have asked for one: what is to be sent, and to whom."""
        connection = self.next
        assert connection is not None
        self.next = None
        self._id = request_id.encode()
        self._event = answer(200, event, headers=headers)
        return connection, self._event

    def lose(self, connection: Connection) -> None:
        """A connection is over."""
        if self.next is connection:
            self.next = None

    def answer(self, connection: Connection, request: Request) -> bytes:
        """What is to be sent; empty where it is sent later."""
        if not request.path.startswith(_ROOT):
            return _NOT_FOUND
        path = request.path[len(_ROOT) :]
        if path.startswith(_INVOCATION):
            request_id, _, what = path[len(_INVOCATION) :].partition(b"/")
            if what in (b"response", b"error"):
                return self._take(request, request_id, what == b"error")
            if request_id == b"next" and not what:
                return self._hand_out(connection, request)
        elif path == b"runtime/init/error":
            return self._take_init_error(request)
        elif path == b"ping":
            return answer(200, b"pong", b"text/plain")
        return _NOT_FOUND

    def _hand_out(self, connection: Connection, request: Request) -> bytes:
        if request.method != b"GET":
            return _NOT_ALLOWED
        self._started = True
        if not self._event:
            self.next = connection
        return self._event  # the same one until it was answered

    def _take(self, request: Request, request_id: bytes, failed: bool) -> bytes:
        if request.method != b"POST":
            return _NOT_ALLOWED
        if not self._id or request_id != self._id:
            return answer(400, refusal("InvalidRequestID", "Invalid request ID"))
        if not self._event:
            return self._forbidden("InvocationErrorResponse" if failed else "InvocationResponse")
        self._event = b""
        if request.size > self._limit:
            self.said = Said(b"", True, too_large=True)
            message = f"Exceeded maximum allowed payload size ({self._limit} bytes)."
            return answer(413, refusal("RequestEntityTooLarge", message))
        self.said = Said(request.body, failed, request.header(_ERROR_TYPE) if failed else "")
        return _ACCEPTED

    def _take_init_error(self, request: Request) -> bytes:
        if request.method != b"POST":
            return _NOT_ALLOWED
        if self._started:
            return self._forbidden("InitError")
        self._started = True
        self.said = Said(request.body, True, request.header(_ERROR_TYPE))
        return _ACCEPTED

    def _forbidden(self, wanted: str) -> bytes:
        state = "Running" if self._event else "Ready" if self.next else "ResponseSent" if self._id else "InitError"
        why = "State transition is not allowed"
        message = f"State transition from {state} to {wanted} failed for runtime. Error: {why}"
        return answer(403, refusal("InvalidStateTransition", message))
