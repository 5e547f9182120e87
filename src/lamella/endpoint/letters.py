"""Events that nothing came of, one line each, in the form of the records that Lambda sends to a destination.

Source: AWS Lambda developer guide, "Capturing records of Lambda asynchronous invocations".
"""

from __future__ import annotations

import json
import os
import threading
import time

from lamella.endpoint.model import Pending

EXHAUSTED = "RetriesExhausted"
# Not one of Lambda's, whose queue outlives every server
ENDED = "ServerEnded"


class Letters:
    """A file that lines are appended to.  Used by several threads, and processes."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = threading.Lock()

    def try_it(self) -> None:
        """Raises OSError where a line could not be written.  Leaves no file that was not there."""
        there = os.path.exists(self.path)
        self.append(b"")
        if not there:
            os.unlink(self.path)

    def append(self, line: bytes) -> None:
        """Add `line` in one write, to the disk.  Raises OSError."""
        with self._lock:
            os.makedirs(os.path.dirname(os.path.abspath(self.path)), exist_ok=True)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                left = memoryview(line)
                while left:  # a second time only where the disk is full, and then it raises
                    left = left[os.write(descriptor, left) :]
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def record(pending: Pending, now: float, condition: str = EXHAUSTED, waiting_for: str = "") -> bytes:
    """One line.  `now` is in seconds since 1970; `waiting_for` says, of ENDED, what would have come next.

    The event stands in it as it was sent, digit by digit.
    """
    context = {
        "requestId": pending.asked.request_id,
        "functionArn": _qualified(pending),
        "condition": condition,
        "approximateInvokeCount": pending.attempts,
    }
    if waiting_for:
        context["waitingFor"] = waiting_for
    parts = [
        ('"version"', '"1.0"'),
        ('"timestamp"', json.dumps(_timestamp(now))),
        ('"requestContext"', json.dumps(context)),
        ('"requestPayload"', _one_line(pending.asked.event)),
    ]
    if pending.payload:
        answered = {"statusCode": pending.status, "executedVersion": pending.named.version}
        if pending.error:
            answered["functionError"] = pending.error
        parts += [('"responseContext"', json.dumps(answered)), ('"responsePayload"', _one_line(pending.payload))]
    return ("{" + ", ".join(f"{name}: {value}" for name, value in parts) + "}\n").encode()


def _qualified(pending: Pending) -> str:
    """A record always names the version or alias."""
    return pending.asked.arn or f"{pending.named.arn}:{pending.named.version}"


def _timestamp(now: float) -> str:
    """``2019-11-14T18:16:05.568Z``"""
    milliseconds = round(now * 1000)
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
    return f"{whole}.{milliseconds % 1000:03}Z"


def _one_line(payload: bytes) -> str:
    """JSON as it is, but for line breaks between its tokens: within its strings there are none."""
    text = payload.decode("utf-8", "replace")
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return json.dumps(text)
    return text.replace("\r", " ").replace("\n", " ").strip()
