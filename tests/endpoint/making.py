"""Functions with names, queues without threads, and clocks that stand still."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.runtime.faking import Fake

from lamella.endpoint.events import Events
from lamella.endpoint.letters import Letters
from lamella.endpoint.model import Named
from lamella.errors import LamellaError

BASE = "arn:aws:lambda:us-east-1:123456789012:function:"
API = Named("api", "spectra-api", f"{BASE}spectra-api", "live")
WORKER = Named("worker", "spectra-worker", f"{BASE}spectra-worker")
NOW = 1_573_755_365.568  # 2019-11-14T18:16:05.568Z


class Queue:
    """Events whose threads and clock a test turns by hand."""

    def __init__(self, functions: Fake, folder: Path, *, most: int = 16) -> None:
        self.file = folder / "letters" / "dead.jsonl"
        self.work: list[Callable[[], None]] = []
        self.later: list[tuple[float, Callable[[], None]]] = []
        self.said: list[str] = []
        self.failed: list[LamellaError] = []
        self.events = Events(
            functions, self.work.append, Letters(str(self.file)), self.said.append, self.failed.append,
            after=lambda seconds, act: self.later.append((seconds, act)), retry_delay=10, most=most, now=lambda: NOW,
        )  # fmt: skip

    def work_off(self) -> int:
        """Do what was submitted, and what comes of it; how much it was."""
        done = 0
        while self.work:
            self.work.pop(0)()
            done += 1
        return done

    def wait(self) -> float:
        """Let the next delay pass; how long it was."""
        seconds, act = self.later.pop(0)
        act()
        return seconds

    def letters(self) -> list[dict[str, Any]]:
        if not self.file.exists():
            return []
        return [json.loads(line) for line in self.file.read_text().splitlines()]
