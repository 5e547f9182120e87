"""Which distributions of an artifact need which, by their Requires-Dist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from lamella.target import Target


class Node(NamedTuple):
    """A distribution: its unique `key`, its normalized `name`, and its Requires-Dist lines."""

    key: str
    name: str
    runtimes: tuple[str, ...]
    requires: tuple[str, ...]


def edges(nodes: Sequence[Node], targets: Sequence[Target]) -> dict[str, tuple[str, ...]]:
    """Keys to the keys that they need, sorted; what is not in the artifact is left out.

    A line counts where its marker holds on one of the targets, without extras or with one that another line asks for.
    """
    found: dict[str, set[str]] = {node.key: set() for node in nodes}
    parsed = {node.key: [one for line in node.requires if (one := _parsed(line)) is not None] for node in nodes}
    for target in targets:
        here = {node.name: node.key for node in nodes if target.runtime in node.runtimes}
        environment = target.environment()
        waiting = [(name, "") for name in sorted(here)]
        asked = set(waiting)
        while waiting:
            name, extra = waiting.pop()
            for requirement in parsed[here[name]]:
                needed = canonicalize_name(requirement.name)
                if needed not in here or not _holds(requirement, environment, extra):
                    continue
                if needed != name:
                    found[here[name]].add(here[needed])
                wanted = {(needed, canonicalize_name(one)) for one in requirement.extras} - asked
                asked |= wanted
                waiting += sorted(wanted)
    return {key: tuple(sorted(keys)) for key, keys in found.items()}


def roots(needs: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The keys from which all others are reached: those that nobody needs, and one of each ring that is left."""
    needed = {key for keys in needs.values() for key in keys}
    first = sorted(needs.keys() - needed)
    reached: set[str] = set()
    found = []
    for key in [*first, *sorted(needed)]:
        if key in reached:
            continue
        found.append(key)
        waiting = [key]
        while waiting:
            at = waiting.pop()
            if at not in reached:
                reached.add(at)
                waiting += needs.get(at, ())
    return tuple(sorted(found))


def _holds(requirement: Requirement, environment: Mapping[str, str], extra: str) -> bool:
    marker = requirement.marker
    return marker is None or marker.evaluate({**environment, "extra": extra})


def _parsed(line: str) -> Requirement | None:
    try:
        return Requirement(line)
    except InvalidRequirement:
        return None  # `lamella check` tells of it
