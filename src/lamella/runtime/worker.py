"""One process of a function, driven by whoever invokes it: its init, its invocations, its end.

Source: AWS Lambda developer guide, "Understanding the Lambda execution environment lifecycle".
"""

from __future__ import annotations

import time
from enum import Enum

from lamella.runtime import words
from lamella.runtime.logs import Lines
from lamella.runtime.model import Asked, Gone, Launch, Log, Report, Result
from lamella.runtime.process import Process
from lamella.runtime.starting import adopted, objection, start

TYPE_CHECKING = False  # `typing` is not imported for it
if TYPE_CHECKING:
    from _socket import SocketType
    from collections.abc import Callable, Generator

    from lamella.runtime.api import Said
    from lamella.runtime.process import Held
    from lamella.sandbox.run import Sandbox

    Start = Callable[[Callable[[], Process]], Process]

    Steps = Generator[float, None, Result]

_MEGABYTE = 1024**2
# How long a client is waited for whose answer was refused
_REFUSED_SECONDS = 1.0


class _Init(Enum):
    READY = 0
    FAILED = 1
    TIMED_OUT = 2


class _Ended(Exception):  # noqa: N818
    """An invocation came to an end that the process did not tell: `payload` is the answer."""

    def __init__(self, payload: bytes, status: str, kind: str, line: bytes = b"") -> None:
        self.payload = payload
        self.status = status
        self.kind = kind
        self.line = line


