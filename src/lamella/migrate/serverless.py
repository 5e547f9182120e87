"""serverless.yml, with the settings of serverless-python-requirements → what it says, in our words.

Sources: Serverless Framework documentation, "Serverless.yml Reference"; README and index.js of the plugin
serverless-python-requirements 6 (read on 2026-11-22).
"""

from __future__ import annotations

import os
import re

from lamella.migrate.model import Function, Layer, Notes, Origin, Reading
from lamella.migrate.naming import check_handler, handler_of, key_of, layer_key, whole_folder
from lamella.migrate.serverless_events import Events
from lamella.migrate.serverless_plugin import plugin
from lamella.migrate.tree import Tree, load
from lamella.migrate.variables import Variables

KIND = "serverless"
FILES = ("serverless.yml", "serverless.yaml", "serverless.json")
_STAYS = "leave it where it is: lamella changes a function's code, layers, versions and aliases, and nothing else"
# What says nothing about packaging, or is asked for below
_SILENT = frozenset(
    {"service", "frameworkVersion", "provider", "custom", "plugins", "package", "functions", "layers", "org", "app"}
    | {
        "useDotenv",
        "configValidationMode",
        "variablesResolutionMode",
        "disabledDeprecations",
        "deprecationNotificationMode",
    }
    | {"unresolvedVariablesNotificationMode", "console", "tenant", "licenseKey"}
)
_PROVIDER = frozenset(
    {"name", "runtime", "architecture", "stage", "region", "memorySize", "timeout", "environment", "layers"}
    | {"httpApi", "profile", "lambdaHashingVersion", "versionFunctions", "stackName", "deploymentMethod"}
    | {"deploymentBucket", "deploymentPrefix"}
)
_FUNCTION = frozenset(
    {"handler", "name", "module", "runtime", "architecture", "memorySize", "timeout", "environment", "layers"}
    | {"events", "package", "description", "vendor"}
)
_MEMORY, _TIMEOUT = 1024, 6  # the framework's own, which are not Lambda's
_PLUGIN = "serverless-python-requirements"
_EVERYTHING = frozenset({"**", "./**", "**/*", "*", "**/**", "./**/*"})
_OWN_LAYER = "PythonRequirementsLambdaLayer"


def read(root: str, file: str) -> Reading:
    """What the file in the folder `root` says.  Raises ConfigError where it is no YAML."""
    return _Service(root, file).reading()


