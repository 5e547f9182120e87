"""One process of a function, driven by whoever invokes it: its init, its invocations, its end.

Source: AWS Lambda developer guide, "Understanding the Lambda execution environment lifecycle".
"""

from __future__ import annotations

import re
import time
from enum import Enum

from lamella.errors import UsageError
from lamella.runtime import words
from lamella.runtime.invocation import Invocation, since
from lamella.runtime.logs import Lines
from lamella.runtime.model import Asked, Launch, Log, Result
from lamella.runtime.outcome import not_ready
from lamella.runtime.process import Process
from lamella.runtime.starting import adopted, objection, start
from lamella.wording import printable

TYPE_CHECKING = False  # `typing` is not imported for it
if TYPE_CHECKING:
    from _socket import SocketType
    from collections.abc import Callable

    from lamella.runtime.invocation import Steps
    from lamella.runtime.process import Held
    from lamella.sandbox.run import Sandbox

    Start = Callable[[Callable[[], Process]], Process]

# RFC 3986, what a segment of a path may have, but for escapes
_REQUEST_ID = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@-]{1,256}")


class _Init(Enum):
    READY = 0
    FAILED = 1
    TIMED_OUT = 2


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
        self._killed = False
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

        Raises Gone where the process ended before it was given the event, LamellaError where it can't be started, and
        UsageError for a request's id that can't be one.
        """
        checked(asked)
        return self.serve(asked, Lines(log))

    def serve(self, asked: Asked, lines: Lines) -> Result:
        """As `invoke`, with an id that was `checked`, and lines that may have been begun."""
        if self._warm:
            return self.finish(self.steps(asked, lines), lines)
        process = self._process
        process.memory.begin()
        limit = self._init_limit()
        outcome = self._init(lines, process.began + limit)
        if outcome is _Init.READY:
            self._warm = True
            # An adopted one may have been ready long before anybody asked
            took = max(0.0, since(process.began) - process.waited() * 1000)
            return self.finish(self._invocation(asked, lines).steps(init=took), lines)
        if outcome is _Init.FAILED:
            # Lambda begins anew here, within the invocation, and fails again: one start says as much
            return self._init_failed(asked, lines, process.began, "init")
        lines.say(words.init_report(since(process.began), "init", "timeout"))
        return self._again(asked, lines)

    @property
    def warm(self) -> bool:
        """Whether its init is over."""
        return self._warm

    @property
    def connected(self) -> bool:
        """Whether its process ever was at its Runtime API."""
        return self._process.connected

    @property
    def descriptor(self) -> int:
        """Becomes readable when there is something to do for an invocation; -1 where there is no such thing."""
        return self._process.descriptor

    def steps(self, asked: Asked, lines: Lines) -> Steps:
        """One invocation of a warm worker: gives the time (`time.monotonic`) until which there is nothing to do.

        `look` before each next step.  Where it gives None, the process is to be ended, and the last step, to which
        nothing has to be looked for, waits for that.  Ends with the result; raises what `invoke` does.
        """
        return self._invocation(asked, lines).steps()

    def look(self, lines: Lines) -> None:
        """Do what there is to do, without waiting for more."""
        self._process.wait(lines, 0)

    def finish(self, steps: Steps, lines: Lines) -> Result:
        """Wait whenever there is nothing to do, and go on to the end."""
        try:
            while True:
                until = next(steps)
                if until is not None:
                    self._process.wait(lines, until)
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
        self._killed = True  # first: one that takes its place right now sees it
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
        if self._killed:  # whoever did it may have seen the other one
            self._process.held.end()
        self._process.memory.begin()
        outcome = self._init(lines, began + self.launch.timeout)
        if outcome is _Init.READY:
            self._warm = True
            return self.finish(self._invocation(asked, lines).steps(began=began), lines)
        if outcome is _Init.FAILED:
            return self._init_failed(asked, lines, began, "invoke")
        lines.say(words.init_report(since(began), "invoke", "timeout"))
        return self._invocation(asked, lines).late()

    def _init_failed(self, asked: Asked, lines: Lines, began: float, phase: str) -> Result:
        process = self._process
        process.read(lines)
        invocation = self._invocation(asked, lines)
        outcome = not_ready(process.said) if process.said is not None else invocation.exited()
        duration = since(began)
        lines.say(words.init_report(duration, phase, "error", outcome.kind))
        return invocation.fail(outcome, duration)

    def _invocation(self, asked: Asked, lines: Lines) -> Invocation:
        return Invocation(self._process, self.launch, self._sandbox.isolation, asked, lines, self.end)


def checked(asked: Asked) -> None:
    """Raises UsageError for a request's id that its client could not answer with."""
    if _REQUEST_ID.fullmatch(asked.request_id) is None:
        raise UsageError(
            f"`{printable(asked.request_id)}` can't be the id of a request",
            why=["it is a part of the path that its answer goes to"],
            hint="use letters, digits and hyphens; AWS's own are UUIDs",
        )
