"""Several runs of the same import made into one tree."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lamella.profiling.model import Import, Node, median


def merged(runs: Sequence[Import], origin: Callable[[str], str]) -> Node:
    """One tree with the median of each module's own time; `runs` are trees of the same import, at least one.

    `origin` says of a module's name where it is from.  An import that a run lacks counts as 0 in it: one that most
    runs lack takes no time, and goes when all below it goes, too.
    """
    name = runs[0].name
    children = [merged(same, origin) for same in _grouped(runs)]
    kept = tuple(child for child in children if child.total)
    own = median(tuple(run.own for run in runs))
    return Node(name, origin(name), own, own + sum(child.total for child in kept), kept)


def _grouped(runs: Sequence[Import]) -> list[list[Import]]:
    """The children of all runs, the same import of each run together, in the order of the first run that has it."""
    groups: dict[tuple[str, int], list[Import]] = {}
    for at, run in enumerate(runs):
        seen: dict[str, int] = {}
        for child in run.children:
            # A name can be tried several times when it is not found
            number = seen[child.name] = seen.get(child.name, 0) + 1
            group = groups.setdefault((child.name, number), [Import(child.name, 0, ()) for _ in runs])
            group[at] = child
    return list(groups.values())
