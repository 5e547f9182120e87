"""Where derived members are kept: a port, so that nothing here knows the cache."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from lamella.archive.entry import Entry


class Store(Protocol):
    """Derived members by the digest of what they were made of; see `wheels.cache.Cache`."""

    def derived(self, key: str) -> Mapping[str, Entry] | None:
        """What is kept under `key`, by name; None for nothing.

        Of each entry `path` is its name; `source`, `offset` and the sizes say where its packed bytes lie.
        """
        ...

    def expect(self, keys: Iterable[str]) -> None:
        """These keys will be asked for: a store that is far away may bring what it has of them at once."""
        ...

    def derive(self, key: str, made: Iterable[Entry]) -> Mapping[str, Entry]:
        """Keep entries that hold their `data`, by their `path`; the same as `derived` then gives.

        They are written as they come, so that an iterator holds one at a time in memory.
        """
        ...
