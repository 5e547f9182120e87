"""A journal's record as JSON, and how it changes.  Pure."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Collection, Sequence
from typing import Any

from lamella.errors import LamellaError, OutsideError
from lamella.rollout.model import After, Before, Deployment, Intent, Record

SCHEMA = 1
# Deployments that a rollback can go back over
_HISTORY = 10


class NotOursError(OutsideError):
    """What is unfinished there is no longer what this run began: its lock was taken away, and another run came."""


def to_json(record: Record) -> bytes:
    """UTF-8, a line for each function and deployment, so that 1,000 functions are neither long nor wide."""
    tree = {"schema": SCHEMA, **_tree(record)}
    lines = []
    for key, value in tree.items():
        if isinstance(value, list) and value:
            rows = ",\n".join(f"  {_dumped(row)}" for row in value)
            lines.append(f" {_dumped(key)}: [\n{rows}\n ]")
        else:
            lines.append(f" {_dumped(key)}: {_dumped(value)}")
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def from_json(data: bytes, where: str) -> Record:
    """What `to_json` wrote.  Raises LamellaError naming `where` for something else, or what a newer lamella wrote."""
    without = "without it the next deploy goes by what AWS has, and `lamella rollback` by published versions"
    try:
        tree = json.loads(data)
        schema = tree.pop("schema")
        if type(schema) is int and schema > SCHEMA:
            raise LamellaError(
                f"the journal `{where}` was written by a newer lamella",
                why=[f"it has the format {schema}, this lamella reads {SCHEMA}"],
                hint="update lamella; or move the journal away: " + without,
            )
        if schema != SCHEMA:
            raise ValueError(schema)
        return typing.cast(Record, _value(tree, Record))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise LamellaError(
            f"the journal `{where}` is damaged",
            why=["it is not what lamella wrote"],
            hint="move it away, or put back a copy of it: " + without,
        ) from None


def begun(record: Record, intent: Intent) -> Record:
    return record._replace(unfinished=intent)


def amended(record: Record, intent: Intent) -> Record:
    """What was begun, told better.  Raises NotOursError."""
    _check(record, intent.id)
    return record._replace(unfinished=intent)


def finished(record: Record, deployment: Deployment) -> Record:
    """The deployment came to its end; what it set out to do is what there is now.

    Functions of the intent that it is not about stay unfinished.  Raises NotOursError.
    """
    unfinished = _check(record, deployment.id)
    functions = {one.name: one for one in record.functions} | {one.name: one for one in deployment.after}
    history = (deployment, *record.history)[:_HISTORY] if deployment.before else record.history
    left = _left(unfinished, {one.function.name for one in deployment.before})
    return Record(tuple(functions[name] for name in sorted(functions)), left, history)


def returned(record: Record, restored: Sequence[Before], id: str) -> Record:
    """These functions are as they were before the unfinished deploy `id`, or before one that was finished.

    A finished one is told by what it found, RevisionIds included: of it only the other functions are left.  Raises
    NotOursError where another is unfinished.
    """
    gone = {one.function.name for one in restored}
    after = {one.name: one for one in record.functions} | {one.function.name: _as_before(one) for one in restored}
    functions = tuple(after[name] for name in sorted(after))
    unfinished = _left(_check(record, id), gone)
    known = {(one.function, one.kept) for one in restored}  # whatever their aliases were put to
    history = [
        _without(one, {row.function.name for row in one.before if (row.function, row.kept) in known})
        for one in record.history
    ]
    return Record(functions, unfinished, tuple(one for one in history if one is not None))


def kept_keys(record: Record) -> frozenset[str]:
    """The keys of kept code that something in the record still goes back to."""
    befores = [*(record.unfinished.before if record.unfinished else ())]
    befores += [one for deployment in record.history for one in deployment.before]
    return frozenset(one.kept for one in befores if one.kept)


def _check(record: Record, id: str) -> Intent:
    if record.unfinished is None or record.unfinished.id != id:
        raise NotOursError(
            "another run has written to the journal since this one began",
            why=["the lock was taken away, or the journal was: what it holds is left as it is"],
            hint="see what is there with `lamella status`, then deploy again",
        )
    return record.unfinished


def _left(unfinished: Intent, names: Collection[str]) -> Intent | None:
    """What is unfinished of it without these functions."""
    rest = tuple(one for one in unfinished.before if one.function.name not in names)
    meant = tuple(one for one in unfinished.meant if one.name not in names)
    return unfinished._replace(before=rest, meant=meant) if rest else None


def _as_before(before: Before) -> After:
    state, alias = before.function, before.alias
    return After(
        state.name,
        state.code_sha256,
        state.layers,
        state.runtime,
        state.handler,
        state.architecture,
        alias.version if alias else "",
        alias.name if alias else "",
    )


def _without(deployment: Deployment, names: Collection[str]) -> Deployment | None:
    if not names:
        return deployment
    before = tuple(one for one in deployment.before if one.function.name not in names)
    after = tuple(one for one in deployment.after if one.name not in names)
    return deployment._replace(before=before, after=after) if before or after else None


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _tree(value: Any) -> Any:
    if hasattr(value, "_fields"):
        return {name: _tree(one) for name, one in zip(value._fields, value, strict=True)}
    if isinstance(value, tuple):
        return [_tree(one) for one in value]
    return value


def _value(tree: Any, kind: Any) -> Any:
    """The value of the type `kind` that `_tree` made this of.  Raises TypeError, KeyError, ValueError."""
    if isinstance(kind, types.UnionType):
        if tree is None and type(None) in typing.get_args(kind):
            return None
        return _value(tree, next(one for one in typing.get_args(kind) if one is not type(None)))
    if typing.get_origin(kind) is tuple:
        return _tuple(tree, typing.get_args(kind))
    if hasattr(kind, "_fields"):
        hints = _hints(kind)
        unknown = tree.keys() - hints.keys()
        missing = [name for name in hints if name not in tree and name not in kind._field_defaults]
        if unknown or missing:
            raise KeyError(*unknown, *missing)
        return kind(**{name: _value(value, hints[name]) for name, value in tree.items()})
    if kind is float and type(tree) is int:
        return float(tree)
    if type(tree) is not kind:
        raise TypeError(kind)
    return tree


def _tuple(tree: Any, kinds: tuple[Any, ...]) -> tuple[Any, ...]:
    if not isinstance(tree, list):
        raise TypeError(tree)
    if kinds[-1] is Ellipsis:
        return tuple(_value(one, kinds[0]) for one in tree)
    return tuple(_value(one, kind) for one, kind in zip(tree, kinds, strict=True))


_HINTS: dict[Any, dict[str, Any]] = {}


def _hints(kind: Any) -> dict[str, Any]:
    if kind not in _HINTS:
        _HINTS[kind] = typing.get_type_hints(kind)
    return _HINTS[kind]
