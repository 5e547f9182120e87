"""What users meet now: each function with its alias, its version and its layers.  Reads, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from lamella.cloud.model import AliasState, Cloud, FunctionState, LayerVersion, Place
from lamella.errors import UsageError
from lamella.rollout.model import Deployment, Drift, Intent, Record
from lamella.rollout.planning.drift import drift_of, past
from lamella.rollout.planning.layers import identity, identity_here, name_of, ours
from lamella.rollout.planning.observe import read_aliases, read_functions
from lamella.wording import printable


class Named(NamedTuple):
    """A function of the configuration: its key, its name in AWS, and its alias, "" for none."""

    key: str
    name: str
    alias: str


class FunctionStatus(NamedTuple):
    """`latest` is $LATEST, None where there is no such function; `behind` the version behind the alias.

    `newest` pairs each layer of what users meet (an ARN) with the number of its newest version; 0 for a layer of
    another account or region, whose versions can't be listed.
    """

    named: Named
    latest: FunctionState | None
    alias: AliasState | None
    behind: FunctionState | None
    newest: tuple[tuple[str, int], ...]
    drift: tuple[Drift, ...]

    @property
    def met(self) -> FunctionState | None:
        """What users meet: the version behind the alias, or $LATEST where none is configured."""
        return self.behind if self.named.alias else self.latest


class Status(NamedTuple):
    """Of one place.  `last` is the last deploy that came to its end, `unfinished` one that did not."""

    place: Place
    functions: tuple[FunctionStatus, ...]
    last: Deployment | None
    unfinished: Intent | None


class VersionUse(NamedTuple):
    """A version of a layer.  `functions` are those of the project whose $LATEST has it; `built`: it is this build."""

    version: LayerVersion
    functions: tuple[str, ...]
    built: bool


def status(cloud: Cloud, functions: Sequence[Named], configured: Iterable[str], record: Record) -> Status:
    """The state of these functions.  `configured` are names of layers, and ARNs of other people's layer versions.

    An alias takes two calls, a layer one.  Raises what the ports do.
    """
    latest = {state.name: state for state in read_functions(cloud, [one.name for one in functions])}
    asked = [(latest[one.name], one.alias) for one in functions if one.alias and one.name in latest]
    aliases = {name: (alias, behind) for name, alias, behind in read_aliases(cloud, asked)}
    mine = ours(cloud.place, configured, record)
    begun = frozenset(one.function.name for one in record.unfinished.before) if record.unfinished else frozenset()
    known = past(record)
    rows = []
    for one in sorted(functions, key=lambda one: one.name):
        state = latest.get(one.name)
        alias, behind = aliases.get(one.name, (None, None))
        told = state is not None and one.name not in begun  # half of a deploy is nobody's drift
        drift = drift_of(state, alias, behind, known, mine, read_alias=one.alias) if state and told else ()
        rows.append(FunctionStatus(one, state, alias, behind, (), drift))
    newest = _newest(cloud, [arn for row in rows if row.met for arn in row.met.layers])
    last = record.history[0] if record.history else None
    return Status(cloud.place, tuple(_with_newest(row, newest) for row in rows), last, record.unfinished)


def versions(
    cloud: Cloud, layer: str, functions: Sequence[str], *, limit: int | None, built: str = ""
) -> tuple[VersionUse, ...]:
    """The newest `limit` versions of a layer (a name, or an ARN without the version), None for all, newest first.

    `functions` are names in AWS, `built` is the CodeSha256 of the build, "" for none.  A version takes a call.
    Raises UsageError where there is no version.
    """
    listed = cloud.lambdas.layer_versions(layer, newest=limit)
    if not listed:
        raise UsageError(
            f"there is no layer `{printable(layer)}` in {cloud.place}",
            why=["it was never published there, or all its versions were deleted"],
            hint="look at its name, `--env`, `--region` and `--profile`; `lamella deploy` publishes it",
        )
    states = read_functions(cloud, functions)
    rows = []
    for one in listed:
        whole = cloud.lambdas.layer_version(layer, one.version)
        users = tuple(state.name for state in states if whole.arn in state.layers)
        rows.append(VersionUse(whole, users, bool(built) and whole.code_sha256 == built))
    return tuple(rows)


def _with_newest(row: FunctionStatus, newest: Mapping[str, int]) -> FunctionStatus:
    layers = row.met.layers if row.met else ()
    return row._replace(newest=tuple((arn, newest.get(identity(arn), 0)) for arn in layers))


def _newest(cloud: Cloud, attached: Iterable[str]) -> dict[str, int]:
    """The newest version of each of the layers that are of this account and region."""
    found = {}
    for one, name in sorted({(identity(arn), name_of(arn)) for arn in attached}):
        if one == identity_here(cloud.place, name):
            rows = cloud.lambdas.layer_versions(name, newest=1)
            found[one] = rows[0].version if rows else 0
    return found
