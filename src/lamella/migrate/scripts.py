"""Scripts, Makefiles and workflows that package by pip, zip and aws → what they say, in our words."""

from __future__ import annotations

import os
from typing import NamedTuple

from lamella.errors import ConfigError
from lamella.migrate import scripted
from lamella.migrate.model import Reading
from lamella.migrate.scripted_parts import VERBS
from lamella.migrate.shell import Command, makefile, script, workflow
from lamella.migrate.steps import Aws, Installed, Step, step
from lamella.migrate.tree import content

KIND = "scripts"
_FOLDERS = (".", "scripts", "script", "bin", "ci", "deploy", "tools", "build")
_WORKFLOWS = os.path.join(".github", "workflows")


class Row(NamedTuple):
    """A command and what it does."""

    command: Command
    step: Step


def files(root: str, *, by_sam: bool = False, only: str = "") -> tuple[str, ...]:
    """The files that install into a folder, or deploy; of a Makefile not what `sam build` calls, with `by_sam`.
    `only` is one file to be asked about.

    Raises ConfigError for one that can't be read.
    """
    return tuple(file for file in ([only] if only else _candidates(root)) if _counts(root, file, by_sam=by_sam))


def project(folder: str) -> str:
    """The project's folder of a script in `folder`: the one above scripts/, ci/, or .github/workflows/."""
    for place in (*_FOLDERS[1:], _WORKFLOWS):
        if folder.endswith(os.sep + place):
            return folder.removesuffix(os.sep + place) or os.sep
    return folder


def read(root: str, names: tuple[str, ...]) -> Reading:
    """What the files say, taken together.  Raises ConfigError."""
    return scripted.read(root, names, [row for name in names for row in rows(root, name)])


def rows(root: str, file: str) -> list[Row]:
    """The commands of the file that do something for a package, in its order."""
    text = content(root, file)
    name = os.path.basename(file)
    if file.endswith((".yml", ".yaml")):
        found = workflow(text, file)
    elif name.lower() in ("makefile", "gnumakefile") or name.endswith(".mk"):
        found = makefile(text, file)
    else:
        # A script is called from the project's folder, or goes there by `cd "$(dirname "$0")/.."`
        found = script(text, file)
    return [Row(command, done) for command in found if (done := step(command)) is not None]


def _counts(root: str, file: str, *, by_sam: bool) -> bool:
    try:
        found = rows(root, file)
    except ConfigError:  # a workflow that is no YAML is not what was asked about
        return False
    return any(
        isinstance(row.step, Installed) or (isinstance(row.step, Aws) and row.step.verb in VERBS)
        for row in found
        if not (by_sam and row.command.target.startswith("build-"))
    )


def _candidates(root: str) -> list[str]:
    found = []
    for folder in _FOLDERS:
        for name in _names(root, folder):
            if name.endswith((".sh", ".bash", ".mk")) or name.lower() in ("makefile", "gnumakefile"):
                found.append(os.path.normpath(os.path.join(folder, name)))
    return found + [
        os.path.join(_WORKFLOWS, name) for name in _names(root, _WORKFLOWS) if name.endswith((".yml", ".yaml"))
    ]


def _names(root: str, folder: str) -> list[str]:
    path = os.path.join(root, folder)
    try:
        return sorted(name for name in os.listdir(path) if os.path.isfile(os.path.join(path, name)))
    except OSError:
        return []
