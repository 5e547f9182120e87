"""Reads the configuration: every key checked, every default filled in."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from lamella.config import names, paths
from lamella.config.api import api_type, read_api
from lamella.config.find import Found, find
from lamella.config.functions import read_function
from lamella.config.layers import distributions, read_layer
from lamella.config.model import Environment, FunctionSettings, LayerSettings, Settings
from lamella.config.project import Defaults, project_of
from lamella.config.runtimes import architecture, derived, runtimes
from lamella.config.section import Section
from lamella.container.model import ContainerSettings

KEYS = frozenset(
    {"runtime", "architecture", "lock", "output", "allow-build", "layers", "functions", "api"}
    | {"deploy", "environments", "cache", "container"}
)
TAKEN = {"manifest": "manifest.json stands beside the zips"}


def read(directory: str, *, output: str | None = None, api: str | None = None) -> Settings:
    """The settings of the project in `directory`, or in its nearest parent that has a configuration.

    `output` is the command line's --output: relative to `directory`, or absolute.  `api` is its type of API, None for
    the configured one.  Without a `runtime` key the runtime is the oldest that [project] requires-python admits and
    that AWS has not deprecated, by the date of lamella's own table: the day of the build doesn't matter.

    Raises ConfigError for everything that the files say wrong, UsageError for `output`.
    """
    return read_found(find(directory), directory, output=output, api=api)


def read_found(found: Found, directory: str, *, output: str | None = None, api: str | None = None) -> Settings:
    """The same of a configuration that was found, or that no file has yet."""
    top = found.section
    top.only(KEYS)
    project = project_of(found.pyproject, found.pyproject_shown)
    on = architecture(top)
    defaults = Defaults(found.root, project, on, runtimes(top, on) or derived(top, project))
    lock = paths.lock(top, found.root)
    target = paths.output(top, found.root, output, os.path.abspath(directory))
    layers: dict[str, LayerSettings] = {}
    for key, section in top.sections("layers"):
        _check_key(section, key, layers)
        layers[key] = read_layer(section, key, defaults)
    kind = api_type(top, api)
    functions: list[FunctionSettings] = []
    for key, section in top.sections("functions"):
        _check_key(section, key, layers)
        function = read_function(section, key, defaults, layers, kind)
        paths.check_output_holds_no_source(top, target, found.root, function.source, output)
        functions.append(function)
    _check_parts(top, [*layers.values(), *functions])
    _check_names_differ(top, "layers", layers.values())
    _check_names_differ(top, "functions", functions)
    return Settings(
        root=found.root,
        file=found.file,
        project=project.name or "",
        architecture=on,
        runtimes=defaults.runtimes,
        lock=lock,
        output=target,
        layers=tuple(layers.values()),
        functions=tuple(functions),
        allow_build=distributions(top, "allow-build"),
        api=read_api(top, functions, kind),
        environments=_environments(top, tuple(layers.values()), functions),
        cache=_cache(top),
        container=_container(top),
    )


def _environments(
    top: Section, layers: Sequence[LayerSettings], functions: Sequence[FunctionSettings]
) -> tuple[Environment, ...]:
    """Where a build is deployed.  Most builds are not: what reads the keys is loaded where there are some."""
    base = Environment(
        layers=tuple((layer.key, layer.name) for layer in layers),
        functions=tuple((function.key, function.name) for function in functions),
        aliases=tuple((function.key, function.alias) for function in functions),
    )
    if not top.data.keys() & {"deploy", "environments"}:
        return (base,)
    from lamella.config.environments import read_environments

    return read_environments(top, base, layers, functions)


def _cache(top: Section) -> str:
    if "cache" not in top.data:
        return ""
    from lamella.config.accounts import read_cache

    return read_cache(top)


def _container(top: Section) -> ContainerSettings:
    if "container" not in top.data:
        return ContainerSettings()
    from lamella.config.container import read_container

    return read_container(top)


def _check_key(section: Section, key: str, layers: Iterable[str]) -> None:
    """A key becomes the file KEY.zip, alone under its name."""
    if not names.is_key(key):
        raise section.refuse(
            None,
            "can't be the name of a zip",
            hint=f"use at most {names.KEY_LENGTH} of a-z, 0-9, `-` and `_`, with a letter or digit first",
        )
    if key in TAKEN:
        raise section.refuse(None, "has a name that is taken", why=(TAKEN[key],), hint="rename it")
    if key in layers:
        raise section.refuse(
            None, "has the name of a layer", why=(f"both would become {key}.zip",), hint="rename one of them"
        )


def _check_parts(top: Section, artifacts: Sequence[LayerSettings | FunctionSettings]) -> None:
    """What is split becomes KEY-1.zip, KEY-2.zip and so on."""
    parts = {
        f"{one.key}-{number}": one.key
        for one in artifacts
        if one.slimming.split
        for number in range(1, names.LAYERS_PER_FUNCTION + 1)
    }
    for kind in ("layers", "functions"):
        for key, section in top.sections(kind):
            if key in parts:
                whole = parts[key]
                why = f"`{whole}` is split: its parts are {whole}-1 to {whole}-{names.LAYERS_PER_FUNCTION}"
                raise section.refuse(None, "has a name that is taken", why=(why,), hint="rename it")


def _check_names_differ(
    top: Section, kind: str, settings: Iterable[LayerSettings] | Iterable[FunctionSettings]
) -> None:
    seen: dict[str, str] = {}
    for one in settings:
        if one.name in seen:
            raise top.refuse(
                kind,
                f"holds two with the name `{one.name}` in AWS",
                why=(f"`{seen[one.name]}` and `{one.key}`",),
                hint="give one of them another `name`",
            )
        seen[one.name] = one.key
