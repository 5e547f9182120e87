"""What imports cost: as tables, as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lamella.profiling.model import Node, Profile
    from lamella.report.console import Console

# How far a sum may be from the whole without a word about it
_NOTICED = 0.02


def show(console: Console, profile: Profile, top: int) -> None:
    """The `top` most expensive modules, then all distributions; the whole is told on stderr."""
    whole = profile.tree.total
    modules = profile.modules
    rows = [
        (row.name, milliseconds(row.own), milliseconds(row.total), share(row.own, whole), row.origin)
        for row in modules[:top]
    ]
    if len(modules) > top:
        rest = sum(row.own for row in modules[top:])
        rows.append((f"{len(modules) - top} more", milliseconds(rest), "", share(rest, whole), ""))
    console.table(("module", "self", "cumulative", "share", "distribution"), rows, right=frozenset({1, 2, 3}))
    _gap(console)
    console.table(
        ("distribution", "self", "with imports", "share", "modules"),
        [
            (row.name, milliseconds(row.own), milliseconds(row.total), share(row.own, whole), f"{row.modules}")
            for row in profile.origins
        ],
        right=frozenset({1, 2, 3, 4}),
    )
    console.say(summary(profile))
    note = medians_note(profile)
    if note:
        console.say(note)


def show_both(console: Console, before: Profile, after: Profile) -> None:
    """A row for each distribution of either, and the total."""
    console.table(
        ("distribution", before.label, after.label, "ratio"),
        [
            (name, milliseconds(was), milliseconds(now), ratio(was, now))
            for name, was, now in [*changes(before, after), ("total", before.median, after.median)]
        ],
        right=frozenset({1, 2, 3}),
    )
    console.say(summary(before))
    console.say(summary(after))


class Rounds:
    """Says on a terminal how many rounds are done."""

    def __init__(self, console: Console) -> None:
        self._err = console.err
        self._shown = not console.quiet and console.err.isatty()

    def done(self, count: int, of: int) -> None:
        if self._shown:
            self._err.write(f"\rmeasured {count} of {of} rounds")
            self._err.flush()

    def close(self) -> None:
        if self._shown:
            self._err.write("\r\x1b[K")
            self._err.flush()


def changes(before: Profile, after: Profile) -> list[tuple[str, int, int]]:
    """(distribution, its own µs before, after), the most expensive of either first."""
    was = {row.name: row.own for row in before.origins}
    now = {row.name: row.own for row in after.origins}
    rows = [(name, was.get(name, 0), now.get(name, 0)) for name in was.keys() | now.keys()]
    return sorted(rows, key=lambda row: (-max(row[1], row[2]), row[0]))


def summary(profile: Profile) -> str:
    count = len(profile.runs)
    spread = f", {milliseconds(min(profile.runs))} to {milliseconds(max(profile.runs))}" if count > 1 else ""
    return (
        f"`{profile.module}` in `{profile.label}`: {milliseconds(profile.median)} "
        f"({'median of ' if count > 1 else ''}{count} run{'s' * (count != 1)}{spread}; "
        f"python {profile.python}, {profile.isolation})"
    )


def medians_note(profile: Profile) -> str | None:
    """Why the modules' times do not add up to the whole's, where that would be noticed."""
    if abs(profile.tree.total - profile.median) <= _NOTICED * profile.median:
        return None
    return f"each module has its own median; they add up to {milliseconds(profile.tree.total)}"


def milliseconds(micro: int) -> str:
    """Below 10 ms with two decimals, so that a column of small modules can be told apart."""
    return f"{micro / 1000:.2f} ms" if micro < 10_000 else f"{micro / 1000:.1f} ms"


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def ratio(before: int, after: int) -> str:
    return f"{after / before:.2f}" if before else "–"


def _gap(console: Console) -> None:
    if not console.quiet:
        console.data("")


def as_json(profiles: Sequence[Profile]) -> str:
    """One object with a profile for each build, the one that is compared with first.  Times in microseconds.

    `runs` are the times of the whole import, `total` their median.  Modules and distributions have medians of their
    own, whose sum differs a little from it.  ASCII alone, so that it is JSON in every encoding.
    """
    tree: dict[str, object] = {"profiles": [_tree(profile) for profile in profiles]}
    if len(profiles) == 2:
        before, after = profiles
        tree["ratio"] = round(after.median / before.median, 4) if before.median else None
    return json.dumps(tree, indent=2)


def _tree(profile: Profile) -> dict[str, object]:
    return {
        "build": profile.label,
        "function": profile.function,
        "module": profile.module,
        "runtime": profile.runtime,
        "python": profile.python,
        "isolation": profile.isolation,
        "total": profile.median,
        "runs": list(profile.runs),
        "distributions": [
            {"name": row.name, "modules": row.modules, "self": row.own, "cumulative": row.total}
            for row in profile.origins
        ],
        "modules": [
            {"name": row.name, "distribution": row.origin, "self": row.own, "cumulative": row.total}
            for row in profile.modules
        ],
        "imports": _imports(profile.tree),
    }


def _imports(node: Node) -> dict[str, object]:
    row: dict[str, object] = {"name": node.name, "self": node.own}
    if node.children:
        row["imports"] = [_imports(child) for child in node.children]
    return row
