"""Which lock a project has: the configured one, or the first of uv.lock, pylock.toml, requirements.txt."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lamella.errors import LockError
from lamella.toml import load
from lamella.wording import did_you_mean, listed, shown

Dialect = Literal["uv", "pylock", "requirements", "unlocked"]

# PyPA spec: pylock.toml, "File name"
_PYLOCK = re.compile(r"pylock(\.[^.]+)?\.toml")

# Locks of other tools, and the command that turns each into one that is read here
_FOREIGN = {
    "poetry.lock": "`poetry export -f requirements.txt -o requirements.txt` (poetry-plugin-export)",
    "pdm.lock": "`pdm export -f pylock -o pylock.toml`",
    "Pipfile.lock": "`pipenv requirements --hash > requirements.txt`",
    "conda-lock.yml": "a lock of wheels: `uv lock`",
    "pixi.lock": "a lock of wheels: `uv lock`",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A lock: its dialect and its absolute path; for 'unlocked' the path of the pyproject.toml."""

    dialect: Dialect
    path: str


def find(root: str, configured: str | None) -> Found:
    """The lock of the project in the folder `root`; `configured` (relative to it, or absolute) wins.

    Not configured: uv.lock in `root` or in the root of the uv workspace that `root` is a member of, then
    pylock.toml (or a pylock.NAME.toml when it is the only one), then requirements.txt, then a pyproject.toml with a
    `[project]` table, which is 'unlocked'.  Raises LockError with the ways out when there is nothing to read.
    """
    root = os.path.abspath(root)
    if configured is not None:
        return _configured(os.path.normpath(os.path.join(root, configured)), root)
    for folder in (root, workspace(root)):
        if folder is not None and os.path.isfile(os.path.join(folder, "uv.lock")):
            return Found("uv", os.path.join(folder, "uv.lock"))
    pylock = _pylock(root)
    if pylock is not None:
        return Found("pylock", pylock)
    requirements = os.path.join(root, "requirements.txt")
    if os.path.isfile(requirements):
        return Found("requirements", requirements)
    _refuse_foreign(root)
    return _unlocked(root)


def earlier(found: Found, root: str) -> tuple[str, ...]:
    """The absolute paths of locks that would have been found instead of this one, had they been there."""
    names = {"uv": (), "pylock": ("uv.lock",)}.get(found.dialect, ("uv.lock", "pylock.toml"))
    names += ("requirements.txt",) if found.dialect == "unlocked" else ()
    return tuple(os.path.join(root, name) for name in names if os.path.join(root, name) != found.path)


def workspace(root: str) -> str | None:
    """The root of the uv workspace that the project in `root` is a member of, when that is a folder above; or None.

    uv's documentation, "Using workspaces": members are what the globs of `members` match, less those of `exclude`.
    """
    folder = os.path.dirname(root)
    while folder != os.path.dirname(folder):
        table = workspace_table(folder)
        if table:
            return folder if os.path.realpath(root) in members(folder, table) else None
        folder = os.path.dirname(folder)
    return None


def members(folder: str, table: Mapping[str, Any]) -> frozenset[str]:
    """The real paths of a workspace's members; `table` is ``[tool.uv.workspace]`` of the root `folder`."""
    return _glob(folder, table.get("members")) - _glob(folder, table.get("exclude"))


def workspace_table(folder: str) -> Mapping[str, Any]:
    """``[tool.uv.workspace]`` of the pyproject.toml in `folder`, or an empty mapping."""
    pyproject = os.path.join(folder, "pyproject.toml")
    if not os.path.isfile(pyproject):
        return {}
    return _table(_table(_table(toml(pyproject, folder), "tool"), "uv"), "workspace")


def toml(path: str, root: str) -> dict[str, Any]:
    """A TOML file's content.  Raises LockError that names the file as seen from `root`."""
    return load(path, shown(path, root), LockError, hint="correct the file")


def _table(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, Mapping) else {}


def _glob(folder: str, patterns: object) -> frozenset[str]:
    from glob import iglob

    return frozenset(
        os.path.realpath(os.path.join(folder, match))
        for pattern in (patterns if isinstance(patterns, list) else ())
        if isinstance(pattern, str)
        for match in iglob(pattern, root_dir=folder, recursive=True)
    )


