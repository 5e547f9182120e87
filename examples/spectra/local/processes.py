"""Programs that run beside each other, each waited for by the line that says it is ready, each ended by its id."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

PATIENCE = 120  # seconds; a first start unpacks layers


class StartError(Exception):
    """A program ended, or said nothing in time, before it was ready."""


class Process:
    """`lines` is what it wrote to both streams so far; with `echo` it is shown as well, behind the program's name."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path, *, echo: bool = False
    ) -> None:
        self.name, self.lines, self._echo = name, list[str](), echo
        self._came = threading.Condition()
        self._process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def line(self, pattern: str, patience: float = PATIENCE) -> re.Match[str]:
        """The first line with the pattern, once it is there.  Raises StartError."""
        with self._came:
            self._came.wait_for(lambda: self._found(pattern) or self._process.poll() is not None, patience)
            found = self._found(pattern)
        if not found:
            raise StartError(f"{self.name} never said {pattern!r}:\n" + "".join(self.lines))
        return found

    def end(self) -> None:
        """Ask it to end; insist after a while."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()

    def _found(self, pattern: str) -> re.Match[str] | None:
        return next((found for line in list(self.lines) if (found := re.search(pattern, line))), None)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            for line in stream:
                if self._echo:
                    sys.stderr.write(f"{self.name}: {line}")
                with self._came:
                    self.lines.append(line)
                    self._came.notify_all()
        self._process.wait()
        with self._came:
            self._came.notify_all()
