"""What Lambda says: the lines that it puts around a function's own, and the errors that it answers with.

Sources: AWS Lambda developer guide, "Understanding the Lambda execution environment lifecycle" (INIT_REPORT, START,
END, REPORT, Status and Error Type in the format of 2024) and "Lambda runtime API"; AWS's runtime interface emulator,
internal/lambda: rapid/handlers.go, rapi/rendering, fatalerror (the words); log streams, for the tabs between fields.
"""

from __future__ import annotations

import math
import re
import time

from lamella.runtime.model import Report

UNHANDLED = "Unhandled"
EXIT_ERROR = "Runtime.ExitError"
OUT_OF_MEMORY = "Runtime.OutOfMemory"
TIMED_OUT = "Sandbox.Timedout"
TOO_LARGE = "Function.ResponseSizeTooLarge"

_ERROR_TYPE = re.compile(r"(Runtime|Function)\.[A-Z][a-zA-Z]+")
# As Go's syscall.Signal has them
_SIGNALS = {
    1: "hangup", 2: "interrupt", 3: "quit", 4: "illegal instruction", 5: "trace/breakpoint trap", 6: "aborted",
    7: "bus error", 8: "floating point exception", 9: "killed", 10: "user defined signal 1",
    11: "segmentation fault", 12: "user defined signal 2", 13: "broken pipe", 14: "alarm clock", 15: "terminated",
}  # fmt: skip


def start(request_id: str, version: str) -> bytes:
    return f"START RequestId: {request_id} Version: {version}\n".encode()


def end(request_id: str) -> bytes:
    return f"END RequestId: {request_id}\n".encode()


def report(row: Report, kind: str = "") -> bytes:
    """The REPORT line.  `kind` is the error's type, which is said with the status "error" alone."""
    text = (
        f"REPORT RequestId: {row.request_id}\tDuration: {row.duration:.2f} ms\tBilled Duration: {row.billed} ms\t"
        f"Memory Size: {row.memory} MB\tMax Memory Used: {row.used} MB\t"
    )
    if row.init is not None:
        text += f"Init Duration: {row.init:.2f} ms\t"
    if row.status == "error" and kind:
        text += f"Status: error\tError Type: {kind}"
    elif row.status == "timeout":
        text += "Status: timeout"
    return f"{text}\n".encode()


def init_report(duration: float, phase: str, status: str, kind: str = "") -> bytes:
    """The line for an init that failed.  `duration` is in milliseconds; `phase` is "init", or "invoke" where repeated.

    `kind` is what the client gave as type: one that is neither of the runtime nor of the function is unknown.
    """
    text = f"INIT_REPORT Init Duration: {duration:.2f} ms\tPhase: {phase}\tStatus: {status}"
    if kind:
        text += f"\tError Type: {kind}"
    return f"{text}\n".encode()


def billed(duration: float, init: float | None) -> int:
    """Whole milliseconds.  Init is billed since August 2025."""
    return math.ceil(duration + (init or 0))


def known_kind(kind: str) -> str:
    """An error's type as INIT_REPORT says it."""
    if _ERROR_TYPE.search(kind):
        return kind
    return "Function.Unknown" if kind.startswith("Function.") else "Runtime.Unknown"


def timed_out(seconds: float) -> str:
    """``Task timed out after 3.00 seconds``."""
    return f"Task timed out after {seconds:.2f} seconds"


def timeout_line(request_id: str, seconds: float, now: float) -> bytes:
    """The line before END.  `now` is in seconds of the epoch."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    return f"{stamp}.{int(now * 1000) % 1000:03}Z {request_id} {timed_out(seconds)}\n".encode()


def exited(code: int) -> str:
    """Why a runtime ended: `code` as shells say it, 128 + N where signal N killed it."""
    if code == 0:
        return "Runtime exited without providing a reason"
    if code - 128 in _SIGNALS:
        return f"Runtime exited with error: signal: {_SIGNALS[code - 128]}"
    return f"Runtime exited with error: exit status {code}"


def exit_line(request_id: str, why: str) -> bytes:
    return f"RequestId: {request_id} Error: {why}\n{EXIT_ERROR}\n".encode()


def failed(kind: str, request_id: str, why: str) -> bytes:
    """The payload of what the platform, not the function, has to say."""
    return _json({"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {why}"})


def too_large(limit: int) -> bytes:
    """The payload where the answer has more than `limit` bytes."""
    return _json(
        {
            "errorMessage": f"Response payload size exceeded maximum allowed payload size ({limit} bytes).",
            "errorType": TOO_LARGE,
        }
    )


def refusal(kind: str, message: str) -> bytes:
    """The body of the Runtime API's own errors."""
    return _json({"errorMessage": message, "errorType": kind})


def _json(values: dict[str, str]) -> bytes:
    import json  # an error can wait for it

    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogateescape")
