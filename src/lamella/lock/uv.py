"""uv.lock → `Pins`, through ``uv export --format pylock.toml``: uv.lock itself is uv's private format."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace

from packaging.utils import canonicalize_name

from lamella import uv
from lamella.errors import LamellaError, LockError, OfflineError, OutsideError
from lamella.lock import pylock, roots
from lamella.lock.discover import Found, find, members, workspace, workspace_table
from lamella.lock.model import Pins, Selection
from lamella.wording import shown


class ConflictError(LockError):
    """The selection holds extras or groups that the project declares to exclude each other."""


def read(
    found: Found, selection: Selection, *, root: str, locked: bool, offline: bool, python: str | None = None
) -> Pins:
    """The pins of a uv project for the selection; with 'unlocked' the project is locked first.

    Raises LockError with uv's own words; OutsideError or OfflineError when uv couldn't reach an index or repository.
    """
    folder = _folder(found.path, root)
    tables = roots.project(os.path.join(folder, "pyproject.toml"), root)
    roots.check(tables, selection)
    if found.dialect == "unlocked":
        found, notes = _lock_first(found, folder, root, locked=locked, offline=offline, python=python)
    else:
        notes = []
    before = _bytes(found.path)
    try:
        text = _uv(_export(selection, locked=locked), folder, offline=offline, python=python)
    except ConflictError:
        if not selection.everything:
            raise
        selection = replace(selection, project=True, everything=False)
        notes.append(f"extras or groups of `{tables.place}` exclude each other: looked at its own dependencies alone")
        text = _uv(_export(selection, locked=locked), folder, offline=offline, python=python)
    if _bytes(found.path) != before:
        notes.append(f"`{shown(found.path, root)}` was out of date: uv brought it up to date")
    where = shown(found.path, root)
    # uv writes paths relative to the folder that it runs in, symbolic links resolved
    base = os.path.realpath(folder)
    lock = pylock.parse(text.encode(), f"{where} (as uv exports it)")
    extras = tuple(tables.extras or ()) if selection.everything else selection.extras
    groups = tuple(tables.groups) if selection.everything else selection.groups
    return Pins(
        dialect="uv",
        path=found.path,
        pins=pylock.pins(lock, where=where, base=base),
        roots=roots.roots(tables, selection),
        extras=frozenset(canonicalize_name(name) for name in extras),
        groups=frozenset(canonicalize_name(name) for name in groups),
        notes=tuple(notes),
        inputs=_inputs(found.path, folder),
        requires_python=pylock.requires_python(lock),
        environments=tuple(lock.environments or ()),
    )


def _folder(lock: str, root: str) -> str:
    """Where uv runs: `root` when the lock is its own or its workspace's, else beside the lock."""
    beside = os.path.dirname(lock)
    own = os.path.isfile(os.path.join(root, "pyproject.toml")) and beside in {root, workspace(root)}
    if not own and not os.path.isfile(os.path.join(beside, "pyproject.toml")):
        raise LockError(
            f"`{shown(lock, root)}` has no pyproject.toml beside it",
            why=["uv reads a uv.lock together with the project that it locks"],
            hint="name the uv.lock of a project, or export it: `uv export --format pylock.toml -o pylock.toml`",
        )
    return root if own else beside


def _inputs(lock: str, folder: str) -> tuple[str, ...]:
    """What makes uv's answer change beside the lock: the project's tables, its workspace's, and uv's settings."""
    top = os.path.dirname(lock)
    projects = dict.fromkeys([folder, top, *sorted(members(top, workspace_table(top)))])
    inputs = [os.path.join(project, "pyproject.toml") for project in projects]
    return (*filter(os.path.isfile, inputs), os.path.join(top, "uv.toml"))


def _lock_first(
    found: Found, folder: str, root: str, *, locked: bool, offline: bool, python: str | None
) -> tuple[Found, list[str]]:
    name = shown(found.path, root)
    if locked:
        raise LockError(
            f"`{name}` has no lock, but `--locked` was given",
            why=["looked for uv.lock, pylock.toml and requirements.txt"],
            hint="run `uv lock`, or leave out `--locked`",
        )
    _uv(["lock"], folder, offline=offline, python=python)
    made = find(folder, "pyproject.toml")
    if made.dialect != "uv":
        raise LockError(f"uv locked `{name}`, but there is no uv.lock", hint="run `uv lock` and see what it writes")
    return made, [f"locked `{name}` with uv first: wrote {shown(made.path, root)}"]


