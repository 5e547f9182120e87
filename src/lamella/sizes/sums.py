"""What takes the space in an artifact, and what each rule and step saved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from lamella.sizes.kinds import kind, kind_of
from lamella.sizes.model import NOTHING, Explained, Placed, Row, Saving, Share, Size, Sums

BLANKING = "blanking"
LINKS = "links"
RECOMPRESSION = "recompression"
BYTECODE = "bytecode"
INSTEAD = "bytecode instead of sources"
SHARED = "shared between runtimes"
OTHER = "other"

_Name = tuple[str, str]  # and version

_REASONS = {
    BLANKING: "what no program header maps is cut off or zeroed: symbols, debug sections",
    LINKS: "equal files became one file and symbolic links",
    RECOMPRESSION: "the same bytes, compressed better",
    BYTECODE: "added, so that nothing is compiled at a cold start",
    INSTEAD: "the bytecode is there instead",
    SHARED: "several wheels bring the same file to the same place",
    OTHER: "names and headers of another length, and what the build makes itself",
    "services": "data of services that `services` does not name",
    "without": "features that `without` names, and what only they needed",
    "drop": "`drop` names them",
}


def before(row: Row) -> Size:
    """A row's part of what the wheels hold; one that was made has none."""
    return Size(int(row.rule != "bytecode" or not row.kept), row.before_zipped, row.before_unzipped)


def after(row: Row) -> Size:
    """A row's part of the artifact.  What another row stands for there, as well, has none."""
    return Size(int(row.kept and row.zipped > 0), row.zipped, row.unzipped)


def sums(explained: Explained) -> Sums:
    """All sums of an artifact.  Shares come largest first, by their zipped size; savings likewise."""
    rows = explained.rows
    return Sums(
        total(map(before, rows)),
        total(map(after, rows)),
        _shares((((row.distribution, row.version),) * 2, row) for row in rows),
        _shares((((kind(row.path), ""), (kind_of(row), "")), row) for row in rows),
        savings(rows),
    )


def placed(explained: Explained) -> tuple[Placed, ...]:
    """Every row, with what the sums count it for."""
    return tuple(Placed(row, kind_of(row), step_of(row) or "") for row in explained.rows)


def savings(rows: Iterable[Row]) -> tuple[Saving, ...]:
    """What each rule and step took away; they add up to the whole difference.

    A file that was blanked and then compressed anew counts for both steps, with what each of them took away.
    """
    found: dict[str, Size] = {}
    reasons: dict[str, Counter[str]] = {}
    for row in rows:
        for cause, zipped, unzipped in _lost(row):
            found[cause] = found.get(cause, NOTHING).plus(Size(1, zipped, unzipped))
            reasons.setdefault(cause, Counter())[_REASONS.get(cause, row.reason)] += 1
    return tuple(
        Saving(name, *size, reasons[name].most_common(1)[0][0])
        for name, size in sorted(found.items(), key=lambda item: (-item[1].zipped, -item[1].unzipped, item[0]))
    )


def _lost(row: Row) -> list[tuple[str, int, int]]:
    """What each rule or step took away from a file, zipped and unzipped."""
    _, zipped, unzipped = before(row).minus(after(row))
    cause = step_of(row)
    if cause is None:
        return [(OTHER, zipped, unzipped)] if zipped or unzipped else []
    if cause == BLANKING and row.zipped_between:
        later = row.zipped_between - row.zipped
        return [(BLANKING, zipped - later, unzipped), (RECOMPRESSION, later, 0)]
    return [(cause, zipped, unzipped)]


def step_of(row: Row) -> str | None:
    """The rule that took a file out, or the first step that changed or made it; None for one that is as it was."""
    if not row.kept:
        return INSTEAD if row.rule == "bytecode" else row.rule
    if row.rule == "bytecode":
        return BYTECODE
    if row.rule == "equal":
        return LINKS
    if "blanked" in row.changes:
        return BLANKING
    if "recompressed" in row.changes:
        return RECOMPRESSION
    if row.before_zipped and not row.zipped:
        return SHARED
    return None


def total(sizes: Iterable[Size]) -> Size:
    found = NOTHING
    for size in sizes:
        found = found.plus(size)
    return found


def _shares(named: Iterable[tuple[tuple[_Name, _Name], Row]]) -> tuple[Share, ...]:
    """The shares of rows, each with the name that it had and the one that it has: a library may become a link."""
    was: dict[_Name, Size] = {}
    now: dict[_Name, Size] = {}
    for (old, new), row in named:
        was[old] = was.get(old, NOTHING).plus(before(row))
        now[new] = now.get(new, NOTHING).plus(after(row))
    shares = [Share(*name, was.get(name, NOTHING), now.get(name, NOTHING)) for name in was | now]
    return tuple(sorted(shares, key=lambda share: (-share.after.zipped, -share.before.zipped, share.name)))
