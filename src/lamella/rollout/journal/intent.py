"""What a deploy sets out to do, and what it would go back to: written before its first change."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence

from lamella.cloud.model import AliasState, FunctionState
from lamella.rollout.model import After, Before, FunctionChange, Intent, Plan, Record, UpdateCode
from lamella.rollout.steps.turn import Core, Trace, core_after, core_of


def intent_of(plan: Plan, record: Record, now: float) -> tuple[Intent, tuple[FunctionChange, ...]]:
    """The intent, and the functions whose code is to be kept before it is changed.

    Functions that an unfinished deploy was about keep what it would have gone back to, the last whole state; but one
    that somebody else changed since is gone back to as they left it.
    """
    unfinished = record.unfinished
    befores = {one.function.name: one for one in unfinished.before} if unfinished else {}
    known = {name: known_cores(record, name) for name in befores}
    keep = []
    for change in plan.changes:
        name = change.wanted.name
        before = befores.get(name) or Before(change.observed, change.wanted.alias, change.alias)
        if name in known:
            before = _since(before, change, known[name])
        befores[name] = before
        if _is_to_be_kept(change, before):
            keep.append(change)
    wanted = plan.wanted
    layers = {layer.name for layer in wanted.layers} | {text for one in wanted.functions for text in one.layers}
    layers |= set(unfinished.layers) if unfinished else set()
    meant = (*(unfinished.meant if unfinished else ()), *_meant(plan, plan.versions))
    rows = tuple(befores[name] for name in sorted(befores))
    return Intent(secrets.token_hex(8), now, _once(meant), rows, tuple(sorted(layers))), tuple(keep)


def with_layers(intent: Intent, plan: Plan, layers: Mapping[str, str]) -> Intent:
    """The intent with the ARNs of layers, by name, that were yet to be published when it was written."""
    before = frozenset(_meant(plan, plan.versions))
    earlier = tuple(one for one in intent.meant if one not in before)
    return intent._replace(meant=_once((*earlier, *_meant(plan, layers.items()))))


def with_kept(intent: Intent, keys: Mapping[str, str]) -> Intent:
    """The intent with the keys of the code that was kept, by function."""
    before = tuple(
        one._replace(kept=keys[one.function.name]) if one.function.name in keys else one for one in intent.before
    )
    return intent._replace(before=before)


def traces_of(plan: Plan, record: Record) -> dict[str, Trace]:
    """An empty trace for each function that changes, and what a killed run left of those that it was about."""
    traces = {change.wanted.name: Trace() for change in plan.changes}
    if record.unfinished is None:
        return traces
    changes = {change.wanted.name: change for change in plan.changes}
    for before in record.unfinished.before:
        name = before.function.name
        change = changes.get(name)
        if change is None:
            traces[name] = Trace(meant_cores(record, name))
            continue
        traces[name].cores.append(core_of(change.observed))
        if change.alias is not None:
            traces[name].aliases.append((change.alias.version, change.alias.weights))
    return traces


def meant_cores(record: Record, name: str) -> tuple[Core, ...]:
    """What deploys that didn't come to their ends may have made of a function."""
    rows = record.unfinished.meant if record.unfinished else ()
    return tuple(core_of(one) for one in rows if one.name == name)


def known_cores(record: Record, name: str) -> tuple[Core, ...]:
    """That, and what it was before them."""
    befores = record.unfinished.before if record.unfinished else ()
    return (*(core_of(one.function) for one in befores if one.function.name == name), *meant_cores(record, name))


def is_ours(core: Core, ours: Collection[Core]) -> bool:
    """Whether each part is as one of `ours` has it: updates come to their ends one by one."""
    return bool(ours) and all(part in parts for part, parts in zip(core, zip(*ours, strict=True), strict=True))


def _meant(plan: Plan, layers: Collection[tuple[str, str]]) -> list[After]:
    arns = dict(layers)
    return [
        After(change.wanted.name, *core_after(change, arns), "", change.wanted.alias) for change in plan.changes
    ]  # fmt: skip


def _once(rows: Sequence[After]) -> tuple[After, ...]:
    return tuple(sorted(set(rows)))


def _since(before: Before, change: FunctionChange, known: Collection[Core]) -> Before:
    """`before`, or what somebody else made of the function, or of its alias, since that was written down."""
    if not is_ours(core_of(change.observed), known):
        before = before._replace(function=change.observed, kept="")
    if change.wanted.alias == before.alias_name and not _is_our_alias(before, change.alias, change.behind, known):
        before = before._replace(alias=change.alias)
    return before


def _is_our_alias(
    before: Before, alias: AliasState | None, behind: FunctionState | None, known: Collection[Core]
) -> bool:  # fmt: skip
    """Whether it is as it was, or points at what a deploy meant."""
    if alias is None or before.alias is None:
        return alias is before.alias or (behind is not None and core_of(behind) in known)
    return alias.version == before.alias.version or (behind is not None and core_of(behind) in known)


def _is_to_be_kept(change: FunctionChange, before: Before) -> bool:
    """Whether nothing else has the code once it is changed: no version, which never changes, behind the alias."""
    if before.kept or change.observed.code_sha256 != before.function.code_sha256:
        return False
    if not any(isinstance(step, UpdateCode) for step in change.steps):
        return False
    alias, behind = before.alias, change.behind
    if alias is None or behind is None or not alias.version.isdecimal() or behind.version != alias.version:
        return True
    return behind.code_sha256 != before.function.code_sha256
