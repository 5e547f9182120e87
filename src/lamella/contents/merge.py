"""Entries of several sources in one archive: equal twins fold into one, different ones are an error."""

from __future__ import annotations

from collections.abc import Iterable

from lamella.archive.entry import Entry, content
from lamella.errors import CollisionError


def merge(groups: Iterable[list[Entry]]) -> list[Entry]:
    """All entries, one for each path.  Of equal twins the first stays.

    Raises CollisionError naming both sources where two have one path and different bytes or modes.
    """
    kept: dict[str, Entry] = {}
    for group in groups:
        for entry in group:
            twin = kept.setdefault(entry.path, entry)
            if twin is not entry and not _equal(twin, entry):
                raise CollisionError(
                    f"`{twin.origin}` and `{entry.origin}` both bring `{entry.path}`, with different bytes",
                    why=["on Lambda one would silently hide the other"],
                    hint=f'leave one of them out: `exclude = ["{entry.origin}"]`, or lock versions that don\'t overlap',
                )
    return list(kept.values())


def _equal(one: Entry, other: Entry) -> bool:
    if (one.crc, one.size, one.mode) != (other.crc, other.size, other.mode):
        return False
    return content(one) == content(other)
