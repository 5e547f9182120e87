"""One invocation on a process that is ready for it, step by step: whoever drives it waits between them."""

from __future__ import annotations

import time

from lamella.runtime import outcome as outcomes
from lamella.runtime import words
from lamella.runtime.model import Gone

TYPE_CHECKING = False  # `typing` is not imported for it
if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from lamella.runtime.logs import Lines
    from lamella.runtime.model import Asked, Launch, Result
    from lamella.runtime.outcome import Outcome
    from lamella.runtime.process import Process

    Steps = Generator[float | None, None, Result]

# How long a client is waited for whose answer was refused
_REFUSED_SECONDS = 1.0


class Invocation:
    """An invocation of `launch` on its process, which `end` ends."""

    def __init__(
        self,
        process: Process,
        launch: Launch,
        isolation: str,
        asked: Asked,
        lines: Lines,
        end: Callable[[Lines], None],
    ) -> None:
        self._process = process
        self._launch = launch
        self._isolation = isolation
        self._asked = asked
        self._lines = lines
        self._end = end
        self._init: float | None = None

    def steps(self, *, init: float | None = None, began: float | None = None) -> Steps:
        """See `Worker.steps`.  `began` is when its time began, if it was before now; `init` took so many milliseconds.

        One of them is there where the process has just been found ready.
        """
        process = self._process
        self._init = init
        self._open()
        if not process.asks and not (yield from self._until_asked((began or time.monotonic()) + self._launch.timeout)):
            yield None
            if process.ended is not None:
                self._leave()
            return self.late()
        if init is None and began is None:
            if process.gone():
                yield None
                self._leave()
            process.memory.begin()
        if began is None:
            began = time.monotonic()
        until = began + self._launch.timeout
        process.deliver(self._asked.request_id, self._headers(until), self._asked.event)
        if not (yield from self._until_said(until)):
            duration = since(began)
            yield None
            return self.fail(self.exited(), duration) if process.ended is not None else self.late()
        duration = since(began)
        said = process.take()
        if said.too_large:
            yield from self._until_ended(time.monotonic() + _REFUSED_SECONDS)
            yield None
            self._end(self._lines)
        else:
            process.read(self._lines)
        return self._result(outcomes.answered(said), duration, process.memory.end())

    def exited(self) -> Outcome:
        """What it comes to where the process has ended."""
        process = self._process
        return outcomes.exited(self._asked, process.ended or 0, exceeded=process.memory.exceeded)

    def late(self) -> Result:
        """Its time is over: end the process."""
        seconds = self._launch.timeout
        return self.fail(outcomes.late(self._asked, seconds), seconds * 1000)

    def fail(self, outcome: Outcome, duration: float) -> Result:
        """End the process: Lambda begins anew after such an end.  `duration` is in milliseconds."""
        self._open()
        used = self._process.memory.end()
        self._end(self._lines)
        return self._result(outcome, duration, used)

    def _until_asked(self, until: float) -> Generator[float, None, bool]:
        """Whether it asks for an event before it ends, and before its time does."""
        process = self._process
        while not process.asks:
            yield until
            if not process.asks and (process.ended is not None or time.monotonic() >= until):
                return False
        return True

    def _until_said(self, until: float) -> Generator[float, None, bool]:
        """Whether it says something before it ends, and before its time does."""
        process = self._process
        while process.said is None:
            yield until
            if process.said is None and (process.ended is not None or time.monotonic() >= until):
                return False
        return True

    def _until_ended(self, until: float) -> Generator[float, None, None]:
        """The client ends by a refusal, and says so."""
        while self._process.ended is None and time.monotonic() < until:
            yield until

    def _headers(self, until: float) -> bytes:
        line = self._process.line
        asked = self._asked
        deadline = int((time.time() + until - time.monotonic()) * 1000)
        return b"%bLambda-Runtime-Deadline-Ms: %d\r\n%b%b%b%b" % (
            line(b"Lambda-Runtime-Aws-Request-Id", asked.request_id),
            deadline,
            line(b"Lambda-Runtime-Invoked-Function-Arn", asked.arn or self._launch.arn),
            line(b"Lambda-Runtime-Trace-Id", asked.trace),
            line(b"Lambda-Runtime-Client-Context", asked.client_context),
            line(b"Lambda-Runtime-Cognito-Identity", asked.identity),
        )

    def _open(self) -> None:
        if not self._lines.opened:
            self._lines.opened = True
            self._lines.say(words.start(self._asked.request_id, self._launch.version))

    def _leave(self) -> None:
        """It ended while nobody looked.  What it still had to say is said."""
        self._end(self._lines)
        raise Gone

    def _result(self, outcome: Outcome, duration: float, used: int) -> Result:
        return outcomes.result(
            outcome,
            self._asked,
            self._lines,
            self._launch,
            self._isolation,
            duration=duration,
            init=self._init,
            used=used,
        )


def since(began: float) -> float:
    """Milliseconds from then (`time.monotonic`) to now."""
    return (time.monotonic() - began) * 1000
