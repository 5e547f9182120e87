"""A project's pyproject.toml and sources in, a `[tool.lamella]` section to start with out.  Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from lamella.config.handlers import Handler, PythonFile, find_handlers
from lamella.config.names import FUNCTION_NAME_LENGTH, KEY, LAYER_NAME_LENGTH, is_aws_name, is_handler
from lamella.config.project import Project, project_of
from lamella.config.runtimes import admitted, is_current, newest_current
from lamella.config.section import escaped
from lamella.errors import ConfigError

LAYER = "layer"
TAKEN = frozenset({LAYER, "manifest"})
LONGEST_KEY = FUNCTION_NAME_LENGTH - 4  # room for a number that keeps two apart


class Proposal(NamedTuple):
    """`text` is the section in TOML, headers and all.  `notes` are sentences for the person."""

    text: str
    notes: tuple[str, ...]


def propose(pyproject: Mapping[str, object], source: str, files: Sequence[PythonFile]) -> Proposal:
    """The section for the project whose pyproject.toml holds `pyproject`.

    `source` is the root of `files`, "src" or ".".  Raises ConfigError where `[project]` can't be used.
    """
    project = project_of(pyproject, "pyproject.toml")
    if project.name is None:
        raise ConfigError(
            "`pyproject.toml` has no `[project] name`",
            why=("the names of layers and functions in AWS start with it",),
            hint="add a `[project]` table with `name`, `version` and `requires-python`",
        )
    runtime, notes = _runtime(project)
    found = find_handlers(files, source)
    notes.extend(found.notes)
    tables = [f'[tool.lamella]\nruntime = "{runtime}"\n']
    if project.dependencies:
        tables.append(_layer(project.name))
    else:
        notes.append("the project has no dependencies: no layer is proposed")
    handlers = [handler for handler in found.handlers if is_handler(_dotted(handler))]
    include = () if source == "src" else packages_of(files)
    for key, handler in zip(keys(handlers), handlers, strict=True):
        tables.append(_function(project, key, handler, source, include))
    if not handlers:
        notes.append("no handler found: add functions by hand, each below `[tool.lamella.functions.NAME]`")
    return Proposal("\n".join(tables), tuple(notes))


def _layer(project: str) -> str:
    name = f"{project}-dependencies"
    if not is_aws_name(name, LAYER_NAME_LENGTH):
        name = LAYER
    return f'[tool.lamella.layers.{LAYER}]\nname = "{name}"\n'


def _function(project: Project, key: str, handler: Handler, source: str, include: Sequence[str]) -> str:
    lines = [f"[tool.lamella.functions.{key}]"]
    if len(f"{project.name}-{key}") > FUNCTION_NAME_LENGTH:
        lines.append(f'name = "{key}"')
    lines.append(f'handler = "{_dotted(handler)}"')
    if source != "src":
        lines.append(f"source = {as_list([source])}")
        lines.append(f"include = {as_list(include)}")
    if project.dependencies:
        lines.append(f"layers = {as_list([LAYER])}")
    return "\n".join(lines) + "\n"


def _runtime(project: Project) -> tuple[str, list[str]]:
    """The runtime that requires-python means, as `read` derives it, or the best that there is, with a note."""
    if project.requires_python is None:
        runtime = newest_current()
        return runtime.name, [f"no requires-python in pyproject.toml: {runtime.name} is the newest known runtime"]
    fitting = admitted(project.requires_python, project.file)
    for runtime in fitting:
        if is_current(runtime):
            return runtime.name, []
    if not fitting:
        raise ConfigError(
            f'`requires-python = "{project.requires_python}"` in pyproject.toml admits no runtime of Lambda',
            hint="change requires-python",
        )
    runtime = fitting[-1]
    what = "is deprecated" if runtime.deprecated else "is not verified yet"
    return runtime.name, [f"{runtime.name} {what}, and requires-python admits no better one"]


def keys(handlers: Sequence[Handler]) -> list[str]:
    """A key for each handler, each different: the module's last name, with more in front while two are the same.

    Two handlers of one module have their function's name at the end.
    """
    in_module = Counter(handler.module for handler in handlers)
    names = [
        [*handler.module.split("."), *([handler.function] if in_module[handler.module] > 1 else [])]
        for handler in handlers
    ]
    least = [2 if in_module[handler.module] > 1 else 1 for handler in handlers]
    while True:
        found = [as_key(parts[-count:]) for parts, count in zip(names, least, strict=True)]
        seen = Counter(found)
        longer = [
            count + 1 if (seen[key] > 1 or key in TAKEN) and count < len(parts) else count
            for key, parts, count in zip(found, names, least, strict=True)
        ]
        if longer == least:
            return numbered(found)
        least = longer


def as_key(parts: Iterable[str]) -> str:
    """A key made of the words `parts`: what may not be in one is left out."""
    text = "-".join(parts).lower().replace("_", "-")
    kept = "".join(character for character in text if character in KEY)
    while "--" in kept:
        kept = kept.replace("--", "-")
    return kept.strip("-")[:LONGEST_KEY].rstrip("-") or "function"


def numbered(found: Sequence[str]) -> list[str]:
    """The keys, each different, and none that is taken."""
    taken = set(TAKEN)
    result: list[str] = []
    for key in found:
        free, number = key, 2
        while free in taken:
            free, number = f"{key}-{number}", number + 1
        taken.add(free)
        result.append(free)
    return result


def packages_of(files: Sequence[PythonFile]) -> tuple[str, ...]:
    """Patterns for the packages and modules of a project without `src`, and for nothing else in its directory."""
    tops = {file.path.partition("/")[0]: "/" in file.path for file in files}
    return tuple(f"/{top}/" if is_package else f"/{top}" for top, is_package in sorted(tops.items()))


def _dotted(handler: Handler) -> str:
    return f"{handler.module}.{handler.function}"


def as_list(items: Iterable[str]) -> str:
    """The texts as a list of TOML."""
    return "[" + ", ".join(f'"{escaped(item)}"' for item in items) + "]"
