"""A SAM template → what it says, in our words.

Source: AWS Serverless Application Model developer guide, "AWS SAM resources and properties", "Globals section",
"Building Lambda functions with custom runtimes" (BuildMethod: makefile) (read on 2026-11-22).
"""

from __future__ import annotations

import os
import re
from typing import Any

from lamella.migrate.model import Function, Layer, Notes, Origin, Place, Reading
from lamella.migrate.naming import check_handler, handler_of, key_of, layer_key
from lamella.migrate.sam_events import Events
from lamella.migrate.sam_make import made
from lamella.migrate.sam_values import Values, properties
from lamella.migrate.tree import Tree, content, load

KIND = "sam"
_NAMES = ("template.yaml", "template.yml", "template.json", "sam.yaml", "sam.yml")
_FUNCTION = "AWS::Serverless::Function"
_LAYER = "AWS::Serverless::LayerVersion"
_APIS = ("AWS::Serverless::Api", "AWS::Serverless::HttpApi")
_STAYS = "leave it in the template: lamella changes a function's code, layers, versions and aliases, and nothing else"
_READ = frozenset(
    {"Handler", "Runtime", "CodeUri", "FunctionName", "Description", "MemorySize", "Timeout", "Environment", "Layers"}
    | {"Events", "Architectures", "AutoPublishAlias", "DeploymentPreference", "PackageType"}
)
_GLOBAL = ("Function", "Api", "HttpApi")
_CANARY = re.compile(r"Canary(\d+)Percent(\d+)Minutes")
_REQUIREMENTS = "requirements.txt"


def templates(root: str) -> tuple[str, ...]:
    """The names of the templates in the folder, of those that SAM looks for."""
    found = []
    for name in _NAMES:
        if os.path.isfile(os.path.join(root, name)) and re.search(r"AWS::(Serverless|Lambda)", content(root, name)):
            found.append(name)
    return tuple(found)


def read(root: str, file: str) -> Reading:
    """What the template in the folder `root` says.  Raises ConfigError where it is no YAML."""
    return _Template(root, file).reading()


