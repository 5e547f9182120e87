"""What a lock says: `Pins`.  Values only."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import NormalizedName
from packaging.version import Version


@dataclass(frozen=True, slots=True)
class LockedFile:
    """One wheel or sdist that a lock offers for a pin.

    `hashes` are ("sha256", "<hex>") pairs, sorted.  `url` is as the lock writes it  (absolute),
    `path` is an absolute local path.  One of the two is set.
    """

    filename: str
    url: str | None = None
    path: str | None = None
    size: int | None = None
    hashes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FromIndex:
    """The distribution comes from an index.

    With `files` the lock lists every file; without, the index is asked and only files whose hash is among
    `hashes` are admissible (all are when that is empty, too: pins alone).
    """

    files: tuple[LockedFile, ...] = ()
    hashes: tuple[tuple[str, str], ...] = ()
    index: str | None = None


@dataclass(frozen=True, slots=True)
class FromFile:
    """A direct reference to one wheel or sdist, by URL or local path."""

    file: LockedFile
    subdirectory: str | None = None


@dataclass(frozen=True, slots=True)
class FromDirectory:
    """A project on this disk (path, editable or workspace member), to be built into a wheel."""

    path: str
    editable: bool = False


@dataclass(frozen=True, slots=True)
class FromGit:
    """A commit of a repository, to be built into a wheel.  `commit` is a full hash."""

    url: str
    commit: str
    subdirectory: str | None = None


Source = FromIndex | FromFile | FromDirectory | FromGit


@dataclass(frozen=True, slots=True)
class Pin:
    """One locked distribution.  `version` is None only where the lock leaves it to the source tree.

    `where` names the place for messages: ``requirements.txt:12`` or ``uv.lock``.  `extras` are those that the lock
    itself writes behind the name (``web[fast]==1.0``), normalized and sorted; most tools leave them out.
    """

    name: NormalizedName
    version: Version | None
    source: Source
    marker: Marker | None = None
    requires_python: str | None = None
    where: str = ""
    extras: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pins:
    """All that a lock pins for one selection, before markers are asked.

    `roots` are the requirements that the selection starts from, or None where the lock doesn't tell
    (a bare requirements file or pylock.toml).  `extras` and `groups` are the selected names, needed to evaluate
    the markers of pylock.toml.  `notes` are sentences for the person (say: "locked pyproject.toml with uv first").
    `inputs` are further files that were read (absolute paths): includes, the pyproject.toml files of a workspace.
    `requires_python` and `environments` are the targets that the lock was made for: a specifier, and markers of
    which one must hold (none: every environment).  `variables` are the names of the environment's variables that
    stand in what is pinned: their values are part of the answer, and may be credentials.
    """

    dialect: str
    path: str
    pins: tuple[Pin, ...]
    roots: tuple[Requirement, ...] | None = None
    extras: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    requires_python: str | None = None
    environments: tuple[Marker, ...] = ()
    variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """What a layer or bundle asks of the lock.

    `project`: the project's own dependencies.  `extras`, `groups`: names from pyproject.toml.
    `everything`: all of these, with every extra and group (used to look for `packages` by name).
    """

    project: bool = True
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    everything: bool = False
