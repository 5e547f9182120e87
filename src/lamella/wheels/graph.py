"""Which distributions need which: reachability over Requires-Dist, as installers walk it (PEP 508)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from lamella.wheels.model import Wheel

# A distribution and the extras of it that are asked for
Node = tuple[str, frozenset[str]]


def requirements(wheel: Wheel, extras: Iterable[str], environment: Mapping[str, str]) -> list[Requirement]:
    """What a wheel needs, with these extras of it, where `environment` are the target's marker values."""
    found = []
    for line in wheel.requires:
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({**environment, "extra": extra}) for extra in ("", *sorted(extras))):
            found.append(requirement)
    return found


def applicable(roots: Iterable[Requirement], environment: Mapping[str, str]) -> list[Node]:
    """The roots whose marker holds on the target, as nodes to start from."""
    return [
        (canonicalize_name(root.name), frozenset(map(canonicalize_name, root.extras)))
        for root in roots
        if root.marker is None or root.marker.evaluate({**environment, "extra": ""})
    ]


def reach(
    start: Iterable[Node],
    load: Callable[[list[str]], Mapping[str, Wheel]],
    environment: Mapping[str, str],
    *,
    without: frozenset[str] = frozenset(),
) -> dict[str, tuple[str, ...]]:
    """The distributions that the start nodes need, themselves included, each with those that ask for it.

    Walks a frontier at a time: `load` is given the names met first in this round and returns the wheels of those
    that are pinned (others are left out: the lock decided that they are not needed).  `without` is not entered.
    """
    parents: dict[str, set[str]] = {}
    seen: dict[str, frozenset[str]] = {}
    frontier = [(name, extras, "") for name, extras in start]
    loaded: dict[str, Wheel] = {}
    while frontier:
        unknown = sorted({name for name, _, _ in frontier if name not in loaded and name not in without})
        if unknown:
            loaded.update(load(unknown))
        following: list[tuple[str, frozenset[str], str]] = []
        for name, extras, parent in frontier:
            wheel = loaded.get(name)
            if wheel is None or name in without:
                continue
            if parent:
                parents.setdefault(name, set()).add(parent)
            asked = seen.get(name, frozenset()) | extras
            if name in seen and asked == seen[name]:
                continue
            seen[name] = asked
            for requirement in requirements(wheel, asked, environment):
                child = canonicalize_name(requirement.name)
                following.append((child, frozenset(map(canonicalize_name, requirement.extras)), name))
        frontier = following
    return {name: tuple(sorted(parents.get(name, ()))) for name in seen}


def unasked(wheels: Mapping[str, Wheel], environment: Mapping[str, str]) -> list[str]:
    """The distributions that no other one asks for: where a bare list of pins starts.

    In a ring of distributions that ask for each other and that nobody else asks for, the first by name counts.
    """
    asks: dict[str, set[str]] = {
        name: {str(canonicalize_name(r.name)) for r in requirements(wheel, _extras(wheel), environment)} - {name}
        for name, wheel in wheels.items()
    }
    starts = sorted(set(wheels) - set().union(*asks.values())) if asks else []
    covered = _covered(starts, asks)
    for name in sorted(wheels):
        if name not in covered:
            starts.append(name)
            covered |= _covered([name], asks)
    return starts


def _covered(starts: Iterable[str], asks: Mapping[str, set[str]]) -> set[str]:
    covered: set[str] = set()
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        if name not in covered:
            covered.add(name)
            waiting += asks.get(name, ())
    return covered


def _extras(wheel: Wheel) -> set[str]:
    """Every extra that the wheel's own requirements mention: in a bare list any of them may have been asked for."""
    found = set()
    for line in wheel.requires:
        marker = Requirement(line).marker
        if marker is not None and "extra" in str(marker):
            found |= {part.strip("\"'") for part in str(marker).split() if part[:1] in "\"'"}
    return found
