"""What two zips of one function both bring: in Lambda one of the two is never seen.

Source of the rules: AWS Lambda developer guide, "Layer paths" (layers are unpacked into one /opt, the later over the
earlier; /var/task comes before /opt on sys.path).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lamella.checks.members import below, owner, sites, top
from lamella.checks.model import Contents, Finding, Severity
from lamella.closure.findings import Kind, ModuleIndex
from lamella.closure.modules import index_modules
from lamella.manifest import FunctionArtifact, LayerArtifact

NAME = "overlap"


def overlap(
    function: FunctionArtifact, layers: Sequence[LayerArtifact], zips: Mapping[str, Contents]
) -> tuple[Finding, ...]:
    """What of the local `layers` of a function is hidden by another of them, or by the function's own zip.

    `layers` are in the function's order, `zips` maps keys of artifacts to what they hold.
    """
    found: list[Finding] = []
    for at, later in enumerate(layers):
        for earlier in layers[:at]:
            found += _between(function, earlier, later, zips)
    for layer in layers:
        found += _hidden(function, layer, zips)
    return tuple(found)


def _between(
    function: FunctionArtifact, earlier: LayerArtifact, later: LayerArtifact, zips: Mapping[str, Contents]
) -> Iterator[Finding]:
    """Distributions and files that two layers both have."""
    rows = {row.name: row for row in earlier.distributions if function.runtime in row.runtimes}
    twice = {
        row.name: (rows[row.name].version, row.version)
        for row in later.distributions
        if row.name in rows and function.runtime in row.runtimes
    }
    for name, (one, two) in twice.items():
        reason = f"`{name}` is also in layer `{earlier.key}`; function `{function.key}` has both"
        if one != two:
            reason += f", in the versions {one} and {two}, which mix at /opt"
        severity = Severity.WARNING if one == two else Severity.ERROR
        hint = f'exclude = ["{name}"] in layer `{later.key}`, or attach one of the two layers'
        yield Finding(NAME, severity, later.key, "", reason, hint)
    ours, theirs = zips[later.key].members, zips[earlier.key].members
    folders = sites(later, function.runtime)
    files: dict[tuple[str, bool], list[str]] = {}
    for path in sorted(ours.keys() & theirs.keys()):
        importable = below(path, folders)
        row = owner(importable, later.distributions) if importable is not None else None
        if row is not None and row.name in twice:
            continue
        same = (ours[path].crc, ours[path].size) == (theirs[path].crc, theirs[path].size)
        files.setdefault((top(importable if importable is not None else path), same), []).append(path)
    for (_, same), paths in files.items():
        more = f" and {len(paths) - 1} more are" if len(paths) > 1 else " is"
        state = "the same" if same else f"another one, which layer `{later.key}` overwrites"
        reason = f"`{paths[0]}`{more} in layer `{earlier.key}`, too: {state}"
        severity = Severity.WARNING if same else Severity.ERROR
        hint = "leave it out of one of the two layers"
        yield Finding(NAME, severity, later.key, paths[0], reason, hint)


def _hidden(function: FunctionArtifact, layer: LayerArtifact, zips: Mapping[str, Contents]) -> Iterator[Finding]:
    """What of a layer Python never finds, because /var/task has the name, or the other way round."""
    own, theirs = zips[function.key], zips[layer.key]
    folders = sites(layer, function.runtime)
    ours, others = index_modules(own.members), index_modules(theirs.members, folders)
    names = {name for index in (ours, others) for name in (*index.packages, *index.modules, *index.namespaces)}
    tops = sorted(name for name in names if "." not in name)
    for name in tops:
        one, two = ours.kind(name), others.kind(name)
        if one is None or two is None or one is two is Kind.NAMESPACE:
            continue
        if one is Kind.NAMESPACE:
            reason = f"its `{name}` has no __init__, and layer `{layer.key}` has a `{name}`, which hides it"
            path = next(path for path in own.members if path.startswith(f"{name}/"))
            hint = f"give `{name}` an __init__.py, or rename it"
            yield Finding(NAME, Severity.ERROR, function.key, path, reason, hint)
            continue
        path = _file(name, ours, own)
        twin = next((f"{folder}/{path}" for folder in folders if f"{folder}/{path}" in theirs.members), None)
        same = one is Kind.MODULE and twin is not None and own.members[path].crc == theirs.members[twin].crc
        reason = f"its `{name}` hides the `{name}` of layer `{layer.key}`"
        row = owner(path, function.distributions)
        hint = f"rename `{name}`" if row is None else f"take `{row.name}` out of bundle or out of layer `{layer.key}`"
        yield Finding(NAME, Severity.WARNING if same else Severity.ERROR, function.key, path, reason, hint)


def _file(name: str, index: ModuleIndex, held: Contents) -> str:
    """The member that a top-level module is."""
    start = f"{name}/__init__." if index.kind(name) is Kind.PACKAGE else f"{name}."
    return next(path for path in held.members if path.startswith(start) and path.count("/") == start.count("/"))
