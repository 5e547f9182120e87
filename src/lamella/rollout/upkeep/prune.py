"""Which versions of a layer nothing needs any more.

A deleted layer version keeps working where it is attached, and can never be attached again (AWS Lambda API reference,
DeleteLayerVersion): deleting one that an older release had takes the way back to it.  So all that may still be needed
stays, and where something can't be read, everything does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple, TypeVar

from lamella.aws import DeniedError, NotThereError
from lamella.cloud.model import LATEST, AliasState, Cloud, FunctionState, LayerVersion, Place
from lamella.errors import LamellaError
from lamella.rollout.model import Failure, Record
from lamella.rollout.steps.settle import Chance, settled
from lamella.wording import counted, printable

Tell = Callable[[str], None]
S = TypeVar("S")
T = TypeVar("T")

# As many of AWS's answers are waited for at once
_AT_ONCE = 16


class Kept(NamedTuple):
    """A version that stays, and why."""

    version: LayerVersion
    reasons: tuple[str, ...]


class LayerPrune(NamedTuple):
    """What becomes of the versions of one layer, newest first."""

    name: str
    delete: tuple[LayerVersion, ...]
    keep: tuple[Kept, ...]


class Prune(NamedTuple):
    """What a prune of one place would do.  `unread` is what could not be read: while there is any, all stays."""

    place: Place
    layers: tuple[LayerPrune, ...]
    functions: int = 0
    unread: tuple[Failure, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.delete

    @property
    def delete(self) -> tuple[LayerVersion, ...]:
        return tuple(one for layer in self.layers for one in layer.delete)

    def reason(self, version: LayerVersion) -> str:
        """Why it stays; where it does not, that it is gone already."""
        kept = {one.version.arn: one.reasons for layer in self.layers for one in layer.keep}
        return "; ".join(kept.get(version.arn, ("it is no longer there",)))


class Pruned(NamedTuple):
    """What came of it: ARNs that are gone, and what could not be deleted."""

    place: Place
    deleted: tuple[str, ...]
    failures: tuple[Failure, ...] = ()


class _Uses:
    """Why layer versions, by their ARNs, are needed.  Only those of `asked` are taken note of."""

    def __init__(self, asked: AbstractSet[str]) -> None:
        self.asked = asked
        self.reasons: dict[str, list[str]] = {arn: [] for arn in asked}

    def add(self, arns: Iterable[str], reason: str) -> None:
        for arn in arns:
            if arn in self.asked and reason not in self.reasons[arn]:
                self.reasons[arn].append(reason)


def prune(
    cloud: Cloud, layers: Sequence[str], records: Sequence[Record], keep: int, tell: Tell | None = None
) -> Prune:  # fmt: skip
    """What of these layers (names) can go.

    Kept are the newest `keep` versions, those that any function of the account has in $LATEST, in a version that an
    alias points at (or sends a part to), or in the published version below that, which a rollback without a journal
    goes back to, those that a rollback by one of `records` would attach, and those that are shared.

    Costs a call for every 50 functions, and, where there is anything old, one or more for each function: its versions
    come without their layers' users.  Raises what the ports do for the layers themselves.
    """
    versions = {name: tuple(cloud.lambdas.layer_versions(name)) for name in dict.fromkeys(layers)}
    old = {one.arn: one for rows in versions.values() for one in rows[keep:]}
    uses = _Uses(old.keys())
    for record in records:
        _of_record(uses, record)
    functions, unread = _of_functions(cloud, uses, tell or (lambda _: None)) if old else (0, [])
    unread += _of_others(cloud, uses, [one for arn, one in old.items() if not uses.reasons[arn]])
    rows = tuple(_sorted_out(name, found, keep, uses, bool(unread)) for name, found in versions.items())
    return Prune(cloud.place, rows, functions, tuple(unread))


def _sorted_out(name: str, found: Sequence[LayerVersion], keep: int, uses: _Uses, unread: bool) -> LayerPrune:
    delete, kept = [], []
    for at, one in enumerate(found):
        reasons = uses.reasons.get(one.arn, [])
        if at < keep:
            kept.append(Kept(one, ("the newest" if keep == 1 else f"one of the newest {keep}",)))
        elif reasons:
            kept.append(Kept(one, tuple(reasons)))
        elif unread:
            kept.append(Kept(one, ("it could not be told whether it is needed",)))
        else:
            delete.append(one)
    return LayerPrune(name, tuple(delete), tuple(kept))


def _of_record(uses: _Uses, record: Record) -> None:
    if record.unfinished is not None:
        why = "a deploy that is unfinished has it"
        uses.add(record.unfinished.layers, why)
        for after in record.unfinished.meant:
            uses.add(after.layers, why)
        for before in record.unfinished.before:
            uses.add(before.function.layers, why)
    for after in record.functions:
        uses.add(after.layers, f"`{after.name}` was deployed with it last")
    for deployment in record.history:
        uses.add(deployment.layers, "a deploy in the journal attached it")
        for one in deployment.before:
            uses.add(one.function.layers, f"a rollback of `{one.function.name}` would attach it")
        for after in deployment.after:
            uses.add(after.layers, f"a rollback of `{after.name}` would attach it")


def _of_functions(cloud: Cloud, uses: _Uses, tell: Tell) -> tuple[int, list[Failure]]:
    """How many functions there are, and what could not be read."""
    try:
        functions = list(cloud.lambdas.functions())
    except LamellaError as error:
        return 0, [Failure("", "the functions could not be listed", (error.what, *error.why), error.hint or "")]
    for state in functions:
        uses.add(state.layers, f"`{state.name}` has it")
    left = [arn for arn, reasons in uses.reasons.items() if not reasons]
    if not left:
        return len(functions), []
    tell(f"Reading the versions of {counted(len(functions), 'function')} in {cloud.place}")
    candidates = frozenset(left)

    def read(state: FunctionState) -> tuple[list[FunctionState], Sequence[AliasState]]:
        versions = list(cloud.lambdas.versions(state.name))
        some = any(not candidates.isdisjoint(version.layers) for version in versions)
        return versions, cloud.lambdas.aliases(state.name) if some else ()

    unread = []
    for state, found in _side_by_side(functions, read):
        if isinstance(found, NotThereError):  # it was deleted meanwhile
            continue
        if isinstance(found, LamellaError):
            what = "its versions and aliases could not be read"
            unread.append(Failure(state.name, what, (found.what, *found.why), found.hint or ""))
            continue
        _of_aliases(uses, state.name, *found)
    return len(functions), unread


def _of_aliases(uses: _Uses, function: str, versions: Sequence[FunctionState], aliases: Sequence[AliasState]) -> None:
    by_number = {int(version.version): version for version in versions if version.version.isdecimal()}
    for alias in aliases:
        for version in (alias.version, *(other for other, _ in alias.weights)):
            if version == LATEST or not version.isdecimal():
                continue
            behind = by_number.get(int(version))
            if behind is not None:
                uses.add(behind.layers, f"version {version} of `{function}`, behind `{printable(alias.name)}`, has it")
            lower = [number for number in by_number if number < int(version)]
            if lower:
                why = f"a rollback of `{function}` to version {max(lower)} would attach it"
                uses.add(by_number[max(lower)].layers, why)


def _of_others(cloud: Cloud, uses: _Uses, versions: Sequence[LayerVersion]) -> list[Failure]:
    """Functions of other accounts can't be looked at: what is shared stays."""

    def read(one: LayerVersion) -> list[str]:
        return [row.organization or row.principal for row in cloud.lambdas.permissions(one.name, one.version)]

    unread = []
    for one, found in _side_by_side(versions, read):
        if isinstance(found, NotThereError):
            continue
        if isinstance(found, LamellaError):
            what = f"who may use version {one.version} could not be read"
            unread.append(Failure(one.name, what, (found.what, *found.why), found.hint or ""))
            continue
        for whom in found:
            uses.add([one.arn], f"it is shared with {'everybody' if whom == '*' else printable(whom)}")
    return unread


