"""Reads the tables beside it into values.  Each table is read once a process."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple


class Runtime(NamedTuple):
    """One of Lambda's Python runtimes.

    `python` and `glibc` are (major, minor).  A date of None is not announced.  `verified` is False where the base
    operating system, and so `glibc`, is taken to be that of the runtime before it.
    """

    name: str  # python3.12
    python: tuple[int, int]
    base: str
    glibc: tuple[int, int]
    architectures: tuple[str, ...]
    interpreter: str
    deprecated: date | None
    create_blocked: date | None
    update_blocked: date | None
    verified: bool
    read: date
    source: str


class Limits(NamedTuple):
    """AWS Lambda's quotas.  Sizes are in bytes.

    `layer_zipped` is for a zip sent in the request, `function_unzipped` for the code and all layers of one function,
    `environment` for all variables of one function, `init_seconds` for Init before it is repeated; `request_bytes`,
    `response_bytes` and `event_bytes` for an invocation's event and answer, and the event of an asynchronous one;
    `invoke_async_bytes` for that of InvokeAsync, `client_context_bytes` for the base64 text of a client context,
    `log_tail_bytes` for the part of a log that Invoke returns.
    """

    layer_zipped: int
    function_unzipped: int
    layers: int
    environment: int
    compatible_runtimes: int
    init_seconds: int
    request_bytes: int
    response_bytes: int
    event_bytes: int
    invoke_async_bytes: int
    client_context_bytes: int
    log_tail_bytes: int


class Provided(NamedTuple):
    """A distribution that a runtime brings along: its normalized name and its top-level modules."""

    name: str
    modules: tuple[str, ...]


@cache
def runtimes() -> Mapping[str, Runtime]:
    """Every runtime by its name, oldest first."""
    return MappingProxyType({row["name"]: _runtime(row) for row in rows("runtime")})


@cache
def limits() -> Limits:
    """The quotas."""
    return Limits(**{row["name"]: row["value"] for row in rows("limit")})


@cache
def provided(runtime: str) -> tuple[Provided, ...]:
    """What `runtime` ships beside the standard library, sorted by name.  Raises KeyError for an unknown runtime."""
    name = runtimes()[runtime].name
    return tuple(Provided(row["name"], tuple(row["modules"])) for row in rows("provided") if name in row["runtimes"])


@cache
def stdlib(runtime: str) -> frozenset[str]:
    """The standard library's top-level module names that Linux has: `sys.stdlib_module_names` without `absent`.

    Raises KeyError for an unknown runtime.
    """
    last = runtimes()[runtime].name
    names: set[str] = set()
    for row in rows("stdlib"):
        names.difference_update(row["removed"])
        names.update(row["added"])
        if row["runtime"] == last:
            return frozenset(names - absent().keys())
    raise KeyError(runtime)


@cache
def absent() -> Mapping[str, str]:
    """The modules of the standard library that Linux lacks: name → the platform that has it ("Windows", "macOS")."""
    return MappingProxyType({name: row["platform"] for row in rows("absent") for name in row["modules"]})


class Span(NamedTuple):
    """The runtimes with which a module came into the standard library and left it, as (major, minor).

    None: with one before the oldest; not at all.
    """

    came: tuple[int, int] | None
    left: tuple[int, int] | None


@cache
def span(module: str) -> Span | None:
    """When the top-level `module` came into the standard library and left it; None when it never was there."""
    came: tuple[int, int] | None = None
    left: tuple[int, int] | None = None
    there = False
    for number, row in enumerate(rows("stdlib")):
        if module in row["added"]:
            there, left = True, None
            came = runtimes()[row["runtime"]].python if number else None
        elif module in row["removed"]:
            left = runtimes()[row["runtime"]].python
    return Span(came, left) if there else None


class PruningRule(NamedTuple):
    """What a layer can do without, and why: see the head of pruning.toml for each field.

    `profiles` are those that it is in.  Patterns are those of .gitignore, without negation.
    """

    name: str
    profiles: tuple[str, ...]
    reason: str
    drops: tuple[str, ...]
    never: tuple[str, ...]
    distributions: tuple[str, ...]
    spares: tuple[str, ...]
    beside: str
    stays_if_named: bool
    stays_beside: tuple[str, ...]
    stays_for: tuple[str, ...]


@cache
def pruning() -> tuple[PruningRule, ...]:
    """The rules, in the order in which they are asked."""
    return tuple(
        PruningRule(
            name=row["name"],
            profiles=tuple(row["profiles"]),
            reason=row["reason"],
            drops=tuple(row["drops"]),
            never=tuple(row["never"]),
            distributions=tuple(row.get("distributions", ())),
            spares=tuple(row.get("spares", ())),
            beside=row.get("beside", ""),
            stays_if_named=row.get("stays_if_named", False),
            stays_beside=tuple(row.get("stays_beside", ())),
            stays_for=tuple(row.get("stays_for", ())),
        )
        for row in rows("rule")
    )


class Feature(NamedTuple):
    """A part of a distribution that can go: the normalized name of that, the part's own, what it is and its files."""

    distribution: str
    name: str
    reason: str
    drops: tuple[str, ...]


