"""What can't be carried out, said before anything is changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from lamella.aws import BusyError
from lamella.cloud.model import FunctionState, Place
from lamella.errors import LamellaError
from lamella.facts.tables import limits
from lamella.rollout.model import FunctionChange, PublishLayer, UpdateCode
from lamella.rollout.planning.layers import identity, identity_here, name_of
from lamella.wording import counted, listed, printable


def refuse(
    place: Place,
    changes: Sequence[tuple[FunctionChange, tuple[str, ...]]],
    publish: Sequence[PublishLayer],
    states: Iterable[FunctionState],
    begun: AbstractSet[str],
) -> None:
    """Raises LamellaError; BusyError where waiting helps.  `changes` come with the layers that they end with.

    `begun` are functions that an earlier deploy left amid a change, which may be under way still.
    """
    _refuse_images([one for one in states if one.package == "Image"])
    observed = [change.observed for change, _ in changes]
    _refuse_states(observed, begun)
    _refuse_layers(place, changes)
    _refuse_large(place, changes, publish)


def _refuse_images(images: Sequence[FunctionState]) -> None:
    if images:
        raise LamellaError(
            f"{listed(one.name for one in images)} {_are(images)} deployed as a container image",
            why=["an image has no layers, and can't be turned into a zip"],
            hint="give the function another name in the configuration, or delete it in AWS and create it anew",
        )


def _refuse_states(observed: Sequence[FunctionState], begun: AbstractSet[str]) -> None:
    moving = [one for one in observed if one.state == "Pending" or one.update == "InProgress"]
    busy = [one for one in moving if one.name not in begun]
    if busy:
        raise BusyError(
            f"{listed(one.name for one in busy)} {_are(busy)} being changed by somebody else right now",
            hint=f"wait: `aws lambda wait function-updated-v2 --function-name {busy[0].name}`, then try again",
        )
    failed = [one for one in observed if one.state == "Failed"]
    if failed:
        raise LamellaError(
            f"{listed(one.name for one in failed)} {_are(failed)} in the state Failed",
            why=[f"`{one.name}`: {printable(one.reason) or 'AWS gives no reason'}" for one in failed],
            hint="mend what AWS names, or delete the function and create it anew",
        )


def _refuse_layers(place: Place, changes: Sequence[tuple[FunctionChange, tuple[str, ...]]]) -> None:
    most = limits().layers
    many = [(change.wanted.name, after) for change, after in changes if len(after) > most]
    why = [f"`{name}`: {', '.join(name_of(arn) for arn in after)}" for name, after in many]
    if why:
        raise LamellaError(
            f"{counted(len(why), 'function')} would have more than {most} layers, which Lambda refuses",
            why=[*why, "layers of other people stay where they are"],
            hint="detach one that is no longer needed, or put two layers together",
        )
    for change, _ in changes:
        one_each = Counter(_identity(place, text) for text in change.wanted.layers)
        twice = {name_of(text) for text in change.wanted.layers if one_each[_identity(place, text)] > 1}
        if twice:
            raise LamellaError(
                f"`{change.wanted.name}` is to have two versions of {listed(twice)}",
                why=["Lambda takes one version of a layer on a function"],
                hint="leave one of them out of `layers`",
            )


def _identity(place: Place, text: str) -> str:
    return identity(text) if text.startswith("arn:") else identity_here(place, text)


def _refuse_large(
    place: Place, changes: Sequence[tuple[FunctionChange, tuple[str, ...]]], publish: Sequence[PublishLayer]
) -> None:
    if place.bucket:
        return
    steps = [one for change, _ in changes for one in change.steps if isinstance(one, UpdateCode) and one.through_s3]
    contents = [step.layer.content for step in publish if step.through_s3] + [step.content for step in steps]
    if contents:
        why = [
            f"`{one.path}` has {one.size:,} bytes, and a request takes {limits().layer_zipped:,}" for one in contents
        ]
        raise LamellaError(
            f"{counted(len(contents), 'zip')} {'is' if len(contents) == 1 else 'are'} too large to go up without S3",
            why=why,
            hint="name a bucket that Lambda's region has: `bucket` in `[tool.lamella.deploy]`",
        )


def _are(states: Sequence[FunctionState]) -> str:
    return "is" if len(states) == 1 else "are"
