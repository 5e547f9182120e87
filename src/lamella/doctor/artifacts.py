"""A bare zip as the checks know artifacts: what `manifest.json` would say of it, told from the zip itself."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from typing import NamedTuple

from lamella.archive.reader import read
from lamella.build.artifacts import top_modules
from lamella.doctor.model import FUNCTION, LAYER, Guess
from lamella.doctor.names import distribution_of
from lamella.manifest import Artifact, Distribution, FunctionArtifact, LayerArtifact, Manifest
from lamella.sizes.owners import OWN, PROGRAMS
from lamella.sizes.reading import read_pair


class Bare(NamedTuple):
    """A zip on the table: as it lies at `path`, and as one at `laid` that the checks can read.

    `alone` is the one module of a function whose handler nothing tells that can but have it, "" where there are others.
    """

    key: str
    path: str
    laid: str
    guess: Guess
    handler: str = ""
    alone: str = ""


def manifest_of(function: Bare | None, layers: Sequence[Bare]) -> Manifest:
    """A manifest of these zips, the layers attached to the function in their order.  Its files are absolute paths.

    Raises ArchiveError, OSError.
    """
    made = [artifact(layer) for layer in layers]
    listed = tuple(one for one in made if isinstance(one, LayerArtifact))
    if function is None:
        return Manifest("", listed, ())
    own = artifact(function)
    assert isinstance(own, FunctionArtifact)
    return Manifest("", listed, (own._replace(layers=tuple(one.key for one in listed)),))


def artifact(bare: Bare) -> Artifact:
    """What a manifest says of it.  Raises ArchiveError, OSError."""
    guess, path = bare.guess, os.path.abspath(bare.laid)
    members = read(path).members
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    # Sizes are those of the zip as it lies there
    zipped, unzipped = os.path.getsize(bare.path), sum(member.size for member in members)
    rows = distributions(path, guess)
    encoded = base64.b64encode(digest.digest()).decode()
    counted = (zipped, unzipped, len(members), digest.hexdigest(), encoded, guess.architecture)
    if guess.kind == LAYER:
        return LayerArtifact(
            bare.key, bare.key, path, *counted, (guess.runtime,), part_of="", description="", licence="",
            distributions=rows,
        )  # fmt: skip
    return FunctionArtifact(bare.key, bare.key, path, *counted, guess.runtime, bare.handler, (), (), rows)


def distributions(path: str, guess: Guess) -> tuple[Distribution, ...]:
    """What is in the zip at `path`; of a layer also what says nothing of itself, by its module's name, version "".

    Raises ArchiveError, OSError.
    """
    held, _ = read_pair(path, path)
    sites = ("",) if guess.kind == FUNCTION else (f"python/lib/{guess.runtime}/site-packages", "python")
    files: dict[str, list[str]] = {}
    for name, member in held.members.items():
        owner = member.distribution
        if owner not in held.versions and distribution_of(owner) in held.versions:
            owner = distribution_of(owner)
        if owner in (OWN, PROGRAMS) or not any(name.startswith(f"{site}/") or not site for site in sites):
            continue
        if guess.kind == LAYER or owner in held.versions:
            files.setdefault(owner, []).append(name)
    rows = []
    for owner, names in sorted(files.items()):
        modules = top_modules(names, sites)
        if not modules and owner not in held.versions:
            continue
        sizes = [(held.members[name].zipped, held.members[name].unzipped) for name in names]
        zipped, unzipped = (sum(column) for column in zip(*sizes, strict=True))
        version = held.versions.get(owner, "")
        rows.append(Distribution(owner, version, "", "", (guess.runtime,), modules, zipped, unzipped))
    if guess.kind == LAYER and not rows:
        rows = _untold(list(held.members), sites, guess.runtime)
    return tuple(rows)


def _untold(names: Sequence[str], sites: Sequence[str], runtime: str) -> list[Distribution]:
    """A row for each top-level module, where nothing says whose it is."""
    modules = top_modules(names, sites)
    return [Distribution(name.partition(".")[0], "", "", "", (runtime,), (name,), 0, 0) for name in modules]
