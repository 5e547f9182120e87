"""One `[tool.lamella.functions.KEY]`."""

from __future__ import annotations

from collections.abc import Mapping

from lamella.config import paths, running, slimming
from lamella.config.layers import aws_name, distributions
from lamella.config.model import FunctionSettings, LayerSettings
from lamella.config.names import (
    FUNCTION_NAME_LENGTH,
    HANDLER_LENGTH,
    LAYERS_PER_FUNCTION,
    is_handler,
    is_layer_version_arn,
)
from lamella.config.project import Defaults
from lamella.config.routes import read_routes
from lamella.config.runtimes import one_runtime
from lamella.config.section import Section, described
from lamella.errors import ConfigError
from lamella.wording import did_you_mean

KEYS = slimming.KEYS | {
    *("name", "handler", "source", "include", "exclude", "layers", "bundle", "runtime"),
    *("memory", "timeout", "environment", "alias", "routes", "authorizer"),
    *("smoke", "canary"),
}


def read_function(
    section: Section, key: str, defaults: Defaults, layers: Mapping[str, LayerSettings], api: str = "http"
) -> FunctionSettings:
    """The function `key`, by default on the project's newest runtime.

    `layers` are the local ones by key, `api` is the type of API that has its routes.  Whether its `authorizer` is
    there, `read_api` says.  Raises ConfigError.
    """
    section.only(KEYS)
    runtime = one_runtime(section, defaults.architecture) or defaults.runtimes[-1]
    used = _layers(section, layers)
    alias = running.alias(section)
    _check_runtime(section, runtime, [layers[layer] for layer in used if layer in layers])
    found = FunctionSettings(
        key=key,
        name=aws_name(section, key, defaults.project, FUNCTION_NAME_LENGTH),
        runtime=runtime,
        handler=_handler(section),
        source=paths.sources(section, defaults.root),
        include=section.texts("include") or (),
        exclude=section.texts("exclude") or (),
        layers=used,
        bundle=distributions(section, "bundle"),
        slimming=slimming.read_slimming(section, 1),
        memory=running.memory(section),
        timeout=running.timeout(section),
        environment=running.environment(section),
        alias=alias,
        routes=read_routes(section, api),
        authorizer=section.text("authorizer") or "",
    )
    if section.data.keys() & {"smoke", "canary"}:
        # Only a rollout asks for them: reading them costs other builds nothing
        from lamella.config.smoke import read_canary, read_smoke

        return found._replace(smoke=read_smoke(section), canary=read_canary(section, alias))
    return found


def _handler(section: Section) -> str:
    handler = section.text("handler")
    example = 'write `handler = "module.path.function"`'
    if handler is None:
        raise section.refuse("handler", "is needed", hint=example)
    if not is_handler(handler):
        why = [f"found {described(handler)}"]
        if len(handler) > HANDLER_LENGTH:
            why.append(f"it has {len(handler)} characters, AWS takes {HANDLER_LENGTH}")
        raise section.refuse("handler", "must look like `module.path.function`", why=why, hint=example)
    return handler


def _layers(section: Section, local: Mapping[str, LayerSettings]) -> tuple[str, ...]:
    used = section.texts("layers") or ()
    versions: dict[str, str] = {}
    for item in used:
        if item in local:
            continue
        if not is_layer_version_arn(item):
            raise _no_layer(section, item, local)
        # Lambda: "Two different versions of the same layer are not allowed to be referenced in the same function."
        layer = item.rpartition(":")[0]
        if layer in versions:
            raise section.refuse(
                "layers",
                "lists two versions of one layer",
                why=(f"`{versions[layer]}`", f"`{item}`"),
                hint="Lambda allows one version of a layer in a function: remove the other",
            )
        versions[layer] = item
    if len(used) > LAYERS_PER_FUNCTION:
        raise section.refuse(
            "layers",
            f"lists {len(used)} layers",
            why=(f"Lambda allows {LAYERS_PER_FUNCTION} in a function",),
            hint="merge some of them, or put distributions into the function's `bundle`",
        )
    return used


def _no_layer(section: Section, item: str, local: Mapping[str, LayerSettings]) -> ConfigError:
    if item.startswith("arn:"):
        return section.refuse(
            "layers",
            f"lists `{item}`, which is no ARN of a layer version",
            hint="it must look like `arn:aws:lambda:REGION:123456789012:layer:NAME:VERSION`",
        )
    return section.refuse(
        "layers",
        f"lists `{item}`, which is no layer",
        why=(f"the project's layers: {', '.join(local) or 'none'}",),
        hint=did_you_mean(item, local) or "declare it below `layers`, or give the ARN of a layer version",
    )


def _check_runtime(section: Section, runtime: str, used: list[LayerSettings]) -> None:
    for layer in used:
        if runtime not in layer.runtimes:
            raise section.refuse(
                "runtime",
                f"is {runtime}, and its layer `{layer.key}` is not built for that",
                why=(f"the layer's runtimes: {', '.join(layer.runtimes)}",),
                hint=f"give the layer `{runtime}` too, or the function one of the layer's",
            )
