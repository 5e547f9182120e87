"""The last phase: all aliases to their new versions, those with a canary first by a part of their invocations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lamella.cloud.model import AliasState
from lamella.rollout.model import Failure, ShiftAlias
from lamella.rollout.proof import canary
from lamella.rollout.steps.aliases import point
from lamella.rollout.steps.stopping import Stop, together
from lamella.rollout.steps.turn import Tools, Trace, Turned
from lamella.rollout.undo.restore import Tell


class _Row(NamedTuple):
    turned: Turned
    step: ShiftAlias
    now: AliasState | None

    @property
    def version(self) -> str:
        return self.turned.meant.version


def shift(
    turned: Sequence[Turned], tools: Tools, traces: Mapping[str, Trace], tell: Tell, workers: int, stop: Stop
) -> tuple[tuple[tuple[str, str], ...], tuple[Failure, ...]]:  # fmt: skip
    """Pairs of function and the version that its alias points at now; or what the canaries found.

    Raises StaleError where somebody else shifts an alias, OutsideError, StoppedError.
    """
    rows = [
        _Row(one, step, step.before) for one in turned for step in one.change.steps if isinstance(step, ShiftAlias)
    ]  # fmt: skip

    def weighed(row: _Row) -> _Row:
        if not _has_canary(row):
            return row
        assert row.now is not None
        assert row.step.canary is not None
        weights = ((row.version, row.step.canary.weight),)
        return row._replace(now=_point(row, row.now.version, weights, tools, traces))

    def shifted(row: _Row) -> tuple[str, str]:
        _point(row, row.version, (), tools, traces)
        name = row.turned.meant.name
        tell(f"alias `{row.step.alias}` of `{name}` points at version {row.version}")
        return name, row.version

    watched = [
        canary.Shift(row.turned.meant.name, row.step.alias, row.version, row.step.canary)
        for row in rows
        if row.step.canary is not None and _has_canary(row)
    ]
    if watched:
        rows = together(rows, weighed, workers, stop)
        for one in watched:
            tell(
                f"alias `{one.alias}` of `{one.function}` sends {one.canary.weight:.0%} to version {one.version} for "
                f"{one.canary.minutes:g} min"
            )
        failures = canary.watch(tools.cloud, watched, tell)
        if failures:
            return (), failures
    return tuple(together(rows, shifted, workers, stop)), ()


def _has_canary(row: _Row) -> bool:
    """Whether there is an old version to share invocations with."""
    before = row.step.before
    return (
        row.step.canary is not None
        and before is not None
        and before.version.isdecimal()
        and before.version != row.version
    )


def _point(
    row: _Row, version: str, weights: tuple[tuple[str, float], ...], tools: Tools, traces: Mapping[str, Trace]
) -> AliasState:  # fmt: skip
    name = row.turned.meant.name
    return point(tools, traces[name], row.turned.got, row.step.alias, row.now, version, weights)
