"""Which distributions need which: reachability over Requires-Dist, as installers walk it (PEP 508)."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from lamella.wheels.model import Wheel

# A distribution and the extras of it that are asked for
Node = tuple[str, frozenset[str]]


_QUOTED = re.compile(r"""["']([^"']+)["']""")


@lru_cache(maxsize=8192)
def _parsed(line: str) -> Requirement:
    from packaging.requirements import Requirement

    return Requirement(line)


def _normal(name: str) -> str:
    # Not imported at the top: a warm build asks this room only for what is remembered
    from packaging.utils import canonicalize_name

    return canonicalize_name(name)


def requirements(wheel: Wheel, extras: Iterable[str], environment: Mapping[str, str]) -> list[Requirement]:
    """What a wheel needs, with these extras of it, where `environment` are the target's marker values."""
    found = []
    for line in wheel.requires:
        requirement = _parsed(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({**environment, "extra": extra}) for extra in ("", *sorted(extras))):
            found.append(requirement)
    return found


def applicable(roots: Iterable[Requirement], environment: Mapping[str, str]) -> list[Node]:
    """The roots whose marker holds on the target, as nodes to start from."""
    return [
        (_normal(root.name), frozenset(map(_normal, root.extras)))
        for root in roots
        if root.marker is None or root.marker.evaluate({**environment, "extra": ""})
    ]


def complete(wheel: Wheel, environment: Mapping[str, str], pinned: Container[str]) -> frozenset[str]:
    """The extras of a wheel of which everything is pinned that they need on the target.

    A lock that doesn't tell which extras were asked for pins all that those need: each of these may have been.
    """
    needs: dict[str, list[Requirement]] = {}
    for requirement in map(_parsed, wheel.requires):
        marker = requirement.marker
        if marker is None or "extra" not in str(marker) or marker.evaluate({**environment, "extra": ""}):
            continue
        for extra in {_normal(part) for part in _QUOTED.findall(str(marker))}:
            if marker.evaluate({**environment, "extra": extra}):
                needs.setdefault(extra, []).append(requirement)
    lacking = {extra for extra, rows in needs.items() if any(_normal(row.name) not in pinned for row in rows)}
    while True:  # `all = ["demo[fast,safe]"]` needs all that those need
        further = {
            extra
            for extra, rows in needs.items()
            for row in rows
            if _normal(row.name) == wheel.name and lacking & set(map(_normal, row.extras))
        }
        if further <= lacking:
            return frozenset(needs.keys() - lacking)
        lacking |= further


def reach(
    start: Iterable[Node],
    load: Callable[[list[str]], Mapping[str, Wheel]],
    environment: Mapping[str, str],
    *,
    without: frozenset[str] = frozenset(),
    extras: Callable[[Wheel], frozenset[str]] | None = None,
) -> dict[str, tuple[str, ...]]:
    """The distributions that the start nodes need, themselves included, each with those that ask for it.

    Walks a frontier at a time: `load` is given the names met first in this round and returns the wheels of those
    that are pinned (others are left out: the lock decided that they are not needed).  `without` is not entered.
    `extras` gives those of a wheel that count whether or not somebody asks.
    """
    parents: dict[str, set[str]] = {}
    seen: dict[str, frozenset[str]] = {}
    frontier = [(name, wanted, "") for name, wanted in start]
    loaded: dict[str, Wheel] = {}
    while frontier:
        unknown = sorted({name for name, _, _ in frontier if name not in loaded and name not in without})
        if unknown:
            loaded.update(load(unknown))
        following: list[tuple[str, frozenset[str], str]] = []
        for name, wanted, parent in frontier:
            wheel = loaded.get(name)
            if wheel is None or name in without:
                continue
            if parent:
                parents.setdefault(name, set()).add(parent)
            own = frozenset[str]() if extras is None or name in seen else extras(wheel)
            asked = seen.get(name, own) | wanted
            if name in seen and asked == seen[name]:
                continue
            seen[name] = asked
            for requirement in requirements(wheel, asked, environment):
                child = _normal(requirement.name)
                following.append((child, frozenset(map(_normal, requirement.extras)), name))
        frontier = following
    return {name: tuple(sorted(parents.get(name, ()))) for name in seen}


def unasked(
    wheels: Mapping[str, Wheel],
    environment: Mapping[str, str],
    extras: Callable[[Wheel], frozenset[str]] | None = None,
) -> list[str]:
    """The distributions that no other one asks for: where a bare list of pins starts.

    `extras` as for `reach`, which comes to all of `wheels` from here.  In a ring of distributions that ask for each
    other and that nobody else asks for, the first by name counts.
    """

    def walk(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
        start = [(name, frozenset[str]()) for name in names]
        return reach(
            start, lambda met: {name: wheels[name] for name in met if name in wheels}, environment, extras=extras
        )

    starts = sorted(name for name, parents in walk(wheels).items() if set(parents) <= {name})
    while True:
        rest = wheels.keys() - walk(starts).keys()
        if not rest:
            return starts
        starts.append(min(rest))
