"""A program at a terminal of its own, and somebody who types."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import time
from collections.abc import Mapping, Sequence

_SECONDS = 60
# What is for the terminal alone: colours, movements, modes
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z=>]|\x1b[=>]|\x1b\][^\x07]*\x07")


class Terminal:
    """`command` runs at it from the start to the end of a `with` block."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: str | None = None) -> None:
        self.said = ""
        self.pid, self._end = pty.fork()
        if self.pid == 0:
            try:
                if folder is not None:
                    os.chdir(folder)
                os.execve(command[0], list(command), {**environment, "TERM": "xterm"})
            finally:
                os._exit(126)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._end)
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)

    def type(self, text: str) -> None:
        os.write(self._end, text.encode())

    def until(self, wanted: str) -> str:
        """All that came until `wanted` did, without what is for the terminal."""
        limit = time.monotonic() + _SECONDS
        while wanted not in self.said:
            assert select.select([self._end], [], [], max(0, limit - time.monotonic()))[0], self.said
            try:
                read = os.read(self._end, 65536)
            except OSError:  # the other end is closed
                read = b""
            assert read, self.said
            self.said = _ESCAPES.sub("", self.said + read.decode("utf-8", "replace"))
        before, _, self.said = self.said.partition(wanted)
        return before

    def code(self) -> int:
        """The exit code, once all of it was read."""
        while True:
            try:
                if not os.read(self._end, 65536):
                    break
            except OSError:
                break
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)