class Worker:
    """A process of `launch`, started at once; `end` it.  One thread at a time may invoke it, any may end it.

    `starting` runs what starts a process in a thread that lives as long as the process, the caller's own if left
    out.  `init_seconds` is how long init may take; left out, what Lambda allows.
    Raises UsageError, OutsideError where it can't be started.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        launch: Launch,
        *,
        starting: Start | None = None,
        init_seconds: float | None = None,
        process: Process | None = None,
    ) -> None:
        self.launch = launch
        self.ended = False
        self._sandbox = sandbox
        self._starting = starting
        self._init_seconds = init_seconds
        self._warm = False
        self._process = process or self._start()

    @classmethod
    def adopt(
        cls,
        sandbox: Sandbox,
        launch: Launch,
        held: Held,
        listener: SocketType,
        log: int,
        *,
        began: float,
        starting: Start | None = None,
    ) -> Worker:
        """A worker whose process somebody has started already, before there was time for anything else.

        `held` is the process, leader of its group and session (`sandbox.run.Running` is one); `listener` listens where
        AWS_LAMBDA_RUNTIME_API of it says, and nothing was accepted yet; `log` is the reading end of the pipe that is
        its stdout and stderr, the writing end being closed here; `began` is when it was started (`time.monotonic`).
        All three are the worker's from here on.  It should run `python -m awslambdaric HANDLER` as `launch` says: where
        its init takes too long, `launch` is what is started in its place.
        """
        process = adopted(held, listener, log, launch, began)
        return cls(sandbox, launch, starting=starting, process=process)

    def invoke(self, asked: Asked, log: Log | None = None) -> Result:
        """Invoke it and wait for its end.  `ended` afterwards, if the process can't be invoked again.

        Raises Gone where the process ended before it was given the event, and LamellaError where it can't be started.
        """
        return self.serve(asked, Lines(log))

    def serve(self, asked: Asked, lines: Lines) -> Result:
        """As `invoke`, with lines that may have been begun."""
        if self._warm:
            return self._finished(self.steps(asked, lines), lines)
        process = self._process
        process.memory.begin()
        limit = self._init_limit()
        outcome = self._init(lines, process.began + limit)
        if outcome is _Init.READY:
            self._warm = True
            # An adopted one may have been ready long before anybody asked
            took = max(0.0, time.monotonic() - process.began - process.waited()) * 1000
            return self._finished(self._invoke(asked, lines, init=took), lines)
        if outcome is _Init.FAILED:
            # Lambda begins anew here, within the invocation, and fails again: one start says as much
            return self._init_failed(asked, lines, process.began, "init")
        lines.say(words.init_report((time.monotonic() - process.began) * 1000, "init", "timeout"))
        return self._again(asked, lines)

    @property
    def warm(self) -> bool:
        """Whether its init is over."""
        return self._warm

    @property
    def descriptor(self) -> int:
        """Becomes readable when there is something to do for an invocation; -1 where there is no such thing."""
        return self._process.descriptor

    def steps(self, asked: Asked, lines: Lines) -> Steps:
        """One invocation of a warm worker: gives the time (`time.monotonic`) until which there is nothing to do.

        `look` before each next step.  Ends with the result; raises what `invoke` does.
        """
        return self._invoke(asked, lines)

    def look(self, lines: Lines) -> None:
        """Do what there is to do, without waiting for more."""
        self._process.wait(lines, 0)

    def _finished(self, steps: Steps, lines: Lines) -> Result:
        """Wait whenever there is nothing to do, and go on to the end."""
        try:
            while True:
                self._process.wait(lines, next(steps))
        except StopIteration as over:
            result: Result = over.value
            return result

    def end(self, lines: Lines | None = None) -> None:
        """End the process and leave nothing of it.  A second time does no harm."""
        if not self.ended:
            self.ended = True
            self._process.end(lines or Lines(None))

    def kill(self) -> None:
        """Have it ended by whoever invokes it right now: from another thread."""
        self._process.held.end()

    def _start(self) -> Process:
        def begin() -> Process:
            return start(self._sandbox, self.launch)

        return begin() if self._starting is None else self._starting(begin)

    def _init_limit(self) -> float:
        if self._init_seconds is None:
            from lamella.facts.tables import limits

            self._init_seconds = limits().init_seconds
        return self._init_seconds

    def _init(self, lines: Lines, until: float) -> _Init:
        """Wait until the process asks for an event, says that it can't, or has ended."""
        process = self._process
        while not process.asks:
            process.wait(lines, until)
            if process.said is not None:
                return _Init.FAILED
            if process.asks:
                break
            if process.ended is not None:
                self._refuse_what_never_began(lines)
                return _Init.FAILED
            if time.monotonic() >= until:
                return _Init.TIMED_OUT
        process.read(lines)
        return _Init.READY

    def _refuse_what_never_began(self, lines: Lines) -> None:
        """Raise LamellaError where not the function, but what it is run with, failed."""
        process = self._process
        error = None if process.connected else objection(lines.text(), self.launch, self._sandbox.isolation)
        if error is not None:
            self.end(lines)
            raise error

    def _again(self, asked: Asked, lines: Lines) -> Result:
        """Init a second time, which the invocation's own time is for."""
        began = time.monotonic()
        self._process.end(lines)
        self._process = self._start()
        self._process.memory.begin()
        outcome = self._init(lines, began + self.launch.timeout)
        if outcome is _Init.READY:
            self._warm = True
            return self._finished(self._invoke(asked, lines, began=began), lines)
        if outcome is _Init.FAILED:
            return self._init_failed(asked, lines, began, "invoke")
        lines.say(words.init_report((time.monotonic() - began) * 1000, "invoke", "timeout"))
        self._open(asked, lines)
        return self._fail(asked, lines, began, None, self._timeout(asked))

    def _init_failed(self, asked: Asked, lines: Lines, began: float, phase: str) -> Result:
        process = self._process
        said = process.said
        process.read(lines)
        if said is not None:
            kind = words.known_kind(said.kind)
            ended = _Ended(said.body, "error", kind)
        else:
            ended = self._exit(asked)
            kind = ended.kind
        lines.say(words.init_report((time.monotonic() - began) * 1000, phase, "error", kind))
        self._open(asked, lines)
        return self._fail(asked, lines, began, None, ended)

    def _invoke(self, asked: Asked, lines: Lines, *, init: float | None = None, began: float | None = None) -> Steps:
        """One invocation.  `began` is when its time began, if it was before now; `init` took so many milliseconds."""
        launch, process = self.launch, self._process
        fresh = init is not None or began is not None
        self._open(asked, lines)
        until = (began or time.monotonic()) + launch.timeout
        while not process.asks:
            yield until
            if process.asks:
                break
            if process.ended is not None:
                self._leave(lines)
            if time.monotonic() >= until:
                return self._fail(asked, lines, until - launch.timeout, init, self._timeout(asked))
        if process.gone() and not fresh:
            self._leave(lines)
        if not fresh:
            process.memory.begin()
        if began is None:
            began = time.monotonic()
            until = began + launch.timeout
        process.deliver(asked.request_id, self._headers(asked, until), asked.event)
        while process.said is None:
            yield until
            if process.said is not None:
                break
            if process.ended is not None:
                return self._fail(asked, lines, began, init, self._exit(asked))
            if time.monotonic() >= until:
                return self._fail(asked, lines, began, init, self._timeout(asked))
        duration = (time.monotonic() - began) * 1000
        said = process.take()
        if said.too_large:
            # The client ends by that, and says so
            until = time.monotonic() + _REFUSED_SECONDS
            while process.ended is None and time.monotonic() < until:
                yield until
            self.end(lines)
        else:
            process.read(lines)
        payload, error = self._answered(said)
        return self._result(asked, lines, duration, init, payload, error)

    def _headers(self, asked: Asked, until: float) -> bytes:
        line = self._process.line
        deadline = int((time.time() + until - time.monotonic()) * 1000)
        return b"Lambda-Runtime-Aws-Request-Id: %b\r\nLambda-Runtime-Deadline-Ms: %d\r\n%b%b%b%b" % (
            asked.request_id.encode(),
            deadline,
            line(b"Lambda-Runtime-Invoked-Function-Arn", asked.arn or self.launch.arn),
            line(b"Lambda-Runtime-Trace-Id", asked.trace),
            line(b"Lambda-Runtime-Client-Context", asked.client_context),
            line(b"Lambda-Runtime-Cognito-Identity", asked.identity),
        )

    def _open(self, asked: Asked, lines: Lines) -> None:
        if not lines.opened:
            lines.opened = True
            lines.say(words.start(asked.request_id, self.launch.version))

    def _leave(self, lines: Lines) -> None:
        """It ended while nobody looked.  What it still had to say is said."""
        self.end(lines)
        raise Gone

    def _answered(self, said: Said) -> tuple[bytes, str]:
        if not said.failed:
            return said.body, ""
        if said.too_large:
            from lamella.facts.tables import limits

            return words.too_large(limits().response_bytes), words.UNHANDLED
        return said.body, words.UNHANDLED

    def _timeout(self, asked: Asked) -> _Ended:
        seconds = self.launch.timeout
        return _Ended(
            words.failed(words.TIMED_OUT, asked.request_id, words.timed_out(seconds)),
            "timeout",
            words.TIMED_OUT,
            words.timeout_line(asked.request_id, seconds, time.time()),
        )

    def _exit(self, asked: Asked) -> _Ended:
        """How the process ended, in Lambda's words."""
        process = self._process
        exceeded = process.memory.exceeded
        why = words.exited(137 if exceeded else process.ended or 0)
        return _Ended(
            words.failed(words.EXIT_ERROR, asked.request_id, why),
            "error",
            words.OUT_OF_MEMORY if exceeded else words.EXIT_ERROR,
            words.exit_line(asked.request_id, why),
        )

    def _fail(self, asked: Asked, lines: Lines, began: float, init: float | None, ended: _Ended) -> Result:
        """End the process: Lambda begins anew after such an end."""
        duration = (time.monotonic() - began) * 1000
        if ended.status == "timeout":
            duration = self.launch.timeout * 1000
        used = self._process.memory.end()
        self.end(lines)
        if ended.line:
            lines.say(ended.line)
        return self._result(
            asked, lines, duration, init, ended.payload, words.UNHANDLED, ended.status, ended.kind, used
        )

    def _result(
        self,
        asked: Asked,
        lines: Lines,
        duration: float,
        init: float | None,
        payload: bytes,
        error: str,
        status: str = "",
        kind: str = "",
        used: int | None = None,
    ) -> Result:
        memory = self.launch.memory
        if used is None:
            used = self._process.memory.end()
        megabytes = memory if kind == words.OUT_OF_MEMORY else -(-used // _MEGABYTE)
        row = Report(
            asked.request_id, duration, words.billed(duration, init), memory, megabytes, init, status
        )  # fmt: skip
        lines.say(words.end(asked.request_id) + words.report(row, kind))
        return Result(payload, error, lines.close(), row, self._sandbox.isolation)
