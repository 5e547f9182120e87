"""The state of functions and the versions of a layer: as tables, and as JSON."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from lamella.report.plan import place_tree
from lamella.report.sizes import megabytes
from lamella.wording import counted, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lamella.cloud.model import AliasState, FunctionState, Place
    from lamella.report.console import Console
    from lamella.rollout.upkeep.status import FunctionStatus, Status, VersionUse

SCHEMA = 1
# Functions named one by one before they are only counted
_SHOWN = 3


def show(console: Console, status: Status, held: str = "", *, several: bool = False) -> None:
    """A table of functions, then drift and what the journal says.

    `held` is who deploys there right now.  Where it is one of `several` places, what is beside the table says which.
    """
    where = f"{status.place}: " if several else ""
    _head(console, f"{status.place}")
    rows = [_row(one) for one in status.functions]
    console.table(("function", "alias", "version", "layers", "last change"), rows, right=frozenset())
    for one in status.functions:
        for drift in one.drift:
            console.warning(f"{where}`{drift.function}`: {drift.what}")
        for state in (one.latest, one.behind) if one.named.alias else (one.latest,):
            if state is not None:
                _show_trouble(console, state, where)
    if status.unfinished:
        begun = counted(len(status.unfinished.before), "function")
        since = f"a deploy or rollback of {_moment(status.unfinished.started)}"
        if held:
            console.note(f"{where}{since} is under way ({begun}): {held.rstrip(',')}")
        else:
            console.warning(
                f"{where}{since} did not come to its end ({begun}): `lamella deploy` goes on from what is there, "
                "`lamella rollback` goes back"
            )
    if status.last:
        after = counted(len(status.last.after), "function")
        console.say(f"{where}last deploy: {_moment(status.last.finished)}, {after}")


def show_versions(console: Console, place: Place, layer: str, versions: Sequence[VersionUse]) -> None:
    _head(console, f"{printable(layer)} in {place}")
    rows = [
        (
            f"{one.version.version}{' = this build' if one.built else ''}",
            one.version.created[:16].replace("T", " "),
            megabytes(one.version.size),
            one.version.code_sha256,
            ", ".join(one.version.runtimes),
            _several(one.functions),
            printable(one.version.description),
        )
        for one in versions
    ]
    columns = ("version", "created", "size", "CodeSha256", "runtimes", "used by", "description")
    console.table(columns, rows, right=frozenset({2}))


def as_tree(status: Status, held: str = "") -> dict[str, Any]:
    """As JSON has it.  Sizes in bytes, times in seconds since 1970 or as AWS writes them."""
    return {
        "place": place_tree(status.place),
        "functions": [_function(one) for one in status.functions],
        "last_deploy": status.last and {"id": status.last.id, "finished": status.last.finished},
        "unfinished": status.unfinished
        and {
            "id": status.unfinished.id,
            "started": status.unfinished.started,
            "functions": [one.function.name for one in status.unfinished.before],
            "under_way": held.rstrip(",") or None,
        },
    }


def versions_as_tree(place: Place, layer: str, versions: Sequence[VersionUse]) -> dict[str, Any]:
    return {
        "place": place_tree(place),
        "layer": layer,
        "versions": [
            {**one.version._asdict(), "functions": list(one.functions), "built": one.built} for one in versions
        ],
    }


def _head(console: Console, words: str) -> None:
    """Above a table, and where the table goes."""
    if not console.quiet:
        console.data(words)


def _row(one: FunctionStatus) -> tuple[str, ...]:
    if one.latest is None:
        return (one.named.name, one.named.alias or "-", "not there", "", "")
    met = one.met
    if met is None:
        return (one.named.name, f"{one.named.alias} (missing)", "-", "", _when(one.latest))
    layers = ", ".join(_layer(arn, newest) for arn, newest in one.newest)
    return (one.named.name, _alias(one.alias), met.version, layers or "none", _when(met))


def _layer(arn: str, newest: int) -> str:
    name, version = arn.split(":")[6:8]
    return f"{name}:{version}" + (f" (newest {newest})" if newest and version != str(newest) else "")


def _alias(alias: AliasState | None) -> str:
    if alias is None:
        return "-"
    weights = ", ".join(f"{weight:.0%} to {version}" for version, weight in alias.weights)
    return f"{alias.name} ({weights})" if weights else alias.name


def _show_trouble(console: Console, state: FunctionState, where: str) -> None:
    """`where` is the place, to stand before all else, or nothing."""
    which = f"`{state.name}` {state.version}"
    if state.state == "Failed":
        console.warning(f"{where}{which} is in the state Failed: {printable(state.reason) or 'AWS gives no reason'}")
    if state.update == "Failed":
        console.warning(f"{where}the last update of {which} failed: {printable(state.reason) or 'AWS gives no reason'}")
    if state.state == "Pending" or state.update == "InProgress":
        console.note(f"{where}{which} is being changed right now")


def _several(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown


def _when(state: FunctionState) -> str:
    """``2026-11-22 17:29``, in UTC, as AWS says it."""
    return state.modified[:16].replace("T", " ")


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


def _function(one: FunctionStatus) -> dict[str, Any]:
    met, alias = one.met, one.alias
    return {
        "function": one.named.name,
        "key": one.named.key,
        "there": one.latest is not None,
        "alias": {"name": one.named.alias, "version": alias.version, "weights": dict(alias.weights)} if alias else None,
        "version": met and met.version,
        "code_sha256": met and met.code_sha256,
        "runtime": met and met.runtime,
        "architecture": met and met.architecture,
        "modified": met and met.modified,
        "layers": [
            {"arn": arn, "newest": newest or None, "is_newest": arn.endswith(f":{newest}") if newest else None}
            for arn, newest in one.newest
        ],
        "drift": [{"kind": drift.kind, "what": drift.what} for drift in one.drift],
    }
