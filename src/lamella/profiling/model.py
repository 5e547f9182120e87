"""Values of this room: imports as one run saw them, and as several runs agree on them.  Times are in microseconds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lamella.errors import LamellaError

# Where a module is from when it is from no distribution
PYTHON = "Python"
OWN = "own code"
MISSING = "not found"
LAYER = "other files of layers"


class ImportFailedError(LamellaError):
    """The handler's module raised when it was imported: a finding about the code, not a mistake in the command."""

    exit_code = 1


class Import(NamedTuple):
    """One import of one run.  `own` excludes what it imported in turn, its `children`, in the order of import."""

    name: str
    own: int
    children: tuple[Import, ...]


class Node(NamedTuple):
    """One import, its `own` time the median over runs.  `total` is `own` and all that it imported.

    `origin` is a distribution's name, or one of `PYTHON`, `OWN`, `MISSING` and `LAYER`.
    """

    name: str
    origin: str
    own: int
    total: int
    children: tuple[Node, ...]

    def walk(self) -> Iterator[Node]:
        """This import and all below it, in the order in which they began."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))


class Module(NamedTuple):
    """A module: a row of the table.  One that was tried and not found may have been tried many times."""

    name: str
    origin: str
    own: int
    total: int


class Origin(NamedTuple):
    """A distribution, or one of those that are none.  `own` is the time in its `modules`, so that rows add up;
    `total` includes what they imported from elsewhere, so that rows overlap."""

    name: str
    modules: int
    own: int
    total: int


class Profile(NamedTuple):
    """What importing the handler's `module` cost.

    `runs` are the whole import's times, in the order in which they were measured; `tree` is made of medians for each
    module, whose sum is near the median of `runs` and not equal to it.  `label` tells builds apart.
    """

    label: str
    function: str
    module: str
    runtime: str
    python: str
    isolation: str
    runs: tuple[int, ...]
    tree: Node

    @property
    def median(self) -> int:
        """The median time of the whole import."""
        return median(self.runs)

    @property
    def modules(self) -> tuple[Module, ...]:
        """Every module once, the most expensive in itself first."""
        rows: dict[str, Module] = {}
        for node in self.tree.walk():
            row = rows.get(node.name) or Module(node.name, node.origin, 0, 0)
            rows[node.name] = row._replace(own=row.own + node.own, total=row.total + node.total)
        return tuple(sorted(rows.values(), key=lambda row: (-row.own, row.name)))

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Every distribution once, the most expensive in itself first."""
        names: dict[str, set[str]] = {}
        own: dict[str, int] = {}
        total: dict[str, int] = {}
        waiting: list[tuple[Node, frozenset[str]]] = [(self.tree, frozenset())]
        while waiting:
            node, within = waiting.pop()
            names.setdefault(node.origin, set()).add(node.name)
            own[node.origin] = own.get(node.origin, 0) + node.own
            if node.origin not in within:
                total[node.origin] = total.get(node.origin, 0) + node.total
            below = within | {node.origin}
            waiting.extend((child, below) for child in node.children)
        rows = (Origin(name, len(names[name]), own[name], total[name]) for name in own)
        return tuple(sorted(rows, key=lambda row: (-row.own, row.name)))


def median(values: tuple[int, ...]) -> int:
    """The middle value; of an even count the mean of the two in the middle, rounded.  `values` is not empty."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else round((ordered[half - 1] + ordered[half]) / 2)
