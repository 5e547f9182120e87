"""Publish layers: each zip once, whoever else does so at the same time."""

from __future__ import annotations

from lamella.aws import NotThereError
from lamella.cloud.model import LayerVersion, NewLayer
from lamella.errors import LamellaError, OutsideError
from lamella.rollout.model import PublishLayer
from lamella.rollout.steps.settle import patient, settled
from lamella.rollout.steps.turn import Tools


def publish(step: PublishLayer, tools: Tools) -> tuple[LayerVersion, bool]:
    """The version with the layer's bytes, and whether it was made here.

    Versions that came since the plan was made are looked at first.  Raises LamellaError, OutsideError.
    """
    there = patient(tools.chance, lambda: _found(step, step.expected - 1, tools))
    if there is not None:
        return there, False
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


def _first(step: PublishLayer, made: LayerVersion, tools: Tools) -> tuple[LayerVersion, bool]:
    """The first of two versions with the same bytes, where somebody else published it in the same moment."""
    if made.version <= step.expected:
        return made, True
    twin = None
    for number in range(step.expected, made.version):
        other = _version(step, number, tools)
        if other is not None and other.code_sha256 == made.code_sha256:
            twin = other
            break
    if twin is None:
        return made, True
    try:  # nobody but this run can have attached it yet
        tools.cloud.lambdas.delete_layer_version(made.name, made.version)
    except LamellaError:
        return made, True
    return twin, False


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
