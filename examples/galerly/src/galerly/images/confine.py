"""Work on what strangers sent, in a process of its own: it may crash, hang or grow, and only that one picture is lost.

A decoder in C can't be stopped from Python.  A fork costs a few milliseconds, where a new interpreter that imports the
libraries takes half a second; and a pipe works in Lambda, which has no /dev/shm for multiprocessing's queues.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import time
from collections.abc import Callable
from typing import Any, NoReturn

from galerly.images.limits import Limits
from galerly.images.refusals import LacksLayerError, RefusedError
from galerly.images.render import Rendered

_CHUNK = 1 << 20
# What comes back is three JPEGs of a few megabytes, or without the layer three times the original
_LONGEST_HEAD = 1 << 20


def confined(work: Callable[[], Rendered], limits: Limits, seconds: float) -> Rendered:
    """Raises RefusedError where the work does, and where it crashes or needs more than its limits; LacksLayerError."""
    until = time.monotonic() + seconds
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(work, writing, limits, seconds)
    os.close(writing)
    try:
        answer = _read(reading, until, 3 * limits.bytes + _LONGEST_HEAD)
    finally:
        os.close(reading)
        os.kill(
            child, signal.SIGKILL
        )  # where it ended by itself, this reaches a zombie, which is ours until waited for
        _, status = os.waitpid(child, 0)
    if answer is None:
        raise RefusedError(f"work on the picture took longer than {seconds:g} seconds")
    return _understood(answer, status)


def _read(reading: int, until: float, most: int) -> bytes | None:
    """All that comes, None where the time is over."""
    parts: list[bytes] = []
    length = 0
    while True:
        left = until - time.monotonic()
        if left <= 0 or not select.select([reading], [], [], left)[0]:
            return None
        part = os.read(reading, _CHUNK)
        length += len(part)
        if not part or length > most:
            return b"".join(parts)
        parts.append(part)


def _understood(answer: bytes, status: int) -> Rendered:
    """A line of JSON, then the files.  No pickle: whoever took over the child must not take over this process."""
    head, found, files = answer.partition(b"\n")
    if not found:
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
            raise RefusedError("work on the picture took too long")
        raise RefusedError("the picture is damaged: the decoder crashed on it", f"wait status {status}")
    told: dict[str, Any] = json.loads(head)
    if reason := told.get("lacks"):
        raise LacksLayerError(reason)
    if reason := told.get("refused"):
        raise RefusedError(reason, str(told.get("detail", "")))
    found_files, at = {}, 0
    for name, length in told["files"]:
        found_files[name] = files[at : at + length]
        at += length
    return Rendered(told["details"], found_files, told["media_type"])


def _work(work: Callable[[], Rendered], writing: int, limits: Limits, seconds: float) -> NoReturn:
    """In the child.  Never returns, and leaves without the parent's exit handlers."""
    try:
        _limit(limits, seconds)
        head, files = _answer(work)
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(json.dumps(head).encode() + b"\n")
            for file in files:
                pipe.write(file)
    finally:
        os._exit(0)


def _answer(work: Callable[[], Rendered]) -> tuple[dict[str, Any], list[bytes]]:
    try:
        done = work()
    except RefusedError as refused:
        return {"refused": str(refused), "detail": refused.detail}, []
    except LacksLayerError as lacks:
        return {"lacks": str(lacks)}, []
    except MemoryError:
        return {"refused": "work on the picture needs more memory than there is"}, []
    except Exception as error:  # the libraries raise some thirty kinds for what is damaged
        return {"refused": "the picture is damaged: it can't be decoded", "detail": repr(error)[:300]}, []
    files = [(name, len(content)) for name, content in done.files.items()]
    return {"details": done.details, "media_type": done.media_type, "files": files}, list(done.files.values())


def _limit(limits: Limits, seconds: float) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Above the clock's: several processors at work use it up faster
    processor = int(seconds * (os.cpu_count() or 1)) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (processor, processor))
    # What was there before counts, too (Linux; elsewhere only mapped memory does)
    resource.setrlimit(resource.RLIMIT_DATA, (limits.memory + _held(),) * 2)
    quiet = os.open(os.devnull, os.O_WRONLY)  # LibRaw and libpng grumble about each damaged file
    os.dup2(quiet, 2)


def _held() -> int:
    """Bytes of memory of its own that this process has."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmData:"))
    except (OSError, StopIteration):
        return 1 << 30
