"""Point an alias somewhere: one write, made safe, and only while it is as it was looked at."""

from __future__ import annotations

from lamella.aws import StaleError
from lamella.cloud.model import AliasState, FunctionState
from lamella.errors import LamellaError
from lamella.rollout.steps.settle import UncertainError, settled
from lamella.rollout.steps.turn import Tools, Trace

Weights = tuple[tuple[str, float], ...]


def point(
    tools: Tools,
    trace: Trace,
    function: FunctionState,
    name: str,
    now: AliasState | None,
    version: str,
    weights: Weights = (),
) -> AliasState:
    """The alias, from `now` (None: it isn't there) to `version` and `weights`.  Nothing is written where it is so.

    That somebody else points it to just there is no obstacle.  Raises StaleError where they point it elsewhere.
    """
    if now is not None and (now.version, now.weights) == (version, weights):
        return now
    lambdas = tools.cloud.lambdas
    meant = (version, weights)

    def write() -> AliasState:
        if now is None:
            return lambdas.create_alias(function.name, name, version)
        return lambdas.update_alias(function.name, name, version=version, weights=weights, revision=now.revision)

    def look() -> AliasState | None:
        found = lambdas.alias(function.name, name)
        if found is not None and (found.version, found.weights) == meant:
            return found
        if (found.revision if found else "") != (now.revision if now else ""):
            raise StaleError(
                f"the alias `{name}` of `{function.name}` was changed by somebody else meanwhile",
                why=[_pointing(found)],
                hint="see what is there now with `lamella plan`, then deploy again",
            )
        return None

    trace.aliases.append(meant)  # from here on it may be so
    try:
        return settled(tools.chance, write, look)
    except UncertainError:
        raise
    except LamellaError as error:
        trace.aliases.remove(meant)
        if isinstance(error, StaleError) and (found := look()) is not None:
            return found
        raise


def _pointing(alias: AliasState | None) -> str:
    if alias is None:
        return "it is no longer there"
    others = ", ".join(f", and {weight:.0%} of it to {version}" for version, weight in alias.weights)
    return f"it points at version {alias.version}{others}"
