"""Which ways of packaging a project has."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from importlib import import_module

from lamella.errors import UsageError
from lamella.migrate.model import Origin, Reading
from lamella.wording import listed

KINDS = ("serverless", "sam", "scripts")


def find(root: str) -> tuple[Origin, ...]:
    """What the folder has, in the order of `KINDS`.  Raises ConfigError for a file that can't be read."""
    from lamella.migrate import sam, scripts, serverless

    found = []
    files = tuple(name for name in serverless.FILES if os.path.isfile(os.path.join(root, name)))
    if files:
        found.append(Origin("serverless", files[:1]))
    templates = sam.templates(root)
    if templates:
        found.append(Origin("sam", templates[:1]))
    written = scripts.files(root, by_sam=bool(templates))
    if written:
        found.append(Origin("scripts", written))
    return tuple(found)


def choose(root: str, kind: str | None) -> Origin:
    """The one that is there, or the one asked for.  Raises UsageError for none, and where several leave it open."""
    found = find(root)
    chosen = [origin for origin in found if kind in (None, origin.kind)]
    if len(chosen) == 1:
        return chosen[0]
    if chosen:
        raise UsageError(
            "the project packages in more than one way",
            why=[f"{origin.kind}: {listed(origin.files)}" for origin in chosen],
            hint=f"say which one is meant: `--from {chosen[0].kind}`",
        )
    if kind is not None and found:
        raise UsageError(
            f"nothing of `{kind}` was found",
            why=[f"there is {origin.kind}: {listed(origin.files)}" for origin in found],
            hint=f"`--from {found[0].kind}`, or leave it out",
        )
    raise UsageError(
        f"nothing in `{os.path.abspath(root)}` says how it is packaged",
        why=[
            "looked for serverless.yml, a SAM template, and commands of pip, zip and aws in scripts, Makefiles and"
            " workflows"
        ],
        hint="change to the project's folder, or start anew: `lamella init`",
    )


def of_file(path: str, kind: str | None) -> tuple[str, Origin]:
    """The project's folder, and what the one file at `path` is.  Raises UsageError, ConfigError.

    A script runs in the folder that one is in, and one from elsewhere in its project's; a template and a
    serverless.yml stand in their project's.
    """
    from lamella.migrate import scripts
    from lamella.migrate.tree import content

    folder, name = os.path.split(os.path.abspath(path))
    root = os.getcwd()
    if os.path.relpath(path).split(os.sep)[0] == os.pardir:
        root = scripts.project(folder)
    here = os.path.relpath(path, root)
    if kind == "scripts" or (kind is None and scripts.files(root, only=here)):
        return root, Origin("scripts", (here,))
    text = content(folder, name)
    if kind == "sam" or (kind is None and "AWS::Serverless" in text):
        return folder, Origin("sam", (name,))
    if kind == "serverless" or (kind is None and re.search(r"(?m)^provider\s*:", text)):
        return folder, Origin("serverless", (name,))
    raise UsageError(
        f"`{path}` does not say how anything is packaged",
        why=["it is no serverless.yml, no SAM template, and has no commands of pip, zip and aws"],
        hint="name the folder of the project, or say what the file is: `--from scripts`",
    )


def read(root: str, origin: Origin) -> Reading:
    """What it says.  Raises ConfigError."""
    reader: Callable[..., Reading] = import_module(f"lamella.migrate.{origin.kind}").read
    return reader(root, *origin.files) if origin.kind != "scripts" else reader(root, origin.files)
