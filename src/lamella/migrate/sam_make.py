"""The target `build-NAME` of a Makefile (`BuildMethod: makefile`): what it installs, and what it copies.

Source: AWS SAM developer guide, "Building Lambda functions with custom runtimes" (read on 2026-11-22).
"""

from __future__ import annotations

import os
from typing import NamedTuple

from lamella.migrate.model import Notes, Place
from lamella.migrate.shell import makefile
from lamella.migrate.steps import Copied, Installed, step
from lamella.migrate.tree import content

MAKEFILE = "Makefile"


class Made(NamedTuple):
    """`requirements` and `source` relative to the project; "" and () where the target has none."""

    requirements: str
    packages: tuple[str, ...]
    source: tuple[str, ...]


def made(root: str, folder: str, name: str, place: Place, notes: Notes) -> Made | None:
    """What the target for the resource `name` makes, whose folder is `folder`.  None without such a target."""
    file = os.path.normpath(os.path.join(folder, MAKEFILE))
    if not os.path.isfile(os.path.join(root, file)):
        notes.open(
            place, f"there is no `{file}` for `BuildMethod: makefile`", "name the folder of the code in `source`"
        )
        return None
    requirements: list[str] = []
    packages: list[str] = []
    source: list[str] = []
    found = False
    for command in makefile(content(root, file), file, folder):
        if command.target != f"build-{name}":
            continue
        found = True
        match step(command):
            case Installed() as one:
                requirements += [path for path in one.requirements if not path.startswith("$")]
                packages += one.packages
            case Copied() as one:
                source += [path for path in one.sources if os.path.isdir(os.path.join(root, path))]
            case _ if command.words[0] not in ("mkdir", "touch", "echo", "true"):
                notes.open(
                    command.place,
                    f"`{' '.join(command.words)[:80]}` of `build-{name}`",
                    "say in `source`, `include` and `drop` what it does",
                )
    if not found:
        notes.open(Place(file), f"it has no target `build-{name}`", "name the folder of the code in `source`")
        return None
    for extra in requirements[1:]:
        notes.open(Place(file), f"`build-{name}` installs `{extra}`, too", "make one lock of both")
    return Made(requirements[0] if requirements else "", tuple(packages), tuple(dict.fromkeys(source)))
