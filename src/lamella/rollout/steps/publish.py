"""Publish layers: each zip once, whoever else does so at the same time."""

from __future__ import annotations

from typing import NamedTuple

from lamella.aws import NotThereError
from lamella.cloud.model import LayerVersion, NewLayer
from lamella.errors import LamellaError, OutsideError
from lamella.rollout.model import PublishLayer
from lamella.rollout.steps.settle import patient, settled
from lamella.rollout.steps.turn import Tools


class Published(NamedTuple):
    """The version with the layer's bytes, and whether it was `made` here.  `left` says in words what else is there."""

    version: LayerVersion
    made: bool
    left: str = ""


def publish(step: PublishLayer, tools: Tools) -> Published:
    """The one version that all are to have.

    Versions that came since the plan was made are looked at first.  Raises LamellaError, OutsideError.
    """
    there = patient(tools.chance, lambda: _found(step, step.expected - 1, tools))
    if there is not None:
        return Published(there, made=False)
    layer = step.layer
    new = NewLayer(
        layer.name,
        tools.uploads.sendable(layer.content),
        layer.runtimes,
        (layer.architecture,),
        layer.description,
        layer.licence,
    )
    made = settled(
        tools.chance, lambda: tools.cloud.lambdas.publish_layer(new), lambda: _found(step, step.expected - 1, tools)
    )
    if made.code_sha256 != layer.content.code_sha256:
        raise OutsideError(
            f"AWS took other bytes for `{layer.name}` than were built",
            why=[f"the CodeSha256 of version {made.version} is `{made.code_sha256}`"],
            hint=f"`{layer.content.path}` was changed meanwhile: run `lamella build`, then deploy again",
        )
    return _first(step, made, tools)


def _first(step: PublishLayer, made: LayerVersion, tools: Tools) -> Published:
    """The first of two versions with the same bytes, where somebody else published it in the same moment."""
    for number in range(step.expected, made.version):
        other = _version(step, number, tools)
        if other is not None and other.code_sha256 == made.code_sha256:
            return Published(other, made=False, left=_deleted(made, other, tools))
    return Published(made, made=True)


def _deleted(made: LayerVersion, twin: LayerVersion, tools: Tools) -> str:
    """Delete what nobody but this run can have attached yet.  "" where it is gone, else what is to be said of it."""

    def there() -> bool:
        try:
            tools.cloud.lambdas.layer_version(made.name, made.version)
        except NotThereError:
            return False
        return True

    def write() -> bool:
        tools.cloud.lambdas.delete_layer_version(made.name, made.version)
        return True

    try:
        settled(tools.chance, write, lambda: None if there() else True)
    except NotThereError:
        return ""
    except LamellaError as error:
        return (
            f"version {made.version} of the layer `{made.name}` is the same as version {twin.version}, which is used, "
            f"and could not be deleted: {error.in_one_line}; it does no harm, and `lamella prune` deletes it"
        )
    return ""


def _found(step: PublishLayer, known: int, tools: Tools) -> LayerVersion | None:
    """A version above `known` with the layer's bytes."""
    newest = next(iter(tools.cloud.lambdas.layer_versions(step.layer.name, newest=1)), None)
    if newest is None:
        return None
    for number in range(newest.version, known, -1):
        version = _version(step, number, tools)
        if version is not None and version.code_sha256 == step.layer.content.code_sha256:
            return version
    return None


def _version(step: PublishLayer, number: int, tools: Tools) -> LayerVersion | None:
    try:
        return patient(tools.chance, lambda: tools.cloud.lambdas.layer_version(step.layer.name, number))
    except NotThereError:
        return None