def _side_by_side(rows: Sequence[S], read: Callable[[S], T]) -> Iterator[tuple[S, T | LamellaError]]:
    """Each with what `read` gave for it, or raised, in order."""

    def caught(row: S) -> T | LamellaError:
        try:
            return read(row)
        except LamellaError as error:
            return error

    if not rows:
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(len(rows), _AT_ONCE), thread_name_prefix="prune") as pool:
        yield from zip(rows, pool.map(caught, rows), strict=True)


def perform(cloud: Cloud, planned: Prune, tell: Tell | None = None) -> Pruned:
    """Delete what `planned` says, oldest first.  A permission that is missing ends it; other failures are collected."""
    deleted: list[str] = []
    failures: list[Failure] = []
    for one in (one for layer in planned.layers for one in reversed(layer.delete)):
        try:
            _delete(cloud, one)
        except LamellaError as error:
            what = f"version {one.version} could not be deleted"
            failures.append(Failure(one.name, what, (error.what, *error.why), error.hint or ""))
            if isinstance(error, DeniedError):
                break
            continue
        deleted.append(one.arn)
        if tell is not None:
            tell(f"Deleted `{one.name}` version {one.version}")
    return Pruned(planned.place, tuple(deleted), tuple(failures))


def _delete(cloud: Cloud, one: LayerVersion) -> None:
    def write() -> bool:
        cloud.lambdas.delete_layer_version(one.name, one.version)
        return True

    def look() -> bool | None:
        try:
            cloud.lambdas.layer_version(one.name, one.version)
        except NotThereError:
            return True
        return None

    settled(Chance(cloud.clock), write, look)
