"""Where the configuration stands: lamella.toml or `[tool.lamella]`, here or in the nearest parent."""

from __future__ import annotations

import os
from typing import NamedTuple

from lamella import toml
from lamella.config.section import Section, described
from lamella.errors import ConfigError

OWN = "lamella.toml"
PYPROJECT = "pyproject.toml"


class NoConfigurationError(ConfigError):
    """There is none, here or in any parent."""


class Found(NamedTuple):
    """The configuration's table, and the pyproject.toml beside it (empty when there is none).

    `root` and `file` are absolute paths, `pyproject_shown` is pyproject.toml's name for messages.
    """

    root: str
    file: str
    section: Section
    pyproject: dict[str, object]
    pyproject_shown: str


def find(directory: str) -> Found:
    """The configuration of `directory`, or of its nearest parent that has one.

    Raises ConfigError when there is none, when one directory has two, and when a file on the way is no TOML.
    """
    start = root = os.path.abspath(directory)
    while True:
        found = _in_directory(root, start)
        if found is not None:
            return found
        parent = os.path.dirname(root)
        if parent == root:
            raise NoConfigurationError(
                f"no configuration in `{start}` or its parents",
                why=(f"looked for `{OWN}` and for `[tool.lamella]` in `{PYPROJECT}`",),
                hint="run `lamella init`",
            )
        root = parent


def candidates(directory: str, root: str) -> list[str]:
    """Where a configuration could appear that `find` in `directory` would come upon before or beside the one in `root`.

    All are absolute paths; `root` is `directory` or a parent of it.
    """
    found = []
    folder = os.path.abspath(directory)
    while True:
        found += [os.path.join(folder, OWN), os.path.join(folder, PYPROJECT)]
        parent = os.path.dirname(folder)
        if folder == root or parent == folder:
            return found
        folder = parent


def _in_directory(root: str, start: str) -> Found | None:
    own = load_toml(os.path.join(root, OWN), start)
    beside = shown(os.path.join(root, PYPROJECT), start)
    pyproject = load_toml(os.path.join(root, PYPROJECT), start)
    table = tool_table(pyproject) if pyproject is not None else None
    if own is not None:
        if table is not None:
            raise ConfigError(
                f"two configurations in `{root}`",
                why=(f"`{OWN}`", f"`[tool.lamella]` in `{PYPROJECT}`"),
                hint="keep one of them",
            )
        file = os.path.join(root, OWN)
        return Found(root, file, Section(own, shown(file, start), ()), pyproject or {}, beside)
    if pyproject is None or table is None:
        return None
    file = os.path.join(root, PYPROJECT)
    if not isinstance(table, dict):
        raise ConfigError(
            f"`tool.lamella` in {shown(file, start)} must be a table",
            why=(f"found {described(table)}",),
            hint="write `[tool.lamella]` with its keys below",
        )
    return Found(root, file, Section(table, shown(file, start), ("tool", "lamella")), pyproject, beside)


def tool_table(pyproject: dict[str, object]) -> object:
    """What stands at tool.lamella, or None."""
    tool = pyproject.get("tool")
    return tool.get("lamella") if isinstance(tool, dict) else None


def load_toml(path: str, start: str) -> dict[str, object] | None:
    """The file's tables, or None when there is no such file.  Raises ConfigError with file, line and column."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(
            f"`{shown(path, start)}` can't be read", why=(error.strerror or str(error),), hint="check its permissions"
        ) from None
    return parse_toml(data, shown(path, start))


def parse_toml(data: bytes, file: str) -> dict[str, object]:
    """`data` as TOML.  Raises ConfigError, which calls it `file`."""
    return toml.parse(data, file, ConfigError)


def shown(path: str, start: str) -> str:
    """The path as a person in `start` would write it."""
    return os.path.relpath(path, start)
