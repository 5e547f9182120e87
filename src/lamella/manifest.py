"""`manifest.json`, the contract between the build and everything after it.

Nothing in it depends on the machine or the clock: equal inputs give an equal manifest.  Sizes are in bytes.
`zipped` of a distribution is what its members take in the zip, their records included.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from lamella.errors import LamellaError

NAME = "manifest.json"
SCHEMA = 2

_NUMBERS = frozenset({"zipped", "unzipped", "members"})
_LISTS = frozenset({"runtimes", "modules", "layers"})
_NESTED = frozenset({"distributions", "needs"})


class Distribution(NamedTuple):
    """A distribution inside an artifact.  `sha256` (hex) is that of the wheel `file` that it was copied from.

    `runtimes` names the runtimes it is there for, `modules` what of it can be imported at the top level.
    """

    name: str
    version: str
    file: str
    sha256: str
    runtimes: tuple[str, ...]
    modules: tuple[str, ...]
    zipped: int
    unzipped: int


class LayerArtifact(NamedTuple):
    """A layer's zip.  `code_sha256` is the base64 form that AWS calls CodeSha256.

    `runtimes` are those for which every pin of the layer is in it: what it may claim to be compatible with.
    `part_of` is the key of the layer or function whose distributions were split over several layers; "" for a whole.
    `description` (at most 256 characters) and `licence` (512, that of its distributions) are what it is published with.
    """

    key: str
    name: str
    file: str
    zipped: int
    unzipped: int
    members: int
    sha256: str
    code_sha256: str
    architecture: str
    runtimes: tuple[str, ...]
    part_of: str
    description: str
    licence: str
    distributions: tuple[Distribution, ...]


class FunctionArtifact(NamedTuple):
    """A function's zip; its first fields are those of a layer's.

    `layers` are keys of layers here or ARNs of somebody else's, in order.
    `needs` maps each local layer to the distributions of it that the function's own code imports.
    """

    key: str
    name: str
    file: str
    zipped: int
    unzipped: int
    members: int
    sha256: str
    code_sha256: str
    architecture: str
    runtime: str
    handler: str
    layers: tuple[str, ...]
    needs: tuple[tuple[str, tuple[str, ...]], ...]
    distributions: tuple[Distribution, ...]


Artifact = LayerArtifact | FunctionArtifact


def whole_of(artifact: Artifact) -> str:
    """The key in the configuration that an artifact was built for."""
    return (artifact.part_of if isinstance(artifact, LayerArtifact) else "") or artifact.key


class Manifest(NamedTuple):
    project: str
    layers: tuple[LayerArtifact, ...]
    functions: tuple[FunctionArtifact, ...]

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        return (*self.layers, *self.functions)


def to_json(manifest: Manifest) -> bytes:
    """The manifest as UTF-8 JSON, keys in a fixed order, with a newline at the end."""
    tree = {
        "schema": SCHEMA,
        "project": manifest.project,
        "layers": {layer.key: _without_key(layer) for layer in manifest.layers},
        "functions": {
            function.key: {**_without_key(function), "needs": dict(function.needs)} for function in manifest.functions
        },
    }
    return (json.dumps(tree, indent=2, ensure_ascii=False) + "\n").encode()


def _without_key(artifact: Artifact) -> dict[str, Any]:
    tree = artifact._asdict()
    del tree["key"]
    tree["distributions"] = [row._asdict() for row in artifact.distributions]
    return tree


def from_json(data: bytes, path: str) -> Manifest:
    """Read what `to_json` wrote.  Raises LamellaError naming `path` when it is something else."""
    try:
        tree = json.loads(data)
        if tree["schema"] != SCHEMA:
            raise LamellaError(
                f"`{path}` has the format {tree['schema']}, this lamella reads {SCHEMA}",
                hint="run `lamella build` again",
            )
        return Manifest(
            tree["project"],
            tuple(LayerArtifact(key=key, **_values(fields)) for key, fields in tree["layers"].items()),
            tuple(FunctionArtifact(key=key, **_values(fields)) for key, fields in tree["functions"].items()),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise LamellaError(
            f"`{path}` is no manifest of lamella", why=["it is damaged or was edited"], hint="run `lamella build` again"
        ) from None


def _values(fields: dict[str, Any]) -> dict[str, Any]:
    values = _checked(fields)
    values["distributions"] = tuple(distribution(row) for row in fields["distributions"])
    if "needs" in fields:
        values["needs"] = tuple((layer, tuple(names)) for layer, names in fields["needs"].items())
    return values


def distribution(row: dict[str, Any]) -> Distribution:
    """One row as JSON gives it back.  Raises TypeError, KeyError for something else."""
    return Distribution(**_checked(row))


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields with tuples for lists.  Raises TypeError, KeyError, ValueError for values of another type."""
    values = {}
    for name, value in fields.items():
        if name in _NUMBERS:
            fits = type(value) is int
        elif name in _LISTS:
            fits = isinstance(value, list) and all(isinstance(item, str) for item in value)
        else:
            fits = isinstance(value, str) or name in _NESTED
        if not fits:
            raise TypeError(name)
        values[name] = tuple(value) if name in _LISTS else value
    # A build removes files by this name
    if "/" in fields["file"]:
        raise ValueError(fields["file"])
    return values


def read(folder: str) -> Manifest | None:
    """The manifest of an output folder, or None where there is none.  Raises LamellaError."""
    path = f"{folder}/{NAME}"
    try:
        with open(path, "rb") as file:
            return from_json(file.read(), path)
    except FileNotFoundError:
        return None


def is_ours(folder: str) -> bool:
    """Whether the folder's file of that name was written by some version of lamella."""
    tree = _json(folder)
    return isinstance(tree, dict) and {"schema", "layers", "functions"} <= tree.keys()


def is_foreign(folder: str) -> bool:
    """Whether the folder's file of that name is JSON, and nothing that any version of lamella wrote."""
    return _json(folder) is not None and not is_ours(folder)


def _json(folder: str) -> object:
    """What the file holds; None where there is none, or no JSON."""
    try:
        with open(f"{folder}/{NAME}", "rb") as file:
            tree: object = json.loads(file.read())
            return tree
    except (OSError, ValueError, RecursionError):
        return None
