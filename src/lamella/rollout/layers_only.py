"""Layers alone: published for whoever attaches them later, with no function looked into, and no journal.

What is published stays, as it does where a deploy fails: nobody meets a version that no function has.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from lamella.cloud.model import Cloud, LayerVersion
from lamella.errors import LamellaError
from lamella.rollout.model import Failure, Observed, Outcome, Plan, PublishLayer, Record, Wanted, WantedFunction
from lamella.rollout.planning.decide import decide
from lamella.rollout.planning.observe import observe
from lamella.rollout.ready import refuse
from lamella.rollout.steps.publish import publish
from lamella.rollout.steps.settle import Chance, Pace
from lamella.rollout.steps.stopping import Stop, StoppableClock, StoppedError, Tell, together
from lamella.rollout.steps.turn import Tools
from lamella.rollout.steps.uploads import Uploads


def plan_layers(cloud: Cloud, wanted: Wanted, users: Sequence[WantedFunction], record: Record) -> Plan:
    """What of the layers is not there yet.  Nothing is changed.  Raises what the ports do.

    A version that one of the `users`, the functions to have them, has already is as good as the newest: so the deploy
    that comes later attaches what this finds.
    """
    meant = wanted._replace(functions=())
    observed = observe(cloud, meant._replace(functions=tuple(users)), record)
    return decide(cloud.place, meant, Observed(observed.layers, ()), Record())


def publish_layers(plan: Plan, cloud: Cloud, tell: Tell, *, stop: Stop | None = None, workers: int = 16) -> Outcome:
    """Publish what `plan_layers` found.  What was published before one failed is in the outcome, and stays.

    `tell` takes a line for each layer, from any thread.  Raises LamellaError where nothing was published yet.
    """
    refuse(plan, cloud)
    stop = stop or Stop()
    tools = Tools(
        cloud._replace(clock=StoppableClock(cloud.clock, stop)), Chance(cloud.clock), Pace(0), Uploads(cloud.bucket)
    )
    made: list[LayerVersion] = []
    left: list[str] = []
    failures: list[Failure] = []

    def one(step: PublishLayer) -> None:
        try:
            found = publish(step, tools)
        except LamellaError as error:
            failures.append(Failure(step.layer.name, error.what, error.why, error.hint or ""))
            raise StoppedError(error.what) from None
        left.extend([found.left] if found.left else [])
        if found.made:
            made.append(found.version)
            with contextlib.suppress(OSError):  # that nobody reads it any more is no reason to stop
                tell(f"published layer `{found.version.name}` version {found.version.version}")

    try:
        together(plan.publish, one, workers, stop)
    except (StoppedError, KeyboardInterrupt) as error:
        if not failures:
            failures.append(Failure("", str(error) or "it was interrupted", (), "run it again: it goes on from there"))
    return Outcome(plan.place, published=tuple(sorted(made)), failures=tuple(failures), remains=tuple(left))