def _export(selection: Selection, *, locked: bool) -> list[str]:
    arguments = ["export", "--format", "pylock.toml", "--no-emit-project", "--no-default-groups"]
    arguments += ["--locked"] if locked else []
    if selection.everything:
        return [*arguments, "--all-extras", "--all-groups"]
    # Extras hang on the project: its own dependencies come along, and the roots tell them apart
    alone = not selection.project and not selection.extras
    for extra in selection.extras:
        arguments += ["--extra", extra]
    for group in selection.groups:
        arguments += ["--only-group" if alone else "--group", group]
    return arguments


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise LockError(f"`{path}` can't be read", why=[str(error.strerror)]) from None


def _uv(arguments: Sequence[str], folder: str, *, offline: bool, python: str | None) -> str:
    """Run uv with `python`, or with our own interpreter where the project admits it.

    What uv resolves holds for every Python that the project admits, whichever runs.  Left alone, uv starts all that
    it finds on PATH to look at them: a second or more where those are slow shims.
    """
    own = python is None and "UV_PYTHON" not in os.environ
    chosen = sys.executable if own else python
    command = [*arguments, "--quiet"]
    try:
        return uv.run([*command, "--python", chosen] if chosen else command, cwd=folder, offline=offline)
    except uv.UvFailedError as error:
        if not (own and any(_UNFIT in line for line in error.lines)):
            raise failure(arguments[0], error.lines) from None
    try:
        return uv.run(command, cwd=folder, offline=offline)
    except uv.UvFailedError as error:
        raise failure(arguments[0], error.lines) from None


# How uv refuses an interpreter that `requires-python` does not admit
_UNFIT = "incompatible with the project's Python requirement"
# What uv says (0.8 to 0.13) → what to do about it
_HINTS = (
    ("needs to be updated", "run `uv lock`, or leave out `--locked`"),
    ("No interpreter found", "run `uv python install`, or widen `requires-python`"),
    ("unexpected argument", "this uv is too old: run `uv self update`, or `pip install 'lamella[uv]'`"),
    ("invalid value", "this uv is too old: run `uv self update`, or `pip install 'lamella[uv]'`"),
)
_NETWORK = ("Failed to fetch", "error sending request", "client error (", "dns error", "operation timed out")
_PYTHON = "python-build-standalone"  # where uv downloads interpreters from
_OFFLINE = ("network was disabled", "Network connectivity is disabled", "was not found in the cache")


def failure(verb: str, lines: Sequence[str]) -> LamellaError:
    """uv's words as an error of ours: `lines` of its stderr become the reasons, its own hint the hint."""
    text = "\n".join(lines)
    said = [line.strip().removeprefix("error: ") for line in lines if not line.startswith(("hint: ", "warning: "))]
    own = next((line.removeprefix("hint: ") for line in lines if line.startswith("hint: ")), None)
    what = {"lock": "uv can't lock the project", "export": "uv can't export the lock"}[verb]
    if any(word in text for word in _OFFLINE):
        return OfflineError(what, why=said, hint="run once without `--offline`")
    if "incompatible with the declared conflicts" in text:
        return ConflictError(what, why=said, hint="ask for them in separate layers: they exclude each other")
    if _PYTHON in text:
        hint = "install a Python that `requires-python` admits where uv finds it (`uv python list`), or set UV_PYTHON"
        return OutsideError(what, why=["uv found no such Python here and could not download one", *said], hint=hint)
    for word, hint in _HINTS:
        if word in text:
            return LockError(what, why=said, hint=hint)
    if any(word in text for word in _NETWORK):
        return OutsideError(what, why=said, hint="check the network and the index settings, then try again")
    return LockError(what, why=said, hint=own or f"run `uv {verb}` to see it in full")
