"""A reading → `[tool.lamella]` in TOML.  Pure."""

from __future__ import annotations

from collections.abc import Iterable

from lamella.config.section import escaped, written_key
from lamella.migrate.model import Api, Function, Layer, Reading

Pairs = Iterable[tuple[str, object]]
_LONG = 100  # characters: a list that is longer has a line for each item


def toml(reading: Reading, prefix: str, lock: str, packages: dict[str, tuple[str, ...]]) -> str:
    """The tables, below `prefix` ("tool.lamella", or "").  `packages` are those of the layers, by key."""
    top = [("runtime", reading.runtime), ("architecture", reading.architecture), ("lock", lock)]
    tables = [_table(prefix, top)]
    tables += [_table(_below(prefix, "container"), reading.container)] if reading.container else []
    tables += [_layer(prefix, one, packages.get(one.key, ())) for one in reading.layers]
    tables += _api(prefix, reading.api)
    tables += [_function(prefix, one) for one in reading.functions]
    return "\n".join(table for table in tables if table)


def _layer(prefix: str, one: Layer, packages: tuple[str, ...]) -> str:
    return _table(
        _below(prefix, "layers", one.key),
        [
            ("name", one.name),
            ("runtime", list(one.runtimes)),
            ("groups", list(one.groups)),
            ("packages", list(packages)),
            ("exclude", list(one.exclude)),
            ("profile", one.profile),
            ("drop", list(one.drop)),
            ("description", one.description),
        ],
        always=True,
    )


def _function(prefix: str, one: Function) -> str:
    return _table(
        _below(prefix, "functions", one.key),
        [
            ("name", one.name),
            ("handler", one.handler),
            ("runtime", one.runtime),
            ("source", list(one.source)),
            ("include", list(one.include)),
            ("exclude", list(one.exclude)),
            ("layers", list(one.layers)),
            ("memory", one.memory or None),
            ("timeout", one.timeout or None),
            ("environment", dict(one.environment)),
            ("alias", one.alias),
            ("routes", list(one.routes)),
            ("authorizer", one.authorizer),
            ("canary", dict(one.canary)),
        ],
    )


def _api(prefix: str, api: Api) -> list[str]:
    if not api.type:
        return []
    pairs: Pairs = [("type", api.type), ("stage", api.stage), ("cors", dict(api.cors))]
    tables = [_table(_below(prefix, "api"), pairs)]
    tables += [
        _table(_below(prefix, "api", "authorizers", one.function), one.pairs) for one in api.authorizers if one.pairs
    ]
    return tables


def _below(prefix: str, *keys: str) -> str:
    return ".".join([*([prefix] if prefix else []), *map(written_key, keys)])


def _table(header: str, pairs: Pairs, *, always: bool = False) -> str:
    """One table; pairs whose value says nothing (None, "" or empty) are left out."""
    lines = [f"{written_key(key)} = {value(given)}" for key, given in pairs if _says(given)]
    if not lines and not always:
        return ""
    return "\n".join([*([f"[{header}]"] if header else []), *lines]) + "\n"


def _says(given: object) -> bool:
    return given is not None and given != "" and given != [] and given != {}


def value(given: object) -> str:
    """A value as TOML writes it."""
    match given:
        case bool():
            return str(given).lower()
        case int() | float():
            return str(given)
        case dict():
            inner = ", ".join(f"{written_key(str(key))} = {value(one)}" for key, one in given.items())
            return f"{{ {inner} }}"
        case list() | tuple():
            items = [value(one) for one in given]
            short = f"[{', '.join(items)}]"
            if len(short) <= _LONG:
                return short
            return "[\n" + "".join(f"    {item},\n" for item in items) + "]"
        case _:
            return f'"{escaped(str(given))}"'
