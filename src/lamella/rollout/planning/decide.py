"""What a deploy would do: a pure function of what is wanted, what was observed, and what the journal says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from lamella.cloud.model import LATEST, AliasState, FunctionState, LayerVersion, Place
from lamella.facts.tables import limits
from lamella.rollout.commands import command
from lamella.rollout.model import (
    Drift,
    FunctionChange,
    Observed,
    Plan,
    ProveVersion,
    PublishLayer,
    PublishVersion,
    Record,
    ShiftAlias,
    Step,
    UpdateCode,
    UpdateConfiguration,
    Wanted,
    WantedFunction,
    WantedLayer,
)
from lamella.rollout.planning.drift import drift_amid, drift_of, past
from lamella.rollout.planning.layers import Attach, identity, identity_here, layer_reasons, layers_after, ours
from lamella.rollout.planning.refuse import refuse
from lamella.wording import printable


class _Layers(NamedTuple):
    """What is known of layers: all that deciding about one function takes.

    `names` maps identities of wanted layers to their names, `versions` names to ARNs of versions with the wanted
    bytes, `same` are the ARNs of all of these, `expected` names to numbers of versions to come.
    """

    names: Mapping[str, str]
    versions: Mapping[str, str]
    same: AbstractSet[str]
    expected: Mapping[str, int]
    ours: AbstractSet[str]


def decide(place: Place, wanted: Wanted, observed: Observed, record: Record) -> Plan:
    """The plan from `observed` to `wanted`.

    Aliases that weren't read are taken to be as they should where nothing else changes: `plan.plan` reads the others.
    Raises LamellaError, BusyError for what can't be carried out.
    """
    looked_at = dict(observed.layers)
    publish = tuple(filter(None, (_publish(layer, looked_at.get(layer.name, ())) for layer in wanted.layers)))
    layers = _layers(place, wanted, looked_at, publish, record)
    states = {state.name: state for state in observed.functions}
    aliases, behind = dict(observed.aliases), dict(observed.behind)
    begun = frozenset(one.function.name for one in record.unfinished.before) if record.unfinished else frozenset()
    known = past(record)
    changes: list[FunctionChange] = []
    drift: list[Drift] = []
    for function in sorted(wanted.functions, key=lambda one: one.name):
        if (state := states.get(function.name)) is None:
            continue
        read = function.name in aliases
        change = _change(
            function, state, aliases.get(function.name), behind.get(function.name), layers,
            read=read, begun=function.name in begun,
        )  # fmt: skip
        if change.steps:
            changes.append(change)
        if record.unfinished is not None and function.name in begun:  # half of a deploy is nobody's drift
            drift += drift_amid(state, record.unfinished, layers.ours)
        else:
            drift += drift_of(
                state, change.alias, change.behind, known, layers.ours, read_alias=function.alias if read else ""
            )
    refuse(place, [(one, _after_of(one)) for one in changes], publish, states.values(), begun)
    changed = {one.wanted.name for one in changes}
    return Plan(
        place=place,
        wanted=wanted,
        publish=publish,
        versions=tuple(sorted(layers.versions.items())),
        changes=tuple(changes),
        unchanged=tuple(sorted(name for name in _names(wanted) if name in states and name not in changed)),
        missing=tuple(sorted(name for name in _names(wanted) if name not in states)),
        drift=tuple(drift),
        notes=_notes(place, wanted, observed, record, changed),
    )


def is_large(size: int) -> bool:
    """Whether a zip of `size` bytes goes through S3 (AWS Lambda quotas: deployment package size, direct upload)."""
    return size > limits().layer_zipped


def _publish(layer: WantedLayer, versions: Sequence[LayerVersion]) -> PublishLayer | None:
    """None where one of the versions has the wanted bytes."""
    if any(version.code_sha256 == layer.content.code_sha256 for version in versions):
        return None
    newest = versions[0].version if versions else 0
    why = f"the newest version, {newest}, has other bytes" if versions else "there is no version yet"
    return PublishLayer(layer, newest + 1, why, is_large(layer.content.size))


def _layers(
    place: Place,
    wanted: Wanted,
    looked_at: Mapping[str, Sequence[LayerVersion]],
    publish: Sequence[PublishLayer],
    record: Record,
) -> _Layers:
    same = {
        layer.name: [one.arn for one in looked_at.get(layer.name, ()) if one.code_sha256 == layer.content.code_sha256]
        for layer in wanted.layers
    }
    configured = [layer for function in wanted.functions for layer in function.layers]
    return _Layers(
        {identity_here(place, layer.name): layer.name for layer in wanted.layers},
        {name: arns[0] for name, arns in same.items() if arns},
        frozenset(arn for arns in same.values() for arn in arns),
        {step.layer.name: step.expected for step in publish},
        ours(place, [*(layer.name for layer in wanted.layers), *configured], record),
    )


def _attach(text: str, attached: Sequence[str], layers: _Layers) -> Attach:
    if text.startswith("arn:"):
        return Attach(identity(text), text)
    one = next((one for one, name in layers.names.items() if name == text), text)
    # An older version with equal bytes is as good: nothing is changed for a number
    equal = [arn for arn in attached if identity(arn) == one and arn in layers.same]
    return Attach(one, equal[0] if equal else layers.versions.get(text, text))


def _change(
    wanted: WantedFunction,
    state: FunctionState,
    alias: AliasState | None,
    behind: FunctionState | None,
    layers: _Layers,
    *,
    read: bool,
    begun: bool,
) -> FunctionChange:
    """What becomes of one function; without steps where nothing does.  `read` says that its alias was read."""
    after = layers_after(state.layers, [_attach(one, state.layers, layers) for one in wanted.layers], layers.ours)
    steps: list[Step] = [*_configuration(wanted, state, after, layers), *_code(wanted, state)]
    if state.update == "Failed" and not steps:  # only an update that succeeds ends that
        reason = f"its last update failed: {printable(state.reason) or 'AWS gives no reason'}; it is sent again"
        same = (state.runtime, state.runtime), (state.handler, state.handler)
        steps.append(UpdateConfiguration(state.layers, after, *same, (reason,)))
    if wanted.alias:
        why = _alias_reason(wanted, after, alias, behind, updated=bool(steps), read=read)
        if why:
            steps += [
                PublishVersion(why),
                ProveVersion(wanted.smoke),
                ShiftAlias(wanted.alias, alias, wanted.canary if alias and alias.version != LATEST else None, why),
            ]
    elif steps or begun:
        steps.append(ProveVersion(wanted.smoke))
    return FunctionChange(wanted, state, alias, behind, tuple(steps))


def _configuration(
    wanted: WantedFunction, state: FunctionState, after: tuple[str, ...], layers: _Layers
) -> tuple[UpdateConfiguration, ...]:
    why = layer_reasons(state.layers, after, layers.names, layers.expected)
    if wanted.runtime != state.runtime:
        why += (f"runtime {state.runtime or 'none'} -> {wanted.runtime}",)
    if wanted.handler != state.handler:
        why += (f"handler {printable(state.handler) or 'none'} -> {wanted.handler}",)
    if not why:
        return ()
    runtime, handler = (state.runtime, wanted.runtime), (state.handler, wanted.handler)
    return (UpdateConfiguration(state.layers, after, runtime, handler, why),)


def _code(wanted: WantedFunction, state: FunctionState) -> tuple[UpdateCode, ...]:
    why: tuple[str, ...] = ()
    if wanted.content.code_sha256 != state.code_sha256:
        why += ("$LATEST has other code than was built",)
    if wanted.architecture != state.architecture:
        why += (f"architecture {state.architecture} -> {wanted.architecture}",)
    if not why:
        return ()
    architecture = (state.architecture, wanted.architecture)
    large = is_large(wanted.content.size)
    return (UpdateCode(wanted.content, state.code_sha256, architecture, why, large),)


def _alias_reason(
    wanted: WantedFunction,
    after: tuple[str, ...],
    alias: AliasState | None,
    behind: FunctionState | None,
    *,
    updated: bool,
    read: bool,
) -> str:
    """Why the alias is to be shifted; "" where it is as it should, or wasn't read and nothing else changes."""
    if alias is None:
        return f"there is no alias `{wanted.alias}`" if read else "$LATEST changes" if updated else ""
    if alias.version == LATEST:
        return f"`{wanted.alias}` points at $LATEST, which anybody may change"
    if updated:
        return f"`{wanted.alias}` points at version {alias.version}"
    different = [] if behind is None else _differences(wanted, after, behind)
    if different:
        return f"`{wanted.alias}` points at version {alias.version}, which has {' and '.join(different)}"
    if alias.weights:
        others = ", ".join(f"{weight:.0%} to version {version}" for version, weight in alias.weights)
        return f"`{wanted.alias}` sends {others}"
    return ""


