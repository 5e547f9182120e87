"""A function that can be started, what is asked of it and what came of it.  Values, and the port to invoke through."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from lamella.sandbox.run import Place

LATEST = "$LATEST"
# What is made up where AWS has none to give
ACCOUNT = "123456789012"

Log = Callable[[bytes], None]
# What remains of an invocation, where that has to wait
Rest = Callable[[], "Result"]


class Launch(NamedTuple):
    """All that a process of a function is started with.

    `key` is its name in the configuration, `name` the one in AWS, `arn` its unqualified ARN.  `python` is the minor
    version of `interpreter`, an absolute path.  `env` are all variables but those of the runtime itself and
    AWS_LAMBDA_RUNTIME_API.  `memory` is in megabytes, `timeout` in seconds; `version` is what
    AWS_LAMBDA_FUNCTION_VERSION says.
    """

    key: str
    name: str
    arn: str
    handler: str
    interpreter: str
    python: tuple[int, int]
    place: Place
    env: tuple[tuple[str, str], ...]
    memory: int
    timeout: float
    version: str = LATEST


class Asked(NamedTuple):
    """One invocation: `event` is its JSON.

    `arn` is the one that was invoked, qualifier included; "" for the function's own.  `client_context` and `identity`
    (Cognito's) are JSON, "" for none; `trace` is an X-Ray header (``Root=1-…``), "" for none.
    """

    event: bytes
    request_id: str
    arn: str = ""
    client_context: str = ""
    identity: str = ""
    trace: str = ""


class Report(NamedTuple):
    """What the REPORT line says.

    `duration` and `init` (None: the process was warm) are in milliseconds, `billed` in whole ones; `memory` and `used`
    in megabytes.  `status` is "", "error" or "timeout".
    """

    request_id: str
    duration: float
    billed: int
    memory: int
    used: int
    init: float | None
    status: str


class Result(NamedTuple):
    """How an invocation ended.

    `payload` is the handler's answer or the error as AWS words it, both JSON.  `error` is "", or "Unhandled": what AWS
    says in X-Amz-Function-Error.  `log` has all lines from START (INIT_REPORT, if there is one) to REPORT.
    `isolation` is one of `sandbox.model.KINDS`.
    """

    payload: bytes
    error: str
    log: bytes
    report: Report
    isolation: str


class Begun(Protocol):
    """An invocation that nobody waits for.

    When `descriptor` is readable, and at `until` (`time.monotonic`), it wants to `go_on`.  Whoever can't go on with it
    must `leave` it.
    """

    descriptor: int
    until: float

    def go_on(self) -> Result | Rest | None:
        """Do what there is to do; the result, once there is one.  Waits for nothing.

        What has to wait, as for the end of a process, is given back: then it must be called, in a thread that may
        wait, and gives the result.  Either raises Gone where the function was given nothing, and can be invoked
        another way.
        """
        ...

    def leave(self) -> None:
        """Waits until nothing of it is left."""


class Gone(Exception):  # noqa: N818  (nothing failed)
    """A process ended while it was idle: it was given nothing, and another one can be."""


class Functions(Protocol):
    """The functions of a project, ready to be invoked.  Called from several threads at once."""

    def invoke(self, key: str, asked: Asked, log: Log | None = None) -> Result:
        """Invoke the function `key` and wait for its end.  `log` is given log lines as they come.

        Raises LamellaError where it can't be started at all; what the function does wrong is in the result.
        """
        ...

    def begin(self, key: str, asked: Asked, log: Log | None = None) -> Begun | None:
        """Begin it where that takes no time: on a process that is idle and warm; None where there is none.

        Raises LamellaError after the end of all.
        """
        ...
