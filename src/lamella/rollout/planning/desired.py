"""What is to be in AWS: a finished build, under the names of one environment."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from lamella.cloud.model import Content
from lamella.config.model import Environment, FunctionSettings, Settings, Smoke
from lamella.config.names import LAYER_NAME_LENGTH
from lamella.errors import ConfigError, LamellaError, UsageError
from lamella.manifest import whole_of
from lamella.rollout.model import Wanted, WantedFunction, WantedLayer
from lamella.wording import counted, did_you_mean, printable, shown

if TYPE_CHECKING:
    from lamella.manifest import Artifact, FunctionArtifact, LayerArtifact, Manifest

_BUILD = "run `lamella build`"
_EVENT_SIZE = 6 * 1024 * 1024  # bytes; Lambda quotas: payload of a synchronous invocation


def environment(settings: Settings, name: str) -> Environment:
    """The environment of this name, "" for the one without.  Raises UsageError."""
    for one in settings.environments:
        if one.name == name:
            return one
    known = [one.name for one in settings.environments if one.name]
    file = os.path.basename(settings.file)
    raise UsageError(
        f"there is no environment `{printable(name)}`",
        why=(f"`{file}` has {', '.join(f'`{one}`' for one in known) or 'none with a name'}",),
        hint=did_you_mean(name, known) or ("name one of these" if known else "leave out `--env`, or declare it there"),
    )


def wanted(settings: Settings, manifest: Manifest, environment_name: str = "", *, layers_only: bool = False) -> Wanted:
    """What the build of `manifest`, in `settings.output`, comes to in an environment; names sorted as configured.

    With `layers_only` the manifest has none of the configured functions, and that is no difference.
    The zips are held against the manifest by their sizes; their digests are, where they are uploaded.  The events'
    files are read.  Raises UsageError for an unknown environment, LamellaError where the build is not that of the
    configuration, ConfigError for events and expressions that can't be used.
    """
    found = environment(settings, environment_name)
    if layers_only:
        settings = settings._replace(functions=())
    _check_current(settings, manifest)
    _check_zips(settings, manifest)
    names = _layer_names(found, manifest)
    return Wanted(
        project=manifest.project,
        environment=found.name,
        layers=tuple(_layer(settings, layer, names[layer.key]) for layer in manifest.layers),
        functions=tuple(_function(settings, found, artifact, names) for artifact in manifest.functions),
    )


def users(settings: Settings, manifest: Manifest, environment_name: str = "") -> tuple[WantedFunction, ...]:
    """The configured functions with the names of the built layers that they are to have, and nothing that was built."""
    found = environment(settings, environment_name)
    names = dict(found.functions)
    layers = _layer_names(found, manifest)
    return tuple(
        WantedFunction(
            key=function.key,
            name=names[function.key],
            content=Content("", 0, "", ""),
            runtime=function.runtime,
            handler=function.handler,
            architecture=settings.architecture,
            layers=tuple(layers[layer.key] for layer in manifest.layers if whole_of(layer) in function.layers),
        )
        for function in settings.functions
    )


def _layer(settings: Settings, layer: LayerArtifact, name: str) -> WantedLayer:
    return WantedLayer(
        key=layer.key,
        name=name,
        content=_content(settings, layer),
        runtimes=layer.runtimes,
        architecture=layer.architecture,
        description=layer.description,
        licence=layer.licence,
    )


def _function(
    settings: Settings, found: Environment, artifact: FunctionArtifact, layers: Mapping[str, str]
) -> WantedFunction:
    (configured,) = (function for function in settings.functions if function.key == artifact.key)
    alias = dict(found.aliases)[artifact.key]
    return WantedFunction(
        key=artifact.key,
        name=dict(found.functions)[artifact.key],
        content=_content(settings, artifact),
        runtime=artifact.runtime,
        handler=artifact.handler,
        architecture=artifact.architecture,
        layers=tuple(layers.get(layer, layer) for layer in artifact.layers),
        alias=alias,
        smoke=_smoke(settings, configured),
        canary=configured.canary if alias else None,
    )


def _content(settings: Settings, artifact: Artifact) -> Content:
    path = os.path.join(settings.output, artifact.file)
    return Content(path, artifact.zipped, artifact.sha256, artifact.code_sha256)


def _layer_names(found: Environment, manifest: Manifest) -> dict[str, str]:
    """The names in AWS of the manifest's layers by key; a part's is its whole's, with the part's number behind."""
    whole = {**dict(found.functions), **dict(found.layers)}
    names: dict[str, str] = {}
    for layer in manifest.layers:
        key = whole_of(layer)
        name = whole[key] + layer.key[len(key) :]
        twin = next((other for other, taken in names.items() if taken == name), None)
        if twin is not None or len(name) > LAYER_NAME_LENGTH:
            why = f"`{twin}` has it, too" if twin else f"it has {len(name)} characters, AWS takes {LAYER_NAME_LENGTH}"
            raise ConfigError(
                f"the layer `{layer.key}` can't have the name `{name}`", why=(why,), hint=f"give `{key}` another `name`"
            )
        names[layer.key] = name
    return names


def _check_current(settings: Settings, manifest: Manifest) -> None:
    """Whether the manifest is a build of this configuration, as far as the two can be held against each other."""
    parts = {layer.key: list[str]() for layer in settings.layers}
    functions = {function.key: function for function in settings.functions}
    built = {whole_of(artifact) for artifact in manifest.artifacts}
    why = [f"`{key}` is configured, and was not built" for key in (*parts, *functions) if key not in built]
    why += [f"`{key}` was built, and is configured no longer" for key in built - parts.keys() - functions.keys()]
    runtimes = {layer.key: layer.runtimes for layer in settings.layers}
    for layer in manifest.layers:
        parts.setdefault(whole_of(layer), []).append(layer.key)
        asked = runtimes.get(whole_of(layer), layer.runtimes)
        why += _differing(layer.key, ("runtime", " ".join(layer.runtimes), " ".join(asked)))
        why += _differing(layer.key, ("architecture", layer.architecture, settings.architecture))
    for artifact in manifest.functions:
        function = functions.get(artifact.key)
        if function is not None:
            used = [part for key in (artifact.key, *function.layers) for part in parts.get(key, _itself(key))]
            why += _differing(artifact.key, ("layers", " ".join(artifact.layers), " ".join(used)))
            why += _differing(artifact.key, ("runtime", artifact.runtime, function.runtime))
            why += _differing(artifact.key, ("handler", artifact.handler, function.handler))
            why += _differing(artifact.key, ("architecture", artifact.architecture, settings.architecture))
    if why:
        raise LamellaError(
            f"`{_shown(settings, 'manifest.json')}` is not of the configuration as it is now",
            why=sorted(why),
            hint=_BUILD,
        )


def _itself(key: str) -> tuple[str, ...]:
    """What a layer that was not built here comes to: itself, where it is somebody else's."""
    return (key,) if key.startswith("arn:") else ()


