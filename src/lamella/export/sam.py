"""What was built → a template of AWS SAM; with `build_step`, one that lets `sam build` call lamella.

Sources: AWS SAM developer guide, AWS::Serverless::LayerVersion, AWS::Serverless::Function, "Building Lambda layers",
"Building custom runtimes" (read on 2026-11-22).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from lamella.errors import UsageError
from lamella.export import sam_api
from lamella.export.cloudformation import Function, Row, arn, logical_ids, ref, text_of
from lamella.export.model import MARK, Text
from lamella.export.sam_makefile import FOLDER, makefile

if TYPE_CHECKING:
    from lamella.config.model import FunctionSettings
    from lamella.export.model import Source
    from lamella.manifest import LayerArtifact

_RETENTION = "LogRetentionInDays"
# CloudWatch Logs API reference, PutRetentionPolicy (read on 2026-11-22)
_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
_RETAINED = 30
_MAKEFILE: dict[str, Any] = {"BuildMethod": "makefile"}

Tree = dict[str, Any]


class _Layer(NamedTuple):
    """A layer of the template.  `uri` is its content's, relative to the template."""

    key: str
    name: str
    uri: str
    runtimes: tuple[str, ...]
    architecture: str
    description: str
    licence: str


class _Function(NamedTuple):
    """A function of the template, under the names of its environment.  `layers` are keys, or ARNs."""

    key: str
    name: str
    alias: str
    uri: str
    architecture: str
    layers: tuple[str, ...]
    settings: FunctionSettings


def emit(source: Source, *, build_step: bool = False) -> tuple[Text, ...]:
    """The template; with `build_step`, also the Makefile that `sam build` runs, and nothing needs to be built before.

    Raises UsageError for what a template can't say.
    """
    layers = _unbuilt_layers(source) if build_step else _built_layers(source)
    functions = _unbuilt_functions(source) if build_step else _built_functions(source)
    layer_ids = logical_ids((one.key for one in layers), "Layer")
    function_ids = logical_ids((one.key for one in functions), "Function")
    resources = _resources(source, layers, functions, layer_ids, function_ids)
    if build_step:
        _let_make(resources, layers, layer_ids)
    sections: Tree = {"AWSTemplateFormatVersion": "2010-09-09", "Transform": "AWS::Serverless-2016-10-31"}
    sections["Description"] = f"{source.settings.project}: layers and functions, built by lamella"
    if functions:
        sections["Parameters"] = {_RETENTION: _retention()}
    sections["Resources"] = resources
    sections["Outputs"] = _outputs(source, layers, functions, layer_ids, function_ids)
    template = Text("", text_of(_comment(source, build_step), sections))
    if not build_step:
        return (template,)
    used = {one.key: one.layers for one in functions}
    return template, Text(f"{FOLDER}/Makefile", makefile(source, layer_ids, function_ids, used))


def _comment(source: Source, build_step: bool) -> str:
    step = " --build-step" if build_step else ""
    name = f" --env {source.environment.name}" if source.environment.name else ""
    when = "for `sam build`" if build_step else "and again after each `lamella build`"
    return f"{MARK} sam{step}{name}`, {when}.  Without this line the file is yours"


def _built_layers(source: Source) -> list[_Layer]:
    environment = source.environment
    names = {one.key: one.name for one in source.settings.layers}
    names |= {one.key: one.name for one in source.settings.functions}
    names |= {**dict(environment.functions), **dict(environment.layers)}
    return [
        _Layer(
            one.key,
            names[_whole(one)] + one.key[len(_whole(one)) :],
            _joined(source.place.output, one.file),
            one.runtimes,
            one.architecture,
            one.description,
            one.licence,
        )
        for one in source.manifest.layers
    ]


def _whole(layer: LayerArtifact) -> str:
    """The key that it was built for: a layer of several parts is named by its whole."""
    return layer.part_of or layer.key


def _unbuilt_layers(source: Source) -> list[_Layer]:
    split = [one.key for one in source.settings.layers if one.slimming.split]
    split += [one.key for one in source.settings.functions if one.slimming.split]
    if split:
        raise UsageError(
            f"`{split[0]}` is split over as many layers as it takes, and a build step needs to know them before",
            hint="leave `--build-step` out: the template is then of what was built",
        )
    names, architecture = dict(source.environment.layers), source.settings.architecture
    return [
        _Layer(one.key, names.get(one.key, one.name), FOLDER, one.runtimes, architecture, one.description, "")
        for one in source.settings.layers
    ]


def _built_functions(source: Source) -> list[_Function]:
    settings = {one.key: one for one in source.settings.functions}
    found = []
    for one in source.manifest.functions:
        if one.key in settings:
            configured = settings[one.key]._replace(runtime=one.runtime, handler=one.handler)
            uri = _joined(source.place.output, one.file)
            found.append(_function(source, configured, uri, one.architecture, one.layers))
    return found


