"""What AWS has that nobody deployed, told by the journal, or by the version behind an alias.  Pure."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from lamella.cloud.model import AliasState, FunctionState
from lamella.rollout.model import After, Drift, Intent, Record
from lamella.rollout.planning.layers import identity, short, version_of
from lamella.wording import printable


class Past(NamedTuple):
    """What was deployed last: each function, and the day of it (``2026-11-22``), as far as the journal has it."""

    functions: Mapping[str, After]
    days: Mapping[str, str]


def past(record: Record) -> Past:
    days: dict[str, str] = {}
    for deployment in reversed(record.history):
        day = time.strftime("%Y-%m-%d", time.gmtime(deployment.finished))
        days |= {one.name: day for one in deployment.after}
    return Past({one.name: one for one in record.functions}, days)


def drift_of(
    state: FunctionState,
    alias: AliasState | None,
    behind: FunctionState | None,
    past: Past,
    ours: AbstractSet[str],
    *,
    read_alias: str,
) -> tuple[Drift, ...]:
    """Drift of one function: `state` is its $LATEST, `behind` the version behind its alias, where that was read.

    `read_alias` is the name of the alias that was read, "" for none.

    Of layers only those of the identities `ours` count: what others attach is theirs.  A function that no deploy from
    here is known of is held against the version behind its alias.
    """
    known = past.functions.get(state.name)
    if known is not None:
        day = past.days.get(state.name)
        when = f"on {day}" if day else "last"
        found = _between(known, state, ours, when, since="")
        if read_alias and read_alias == known.alias and known.version:  # else another one is configured now
            found += _alias(known, alias, when)
        return tuple(Drift(state.name, kind, what) for kind, what in found)
    if behind is None or not behind.version.isdecimal():
        return ()
    since = f" since version {behind.version} was published"
    before = After(
        state.name, behind.code_sha256, behind.layers, behind.runtime, behind.handler, behind.architecture
    )  # fmt: skip
    return tuple(Drift(state.name, kind, what) for kind, what in _between(before, state, ours, "", since=since))


def drift_amid(state: FunctionState, unfinished: Intent, ours: AbstractSet[str]) -> tuple[Drift, ...]:
    """Drift of a function that a deploy was to change which did not come to its end.

    What it found and what it meant are neither, nor is a mixture of both.
    """
    known: list[FunctionState | After] = [one.function for one in unfinished.before if one.function.name == state.name]
    known += [one for one in unfinished.meant if one.name == state.name]
    day = time.strftime("%Y-%m-%d", time.gmtime(unfinished.started))
    why = f"it is neither what the deploy of {day} found, which did not come to its end, nor what that meant"
    found = [
        Drift(state.name, kind, f"{kind} was changed outside: {why}")
        for kind, field in (("code", "code_sha256"), *((one, one) for one in ("runtime", "handler", "architecture")))
        if getattr(state, field) not in {getattr(one, field) for one in known}
    ]
    if _of(state.layers, ours) not in {_of(one.layers, ours) for one in known}:
        found.append(Drift(state.name, "layers", f"layers were changed outside: {why}"))
    return tuple(found)


def _of(layers: Sequence[str], ours: AbstractSet[str]) -> tuple[str, ...]:
    return tuple(arn for arn in layers if identity(arn) in ours)


def _between(
    before: After, now: FunctionState, ours: AbstractSet[str], when: str, *, since: str
) -> list[tuple[str, str]]:
    """Pairs of a kind of drift and a sentence."""
    found = []
    if before.code_sha256 != now.code_sha256:
        what = f"code was changed outside{since}"
        found.append(("code", what if since else f"{what}: it is not what was deployed {when}"))
    found += [("layers", f"{what}{since}") for what in _layers(before.layers, now.layers, ours)]
    for kind in ("runtime", "handler", "architecture"):
        old, new = (printable(getattr(one, kind)) or "none" for one in (before, now))
        if old != new:
            found.append((kind, f"{kind} was changed outside{since}: {old} -> {new}"))
    return found


def _layers(before: Sequence[str], now: Sequence[str], ours: AbstractSet[str]) -> list[str]:
    old = {identity(arn): arn for arn in before if identity(arn) in ours}
    new = {identity(arn): arn for arn in now if identity(arn) in ours}
    lines = []
    for one, arn in old.items():
        if one not in new:
            lines.append(f"layer `{short(arn)}` was detached")
        elif version_of(new[one]) != version_of(arn):
            name = short(arn).split(":")[0]
            lines.append(f"layer `{name}` was exchanged: {version_of(arn)} -> {version_of(new[one])}")
    lines += [f"layer `{short(arn)}` was attached outside" for one, arn in new.items() if one not in old]
    if not lines and list(old) != list(new):
        lines.append("layers were put in another order")
    return lines


def _alias(known: After, alias: AliasState | None, when: str) -> list[tuple[str, str]]:
    if alias is None:
        return [("alias", f"alias `{known.alias}` was deleted")]
    found = []
    if alias.version != known.version:
        what = f"alias `{alias.name}` points at version {alias.version}, not at {known.version}"
        found.append(("alias", f"{what}, which was deployed {when}"))
    if alias.weights:
        others = ", ".join(f"{weight:.0%} of the invocations to version {version}" for version, weight in alias.weights)
        found.append(("alias", f"alias `{alias.name}` sends {others}"))
    return found
