"""One door to all dialects: a lock that was found → `Pins`."""

from __future__ import annotations

import os
from dataclasses import replace

from lamella.errors import LockError
from lamella.lock.discover import Found, earlier
from lamella.lock.model import Pins, Selection


def read(
    found: Found, selection: Selection, *, root: str, locked: bool, offline: bool, python: str | None = None
) -> Pins:
    """What the lock pins for the selection.

    `root` is the project's folder, `locked` forbids to change the lock, `offline` to use the network; `python` is
    the interpreter that uv resolves with (a version or a path; None: uv finds one).
    Raises LockError for a lock that can't be read, is out of date under `locked`, or lacks a name of the selection;
    OutsideError and OfflineError when uv couldn't reach an index.
    """
    root = os.path.abspath(root)
    if not os.path.isfile(found.path):
        raise LockError(f"the lock `{found.path}` doesn't exist", hint="create it again, `uv lock`, say")
    pins = _read(found, selection, root=root, locked=locked, offline=offline, python=python)
    return replace(pins, inputs=(*pins.inputs, *earlier(found, root)))


def _read(found: Found, selection: Selection, *, root: str, locked: bool, offline: bool, python: str | None) -> Pins:
    match found.dialect:
        case "uv" | "unlocked":
            from lamella.lock import uv

            return uv.read(found, selection, root=root, locked=locked, offline=offline, python=python)
        case "pylock":
            from lamella.lock import pylock

            return pylock.read(found.path, selection, root=root)
        case "requirements":
            from lamella.lock import requirements

            return requirements.read(found.path, selection, root=root)
