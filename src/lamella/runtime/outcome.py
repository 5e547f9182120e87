"""What an invocation came to, in Lambda's words: its answer, the lines at its end, its report."""

from __future__ import annotations

import time
from typing import NamedTuple

from lamella.runtime import words
from lamella.runtime.model import Asked, Launch, Report, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lamella.runtime.api import Said
    from lamella.runtime.logs import Lines

_MEGABYTE = 1024**2


class Outcome(NamedTuple):
    """`payload` is the answer, `error` what AWS says in X-Amz-Function-Error, `status` the report's.

    `kind` is the type of an error that the function did not tell itself, `line` what is said of it before END.
    """

    payload: bytes
    error: str
    status: str = ""
    kind: str = ""
    line: bytes = b""


def answered(said: Said) -> Outcome:
    """What the function said of an invocation."""
    if said.too_large:
        from lamella.facts.tables import limits

        return Outcome(words.too_large(limits().response_bytes), words.UNHANDLED)
    return Outcome(said.body, words.UNHANDLED if said.failed else "")


def not_ready(said: Said) -> Outcome:
    """What it said of its init."""
    return Outcome(said.body, words.UNHANDLED, "error", words.known_kind(said.kind))


def late(asked: Asked, seconds: float) -> Outcome:
    """Its time was over, after so many."""
    return Outcome(
        words.failed(words.TIMED_OUT, asked.request_id, words.timed_out(seconds)),
        words.UNHANDLED,
        "timeout",
        words.TIMED_OUT,
        words.timeout_line(asked.request_id, seconds, time.time()),
    )


def exited(asked: Asked, code: int, *, exceeded: bool) -> Outcome:
    """Its process has ended; `exceeded`: it was ended, for it had too much memory."""
    why = words.exited(137 if exceeded else code)
    return Outcome(
        words.failed(words.EXIT_ERROR, asked.request_id, why),
        words.UNHANDLED,
        "error",
        words.OUT_OF_MEMORY if exceeded else words.EXIT_ERROR,
        words.exit_line(asked.request_id, why),
    )


def result(
    outcome: Outcome,
    asked: Asked,
    lines: Lines,
    launch: Launch,
    isolation: str,
    *,
    duration: float,
    init: float | None,
    used: int,
) -> Result:
    """The result, its last lines said.  `duration` and `init` are in milliseconds, `used` in bytes."""
    if outcome.line:
        lines.say(outcome.line)
    # A moment's more than the limit was not seen in time: Lambda would not have let it happen
    exceeded = outcome.kind == words.OUT_OF_MEMORY or used > launch.memory * _MEGABYTE
    megabytes = launch.memory if exceeded else -(-used // _MEGABYTE)
    billed = words.billed(duration, init)
    row = Report(asked.request_id, duration, billed, launch.memory, megabytes, init, outcome.status)
    lines.say(words.end(asked.request_id) + words.report(row, outcome.kind))
    return Result(outcome.payload, outcome.error, lines.close(), row, isolation)
