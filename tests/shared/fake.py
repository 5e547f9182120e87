"""A bucket in memory, with what was asked of it and ways to go wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from lamella.errors import LamellaError
from lamella.shared.depot import Depot


class Memory:
    """`lamella.shared.model.Objects`.  `asked` are calls: ("get", key).  `fault` may raise for one.

    `seconds` are the time, and what is asked `takes` some; `sent` are bytes, handed over in a `piece` each.
    """

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.asked: list[tuple[str, str]] = []
        self.fault: Callable[[str, str], LamellaError | None] = lambda call, key: None  # noqa: ARG005
        self.piece = 1 << 18  # bytes that are given at a time
        self.sent = 0
        self.seconds = 0.0  # the time
        self.takes = 0.0  # seconds for each piece, and for each call
        self._lock = threading.Lock()

    def open(self) -> None: ...

    def get(self, key: str, going: Callable[[int], object]) -> bytes | None:
        self._note("get", key)
        return b"".join(self._pieces(key, going)) if key in self.held else None

    def fetch(self, key: str, path: str, going: Callable[[int], object]) -> bool:
        self._note("fetch", key)
        if key not in self.held:
            return False
        with open(path, "wb") as file:
            for piece in self._pieces(key, going):
                file.write(piece)
        return True

    def _pieces(self, key: str, going: Callable[[int], object]) -> Iterator[bytes]:
        for start in range(0, len(self.held[key]), self.piece):
            piece = self.held[key][start : start + self.piece]
            self.seconds += self.takes
            self.sent += len(piece)
            going(start + len(piece))
            yield piece

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
            self.seconds += self.takes
        error = self.fault(call, key)
        if error is not None:
            raise error

    def depot(self, *, writes: bool = True) -> Depot:
        """Another machine's way to this bucket."""
        return Depot(self, name="s3://built/ci", writes=writes, now=lambda: self.seconds)

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
