"""Sizes against Lambda's limits, from the manifest alone.

The limits and their sources are in the facts: a layer's or function's zip that is sent in the request, and a
function's code with all its layers, unzipped.
"""

from __future__ import annotations

from collections.abc import Iterable

from lamella.checks.model import Contributor, Finding, Severity, SizeVerdict
from lamella.facts.tables import limits
from lamella.manifest import Artifact, FunctionArtifact, LayerArtifact, Manifest

NAME = "size"
# How many of the largest are named when a limit is passed
_NAMED = 10


def sizes(manifest: Manifest) -> tuple[SizeVerdict, ...]:
    """A verdict for each layer's zip, then for each function's code and layers together."""
    layers = {layer.key: layer for layer in manifest.layers}
    return (
        *(_layer(layer) for layer in manifest.layers),
        *(_function(function, layers) for function in manifest.functions),
    )


def too_large(verdicts: Iterable[SizeVerdict]) -> tuple[Finding, ...]:
    """A finding for each verdict that did not pass."""
    return tuple(
        Finding(
            NAME,
            Severity.ERROR,
            verdict.key,
            "",
            f"{verdict.measured} bytes {verdict.unit}, {verdict.measured - verdict.limit} more than Lambda takes",
            "`lamella size` says what takes the space; "
            + ("leave something out, or say `split = true`" if verdict.kind == "layer" else "leave something out"),
        )
        for verdict in verdicts
        if not verdict.passed
    )


def _layer(layer: LayerArtifact) -> SizeVerdict:
    return SizeVerdict(
        kind="layer",
        key=layer.key,
        unit="zipped",
        measured=layer.zipped,
        limit=limits().layer_zipped,
        parts=((layer.key, layer.zipped),),
        unknown=(),
        contributors=_largest(_contributors(layer, zipped=True)),
    )


def _function(function: FunctionArtifact, layers: dict[str, LayerArtifact]) -> SizeVerdict:
    attached = [layers[key] for key in function.layers if key in layers]
    found = _contributors(function, zipped=False)
    for layer in attached:
        found += _contributors(layer, zipped=False)
    return SizeVerdict(
        kind="function",
        key=function.key,
        unit="unzipped",
        measured=function.unzipped + sum(layer.unzipped for layer in attached),
        limit=limits().function_unzipped,
        parts=(("code", function.unzipped), *((layer.key, layer.unzipped) for layer in attached)),
        unknown=tuple(key for key in function.layers if key not in layers),
        contributors=_largest(found),
    )


def _contributors(artifact: Artifact, *, zipped: bool) -> list[Contributor]:
    """The distributions of an artifact, and what is the project's own."""
    rows = [
        Contributor(f"{row.name} {row.version}", artifact.key, row.zipped if zipped else row.unzipped)
        for row in artifact.distributions
    ]
    whole = artifact.zipped if zipped else artifact.unzipped
    own = whole - sum(row.bytes for row in rows)
    if isinstance(artifact, FunctionArtifact) and own > 0:
        rows.append(Contributor("own code", artifact.key, own))
    return rows


def _largest(found: list[Contributor]) -> tuple[Contributor, ...]:
    return tuple(sorted(found, key=lambda row: (-row.bytes, row.name))[:_NAMED])