class _Service:
    def __init__(self, root: str, file: str) -> None:
        self.root = root
        self.file = file
        self.notes = Notes()
        top = load(root, file)
        self.top = top if top is not None else _empty(file)
        self.variables = Variables(root, self.top, self.notes)
        self.provider = self.variables.tree(self.top.get("provider")) or _empty(file)
        self.plugin = plugin(root, self.variables, self.top, self.notes)
        self.layers: list[Layer] = []
        self.keys: dict[str, str] = {}  # of functions
        self.references: dict[str, str] = {}  # what CloudFormation calls a layer → its key

    def reading(self) -> Reading:
        runtime = self._runtime(self.provider)
        architecture = self.variables.text(self.provider.get("architecture")) or "x86_64"
        service = self.variables.text(self.top.get("service")) or self.variables.text(self.top.get("service", "name"))
        self.service = service or os.path.basename(os.path.abspath(self.root))
        rows = self._rows()
        for name, _ in rows:
            self.keys[name] = key_of(name, self.keys.values())
        self._others()
        self.events = Events(self.variables, self.top, self.keys, self.notes)
        functions = tuple(filter(None, (self._function(name, row, runtime) for name, row in rows)))
        api = self.events.api(self.variables.stage, {one.key for one in functions})
        return Reading(
            Origin(KIND, (self.file,)),
            runtime or next((one.runtime for one in functions if one.runtime), ""),
            architecture,
            tuple(self.layers),
            functions,
            api,
            self.plugin.container,
            self.plugin.first,
            self.notes.items,
        )

    def _others(self) -> None:
        """Everything on top that has no place in a configuration of lamella."""
        for key, value in self.top.items():
            if key not in _SILENT:
                self.notes.open(value.place, f"`{key}`", _STAYS)
        for key, value in self.provider.items():
            if key not in _PROVIDER:
                self.notes.open(value.place, f"`provider.{key}`", _STAYS)
        for value in self.top.get("plugins").list() if self.top.get("plugins") else ():  # type: ignore[union-attr]
            if value.text() != _PLUGIN:
                self.notes.open(value.place, f"the plugin `{value.text()}`", _STAYS)
        for key, value in self.top.get("layers").items() if self.top.get("layers") else ():  # type: ignore[union-attr]
            self._ready_layer(key, value)

    def _ready_layer(self, name: str, value: Tree) -> None:
        folder = self.variables.text(value.get("path")) or name
        at = next(
            (
                os.path.join(folder, one)
                for one in (_REQUIREMENTS, f"python/{_REQUIREMENTS}")
                if os.path.isfile(os.path.join(self.root, folder, one))
            ),
            None,
        )
        if at is None:
            self.notes.open(
                value.place,
                f"the layer `{name}` is a folder of files",
                "a layer is made of locked distributions: put own code into a distribution, or into each `source`",
            )
            return
        given = self.variables.text(value.get("name")) or name
        key = key_of(name, self._taken())
        self.layers.append(Layer(key, given, os.path.normpath(at), runtimes=self._compatible(value)))
        self.references[f"{name[:1].upper()}{name[1:]}LambdaLayer"] = key

    def _taken(self) -> list[str]:
        """Layers and functions share their keys: each becomes KEY.zip."""
        return [*self.keys.values(), *(layer.key for layer in self.layers)]

    def _compatible(self, value: Tree) -> tuple[str, ...]:
        found = self.variables.texts(value.get("compatibleRuntimes"))
        return tuple(name for name in found if name.startswith("python"))

    def _runtime(self, tree: Tree) -> str:
        return self.variables.text(tree.get("runtime")) or ""

    def _rows(self) -> list[tuple[str, Tree]]:
        """The functions; `functions` may be a list of mappings, too."""
        given = self.variables.tree(self.top.get("functions"))
        if given is None:
            return []
        found = []
        for part in given.list() or (given,):
            followed = self.variables.tree(part)
            for name, row in followed.items() if followed is not None else ():
                found.append((name, self.variables.tree(row) or row))
        return found

    def _function(self, name: str, row: Tree, default: str) -> Function | None:
        runtime = self._runtime(row) or default
        written = self.variables.text(row.get("handler"))
        handler = handler_of(written) if written is not None else None
        if runtime and not runtime.startswith("python"):
            self.notes.open(row.place, f"the function `{name}` runs on {runtime}", "lamella packages Python alone")
            return None
        if handler is None:
            why = "is a container image" if row.get("image") else f"has no handler to be read: `{written}`"
            self.notes.open(row.place, f"the function `{name}` {why}", "leave it where it is, or write its handler")
            return None
        for key, value in row.items():
            if key not in _FUNCTION:
                self.notes.open(value.place, f"`{key}` of the function `{name}`", _STAYS)
        given = self.variables.text(row.get("architecture"))
        if given is not None and given != (self.variables.text(self.provider.get("architecture")) or "x86_64"):
            self.notes.open(
                row.place,
                f"the function `{name}` is for {given}",
                "a configuration has one `architecture`: give this function a project of its own",
            )
        source, include, exclude = self._content(name, row)
        check_handler(self.root, source, handler, row.place, self.notes)
        return Function(
            key=self.keys[name],
            name=self.variables.text(row.get("name")) or f"{self.service}-{self.variables.stage}-{name}",
            handler=handler,
            runtime=runtime if runtime != default else "",
            source=source,
            include=include,
            exclude=exclude,
            layers=self._layers(name, row),
            memory=self.variables.whole(row.get("memorySize") or self.provider.get("memorySize")) or _MEMORY,
            timeout=self.variables.whole(row.get("timeout") or self.provider.get("timeout")) or _TIMEOUT,
            environment=self._environment(row),
            **self.events.of(name, row),
        )

    def _content(self, name: str, row: Tree) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        """source, include and exclude of a function."""
        module = self.variables.text(row.get("module")) or "."
        folder = os.path.normpath(module)
        package = [self.top.get("package"), row.get("package")]
        patterns = [
            text for one in package for key in ("patterns",) for text in self.variables.texts(one and one.get(key))
        ]
        for one in package:
            patterns += [f"!{text}" for text in self.variables.texts(one and one.get("exclude"))]
            patterns += list(self.variables.texts(one and one.get("include")))
            artifact = one.get("artifact") if one else None
            if artifact is not None:
                self.notes.open(
                    artifact.place,
                    f"`package.artifact` of `{name}`",
                    "the zip is made elsewhere: name the folder of its code in `source`",
                )
        vendored = [
            os.path.normpath(text) for text in (self.plugin.vendor, self.variables.text(row.get("vendor"))) if text
        ]
        include, exclude = _patterns(patterns, folder)
        if not include:
            include = whole_folder(self.root, folder, row.place, self.notes)
            include += tuple(f"/{one}" for at in vendored for one in _content_of(self.root, at))
        return (folder, *vendored), include, exclude

    def _layers(self, name: str, row: Tree) -> tuple[str, ...]:
        found: list[str] = []
        given = self.variables.tree(row.get("layers")) or self.variables.tree(self.provider.get("layers"))
        for item in given.list() if given is not None else ():
            call = item.call()
            text = self.variables.text(item) if call is None else None
            if call is not None and call[1].text() == _OWN_LAYER:
                continue  # it is the one below
            if call is not None and (call[1].text() or "") in self.references:
                found.append(self.references[call[1].text() or ""])
            elif text is not None and text.startswith("arn:"):
                found.append(text)
            else:
                self.notes.open(
                    item.place,
                    f"a layer of the function `{name}` that is not known here",
                    "add its ARN, with the version, to `layers`",
                )
        own = self._own_layer(row)
        return (own, *found) if own else tuple(found)

    def _own_layer(self, row: Tree) -> str:
        """The layer of the requirements that the plugin packs for this function."""
        if not self.plugin.used:
            return ""
        module = self.variables.text(row.get("module"))
        requirements = self.plugin.requirements
        if module and requirements:
            requirements = os.path.normpath(os.path.join(module, os.path.basename(requirements)))
        if requirements and not os.path.isfile(os.path.join(self.root, requirements)):
            return ""
        if not requirements and self.plugin.nothing:
            return ""
        for layer in self.layers:
            if layer.requirements == requirements:
                return layer.key
        made = self.plugin.layer(
            layer_key(requirements, self._taken()),
            requirements,
            f"{self.service}-{self.variables.stage}",
        )
        self.layers.append(made)
        if not self.plugin.as_layer:
            self.notes.mapped(
                self.plugin.place,
                "the requirements were packed into each function's zip",
                f"they are a layer now, `{made.key}`, which the functions share",
            )
        return made.key

    def _environment(self, row: Tree) -> tuple[tuple[str, str], ...]:
        found: dict[str, str] = {}
        for tree in (self.provider.get("environment"), row.get("environment")):
            followed = self.variables.tree(tree)
            for name, value in followed.items() if followed is not None else ():
                text = self.variables.text(value)
                if text is not None:
                    found[name] = text
                elif self.variables.tree(value) is not None and (self.variables.tree(value) or value).text() is None:
                    self.notes.open(
                        value.place,
                        f"the variable `{name}` is computed by CloudFormation",
                        "it stays set in AWS; for runs here pass it by `--env NAME=VALUE`",
                    )
        return tuple(found.items())