def _pylock(root: str) -> str | None:
    try:
        names = sorted(name for name in os.listdir(root) if _PYLOCK.fullmatch(name))
    except OSError as error:
        raise LockError(f"`{root}` can't be read", why=[str(error.strerror)]) from None
    if not names:
        return None
    if "pylock.toml" in names:
        return os.path.join(root, "pylock.toml")
    if len(names) > 1:
        raise LockError(
            "more than one lock to choose from",
            why=[f"found {listed(names)}"],
            hint=f'say which: `lock = "{names[0]}"` in `[tool.lamella]`',
        )
    return os.path.join(root, names[0])


def _configured(path: str, root: str) -> Found:
    name = os.path.basename(path)
    if not os.path.isfile(path):
        raise _missing(path, root)
    if name == "uv.lock":
        return Found("uv", path)
    if _PYLOCK.fullmatch(name):
        return Found("pylock", path)
    if name == "pyproject.toml":
        folder = os.path.dirname(path)
        for place in (folder, workspace(folder)):
            if place is not None and os.path.isfile(os.path.join(place, "uv.lock")):
                return Found("uv", os.path.join(place, "uv.lock"))
        return _unlocked(folder)
    if name in _FOREIGN:
        raise _foreign(name)
    if name.endswith(".toml") or _opens_as_toml_lock(path):
        return _by_content(path, root)
    return Found("requirements", path)


def _missing(path: str, root: str) -> LockError:
    folder, name = os.path.split(path)
    try:
        near = os.listdir(folder)
    except OSError:
        near = []
    ways = {"uv.lock": "run `uv lock`", "pylock.toml": "run `uv export --format pylock.toml -o pylock.toml`"}
    return LockError(
        f"the lock `{shown(path, root)}` doesn't exist",
        why=["`lock` in the configuration names it"],
        hint=ways.get(name) or did_you_mean(name, near) or "create it, or leave `lock` out and the lock is found",
    )


def _opens_as_toml_lock(path: str) -> bool:
    """Whether a file of any name looks like a lock in TOML: requirements have no line such as `version = 1`."""
    try:
        with open(path, "rb") as file:
            return re.search(rb"^(lock-version|version)\s*=[^=]", file.read(65536), re.MULTILINE) is not None
    except OSError as error:
        raise LockError(f"`{shown(path, root=os.getcwd())}` can't be read", why=[str(error.strerror)]) from None


def _by_content(path: str, root: str) -> Found:
    content = toml(path, root)
    if "lock-version" in content and "created-by" in content:
        return Found("pylock", path)
    if "version" in content and "package" in content:
        raise LockError(
            f"`{shown(path, root)}` looks like a uv.lock under another name",
            why=["uv reads its lock under the name `uv.lock` alone"],
            hint="rename it to `uv.lock`, or export it: `uv export --format pylock.toml -o pylock.toml`",
        )
    raise LockError(
        f"`{shown(path, root)}` is no lock",
        why=["it has neither `lock-version` and `created-by` (pylock.toml) nor `version` and `[[package]]` (uv.lock)"],
        hint="name a uv.lock, pylock.toml or requirements.txt",
    )


def _refuse_foreign(root: str) -> None:
    """Locking anew beside another tool's lock would ship versions that nobody tested."""
    for name in _FOREIGN:
        if os.path.isfile(os.path.join(root, name)):
            raise _foreign(name)


def _foreign(name: str) -> LockError:
    return LockError(
        f"`{name}` is a lock that can't be read here",
        why=["uv.lock, pylock.toml and requirements.txt can"],
        hint=f"make one of them: {_FOREIGN[name]}",
    )


def _unlocked(root: str) -> Found:
    pyproject = os.path.join(root, "pyproject.toml")
    ways = "`uv lock` in a project, or `uv pip compile --generate-hashes requirements.in -o requirements.txt`"
    if not os.path.isfile(pyproject):
        raise LockError(
            f"no lock in `{root}`",
            why=["looked for uv.lock, pylock.toml, requirements.txt and pyproject.toml"],
            hint=f"make one: {ways}",
        )
    if not _table(toml(pyproject, root), "project"):
        raise LockError(
            f"no lock in `{root}`",
            why=["its pyproject.toml has no `[project]` table that could be locked"],
            hint=f"add `[project]` with `dependencies`, or make a lock: {ways}",
        )
    return Found("unlocked", pyproject)