def _differing(key: str, row: tuple[str, str, str]) -> list[str]:
    name, built, configured = row
    if built == configured:
        return []
    was, now = (f"`{text}`" if text else "none" for text in (built, configured))
    return [f"`{key}`: {name} {was} was built, {now} is configured"]


def _check_zips(settings: Settings, manifest: Manifest) -> None:
    why = []
    for artifact in manifest.artifacts:
        name = _shown(settings, artifact.file)
        try:
            size = os.stat(os.path.join(settings.output, artifact.file)).st_size
        except OSError:
            why.append(f"`{name}` isn't there")
            continue
        if size != artifact.zipped:
            why.append(f"`{name}` has {size:,} bytes, the manifest says {artifact.zipped:,}")
    if why:
        raise LamellaError(
            f"{counted(len(why), 'zip')} of the build can't be used as the manifest has it", why=why, hint=_BUILD
        )


def _shown(settings: Settings, name: str) -> str:
    return shown(os.path.join(settings.output, name), os.getcwd())


def _smoke(settings: Settings, function: FunctionSettings) -> tuple[Smoke, ...]:
    _check_expressions(function.key, (path for smoke in function.smoke for path, _ in smoke.answer))
    return tuple(
        smoke._replace(payload=_payload(settings, function.key, smoke)) if smoke.path else smoke
        for smoke in function.smoke
    )


def _payload(settings: Settings, key: str, smoke: Smoke) -> str:
    """The JSON of a smoke event's file, without a byte order mark.  Raises ConfigError."""
    what, hint = f"the smoke event `{smoke.path}` of function `{key}`", "correct it, or its path in `smoke`"
    path = os.path.join(settings.root, smoke.path)
    try:
        if os.path.getsize(path) > _EVENT_SIZE:
            why = f"it has more than {_EVENT_SIZE:,} bytes, the most that Lambda takes"
            raise ConfigError(f"{what} is too large", why=(why,), hint=hint)
        with open(path, "rb") as file:
            text = file.read().decode("utf-8-sig")
        json.loads(text, parse_constant=_refuse_constant)
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigError(f"{what} can't be read", why=(why,), hint=_near(path) or hint) from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{what} is no JSON", why=(printable(str(error)),), hint=hint) from None
    return text


def _refuse_constant(name: str) -> None:
    raise ValueError(f"JSON has no {name}")


def _near(path: str) -> str | None:
    try:
        names: Sequence[str] = os.listdir(os.path.dirname(path))
    except OSError:
        return None
    return did_you_mean(os.path.basename(path), names)


def _check_expressions(key: str, expressions: Iterable[str]) -> None:
    """Compile each JMESPath expression once, so that a mistake shows before anything is changed.

    The library comes with boto3: without it there is nothing to deploy with.
    """
    asked = list(expressions)
    if not asked:
        return
    try:
        import jmespath  # type: ignore[import-untyped]
    except ImportError:
        return
    for expression in asked:
        try:
            jmespath.compile(expression)
        except jmespath.exceptions.JMESPathError as error:
            first = str(error).splitlines()[0]
            raise ConfigError(
                f"`{printable(expression)}`, in `smoke` of function `{key}`, is no JMESPath expression",
                why=(printable(first),),
                hint='write it as the AWS CLI\'s `--query` takes it: `"body.ready"`, `"length(items)"`',
            ) from None