_REQUIREMENTS = "requirements.txt"


def _patterns(patterns: list[str], folder: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """`package.patterns` as include and exclude: the last that matches a file says."""
    rows = [(text.startswith("!"), _anchored(text.lstrip("!"), folder)) for text in patterns]
    start = max(
        (at + 1 for at, text in enumerate(patterns) if text.startswith("!") and text[1:] in _EVERYTHING), default=0
    )
    include = tuple(dict.fromkeys(text for left, text in rows[start:] if not left)) if start else ()
    exclude: list[str] = []
    for left, text in rows[start:]:
        if left:
            exclude.append(text)
        elif exclude and not start:
            exclude.append(f"!{text}")
    return include, tuple(dict.fromkeys(exclude))


def _anchored(pattern: str, folder: str) -> str:
    text = pattern.removeprefix("./")
    if folder != ".":
        text = text.removeprefix(f"{folder}/")
    text = re.sub(r"/\*\*(/\*)?$", "/", text)
    return text if text.startswith("**/") else f"/{text.lstrip('/')}"


def _content_of(root: str, folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(os.path.join(root, folder)) if not name.startswith("."))
    except OSError:
        return []


def _empty(file: str) -> Tree:
    from lamella.migrate.tree import parse

    found = parse("{}", file)
    assert found is not None
    return found
