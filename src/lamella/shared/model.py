"""What the shared cache keeps, and the port that it is kept through.  Values and a protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol


class Blob(NamedTuple):
    """The bytes of a file: their SHA-256 (hex), and how many they are."""

    sha256: str
    size: int


class Reference(NamedTuple):
    """What is known under a key: files by name, and `facts`, which are JSON.  `key` is the object's, for messages."""

    key: str
    files: Mapping[str, Blob]
    facts: Any


class Objects(Protocol):
    """Where all of it lies; see `lamella.objects.Bucket`.  Raises LamellaError.

    `going` is told of all bytes so far, with each piece; what it raises ends the call.
    """

    def open(self) -> None:
        """Get ready to be asked.  Never fails."""

    def get(self, key: str, going: Callable[[int], object]) -> bytes | None: ...
    def fetch(self, key: str, path: str, going: Callable[[int], object]) -> bool: ...
    def has(self, key: str) -> int | None: ...
    def put(self, key: str, content: bytes) -> object: ...
    def put_file(self, key: str, path: str) -> None: ...