@cache
def features() -> tuple[Feature, ...]:
    """Every feature that can be named in `without`, sorted."""
    return tuple(
        Feature(row["name"].partition(":")[0], row["name"].partition(":")[2], row["reason"], tuple(row["drops"]))
        for row in rows("feature")
    )


class Libraries(NamedTuple):
    """The shared libraries of a runtime's base: their SONAMEs, and the newest symbol version by its namespace.

    `versions` has ("GLIBCXX", (3, 4, 29)) and the like; `recent` is what newer images of the same base have beyond.
    """

    sonames: frozenset[str]
    versions: Mapping[str, tuple[int, ...]]
    recent: Mapping[str, tuple[int, ...]]


@cache
def libraries(runtime: str) -> Libraries:
    """What the base of `runtime` has to link to.  Raises KeyError for an unknown runtime."""
    facts = runtimes()[runtime]
    row = next(row for row in rows("base") if row["name"] == facts.base)
    versions = {name: _numbers(text) for name, text in row["versions"].items()}
    recent = {name: _numbers(text) for name, text in row["recent"].items()}
    return Libraries(
        frozenset(name.replace("{minor}", str(facts.python[1])) for name in row["libraries"]),
        MappingProxyType({"GLIBC": facts.glibc, **versions}),
        MappingProxyType({"GLIBC": facts.glibc, **versions, **recent}),
    )


class Optional(NamedTuple):
    """Files (a pattern with `*`, of the path below the importable code) that may fail to load, and why."""

    files: str
    reason: str


@cache
def optional() -> tuple[Optional, ...]:
    """Native files without which their distributions do."""
    return tuple(Optional(row["files"], row["reason"]) for row in rows("optional"))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


class Images(NamedTuple):
    """References of the images that AWS gives out for a runtime; `{architecture}` in them is AWS's word for it."""

    build: str
    run: str


@cache
def images(runtime: str) -> Images | None:
    """The images of `runtime`; None where none is known yet."""
    return next((Images(row["build"], row["run"]) for row in rows("image") if row["runtime"] == runtime), None)


_FILES = {
    "runtime": "runtimes",
    "image": "images",
    "limit": "limits",
    "provided": "provided",
    "stdlib": "stdlib",
    "absent": "stdlib",
    "base": "libraries",
    "optional": "libraries",
    "rule": "pruning",
    "feature": "features",
}


@cache
def rows(table: str) -> tuple[dict[str, Any], ...]:
    """The rows of `table` (a key of `_FILES`) as the file has them, dates and sources too."""
    # Opened beside this file: importlib.resources costs more to import than all tables cost to read.
    path = os.path.join(os.path.dirname(__file__), f"{_FILES[table]}.toml")
    with open(path, "rb") as file:
        return tuple(tomllib.load(file)[table])


def _runtime(row: Mapping[str, Any]) -> Runtime:
    major, minor = row["python"]
    glibc_major, glibc_minor = row["glibc"]
    return Runtime(
        name=row["name"],
        python=(major, minor),
        base=row["base"],
        glibc=(glibc_major, glibc_minor),
        architectures=tuple(row["architectures"]),
        interpreter=row["interpreter"],
        deprecated=row.get("deprecated"),
        create_blocked=row.get("create_blocked"),
        update_blocked=row.get("update_blocked"),
        verified=row["verified"],
        read=row["read"],
        source=row["source"],
    )
