"""What differs between two finished zips: by distribution, then by path."""

from __future__ import annotations

from collections.abc import Iterable

from lamella.sizes.model import (
    NOTHING,
    Comparison,
    Contents,
    DistributionChange,
    Member,
    PathChange,
    Size,
)
from lamella.sizes.owners import OWN


def compare(key: str, old: Contents | None, new: Contents | None) -> Comparison:
    """Compare two zips under one key; None for one that is not there.

    Files are equal when their size, CRC-32 and mode are: a zip tells these of every member without unpacking it.
    Both parts of the answer come with the largest difference first.
    """
    was, now = old.members if old else {}, new.members if new else {}
    paths = [change for path in was.keys() | now.keys() if (change := _change(was.get(path), now.get(path)))]
    paths.sort(key=lambda change: (-abs(change.zipped), -abs(change.unzipped), change.path))
    how = "added" if old is None else "removed" if new is None else "changed" if paths else "same"
    sizes = (_size(was.values()), _size(now.values()))
    return Comparison(key, how, *sizes, tuple(_distributions(old, new, paths)), tuple(paths))


def _change(old: Member | None, new: Member | None) -> PathChange | None:
    one = new or old
    if one is None:
        return None
    if old is None or new is None:
        return PathChange(one.path, one.distribution, "added" if old is None else "removed", old, new)
    if (old.crc, old.unzipped, old.mode) != (new.crc, new.unzipped, new.mode):
        return PathChange(one.path, one.distribution, "changed", old, new)
    if old.packed != new.packed:
        return PathChange(one.path, one.distribution, "repacked", old, new)
    return None


def _distributions(
    old: Contents | None, new: Contents | None, paths: Iterable[PathChange]
) -> Iterable[DistributionChange]:
    """Those whose files or version differ."""
    counts: dict[str, list[int]] = {}
    for change in paths:
        counts.setdefault(change.distribution, [0, 0, 0])[
            {"added": 0, "removed": 1, "changed": 2, "repacked": 2}[change.how]
        ] += 1
    was, now = _by_distribution(old), _by_distribution(new)
    found = []
    for name, count in counts.items():
        before, after = (old.versions.get(name, "") if old else "", new.versions.get(name, "") if new else "")
        how = "changed"
        if name not in was or name not in now:
            how = "added" if name not in was else "removed"
        elif before != after and name != OWN:
            how = "updated"
        sizes = (was.get(name, NOTHING), now.get(name, NOTHING))
        found.append(DistributionChange(name, how, before, after, *sizes, (count[0], count[1], count[2])))
    return sorted(found, key=lambda row: (-abs(row.new.zipped - row.old.zipped), row.name))


def _by_distribution(contents: Contents | None) -> dict[str, Size]:
    found: dict[str, Size] = {}
    for member in contents.members.values() if contents else ():
        size = Size(1, member.zipped, member.unzipped)
        found[member.distribution] = found.get(member.distribution, NOTHING).plus(size)
    return found


def _size(members: Iterable[Member]) -> Size:
    found = NOTHING
    for member in members:
        found = found.plus(Size(1, member.zipped, member.unzipped))
    return found