def _unbuilt_functions(source: Source) -> list[_Function]:
    architecture = source.settings.architecture
    return [_function(source, one, FOLDER, architecture, one.layers) for one in source.settings.functions]


def _function(
    source: Source, configured: FunctionSettings, uri: str, architecture: str, layers: tuple[str, ...]
) -> _Function:
    name = dict(source.environment.functions).get(configured.key, configured.name)
    alias = dict(source.environment.aliases).get(configured.key, configured.alias)
    return _Function(configured.key, name, alias, uri, architecture, layers, configured)


def _joined(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder}/{name}"


def _resources(
    source: Source,
    layers: Sequence[_Layer],
    functions: Sequence[_Function],
    layer_ids: Mapping[str, str],
    function_ids: Mapping[str, str],
) -> Tree:
    resources: Tree = {layer_ids[one.key]: _layer_resource(one) for one in layers}
    settings = source.settings.api
    for one in functions:
        resources[function_ids[one.key]] = _function_resource(one, layer_ids, function_ids[one.key])
        routes = sam_api.events(one.settings, settings)
        if routes:
            resources[function_ids[one.key]]["Properties"]["Events"] = routes
        resources[_logs(function_ids[one.key])] = {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": f"/aws/lambda/{one.name}", "RetentionInDays": ref(_RETENTION)},
        }
    if _has_api(functions):
        resources[sam_api.API] = sam_api.api(settings, {one.key: _invoked(one, function_ids) for one in functions})
    return resources


def _has_api(functions: Sequence[_Function]) -> bool:
    return any(one.settings.routes for one in functions)


def _invoked(one: _Function, ids: Mapping[str, str]) -> Function:
    return ref(f"{ids[one.key]}.Alias") if one.alias else arn(ids[one.key])


def _logs(function_id: str) -> str:
    return f"{function_id}Logs"


def _layer_resource(one: _Layer) -> Tree:
    properties: Tree = {"LayerName": one.name}
    if one.description:
        properties["Description"] = one.description
    properties |= {
        "ContentUri": one.uri,
        "CompatibleRuntimes": Row(one.runtimes),
        "CompatibleArchitectures": Row((one.architecture,)),
    }
    if one.licence:
        properties["LicenseInfo"] = one.licence
    # Versions that functions had before stay, so that they can have them again
    properties["RetentionPolicy"] = "Retain"
    # A function whose layer changes gets a version, too
    properties["PublishLambdaVersion"] = True
    return {"Type": "AWS::Serverless::LayerVersion", "Properties": properties}


def _function_resource(one: _Function, layer_ids: Mapping[str, str], function_id: str) -> Tree:
    settings = one.settings
    properties: Tree = {
        "FunctionName": one.name,
        "CodeUri": one.uri,
        "Handler": settings.handler,
        "Runtime": settings.runtime,
        "Architectures": Row((one.architecture,)),
        "MemorySize": settings.memory,
        "Timeout": settings.timeout,
    }
    if one.layers:
        properties["Layers"] = [ref(layer_ids[key]) if key in layer_ids else key for key in one.layers]
    if settings.environment:
        properties["Environment"] = {"Variables": dict(settings.environment)}
    if one.alias:
        properties |= {"AutoPublishAlias": one.alias, "AutoPublishAliasAllProperties": True}
    properties["LoggingConfig"] = {"LogGroup": ref(_logs(function_id))}
    return {"Type": "AWS::Serverless::Function", "Properties": properties}


def _let_make(resources: Tree, layers: Sequence[_Layer], layer_ids: Mapping[str, str]) -> None:
    """Say of layers and functions that they are made by the Makefile in their folder."""
    architectures = {layer_ids[one.key]: one.architecture for one in layers}
    for name, resource in resources.items():
        if name in architectures:
            resource["Metadata"] = {**_MAKEFILE, "BuildArchitecture": architectures[name]}
        elif resource["Type"] == "AWS::Serverless::Function":
            resource["Metadata"] = dict(_MAKEFILE)


def _retention() -> Tree:
    description = "How long the functions' logs are kept"
    return {"Type": "Number", "Default": _RETAINED, "AllowedValues": Row(_DAYS), "Description": description}


def _outputs(
    source: Source,
    layers: Sequence[_Layer],
    functions: Sequence[_Function],
    layer_ids: Mapping[str, str],
    function_ids: Mapping[str, str],
) -> Tree:
    found: Tree = {}
    for layer in layers:
        text = f"The version of {layer.name}"
        found[f"{layer_ids[layer.key]}Arn"] = {"Description": text, "Value": ref(layer_ids[layer.key])}
    for one in functions:
        text = f"{one.name}, by its alias {one.alias}" if one.alias else one.name
        found[f"{function_ids[one.key]}Arn"] = {"Description": text, "Value": _invoked(one, function_ids)}
    if _has_api(functions):
        found["ApiUrl"] = {"Description": "Where the routes are", "Value": sam_api.url(source.settings.api)}
    return found
