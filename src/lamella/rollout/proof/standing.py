"""Is what users meet what was built, and does it answer?  Any time, whoever deployed it.  Nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from lamella.cloud.model import AliasState, Cloud, FunctionState, Place
from lamella.rollout.commands import command
from lamella.rollout.model import (
    Failure,
    FunctionChange,
    Plan,
    Record,
    ShiftAlias,
    UpdateCode,
    UpdateConfiguration,
    Wanted,
    WantedFunction,
)
from lamella.rollout.planning.decide import decide
from lamella.rollout.planning.observe import observe
from lamella.rollout.proof.smoke import smoke
from lamella.rollout.steps.stopping import Tell, together


class Verified(NamedTuple):
    """One function.  `version` is what users meet, "" where nothing is there.  `proven` are smoke events that passed.

    It holds where `failures` is empty; a function that is not what was built is not invoked.
    """

    name: str
    version: str
    proven: tuple[str, ...]
    failures: tuple[Failure, ...]


class Verdict(NamedTuple):
    """Of one place.  `layers` are failures of layers that no function's own failure tells.

    `alone` are the names of layers that no function of the project has, each with the number of the version that holds
    what was built, "" where none does.
    """

    place: Place
    functions: tuple[Verified, ...]
    layers: tuple[Failure, ...] = ()
    alone: tuple[tuple[str, str], ...] = ()

    @property
    def failures(self) -> tuple[Failure, ...]:
        return (*self.layers, *(failure for one in self.functions for failure in one.failures))


def verify(cloud: Cloud, wanted: Wanted, record: Record, tell: Tell, workers: int = 16) -> Verdict:
    """Compare each function, alias and layer with what was built, and invoke what users meet with its smoke events.

    `tell` takes remarks, from any thread.  Raises what the ports do, and LamellaError where AWS is amid an update.
    """
    observed = observe(cloud, wanted, record, refresh=True)
    plan = decide(cloud.place, wanted, observed, record)
    states = {state.name: state for state in observed.functions}
    aliases, behind = dict(observed.aliases), dict(observed.behind)
    changes = {change.wanted.name: change for change in plan.changes}

    def one(function: WantedFunction) -> Verified:
        met = _met(function, states, aliases, behind)
        version = met.version if met else ""
        whys = _differences(function, plan, changes.get(function.name))
        if whys or met is None:
            hint = f"{command(plan.place, 'plan', '--refresh')} shows what {command(plan.place, 'deploy')} would do"
            return Verified(
                function.name, version, (), (Failure(function.name, "it is not what was built", whys, hint),)
            )
        failures = smoke(cloud, met, function.smoke, tell, standing=True)
        proven = () if failures else tuple(event.event for event in function.smoke)
        return Verified(function.name, version, proven, failures)

    rows = together(sorted(wanted.functions, key=lambda row: row.name), one, workers)
    return Verdict(plan.place, tuple(rows), _missing_layers(plan), _alone(plan))


def _met(
    function: WantedFunction,
    states: Mapping[str, FunctionState],
    aliases: Mapping[str, AliasState | None],
    behind: Mapping[str, FunctionState],
) -> FunctionState | None:
    """The version behind the alias, or $LATEST where none is configured; None where it isn't there."""
    state = states.get(function.name)
    if state is None or not function.alias:
        return state
    return behind.get(function.name) if aliases.get(function.name) is not None else None


def _differences(function: WantedFunction, plan: Plan, change: FunctionChange | None) -> tuple[str, ...]:
    """What is otherwise than it was built, a sentence each."""
    if function.name in plan.missing:
        return ("AWS has no such function",)
    said: list[str] = []
    for step in change.steps if change else ():
        match step:
            case UpdateConfiguration():
                said += [f"$LATEST: a deploy would {why}" if _is_act(why) else f"$LATEST: {why}" for why in step.why]
            case UpdateCode():
                said += step.why
            case ShiftAlias():
                said.append(step.why)
    return tuple(said)


def _is_act(why: str) -> bool:
    return why.startswith(("attach ", "detach ", "put "))


def _alone(plan: Plan) -> tuple[tuple[str, str], ...]:
    attached = {layer for function in plan.wanted.functions for layer in function.layers}
    versions = {name: arn.rpartition(":")[2] for name, arn in plan.versions}
    return tuple(
        (layer.name, versions.get(layer.name, "")) for layer in plan.wanted.layers if layer.name not in attached
    )


def _missing_layers(plan: Plan) -> tuple[Failure, ...]:
    hint = f"{command(plan.place, 'deploy')} publishes it"
    return tuple(
        Failure(step.layer.name, f"no version of the layer has the bytes that were built: {step.why}", (), hint)
        for step in plan.publish
    )
