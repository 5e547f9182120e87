"""Differences between artifacts: as tables, as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lamella.report.sizes import change, megabytes
from lamella.wording import escaped

if TYPE_CHECKING:
    from lamella.report.console import Console
    from lamella.sizes.model import Comparison, DistributionChange, PathChange, Size


def show(console: Console, found: Sequence[Comparison], *, paths: int | None) -> None:
    """A heading for each artifact that differs, its distributions, and at most `paths` paths (None: all)."""
    if console.quiet:
        return
    for at, one in enumerate(found):
        if at:
            console.data("")
        console.data(_heading(one))
        if one.how != "changed":
            continue
        rows = [_distribution(row) for row in one.distributions]
        columns = ("distribution", "version", "zipped", "", "unzipped", "", "files")
        console.table(columns, rows, right=frozenset({2, 3, 4, 5}))
        shown = one.paths if paths is None else one.paths[:paths]
        if shown:
            console.data("")
            heads = ("path", "", "zipped", "", "unzipped", "")
            console.table(heads, [_path(row) for row in shown], right=frozenset({2, 3, 4, 5}))
        left = len(one.paths) - len(shown)
        if left:
            console.data(f"… and {left} more paths: --paths all")


def _heading(one: Comparison) -> str:
    name = f"`{one.key}`"
    match one.how:
        case "same":
            return f"{name}: no difference"
        case "added" | "removed":
            size = one.new if one.how == "added" else one.old
            return f"{name}: {one.how} ({megabytes(size.zipped)} zipped, {megabytes(size.unzipped)} unzipped)"
        case _:
            return (
                f"{name}: {_from_to(one.old.zipped, one.new.zipped)} zipped, "
                f"{_from_to(one.old.unzipped, one.new.unzipped)} unzipped, "
                f"{one.old.members} → {one.new.members} files"
            )


def _from_to(old: int, new: int) -> str:
    return f"{megabytes(old)} → {megabytes(new)} ({change(new - old)})"


def _distribution(row: DistributionChange) -> tuple[str, ...]:
    return (row.name, _versions(row), *_sizes(row.old, row.new), _counts(row.counts))


def _versions(row: DistributionChange) -> str:
    match row.how:
        case "updated":
            return f"{row.old_version or 'none'} → {row.new_version or 'none'}"
        case "changed":
            return row.new_version
        case _:
            return f"{row.how} {row.new_version or row.old_version}".rstrip()


def _sizes(old: Size, new: Size) -> tuple[str, str, str, str]:
    return (
        megabytes(new.zipped),
        change(new.zipped - old.zipped),
        megabytes(new.unzipped),
        change(new.unzipped - old.unzipped),
    )


def _counts(counts: tuple[int, int, int]) -> str:
    words = ("added", "removed", "changed")
    return ", ".join(f"{count} {word}" for count, word in zip(counts, words, strict=True) if count)


def _path(row: PathChange) -> tuple[str, ...]:
    zipped, unzipped = (row.new.zipped, row.new.unzipped) if row.new else (0, 0)
    sizes = (megabytes(zipped), change(row.zipped), megabytes(unzipped), change(row.unzipped))
    return (escaped(row.path), row.how, *sizes)


def as_json(found: Sequence[Comparison]) -> str:
    """All of it, every path included; sizes in bytes.  ASCII alone, so that it is JSON in every encoding."""
    return json.dumps({"artifacts": [_tree(one) for one in found]}, indent=2)


def _tree(one: Comparison) -> dict[str, object]:
    return {
        "key": one.key,
        "how": one.how,
        "old": one.old._asdict(),
        "new": one.new._asdict(),
        "distributions": [_distribution_tree(row) for row in one.distributions],
        "paths": [_path_tree(row) for row in one.paths],
    }


def _distribution_tree(row: DistributionChange) -> dict[str, object]:
    added, removed, changed = row.counts
    return {
        "name": row.name,
        "how": row.how,
        "old_version": row.old_version or None,
        "new_version": row.new_version or None,
        "old": row.old._asdict(),
        "new": row.new._asdict(),
        "files": {"added": added, "removed": removed, "changed": changed},
    }


def _path_tree(row: PathChange) -> dict[str, object]:
    sides = {
        name: None if side is None else {"zipped": side.zipped, "unzipped": side.unzipped, "crc": side.crc}
        for name, side in (("old", row.old), ("new", row.new))
    }
    return {"path": row.path, "distribution": row.distribution, "how": row.how, **sides}
