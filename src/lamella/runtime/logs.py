"""What a function writes, made into lines.

Sources: awslambdaric, bootstrap.py: a traceback's lines are separated by carriage returns, so that they are one event
of CloudWatch.  Here they are lines.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # `typing` is not imported for it
if TYPE_CHECKING:
    from lamella.runtime.model import Log

_PIECE = 64 * 1024
# A line that is longer is given in parts
_LINE = 256 * 1024


class Lines:
    """The lines of one invocation, kept, and given to `log` as they come: whole ones, until `close`.

    `opened` is whether START is among them.
    """

    def __init__(self, log: Log | None) -> None:
        self.opened = False
        self._log = log
        self._kept: list[bytes] = []
        self._begun = b""
        self._open = False

    def say(self, line: bytes) -> None:
        """A line of the platform's, with its end.  What the function has begun is a line of its own before it."""
        if self._begun or self._open:
            line = b"%b\n%b" % (self._begun.rstrip(b"\r"), line)
            self._begun = b""
            self._open = False
        self._give(line)

    def add(self, written: bytes) -> None:
        """What the function wrote."""
        data = self._begun + written if self._begun else written
        # One at the very end may be the first half of a pair
        held = data.endswith(b"\r")
        if b"\r" in data:
            data = data[: -1 if held else None].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        end = data.rfind(b"\n") + 1
        self._begun = data[end:] + (b"\r" if held else b"")
        if end:
            self._give(data[:end])
            self._open = False
        if len(self._begun) > _LINE:
            self._give(self._begun)
            self._begun = b""
            self._open = True

    def text(self) -> bytes:
        """All of it so far."""
        return b"".join(self._kept) + self._begun

    def close(self) -> bytes:
        """All of it."""
        if self._begun or self._open:
            self.say(b"")
        return b"".join(self._kept)

    def _give(self, data: bytes) -> None:
        self._kept.append(data)
        if self._log is not None:
            self._log(data)


class Pipe:
    """The reading end of a process's stdout and stderr."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self.descriptor = descriptor
        self.over = False

    def read(self, lines: Lines, most: int = _PIECE) -> int:
        """Take what is there, up to about `most` bytes; how many there were.  `over` once nobody can write to it."""
        taken = 0
        while taken < most and not self.over:
            try:
                data = os.read(self.descriptor, _PIECE)
            except BlockingIOError:
                break
            if not data:
                self.over = True
                break
            taken += len(data)
            lines.add(data)
        return taken

    def close(self) -> None:
        os.close(self.descriptor)
