"""What is written for other tools, and from what.  Values only."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lamella.config.model import Environment, Settings
    from lamella.manifest import Manifest

# The first line of everything that is written says so: what does not have it is somebody's own, and is left alone
MARK = "Written by `lamella export"


class Place(NamedTuple):
    """Where the main file will lie.  Paths are relative to its folder, with "/", "." for the same folder.

    `project` is the folder of the configuration, `output` the one that was built into.  `inside` is the project's path
    in the repository, "." where it is the repository itself.
    """

    project: str
    output: str
    inside: str


class Source(NamedTuple):
    """All that an emitter may know.  `manifest` is empty for those that need nothing built."""

    settings: Settings
    environment: Environment
    manifest: Manifest
    place: Place


class Text(NamedTuple):
    """One file.  `path` is relative to the folder of the main file; the main file is the first and has ""."""

    path: str
    text: str
