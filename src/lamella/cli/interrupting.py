"""Ctrl-C amid a deploy: the first one takes back what was changed, a second one leaves it to the next run."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lamella.rollout.steps.stopping import Stop

_FIRST = (
    "\nstopping: what is under way ends, and what was changed is put back; "
    "interrupted once more, it is left to the next `lamella deploy` or `lamella rollback`\n"
)
_SECOND = (
    "\nstopping amid a change, as soon as AWS has answered what it was asked: the next `lamella deploy` goes on from "
    "there, `lamella rollback` goes back; interrupted once more, no answer is waited for\n"
)


@contextlib.contextmanager
def interruptible(stop: Stop) -> Iterator[None]:
    """SIGINT and SIGTERM ask `stop` in the block."""
    import signal
    import threading

    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    asked = 0

    def told(number: int, _frame: object) -> None:
        nonlocal asked
        asked += 1
        # Whatever was being written to stderr may not be written to from here but by the system itself
        with contextlib.suppress(OSError):
            os.write(2, (_FIRST if asked == 1 else _SECOND).encode())
        if asked == 1:
            stop.asked.set()
        elif asked == 2:
            stop.abandon()
        else:  # it waits for threads that wait for AWS
            os._exit(128 + number)

    before = {number: signal.signal(number, told) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
