"""An artifact's inventory: the manifest's rows, and what their METADATA in the finished zip says."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from packaging.metadata import RawMetadata, parse_email
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from lamella.manifest import Artifact, Distribution
from lamella.sbom.graph import Node, edges, roots
from lamella.sbom.licences import licence_of
from lamella.sbom.model import Component, Inventory, Library, Licence, Part
from lamella.sbom.parts import read_parts
from lamella.sbom.zipped import Zipped
from lamella.target import Target

# Where importable code lies: a layer's two folders, or a function's root
_SITE = r"(?P<site>python/(?:lib/(?P<runtime>python[\d.]+)/site-packages/)?|)"
_DIST_INFO = re.compile(_SITE + r"(?P<name>[^/]+)-(?P<version>[^/-]+)\.dist-info/(?P<rest>.+)")
_LIBS = re.compile(_SITE + r"(?P<name>[^/]+)\.libs/[^/]+\.so[^/]*")
# Wheels older than PEP 639 have theirs beside METADATA, by these names (as setuptools and wheel take them)
_LICENCE_FILE = re.compile(
    r"licen[cs]es?/.+|license_files/.+|(?:licen[cs]e|copying|notice|authors)[^/]*", re.IGNORECASE
)


class _Info(NamedTuple):
    """A `.dist-info` folder in the zip: `files` by their path below it."""

    name: str
    version: str
    runtime: str | None
    files: dict[str, str]


class _Found(NamedTuple):
    """What the zip holds, by what it belongs to.  `libs` are by (normalized name, runtime or None)."""

    infos: list[_Info]
    libs: dict[tuple[str, str | None], list[str]]


def inventory(artifact: Artifact, folder: str) -> Inventory:
    """What the artifact's zip in `folder` holds.

    Raises UsageError when the zip is not the one that the manifest describes, ArchiveError when it is damaged.
    """
    with Zipped(os.path.join(folder, artifact.file), artifact.sha256) as zipped:
        found = _find(zipped)
        rows = _keyed(artifact.distributions)
        metadata = {key: _metadata(zipped, _info(found.infos, row)) for key, row in rows.items()}
        nodes = [
            Node(key, row.name, row.runtimes, tuple((metadata[key] or {}).get("requires_dist", ())))
            for key, row in rows.items()
        ]
        needs = edges(nodes, _targets(artifact))
        components = tuple(_component(zipped, found, key, row, metadata[key], needs[key]) for key, row in rows.items())
    return Inventory(artifact, components, roots(needs))


def _targets(artifact: Artifact) -> list[Target]:
    """Of every runtime that something is there for, even if not all of a layer is."""
    runtimes = {runtime for row in artifact.distributions for runtime in row.runtimes}
    return [Target.parse(runtime, artifact.architecture) for runtime in sorted(runtimes)]


def _keyed(rows: Sequence[Distribution]) -> dict[str, Distribution]:
    """The rows by a unique key, sorted: name and version, and the wheel where several have these."""
    twins: dict[tuple[str, str], int] = {}
    for row in rows:
        twins[row.name, row.version] = twins.get((row.name, row.version), 0) + 1
    keyed = {
        f"pkg:pypi/{row.name}@{row.version}"
        + (f"?file_name={row.file}" if twins[row.name, row.version] > 1 else ""): row
        for row in rows
    }
    return dict(sorted(keyed.items(), key=lambda item: (item[1].name, item[1].version, item[0])))


def _find(zipped: Zipped) -> _Found:
    infos: dict[tuple[str, str, str], _Info] = {}
    libs: dict[tuple[str, str | None], list[str]] = {}
    for path in zipped.paths:
        if matched := _DIST_INFO.fullmatch(path):
            name, version = canonicalize_name(matched["name"]), matched["version"]
            info = infos.setdefault((matched["site"], name, version), _Info(name, version, matched["runtime"], {}))
            info.files[matched["rest"]] = path
        elif matched := _LIBS.fullmatch(path):
            libs.setdefault((canonicalize_name(matched["name"]), matched["runtime"]), []).append(path)
    return _Found(list(infos.values()), libs)


def _info(infos: Sequence[_Info], row: Distribution) -> _Info | None:
    """The folder of this row: that of its own runtime first."""
    fitting = [
        info
        for info in infos
        if info.name == row.name
        and (info.runtime is None or info.runtime in row.runtimes)
        and _same(info.version, row.version)
    ]
    return max(fitting, key=lambda info: (info.runtime is not None, info.runtime or ""), default=None)


def _same(written: str, version: str) -> bool:
    try:
        return Version(written) == Version(version)
    except InvalidVersion:
        return written == version


def _metadata(zipped: Zipped, info: _Info | None) -> RawMetadata | None:
    path = info.files.get("METADATA") if info else None
    content = zipped.content(path) if path else None
    return None if content is None else parse_email(content)[0]


def _component(
    zipped: Zipped, found: _Found, key: str, row: Distribution, metadata: RawMetadata | None, needs: tuple[str, ...]
) -> Component:
    info = _info(found.infos, row)
    files: Mapping[str, str] = info.files if info else {}
    parts, needed, unread = _parts(zipped, files, row.name)
    libs = [path for runtime in (None, *row.runtimes) for path in found.libs.get((row.name, runtime), ())]
    said = metadata or {}
    return Component(
        key,
        row.name,
        row.version,
        row.file,
        row.sha256,
        row.runtimes,
        metadata is not None,
        licence_of(said.get("license_expression"), said.get("license"), said.get("classifiers", []))
        if metadata
        else Licence(),
        tuple(path for rest, path in files.items() if _LICENCE_FILE.fullmatch(rest)),
        needs,
        parts,
        needed,
        tuple(Library(path, zipped.sha256(path)) for path in libs if not zipped.is_link(path)),
        unread,
    )


def _parts(
    zipped: Zipped, files: Mapping[str, str], name: str
) -> tuple[tuple[Part, ...], tuple[str, ...], tuple[str, ...]]:
    """What the wheel's SBOMs list, which of it the distribution itself needs, and the SBOMs that can't be read."""
    parts: list[Part] = []
    needed: list[str] = []
    unread: list[str] = []
    for rest, path in files.items():
        if not rest.startswith("sboms/"):
            continue
        listed = read_parts(zipped.content(path) or b"", path, name)
        if listed is None:
            unread.append(path)
        else:
            parts += listed.parts
            needed += listed.needed
    return tuple(parts), tuple(needed), tuple(unread)