class _Template:
    def __init__(self, root: str, file: str) -> None:
        self.root = root
        self.file = file
        self.notes = Notes()
        self.top = load(root, file)
        self.values = Values(self.top, self.notes)
        resources = self.top.get("Resources") if self.top is not None else None
        self.resources = resources.items() if resources is not None else ()
        self.kinds = {name: (one.get("Type") or one).text() or "" for name, one in self.resources}
        self.layers: list[Layer] = []
        self.layer_keys: dict[str, str] = {}
        self.keys: dict[str, str] = {}
        for name, kind in self.kinds.items():
            if kind == _FUNCTION:
                self.keys[name] = key_of(name, self.keys.values())

    def reading(self) -> Reading:
        shared = self.top.get("Globals", "Function") if self.top is not None else None
        self._others()
        for name, one in self.resources:
            if self.kinds[name] == _LAYER:
                self._layer(name, one)
        apis = {name: one for name, one in self.resources if self.kinds[name] in _APIS}
        self.events = Events(self.values, self.top, apis, self.kinds, self.keys, self.notes)
        rows = [(name, one, properties(one, shared)) for name, one in self.resources if self.kinds[name] == _FUNCTION]
        runtimes = [runtime for _, _, given in rows if (runtime := self.values.text(given.get("Runtime")) or "")]
        runtimes = [runtime for runtime in runtimes if runtime.startswith("python")]
        runtime = max(runtimes, key=runtimes.count) if runtimes else self._of_layers()
        machines = [self._architecture(given) for _, _, given in rows]
        architecture = max(machines, key=machines.count) if machines else "x86_64"
        functions = [self._function(name, one, given, runtime, architecture) for name, one, given in rows]
        kept = tuple(one for one in functions if one is not None)
        return Reading(
            Origin(KIND, (self.file,)),
            runtime,
            architecture,
            tuple(self._served(layer, kept, runtime) for layer in self.layers),
            kept,
            self.events.api({one.key for one in kept}),
            items=self.notes.items,
        )

    def _taken(self) -> list[str]:
        """Layers and functions share their keys: each becomes KEY.zip."""
        return [*self.keys.values(), *(layer.key for layer in self.layers)]

    def _of_layers(self) -> str:
        return next((layer.runtimes[-1] for layer in self.layers if layer.runtimes), "")

    def _served(self, layer: Layer, functions: tuple[Function, ...], runtime: str) -> Layer:
        """The layer with the runtimes of its functions, where they are not the one of all."""
        used = [one.runtime or runtime for one in functions if layer.key in one.layers]
        wanted = tuple(dict.fromkeys([*layer.runtimes, *used]))
        return layer._replace(runtimes=() if wanted in ((), (runtime,)) else wanted)

    def _others(self) -> None:
        known = (_FUNCTION, _LAYER, *_APIS)
        for name, one in self.resources:
            if self.kinds[name] not in known:
                self.notes.open(one.place, f"`{name}` ({self.kinds[name] or 'no Type'})", _STAYS)
        given = self.top.get("Globals") if self.top is not None else None
        for kind, one in given.items() if given is not None else ():
            if kind not in _GLOBAL:
                self.notes.open(one.place, f"`Globals.{kind}`", _STAYS)

    def _layer(self, name: str, one: Tree) -> None:
        given = properties(one, None)
        folder = self.values.text(given.get("ContentUri")) or "."
        method = (self.values.text(one.get("Metadata", "BuildMethod")) or "").lower()
        key = key_of(name, self._taken())
        requirements = os.path.normpath(os.path.join(folder, _REQUIREMENTS))
        packages: tuple[str, ...] = ()
        if method == "makefile":
            found = made(self.root, os.path.normpath(folder), name, one.place, self.notes)
            requirements, packages = (found.requirements, found.packages) if found else ("", ())
        if not method or not (packages or os.path.isfile(os.path.join(self.root, requirements))):
            self.notes.open(
                one.place,
                f"the layer `{name}` is a folder of files, `{folder}`"
                if not method
                else f"the requirements of the layer `{name}` were not found",
                "a layer is made of locked distributions: name them in a `[layers]` table",
            )
            return
        self.layer_keys[name] = key
        text = self.values.text(given.get("LayerName")) or name
        runtimes = [item for item in self.values.texts(given.get("CompatibleRuntimes")) if item.startswith("python")]
        self.layers.append(
            Layer(
                key,
                text,
                requirements,
                packages,
                tuple(runtimes),
                description=self.values.text(given.get("Description")) or "",
            )
        )

    def _architecture(self, given: dict[str, Tree]) -> str:
        return next(iter(self.values.texts(given.get("Architectures"))), "x86_64")

    def _function(
        self, name: str, one: Tree, given: dict[str, Tree], default: str, architecture: str
    ) -> Function | None:
        runtime = self.values.text(given.get("Runtime")) or ""
        written = self.values.text(given.get("Handler"))
        handler = handler_of(written) if written else None
        if "InlineCode" in given or self.values.text(given.get("PackageType")) == "Image" or handler is None:
            why = "has its code in the template" if "InlineCode" in given else f"has no handler to be read: `{written}`"
            if self.values.text(given.get("PackageType")) == "Image":
                why = "is a container image"
            self.notes.open(one.place, f"the function `{name}` {why}", "leave it in the template")
            return None
        if runtime and not runtime.startswith("python"):
            self.notes.open(one.place, f"the function `{name}` runs on {runtime}", "lamella packages Python alone")
            return None
        for key, value in given.items():
            if key not in _READ:
                self.notes.open(value.place, f"`{key}` of `{name}`", _STAYS)
        if self._architecture(given) != architecture:
            self.notes.open(
                one.place,
                f"`{name}` is for {self._architecture(given)}",
                "a configuration has one `architecture`: give this function a project of its own",
            )
        source, requirements = self._code(name, one, given)
        check_handler(self.root, source, handler, one.place, self.notes)
        alias = self.values.text(given.get("AutoPublishAlias")) or ""
        return Function(
            key=self.keys[name],
            name=self._name(name, one, given),
            handler=handler,
            runtime=runtime if runtime != default else "",
            source=source,
            exclude=tuple(
                f"/{file}"
                for file in (_REQUIREMENTS, "Makefile")
                if os.path.isfile(os.path.join(self.root, source[0], file))
            ),
            layers=self._layers(name, given, requirements),
            memory=self.values.whole(given.get("MemorySize")) or 0,
            timeout=self.values.whole(given.get("Timeout")) or 0,
            environment=self._environment(given),
            alias=alias,
            canary=self._canary(given, alias),
            **self.events.of(name, one, given),
        )

    def _name(self, name: str, one: Tree, given: dict[str, Tree]) -> str:
        text = self.values.text(given.get("FunctionName"))
        if text is not None:
            return text
        self.notes.open(
            one.place,
            f"CloudFormation makes up the name of `{name}`: STACK-{name}-…",
            "write its `name`: `aws cloudformation list-stack-resources --stack-name STACK` shows it",
        )
        return self.keys[name]

    def _code(self, name: str, one: Tree, given: dict[str, Tree]) -> tuple[tuple[str, ...], str]:
        """`source` of a function, and its requirements file, "" for none."""
        folder = os.path.normpath(self.values.text(given.get("CodeUri")) or ".")
        method = (self.values.text(one.get("Metadata", "BuildMethod")) or "").lower()
        if method == "makefile":
            found = made(self.root, folder, name, one.place, self.notes)
            if found is not None:
                return found.source or (folder,), found.requirements
        requirements = os.path.normpath(os.path.join(folder, _REQUIREMENTS))
        there = os.path.isfile(os.path.join(self.root, requirements))
        return (folder,), requirements if there else ""

    def _layers(self, name: str, given: dict[str, Tree], requirements: str) -> tuple[str, ...]:
        found: list[str] = []
        listed = given.get("Layers")
        for item in listed.list() if listed is not None else ():
            call = item.call()
            key = self.layer_keys.get(call[1].text() or "") if call is not None and call[0] == "Ref" else None
            text = key or self.values.text(item, quiet=True)
            if text and (key or text.startswith("arn:")):
                found.append(text)
            elif call is None or call[0] != "Ref" or self.kinds.get(call[1].text() or "") != _LAYER:
                self.notes.open(
                    item.place,
                    f"a layer of `{name}` that is not known here",
                    "add its ARN, with the version, to `layers`",
                )
        if requirements and self._has_requirements(requirements):
            own = next((layer.key for layer in self.layers if layer.requirements == requirements), None)
            if own is None:
                own = layer_key(requirements, self._taken())
                self.layers.append(Layer(own, f"{_stem(self.root)}-{own}", requirements))
            self.notes.mapped(
                Place(requirements),
                "it was installed into each function's zip",
                f"it is a layer now, `{own}`, which the functions share",
            )
            found.insert(0, own)
        return tuple(dict.fromkeys(found))

    def _has_requirements(self, file: str) -> bool:
        lines = content(self.root, file).splitlines()
        return any(line.strip() and not line.strip().startswith("#") for line in lines)

    def _environment(self, given: dict[str, Tree]) -> tuple[tuple[str, str], ...]:
        tree = given.get("Environment")
        table = tree.get("Variables") if tree is not None else None
        found = []
        for name, value in table.items() if table is not None else ():
            text = self.values.text(value, quiet=True)
            if text is None:
                self.notes.open(
                    value.place,
                    f"the variable `{name}` is computed by CloudFormation",
                    "it stays set in AWS; for runs here pass it by `--env NAME=VALUE`",
                )
            else:
                found.append((name, text))
        return tuple(found)

    def _canary(self, given: dict[str, Tree], alias: str) -> tuple[tuple[str, Any], ...]:
        tree = given.get("DeploymentPreference")
        kind = self.values.text(tree.get("Type")) if tree is not None else None
        if tree is None or kind is None or kind == "AllAtOnce":
            return ()
        match = _CANARY.fullmatch(kind)
        if match is None or not alias:
            self.notes.open(
                tree.place,
                f"`DeploymentPreference` of type `{kind}`",
                "a rollout has one step: `canary = { weight = 0.1, minutes = 5 }`, say",
            )
            return ()
        alarms = tree.get("Alarms")
        named = [self.values.text(item, quiet=True) for item in (alarms.list() if alarms is not None else ())]
        if alarms is not None and (not named or None in named):
            self.notes.open(
                alarms.place,
                "alarms whose names CloudFormation makes up",
                'write the names into `canary`: `alarms = ["…"]`',
            )
        for key in ("Hooks", "Role", "TriggerConfigurations"):
            hook = tree.get(key)
            if hook is not None:
                self.notes.open(hook.place, f"`DeploymentPreference.{key}`", "use `smoke`: events that must pass first")
        known = [text for text in named if text]
        return (("weight", int(match[1]) / 100), ("minutes", int(match[2])), *((("alarms", known),) if known else ()))


def _stem(root: str) -> str:
    from lamella.config.propose import as_key

    return as_key([os.path.basename(os.path.abspath(root))])
