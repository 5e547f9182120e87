"""A store in memory, as the cache is one on disk."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from lamella.archive.entry import FILE, Entry


class Shelf:
    """Keeps packed bytes in files below `folder`; notes the names that each key was made of."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kept: dict[str, dict[str, Entry]] = {}
        self.made: list[list[str]] = []

    def expect(self, keys: Iterable[str]) -> None: ...

    def derived(self, key: str) -> Mapping[str, Entry] | None:
        return self.kept.get(key)

    def derive(self, key: str, made: Iterable[Entry]) -> Mapping[str, Entry]:
        entries, path, offset = {}, self.folder / f"{key}.pack", 0
        with path.open("wb") as file:
            for entry in made:
                assert entry.data is not None
                file.write(entry.data)
                entries[entry.path] = Entry(
                    entry.path, "", FILE, entry.method, entry.crc, entry.packed, entry.size,
                    str(path), offset, zlib.crc32(entry.data),
                )  # fmt: skip
                offset += entry.packed
        self.kept[key] = entries
        self.made.append(sorted(entries))
        return entries
