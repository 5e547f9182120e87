"""The configuration files of uv and pip, found and laid over each other as the two do it.

Sources: uv's "configuration files" page, pip's "configuration" page.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from lamella.errors import ConfigError
from lamella.index.places import checked
from lamella.toml import load

TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})


class Layer(NamedTuple):
    """uv's settings in one file; relative paths in them start from its folder."""

    table: dict[str, Any]
    file: str

    @property
    def base(self) -> str:
        return os.path.dirname(self.file)


class Layers:
    """uv's tables, the strongest first."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = layers

    def one(self, key: str) -> str | None:
        """The strongest table's value as text, or None where there is none or it is false."""
        found = next((layer.table[key] for layer in self.layers if key in layer.table), None)
        return str(found) if found else None

    def all(self, key: str) -> list[str]:
        """The values of all tables, as uv joins lists."""
        return [str(item) for layer in self.layers for item in items(layer.table.get(key))]

    def located(self, key: str) -> list[str]:
        """As `all`, for URLs and paths.  Raises ConfigError for one that can't be asked."""
        return [
            located(str(item), layer.base, layer.file) for layer in self.layers for item in items(layer.table.get(key))
        ]

    def file_of(self, key: str) -> str:
        """The file whose value `one` gives."""
        return next((layer.file for layer in self.layers if key in layer.table), "")


class PipOptions(NamedTuple):
    """pip's options by their long names, such as ``extra-index-url``; `sources` are variables and files."""

    values: Mapping[str, str]
    sources: Mapping[str, str]

    def get(self, name: str) -> str | None:
        return self.values.get(name)

    def located(self, name: str, base: str) -> list[str]:
        """URLs and paths of an option that takes several.  Raises ConfigError for one that can't be asked."""
        return [located(word, base, self.sources[name]) for word in self.values.get(name, "").split()]


def uv_layers(root: str, environ: Mapping[str, str], *, config_home: str, etc: str) -> Layers:
    """What uv would read in the folder `root`: the project's or its workspace's settings, the user's, the system's.

    Raises ConfigError for a uv.toml that can't be read.
    """
    if path := environ.get("UV_CONFIG_FILE"):
        path = os.path.join(root, path)
        return Layers([Layer(_toml(path), path)])
    if environ.get("UV_NO_CONFIG", "").lower() in TRUE:
        return Layers([])
    found = [_uv_project(os.path.abspath(root))]
    files = [os.path.join(folder, "uv", "uv.toml") for folder in (config_home, etc)]
    found += [Layer(_toml(path), path) for path in files if os.path.isfile(path)]
    return Layers(found)


def _uv_project(root: str) -> Layer:
    """The nearest settings at or above `root`; those of the workspace when `root` is a member of one."""
    nearest: Layer | None = None
    folder = root
    while True:
        table = _uv_table(folder)
        workspace = (table or {}).get("workspace")
        file = os.path.join(folder, "pyproject.toml")
        own = os.path.join(folder, "uv.toml")
        if os.path.isfile(own):
            table, file = _toml(own), own
        is_ours = isinstance(workspace, dict) and _is_member(workspace, os.path.relpath(root, folder))
        if table is not None and (nearest is None or is_ours):
            nearest = Layer(table, file)
        parent = os.path.dirname(folder)
        if is_ours or parent == folder:
            return nearest or Layer({}, os.path.join(root, "pyproject.toml"))
        folder = parent


def _uv_table(folder: str) -> dict[str, Any] | None:
    path = os.path.join(folder, "pyproject.toml")
    if not os.path.isfile(path):
        return None
    try:
        table = _toml(path).get("tool", {}).get("uv")
    except (ConfigError, AttributeError):
        # Ours is read, and complained about, by the room for configuration; one further up is none of our business
        return None
    return table if isinstance(table, dict) else None


def _is_member(workspace: dict[str, Any], path: str) -> bool:
    from fnmatch import fnmatch

    if path == os.curdir:
        return True
    members, left_out = items(workspace.get("members")), items(workspace.get("exclude"))
    return any(fnmatch(path, str(part)) for part in members) and not any(fnmatch(path, str(part)) for part in left_out)


def _pip_files(environ: Mapping[str, str], home: str, config_home: str, etc: str) -> list[str]:
    """From the weakest to the strongest: global, user, site, PIP_CONFIG_FILE."""
    named = environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return []
    shared = [os.path.join(part, "pip") for part in environ.get("XDG_CONFIG_DIRS", f"{etc}/xdg").split(":") if part]
    user = os.path.join(config_home, "pip")
    if sys.platform == "darwin":
        shared = ["/Library/Application Support/pip"]
        library = os.path.join(home, "Library", "Application Support", "pip")
        user = library if os.path.isdir(library) else user
    folders = [*shared, etc, os.path.join(home, ".pip"), user, environ.get("VIRTUAL_ENV", "")]
    return [os.path.join(folder, "pip.conf") for folder in folders if folder] + ([named] if named else [])


def pip_options(environ: Mapping[str, str], *, home: str, config_home: str, etc: str) -> PipOptions:
    """pip's options from its files and its variables.

    Raises ConfigError for a file that can't be read.
    """
    from configparser import Error, RawConfigParser

    found: dict[str, tuple[str, str]] = {}
    commands: dict[str, tuple[str, str]] = {}
    for path in _pip_files(environ, home, config_home, etc):
        parser = RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (Error, UnicodeDecodeError) as error:
            raise ConfigError(
                f"`{path}` can't be read", why=[type(error).__name__], hint="it is pip's; pip says where"
            ) from None
        for section, into in (("global", found), ("download", commands), ("install", commands)):
            if parser.has_section(section):
                into |= {_pip_key(key): (value, path) for key, value in parser.items(section)}
    found |= commands
    for name, value in environ.items():
        if name.startswith("PIP_") and value:
            found[_pip_key(name[4:])] = (value, name)
    return PipOptions(
        {key: value for key, (value, _) in found.items()}, {key: source for key, (_, source) in found.items()}
    )


def _pip_key(name: str) -> str:
    return name.lower().replace("_", "-").removeprefix("--")


def items(value: Any) -> list[Any]:
    """A list from what TOML holds: itself, one value, or nothing."""
    return value if isinstance(value, list) else [] if value is None else [value]


def located(place: str, base: str, source: str) -> str:
    """URLs as they are; a path (relative ones from `base`) as a file URL.

    Raises ConfigError, which names the `source` (a variable or a file), for a URL that can't be asked.
    """
    if "://" in place or place.startswith("file:"):
        return checked(place, source)
    return "file://" + quote(os.fsencode(os.path.abspath(os.path.join(base, os.path.expanduser(place)))))


def _toml(path: str) -> dict[str, Any]:
    return load(path, path, ConfigError)
