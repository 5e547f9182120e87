"""A bucket in memory, with what was asked of it and ways to go wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from lamella.errors import LamellaError
from lamella.shared.depot import Depot


class Memory:
    """`lamella.shared.model.Objects`.  `asked` are calls: ("get", key).  `fault` may raise for one."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.asked: list[tuple[str, str]] = []
        self.fault: Callable[[str, str], LamellaError | None] = lambda call, key: None  # noqa: ARG005
        self._lock = threading.Lock()

    def open(self) -> None: ...

    def get(self, key: str) -> bytes | None:
        self._note("get", key)
        return self.held.get(key)

    def fetch(self, key: str, path: str) -> bool:
        self._note("fetch", key)
        if key not in self.held:
            return False
        Path(path).write_bytes(self.held[key])
        return True

    def has(self, key: str) -> int | None:
        self._note("has", key)
        return len(self.held[key]) if key in self.held else None

    def put(self, key: str, content: bytes) -> object:
        self._note("put", key)
        self.held[key] = content
        return True

    def put_file(self, key: str, path: str) -> None:
        self._note("put_file", key)
        self.held[key] = Path(path).read_bytes()

    def _note(self, call: str, key: str) -> None:
        with self._lock:
            self.asked.append((call, key))
        error = self.fault(call, key)
        if error is not None:
            raise error

    def depot(self, *, writes: bool = True) -> Depot:
        """Another machine's way to this bucket."""
        return Depot(self, name="s3://built/ci", writes=writes)

    def calls(self) -> dict[str, int]:
        """How often each kind of call was made, on references and on blobs: ``{"get keys": 2}``."""
        found: dict[str, int] = {}
        for call, key in self.asked:
            kind = f"{call} {key.split('/')[1]}"
            found[kind] = found.get(kind, 0) + 1
        return found

    def writes(self) -> list[str]:
        return [key for call, key in self.asked if call.startswith("put")]

    def below(self, folder: str) -> list[str]:
        return sorted(key for key in self.held if key.startswith(f"v1/{folder}/"))
