"""What can be seen to fail before anything is changed."""

from __future__ import annotations

from lamella.cloud.model import Cloud, Content
from lamella.errors import LamellaError
from lamella.files import sha256_of
from lamella.rollout.model import Plan, UpdateCode
from lamella.rollout.planning.decide import is_large
from lamella.rollout.proof import canary
from lamella.rollout.steps.uploads import key_of
from lamella.wording import counted, listed


def refuse(plan: Plan, cloud: Cloud) -> None:
    """Raises LamellaError for a plan that can't be carried out, and what AWS refuses where it is asked for alarms
    and for the bucket.
    """
    refuse_missing(plan)
    changed = [content.path for content in _contents(plan) if sha256_of(content.path) != content.sha256]
    if changed:
        raise LamellaError(
            f"{listed(changed)} {'is' if len(changed) == 1 else 'are'} not what manifest.json says",
            why=["it was changed, or removed, since it was built"],
            hint="run `lamella build`, and look at the plan again",
        )
    _look_for_bucket(plan, cloud)
    obstacles = canary.obstacles(cloud, plan)
    if obstacles:
        raise LamellaError(
            f"`{obstacles[0].function}` can't be deployed: {obstacles[0].what}",
            why=[*obstacles[0].why, *(f"`{one.function}`: {one.what}" for one in obstacles[1:])],
            hint=obstacles[0].hint or None,
        )


def _look_for_bucket(plan: Plan, cloud: Cloud) -> None:
    """Raises NotThereError, DeniedError and what else the bucket raises, where something is to go through it."""
    content = next((one for one in _contents(plan) if is_large(one.size)), None)
    if content is None or cloud.bucket is None:
        return
    key = key_of(content)
    if cloud.bucket.has(key) is None:  # nor does that tell whether there is such a bucket
        next(iter(cloud.bucket.keys(key)), None)


def refuse_missing(plan: Plan) -> None:
    """Raises LamellaError where functions are wanted that AWS doesn't have."""
    if plan.missing:
        raise LamellaError(
            f"{counted(len(plan.missing), 'function')} {'is' if len(plan.missing) == 1 else 'are'} not in AWS: "
            f"{listed(plan.missing)}",
            why=["lamella changes functions that are there; it makes none"],
            hint="make them as `lamella plan` shows, or as you made the others (Terraform, SAM), then deploy again",
        )


def _contents(plan: Plan) -> list[Content]:
    steps = [step for change in plan.changes for step in change.steps if isinstance(step, UpdateCode)]
    contents = {one.path: one for one in (*(step.layer.content for step in plan.publish), *(s.content for s in steps))}
    return [content for path, content in contents.items() if path]
