"""Is every requirement of a function's distributions met by them, or by the runtime?  A pure decision.

Source of the rules: PyPA specifications, "Core metadata" (Requires-Dist), "Dependency specifiers" (markers, extras)
and "Version specifiers".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from lamella.closure.findings import Distribution, Finding, Severity
from lamella.contents.model import BUNDLE, RUNTIME

if TYPE_CHECKING:
    from packaging.requirements import Requirement

# A marker that can only hold with an extra: most lines of large distributions, and half the time of parsing them.
ONLY_WITH_EXTRA = re.compile(r"\bextra\s*==\s*['\"]\w")


class _Held(NamedTuple):
    holder: str
    distribution: Distribution


def unmet(
    function: str,
    distributions: Mapping[str, Sequence[Distribution]],
    environment: Mapping[str, str],
    runtime: Collection[str],
    *,
    unattached: Mapping[str, Collection[str]] | None = None,
    unplaced: Collection[str] = (),
    excluded: Mapping[str, str] | None = None,
    foreign: Sequence[str] = (),
) -> tuple[Finding, ...]:
    """What the distributions of a function lack, or have twice.

    `distributions` maps `layer_holder(key)` and BUNDLE to what they hold; each name must be in one of them only.
    Every Requires-Dist of theirs, under the target's marker `environment` (PEP 508 names) and the extras that are
    asked for, must be met by them or by `runtime` (the names that the runtime ships; their versions vary, so a version
    asked of them is a note).  All come from one lock: a version that doesn't fit was decided there, with uv's
    `override-dependencies` say, and is a note.  What only extras need that may have been asked for is one, too.  For
    the hints: `unattached` maps the keys of other
    layers to their distributions, `unplaced` are pinned but in no layer, `excluded` maps what layers leave out to
    the layer's key.  With `foreign` layers (ARNs) nothing is surely missing.  All names are normalized.
    """
    held: dict[str, list[_Held]] = {}
    for holder, found in distributions.items():
        for distribution in found:
            held.setdefault(distribution.name, []).append(_Held(holder, distribution))
    findings = [_twice(function, name, where) for name, where in held.items() if len(where) > 1]
    hints = _Hints(function, unattached or {}, unplaced, excluded or {})
    places = [*distributions, RUNTIME]
    for (holder, distribution), line, requirement, name, certain in _requirements(held, environment):
        subject = f"`{distribution.name}` {distribution.version}"
        if requirement is None:
            why = f"{subject} has a requirement that can't be read: `{line}`"
            findings.append(Finding(function, Severity.NOTE, distribution.name, why))
            continue
        wish = str(requirement).partition(";")[0].strip()
        if there := held.get(name):
            if not _fits(requirement, there[0].distribution.version):
                has = f"{there[0].holder} has {there[0].distribution.version}"
                why = f"{subject} requires `{wish}`; {has}"
                findings.append(Finding(function, Severity.NOTE, name, f"{why}, as the lock decided"))
        elif name in runtime:
            if requirement.specifier:
                why = f"{subject} requires `{wish}`: it gets the runtime's own, whose version varies"
                findings.append(Finding(function, Severity.NOTE, name, why))
        else:
            why = f"{subject} ({holder}) requires `{wish}`: not in {_listed(places)}"
            severity = Severity.ERROR
            if not certain:
                why += " (for an extra, and the lock doesn't tell whether that is wanted)"
                severity = Severity.NOTE
            if foreign:
                why += f" (`{'`, `'.join(foreign)}` can't be looked into)"
                severity = Severity.NOTE
            findings.append(Finding(function, severity, name, why, hint=hints.missing(name)))
    return tuple(dict.fromkeys(findings))


class _Hints(NamedTuple):
    function: str
    unattached: Mapping[str, Collection[str]]
    unplaced: Collection[str]
    excluded: Mapping[str, str]

    def missing(self, name: str) -> str:
        for key, names in self.unattached.items():
            if name in names:
                return f"add `{key}` to layers of function `{self.function}`"
        if name in self.excluded:
            key = self.excluded[name]
            return f"layer `{key}` excludes it: take `{name}` out of `exclude`, or put it into another layer or bundle"
        if name in self.unplaced:
            return f"put `{name}` into a layer, or into bundle of function `{self.function}`"
        return "add it to the project's dependencies"


def _requirements(
    held: Mapping[str, list[_Held]], environment: Mapping[str, str]
) -> Iterator[tuple[_Held, str, Requirement | None, str, bool]]:
    """Each requirement that counts: its owner, its line, it (None when unreadable), its normalized name, and whether
    it surely counts.

    ``a[x]`` asks for what ``a`` requires under its extra ``x``: that is followed, however deep.
    """
    from packaging.utils import canonicalize_name

    every = [(name, one.distribution) for name, where in held.items() for one in where]
    asked: set[tuple[str, str]] = set()
    for certain in (True, False):
        waiting = [(name, "") for name in held] if certain else []
        for name, distribution in every:
            extras = distribution.extras if certain else distribution.perhaps
            waiting += [(name, canonicalize_name(extra)) for extra in extras]
        while waiting:
            owner, extra = waiting.pop(0)
            if (owner, extra) in asked:
                continue
            asked.add((owner, extra))
            for one, line, requirement in _rows(held.get(owner, ()), extra, environment):
                name = "" if requirement is None else canonicalize_name(requirement.name)
                yield one, line, requirement, name, certain
                waiting += [(name, canonicalize_name(wanted)) for wanted in (requirement.extras if requirement else ())]


def _rows(
    where: Sequence[_Held], extra: str, environment: Mapping[str, str]
) -> Iterator[tuple[_Held, str, Requirement | None]]:
    """What these require under one extra ("": none)."""
    for one in where:
        for line in one.distribution.requires:
            if _never_counts(line, extra):
                continue
            requirement = _parsed(line)
            marker = requirement.marker if requirement is not None else None
            if marker is None or marker.evaluate({**environment, "extra": extra}):
                yield one, line, requirement


def _never_counts(line: str, extra: str) -> bool:
    """Whether `line` is surely without effect under `extra` ("": none), told without parsing it."""
    marker = line.partition(";")[2]
    if extra:
        return "extra" not in marker  # counted already, without extras
    return bool(marker) and " or " not in marker and ONLY_WITH_EXTRA.search(marker) is not None


@lru_cache(maxsize=8192)
def _parsed(line: str) -> Requirement | None:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(line)
    except InvalidRequirement:
        return None


def _fits(requirement: Requirement, version: str) -> bool:
    """A locked pre-release fits: that the lock chose it is reason enough."""
    from packaging.version import InvalidVersion, Version

    try:
        return not requirement.specifier or requirement.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return True  # nothing can be said of it


def _twice(function: str, name: str, where: Sequence[_Held]) -> Finding:
    holders = " and ".join(f"{one.holder} ({one.distribution.version})" for one in where)
    last = where[-1].holder
    out = f"take `{name}` out of bundle" if last == BUNDLE else f'exclude = ["{name}"] in {last}'
    why = f"`{name}` is in {holders}: a function may have it once"
    return Finding(function, Severity.ERROR, name, why, hint=out)


def _listed(names: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
