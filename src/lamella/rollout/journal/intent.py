"""What a deploy sets out to do, and what it would go back to: written before its first change."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping

from lamella.digests import key_of
from lamella.rollout.model import Before, FunctionChange, Intent, Plan, Record, UpdateCode
from lamella.rollout.steps.turn import Trace, core_of

Keep = Callable[[FunctionChange], str]


def intent_of(plan: Plan, record: Record, now: float) -> tuple[Intent, tuple[FunctionChange, ...]]:
    """The intent, and the functions whose code is to be kept before it is changed.

    Functions that an unfinished deploy was about keep what it would have gone back to: the last whole state.
    """
    earlier = {one.function.name: one for one in record.unfinished.before} if record.unfinished else {}
    befores = dict(earlier)
    keep = []
    for change in plan.changes:
        name = change.wanted.name
        before = befores.get(name) or Before(change.observed, change.wanted.alias, change.alias)
        befores[name] = before
        if _is_to_be_kept(change, before):
            keep.append(change)
    wanted = plan.wanted
    digest = key_of(*(one.content.sha256 for one in wanted.layers), *(one.content.sha256 for one in wanted.functions))
    layers = {layer.name for layer in wanted.layers} | {text for one in wanted.functions for text in one.layers}
    layers |= set(record.unfinished.layers) if record.unfinished else set()
    rows = tuple(befores[name] for name in sorted(befores))
    return Intent(secrets.token_hex(8), now, digest, rows, tuple(sorted(layers))), tuple(keep)


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
            traces[name] = Trace(anything=True)
            continue
        traces[name].cores.append(core_of(change.observed))
        if change.alias is not None:
            traces[name].aliases.append((change.alias.version, change.alias.weights))
    return traces


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
