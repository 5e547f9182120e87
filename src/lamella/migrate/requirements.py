"""Requirements files: what they name, and whether they are a lock already."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lamella.errors import LockError
from lamella.migrate.model import Notes, Place


class Wanted(NamedTuple):
    """A requirements file: `names` are normalized, in its order.  `unpinned` is why it is no lock, "" where it is."""

    file: str
    names: tuple[str, ...]
    unpinned: str


def read(root: str, file: str, notes: Notes) -> Wanted | None:
    """The requirements file at `file`, relative to `root`.  None, and an item of `notes`, where it can't be read."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    from lamella.lock import requirements
    from lamella.lock.lines import Option, statements
    from lamella.lock.lines import Wanted as Line
    from lamella.lock.model import Selection

    path = os.path.normpath(os.path.join(root, file))
    names: dict[str, None] = {}
    try:
        for statement in statements(path, root=root, environ={}):
            if isinstance(statement, Option):
                continue
            if isinstance(statement, Line) and not statement.constraint:
                try:
                    names.setdefault(canonicalize_name(Requirement(statement.text).name))
                except InvalidRequirement:
                    notes.open(
                        _place(statement.place),
                        f"`{statement.text}` is a file or a folder, not a name",
                        "add its distribution to the layer's `packages` by name",
                    )
    except LockError as error:
        notes.open(Place(file), f"the requirements can't be read: {error.in_one_line}", error.hint or "correct it")
        return None
    try:
        requirements.read(path, Selection(), root=root, environ={})
        unpinned = ""
    except LockError as error:
        unpinned = error.in_one_line
    return Wanted(file, tuple(names), unpinned)


def _place(written: str) -> Place:
    file, _, line = written.rpartition(":")
    return Place(file, int(line)) if line.isdigit() else Place(written)


def compile_command(files: Sequence[str], python: str) -> str:
    """The command that makes one lock, which is found by itself, of these requirements files."""
    version = python.removeprefix("python")
    return f"uv pip compile --universal --python-version {version} {' '.join(files)} --output-file pylock.toml"


def different(files: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(file for file in files if file))
