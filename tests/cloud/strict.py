"""An AWS over HTTP that is as strict as the real one, and fails when it is told to.

    with StrictServer() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        Deployer(server).function("api", zipped({"app.py": "…"}))
        server.fault = lambda number, service, operation: THROTTLED if number == 3 else None

Moto holds the functions and layers, and answers for S3, STS, CloudWatch, logs and IAM; what it lets pass in Lambda, and
AWS does not, is refused here.  `tests.cloud.strict_functions`, `…_layers`, `…_aliases` and `…_rules` name the page of
AWS's documentation for each rule.  The rest of Lambda's operations is moto's alone.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from tests.cloud.strict_aliases import Aliases, Answered, Invocation, answered, headers, invocation, logged
from tests.cloud.strict_functions import Functions
from tests.cloud.strict_http import LastingServer
from tests.cloud.strict_layers import Layers
from tests.cloud.strict_permissions import Permissions
from tests.cloud.strict_routes import Call, Request, Routes
from tests.cloud.strict_rules import RefusedError, denied
from tests.cloud.strict_state import State, kept, put_back
from tests.deployed.moto_server import ACCOUNT, REGION, AwsServer, Environ, Start

__all__ = ["Answered", "Call", "Fault", "Invocation", "StrictServer", "answered", "logged"]

_READS = re.compile(r"Get|List|Head|Describe|Download|Assume|Filter")

# Of Step Functions, which Terraform asks for and moto has not
_CONSTANT: dict[str, dict[str, object]] = {
    "ListStateMachineVersions": {"stateMachineVersions": []},
    "ValidateStateMachineDefinition": {"result": "OK", "diagnostics": []},
}


class Fault(NamedTuple):
    """How one call goes wrong: an answer of `status` and `code`, or, for status 0, the connection is cut.

    `after`: the call took its effect first.  `act` is called just then: it may kill the client, or change something as
    somebody else would.  Status -1: `act` alone, then the answer as ever.
    """

    status: int = 0
    code: str = ""
    message: str = ""
    after: bool = False
    act: Callable[[], None] | None = None


THROTTLED = Fault(429, "TooManyRequestsException", "Rate exceeded")
BROKEN = Fault(500, "ServiceException", "An internal error occurred. Please retry later.")
UNAVAILABLE = Fault(503, "ServiceUnavailableException", "Service Unavailable")
CONFLICT = Fault(409, "ResourceConflictException", "The operation cannot be performed at this time.")
DENIED = Fault(403, "AccessDeniedException")  # in AWS's words: of the call's action and resource
CUT_BEFORE = Fault()
CUT_AFTER = Fault(after=True)


class StrictServer(AwsServer):
    """`calls` are the calls that arrived, and `times` when, in seconds of the monotonic clock.

    `fault` is asked with the number of the call (from 1; `calls` cleared, it begins anew), service and operation.
    `rate`: more calls of Lambda's control plane in a second are refused (429 TooManyRequestsException); None for any.
    https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html#api-requests
    `invoked` answers invocations.  `clock` are the seconds that updates are timed by.
    """

    def __init__(self) -> None:
        super().__init__()
        self._server.server_close()
        self._server = LastingServer(self._application)  # type: ignore[assignment]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._routes = Routes()
        self._turn = threading.RLock()
        self._recent: deque[float] = deque()
        self.clock: Callable[[], float] = time.monotonic
        self.layers = Layers(self._link, _user)
        self.functions = Functions(self.layers, self._link, self._seconds)
        self.aliases = Aliases(self.functions)
        self.permissions = Permissions(self.functions)
        self._operations = _operations(self.layers, self.functions, self.aliases, self.permissions)
        self.calls: list[Call] = []
        self.times: list[float] = []
        self._plain()

    def _plain(self) -> None:
        self.fault: Callable[[int, str, str], Fault | None] | None = None
        self.rate: float | None = None
        self.invoked: Callable[[Invocation], Answered] = answered
        self.functions.settle_polls, self.functions.settle_seconds = 1, 0.0
        self.clear()

    def __enter__(self) -> StrictServer:
        super().__enter__()
        return self

    def _seconds(self) -> float:
        return self.clock()

    def forget(self) -> None:
        """Nothing is deployed, asked or wrong any more, and all settings are as at first."""
        super().forget()
        self.layers.deleted.clear()
        self.functions.facts.clear()
        self.functions.last.clear()
        self.functions.failing.clear()
        self.aliases.invoked.clear()
        self.permissions.policies.clear()
        self._zips.clear()
        self._plain()

    def clear(self) -> None:
        """The calls so far are forgotten."""
        self.calls.clear()
        self.times.clear()
        self._recent.clear()

    @property
    def writes(self) -> list[Call]:
        """The calls that change something, or would have.  Invocations change nothing."""
        return [call for call in self.calls if call.operation != "Invoke" and not _READS.match(call.operation)]

    @property
    def busiest(self) -> int:
        """The most calls of Lambda's control plane that arrived within any one second."""
        window: deque[float] = deque()
        most = 0
        for call, at in zip(self.calls, self.times, strict=True):
            if call.service != "lambda" or call.operation == "Invoke":
                continue
            window.append(at)
            while window[0] <= at - 1:
                window.popleft()
            most = max(most, len(window))
        return most

    def do(self, operation: str, **parameters: Any) -> Any:
        """What Lambda answers to it, without HTTP, unnoted: the quick way to many functions."""
        with self._turn:
            return self._operations[operation](Request("lambda", operation, REGION, ACCOUNT, "", parameters))[1]

    def snapshot(self) -> State:
        """Functions, versions, aliases, layers and S3's objects; not: metrics, alarms, logs."""
        with self._turn:
            return State(*kept(), dict(self.functions.facts), dict(self.functions.last), dict(self.layers.deleted))

    def restore(self, state: State) -> None:
        """The account is again as it was."""
        with self._turn:
            put_back(state.lambdas, state.objects)
            self.functions.facts = dict(state.facts)
            self.functions.last = dict(state.last)
            self.layers.deleted = dict(state.deleted)

    def _application(self, environ: Environ, start: Start) -> Iterable[bytes]:
        path = str(environ["PATH_INFO"])
        if path.startswith("/zips/"):
            request = Request("s3", "Download", "", "", "", {"path": path})
        else:
            request = self._routes.read(environ)
        with self._turn:
            fault = self._noted(request)
        if fault and not fault.after and (ended := self._failed(fault, request, start)) is not None:
            return ended
        if not fault or not fault.after:
            return self._answered(request, environ, start)
        b"".join(self._answered(request, environ, lambda *_: None))
        ended = self._failed(fault, request, start)
        assert ended is not None, "a fault after the call ends it"
        return ended

    def _noted(self, request: Request) -> Fault | None:
        now = time.monotonic()
        self.calls.append(request.call)
        self.times.append(now)
        fault = self.fault(len(self.calls), request.service, request.operation) if self.fault else None
        if fault is None and self.rate and request.service == "lambda" and request.operation != "Invoke":
            while self._recent and self._recent[0] <= now - 1:
                self._recent.popleft()
            if len(self._recent) >= self.rate:
                return THROTTLED
            self._recent.append(now)
        return fault

    def _failed(self, fault: Fault, request: Request, start: Start) -> Iterable[bytes] | None:
        if fault.act:
            fault.act()
        if fault.status < 0:
            return None
        if fault.status == 0:
            raise ConnectionAbortedError
        refused = RefusedError(fault.status, fault.code, fault.message)
        if fault.status == 403:
            resource = f"arn:aws:{request.service}:{request.region}:{request.account}:{request.call.detail}"
            action = "InvokeFunction" if request.operation == "Invoke" else request.operation
            refused = denied(_user(request), f"{request.service}:{action}", resource)
        return _refusal(refused, request, start)

    def _answered(self, request: Request, environ: Environ, start: Start) -> Iterable[bytes]:
        if request.operation == "Download":
            return self._serve(environ, start, request.parameters["path"].removeprefix("/zips/"))
        if request.operation == "Invoke":
            return self._invoked(request, start)
        if request.operation in _CONSTANT:
            body = json.dumps(_CONSTANT[request.operation]).encode()
            start("200 OK", [("Content-Type", "application/x-amz-json-1.0"), ("Content-Length", str(len(body)))])
            return [body]
        verb = self._operations.get(request.operation) if request.service == "lambda" else None
        if verb is None:
            return self._moto(environ, start)  # type: ignore[no-any-return]
        try:
            with self._turn:
                status, tree = verb(request)
        except RefusedError as refused:
            return _refusal(refused, request, start)
        body = b"" if tree is None else json.dumps(tree).encode()
        start(f"{status} OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    def _invoked(self, request: Request, start: Start) -> Iterable[bytes]:
        try:
            with self._turn:
                function, version = self.aliases.meant(request)
                given = invocation(request, function, version, self.layers)
        except RefusedError as refused:
            return _refusal(refused, request, start)
        answer = self.invoked(given)
        start("200 OK", [*headers(request, answer, version), ("Content-Length", str(len(answer.payload)))])
        return [answer.payload]


def _operations(*rooms: object) -> dict[str, Callable[[Request], tuple[int, Any]]]:
    """The verbs of the rooms by the names of Lambda's operations: publish_version is PublishVersion's."""
    found = {}
    for room in rooms:
        for name in dir(type(room)):
            if name.partition("_")[0] in ("list", "get", "create", "update", "publish", "delete", "add", "remove"):
                found["".join(word.title() for word in name.split("_"))] = getattr(room, name)
    return found


def _user(request: Request) -> str:
    return f"arn:aws:iam::{request.account}:user/{request.key}"


def _refusal(refused: RefusedError, request: Request, start: Start) -> Iterable[bytes]:
    """An error in the words of the service's protocol."""
    shown: list[tuple[str, str]] = [("Connection", "close")] if request.service != "lambda" else []
    if request.service == "lambda":
        tree = {"Type": "User" if refused.status < 500 else "Service", "message": refused.message}
        body = json.dumps(tree).encode()
        shown.append(("x-amzn-ErrorType", refused.code))
    elif request.service in ("s3", "sts", "iam"):
        code = {"TooManyRequestsException": "SlowDown", "AccessDeniedException": "AccessDenied"}
        inner = f"<Code>{code.get(refused.code, refused.code)}</Code><Message>{refused.message}</Message>"
        text = f"<Error>{inner}</Error>" if request.service == "s3" else f"<E><Error>{inner}</Error></E>"
        body = b"" if request.operation.startswith("Head") else text.encode()
    else:
        body = json.dumps({"__type": refused.code, "message": refused.message}).encode()
    start(f"{refused.status} Refused", [*shown, ("Content-Length", str(len(body)))])
    return [body]