def _differences(wanted: WantedFunction, after: tuple[str, ...], behind: FunctionState) -> list[str]:
    pairs = {
        "other code": (wanted.content.code_sha256, behind.code_sha256),
        "other layers": (after, behind.layers),
        "another runtime": (wanted.runtime, behind.runtime),
        "another handler": (wanted.handler, behind.handler),
        "another architecture": (wanted.architecture, behind.architecture),
    }
    return [what for what, (meant, there) in pairs.items() if meant != there]


def _after_of(change: FunctionChange) -> tuple[str, ...]:
    """The layers of the function after it."""
    return next((one.after for one in change.steps if isinstance(one, UpdateConfiguration)), change.observed.layers)


def _names(wanted: Wanted) -> list[str]:
    return [function.name for function in wanted.functions]


def _notes(
    place: Place, wanted: Wanted, observed: Observed, record: Record, changed: AbstractSet[str]
) -> tuple[str, ...]:  # fmt: skip
    notes = []
    if record.unfinished:
        wants = _names(wanted)
        strays = [one.function.name for one in record.unfinished.before if one.function.name not in wants]
        if len(strays) < len(record.unfinished.before):
            notes.append(
                "a deploy or rollback before did not come to its end: this deploy goes on from what is there now"
            )
        notes += [
            f"`{name}` was part of a deploy or rollback that did not come to its end, and is no longer configured: it "
            f"is left as it is; {command(place, 'rollback')} puts it back"
            for name in strays
        ]
    notes += _given_up(wanted, record)
    told = {name for name, _ in observed.aliases} | changed
    there = {state.name for state in observed.functions}
    unread = any(one.alias and one.name in there and one.name not in told for one in wanted.functions)
    if record.is_empty and unread:
        notes.append(
            "nothing was deployed from here before, and aliases of functions that don't change weren't read: "
            "`--refresh` reads them"
        )
    return tuple(notes)


def _given_up(wanted: Wanted, record: Record) -> list[str]:
    """Aliases that were deployed and are not configured any more, under their names or at all."""
    configured = {one.name: one.alias for one in wanted.functions}
    return [
        f"alias `{one.alias}` of `{one.name}` stays as it is, at version {one.version} when it was deployed last: "
        "nothing moves it any more"
        for one in record.functions
        if one.alias and one.version and configured.get(one.name, one.alias) != one.alias
    ]
