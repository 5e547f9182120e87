"""What an artifact holds, as values."""

from __future__ import annotations

from typing import NamedTuple

from lamella.manifest import Artifact


class Licence(NamedTuple):
    """`expression` is SPDX's, canonical; where it is "", `stated` are the author's own words, or nothing."""

    expression: str = ""
    stated: tuple[str, ...] = ()


class Part(NamedTuple):
    """Something inside a distribution that its wheel's own SBOM lists (PEP 770), such as a Rust crate.

    `sbom` is the path of that SBOM in the zip.  `key` is unique in the distribution, `needs` are keys of others.
    `hashes` are (algorithm, hex) pairs in CycloneDX's words.
    """

    key: str
    sbom: str
    type: str
    group: str
    name: str
    version: str
    purl: str
    hashes: tuple[tuple[str, str], ...]
    licence: Licence
    needs: tuple[str, ...]


class Library(NamedTuple):
    """A shared object that auditwheel put beside a distribution (`*.libs/`); `sha256` (hex) of it in the zip."""

    path: str
    sha256: str


class Component(NamedTuple):
    """A distribution in the artifact; `sha256` (hex) is that of the wheel `file`.

    `key` is unique in the artifact, `needs` are keys of other components, `parts_needed` keys of its own parts.
    `metadata` tells whether its METADATA is in the zip: without it, licence and needs are unknown.
    `licence_files` are paths in the zip, `unread` those of SBOMs that are no CycloneDX JSON.
    """

    key: str
    name: str
    version: str
    file: str
    sha256: str
    runtimes: tuple[str, ...]
    metadata: bool
    licence: Licence
    licence_files: tuple[str, ...]
    needs: tuple[str, ...]
    parts: tuple[Part, ...]
    parts_needed: tuple[str, ...]
    libraries: tuple[Library, ...]
    unread: tuple[str, ...]


class Inventory(NamedTuple):
    """What an artifact holds.  `components` are sorted by name; `needs` are keys of those that no other one needs."""

    artifact: Artifact
    components: tuple[Component, ...]
    needs: tuple[str, ...]
