"""A process that a sandbox started: how it ended, and its end with all that belongs to it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess

# How long the pipes of a killed process are waited for: one that left its group may hold them open
_LAST_WORDS_SECONDS = 1


class Running:
    """A process that `Sandbox.start` started, until it is ended: `end` it, whatever became of it."""

    def __init__(self, process: subprocess.Popen[bytes], left: contextlib.ExitStack) -> None:
        self.process = process
        self._left = left

    @property
    def pid(self) -> int:
        return self.process.pid

    def returned(self) -> int | None:
        """None while it runs; its exit status, 128 + N where signal N killed it, as shells say it."""
        code = self.process.poll()
        return None if code is None else as_shells_say(code)

    def end(self) -> None:
        """Kill it with all that it started, and remove what was made for it.  A second time does no harm."""
        kill(self.process)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._left.close()


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process that `Sandbox` started, and all of its group; with a view, all in it.  Waits for its end."""
    # Before it is waited for: until then its number, and so its group's, is nobody else's
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def last_words(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """What a killed process wrote to the pipes that are its stdout and stderr."""
    try:
        out, err = process.communicate(timeout=_LAST_WORDS_SECONDS)
    except subprocess.TimeoutExpired as held:
        out, err = held.output or b"", held.stderr or b""
    return out, err


def as_shells_say(code: int) -> int:
    """An exit status, as `Popen.returncode` has it, with 128 + N where signal N killed the process."""
    return code if code >= 0 else 128 - code
