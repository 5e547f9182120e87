"""Asynchronous invocations: accepted at once, run when there is room, tried three times, then a dead letter.

Source: AWS Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation".
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from collections.abc import Callable

from lamella.endpoint.letters import ENDED, EXHAUSTED, Letters, record
from lamella.endpoint.model import Named, Pending
from lamella.errors import LamellaError, OutsideError
from lamella.runtime.model import Asked, Functions, Log
from lamella.wording import counted

ATTEMPTS = 3

Submit = Callable[[Callable[[], None]], None]
After = Callable[[float, Callable[[], None]], None]
Say = Callable[[str], None]
Failed = Callable[[LamellaError], None]


class Events:
    """The queue.  Nothing that was accepted gets lost: it succeeds, or becomes a line in `letters`.

    `submit` runs things in threads, at most `most` at once are given to it; `after` calls them later.  A second
    attempt comes after `retry_delay` seconds, a third after twice as many more (in AWS: one and two minutes).
    `say` is told of attempts that failed, `failed` of a letter that can't be written, with all that is in it.
    """

    def __init__(
        self,
        functions: Functions,
        submit: Submit,
        letters: Letters,
        say: Say,
        failed: Failed,
        *,
        after: After,
        retry_delay: float = 1.0,
        most: int = 16,
        log: Log | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._functions = functions
        self._submit = submit
        self._letters = letters
        self._say = say
        self._failed = failed
        self._after = after
        self._retry_delay = retry_delay
        self._most = most
        self._log = log
        self._now = now
        self._changed = threading.Condition()
        self._queue: deque[Pending] = deque()
        self._running: dict[str, Pending] = {}
        self._waiting: dict[str, Pending] = {}
        self._writing = 0
        self._closed = False

    @property
    def idle(self) -> bool:
        """Is there nothing left of what was accepted?"""
        with self._changed:
            return not (self._queue or self._running or self._waiting or self._writing)

    def accept(self, named: Named, asked: Asked) -> None:
        """Take an event.  Its request id is that of all attempts, as in AWS."""
        with self._changed:
            self._queue.append(Pending(named, asked))
            self._start()

    def close(self, seconds: float) -> None:
        """Give what runs and what never ran `seconds`; write letters of all else.  May be called again, with less."""
        with self._changed:
            self._closed = True
            waiting, self._waiting = self._waiting, {}
            self._writing += len(waiting)
        for pending in waiting.values():
            self._bury(pending, ENDED, f"attempt {pending.attempts + 1}")
        with self._changed:
            self._changed.wait_for(lambda: not (self._running or self._queue), seconds)
            left = [(pending, f"attempt {pending.attempts + 1}") for pending in self._queue]
            left += [(pending, f"the end of attempt {pending.attempts}") for pending in self._running.values()]
            self._queue.clear()
            self._running.clear()
            self._writing += len(left)
        for pending, waiting_for in left:
            self._bury(pending, ENDED, waiting_for)
        with self._changed:
            self._changed.wait_for(lambda: not self._writing)

    def _start(self) -> None:
        """As many of the queue as there is room for.  The lock is held."""
        while self._queue and len(self._running) < self._most:
            pending = self._queue.popleft()
            pending = pending._replace(attempts=pending.attempts + 1)
            self._running[pending.asked.request_id] = pending
            self._submit(lambda pending=pending: self._attempt(pending))  # type: ignore[misc]

    def _attempt(self, pending: Pending) -> None:
        try:
            result = self._functions.invoke(pending.named.key, pending.asked, self._log)
        except LamellaError as error:
            self._ended(_not_started(pending, str(error)), failed=True)
        except Exception as error:  # whatever it is: an event that was accepted does not get lost over it
            self._ended(_not_started(pending, f"{type(error).__name__}: {error}"), failed=True)
        else:
            ended = pending._replace(payload=result.payload, error=result.error, status=200)
            self._ended(ended, failed=bool(result.error))

    def _ended(self, pending: Pending, *, failed: bool) -> None:
        request = pending.asked.request_id
        delay = self._retry_delay * 2 ** (pending.attempts - 1)
        with self._changed:
            if self._running.pop(request, None) is None:
                return  # it took too long to end, and is in a letter already
            again = failed and pending.attempts < ATTEMPTS and not self._closed
            if again:
                self._waiting[request] = pending
            elif failed:
                self._writing += 1
            self._start()
            self._changed.notify_all()
        if again:
            self._tell_failure(pending, f"tried again in {delay:g} s")
            self._after(delay, lambda: self._again(request))
        elif failed and pending.attempts < ATTEMPTS:
            self._bury(pending, ENDED, f"attempt {pending.attempts + 1}")
        elif failed:
            self._bury(pending, EXHAUSTED, "")

    def _again(self, request: str) -> None:
        with self._changed:
            pending = self._waiting.pop(request, None)
            if pending is not None:
                self._queue.append(pending)
                self._start()

    def _bury(self, pending: Pending, condition: str, waiting_for: str) -> None:
        """Write a letter; `_writing` was raised for it."""
        line = record(pending, self._now(), condition, waiting_for)
        try:
            self._letters.append(line)
        except OSError as error:
            self._failed(
                OutsideError(
                    f"`{self._letters.path}` can't be written to: {error.strerror or error}",
                    why=["this was to be in it:", line.decode().rstrip()],
                )
            )
        else:
            self._tell_failure(pending, f"its record is in `{os.path.relpath(self._letters.path)}`")
        with self._changed:
            self._writing -= 1
            self._changed.notify_all()

    def _tell_failure(self, pending: Pending, then: str) -> None:
        what = f"event {pending.asked.request_id} for `{pending.named.key}`"
        times = f"failed {counted(pending.attempts, 'time')}" if pending.payload else "did not come to an end"
        why = f": {_message(pending)}" if pending.status != 200 else ""
        self._say(f"{what} {times}{why}; {then}")


def _not_started(pending: Pending, why: str) -> Pending:
    payload = json.dumps({"errorMessage": why, "errorType": "ServiceException"}).encode()
    return pending._replace(payload=payload, status=500, error="")


def _message(pending: Pending) -> str:
    return str(json.loads(pending.payload)["errorMessage"]).partition("\n")[0]
