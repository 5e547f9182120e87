"""What the configuration takes from `[project]`: its name, its range of Pythons, its extras and groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from lamella.config.names import normalized
from lamella.config.section import described
from lamella.errors import ConfigError


class Project(NamedTuple):
    """`name` is normalized.  `file` is pyproject.toml's name for messages.

    `extras` and `groups` are normalized, or None where pyproject.toml isn't the place that tells.
    """

    name: str | None
    requires_python: str | None
    extras: frozenset[str] | None
    groups: frozenset[str] | None
    dependencies: bool
    file: str


class Defaults(NamedTuple):
    """What a layer or function takes from around it: `runtimes` of the project, oldest first, `root` absolute."""

    root: str
    project: Project
    architecture: str
    runtimes: tuple[str, ...]


def project_of(pyproject: Mapping[str, object], file: str) -> Project:
    """The project of a pyproject.toml's tables; of an empty one, a project that tells nothing.

    Raises ConfigError where `[project]` breaks PyPA's specification "pyproject.toml".
    """
    table = pyproject.get("project")
    if table is None:
        return Project(None, None, None, None, False, file)
    if not isinstance(table, dict):
        raise _wrong("project", file, "a table", table)
    name = _text(table, "name", file)
    if name is not None and normalized(name) is None:
        raise ConfigError(
            f"`[project] name` in {file} is no valid name",
            why=(f"found {described(name)}",),
            hint="use ASCII letters and digits, with `.`, `_` or `-` between them",
        )
    dynamic = table.get("dynamic")
    told_elsewhere = dynamic if isinstance(dynamic, list) else []
    return Project(
        name and normalized(name),
        _text(table, "requires-python", file),
        None if "optional-dependencies" in told_elsewhere else _names(table, "optional-dependencies"),
        _names(pyproject, "dependency-groups") | _uv_dev_group(pyproject),
        bool(table.get("dependencies")) or "dependencies" in told_elsewhere,
        file,
    )


def _text(table: Mapping[str, object], key: str, file: str) -> str | None:
    value = table.get(key)
    if value is None or isinstance(value, str):
        return value
    raise _wrong(f"[project] {key}", file, "a string", value)


def _names(table: Mapping[str, object], key: str) -> frozenset[str]:
    below = table.get(key)
    return frozenset(filter(None, map(normalized, below))) if isinstance(below, dict) else frozenset()


def _uv_dev_group(pyproject: Mapping[str, object]) -> frozenset[str]:
    """uv's older spelling of the group `dev`."""
    tool = pyproject.get("tool")
    uv = tool.get("uv") if isinstance(tool, dict) else None
    return frozenset({"dev"}) if isinstance(uv, dict) and "dev-dependencies" in uv else frozenset()


def _wrong(place: str, file: str, expected: str, found: object) -> ConfigError:
    return ConfigError(
        f"`{place}` in {file} must be {expected}", why=(f"found {described(found)}",), hint="correct its type"
    )
