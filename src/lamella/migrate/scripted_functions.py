"""Functions that scripts deploy: their code, handler, settings and layers."""

from __future__ import annotations

import os
import re

from lamella.migrate.model import Function, Layer, Place
from lamella.migrate.naming import check_handler, handler_of, key_of, layer_key, whole_folder
from lamella.migrate.scripted_parts import SETTINGS, VERBS, Parts, below, holds, known, number, stem
from lamella.migrate.steps import Aws, Zipped


class Functions:
    """Reads the functions of the parts; requirements that are in their zips become layers of the parts."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def read(self) -> tuple[Function, ...]:
        """The functions that commands deploy, then those that are zipped and that nothing deploys."""
        calls: dict[str, list[tuple[Place, Aws]]] = {}
        for row in self.parts.rows:
            if isinstance(row.step, Aws) and row.step.verb in VERBS - {"publish-layer-version"}:
                name = row.step.one("function-name").rpartition(":function:")[2]
                if not name or "$" in name:
                    self.parts.notes.open(
                        row.command.place,
                        f"`aws lambda {row.step.verb}` for a name that is computed",
                        "write a `[functions]` table with its `name`",
                    )
                    self.parts.archive(row.step)
                    continue
                calls.setdefault(name, []).append((row.command.place, row.step))
        found = [self._function(name, given) for name, given in calls.items()]
        for place, zipped in self.parts.unclaimed():
            name = os.path.basename(zipped.archive).removesuffix(".zip")
            one = self._zipped(name, place, zipped, {})
            found.append(one)
            if one is not None:
                self.parts.notes.open(
                    place, f"nothing deploys `{zipped.archive}`", "write the function's `name` in AWS"
                )
        return tuple(self._keyed([one for one in found if one is not None]))

    def _keyed(self, functions: list[Function]) -> list[Function]:
        """With a key for each: each becomes KEY.zip, as layers do."""
        taken = [layer.key for layer in self.parts.layers]
        found = []
        for one in functions:
            found.append(one._replace(key=key_of(one.name, taken)))
            taken.append(found[-1].key)
        return found

    def _function(self, name: str, given: list[tuple[Place, Aws]]) -> Function | None:
        options: dict[str, tuple[Place, Aws]] = {}
        alias = ""
        for place, one in given:
            self.parts.unasked(place, one)
            if one.verb in ("update-alias", "create-alias"):
                alias = known(one.one("name"))
            else:
                options.update(
                    {option: (place, one) for option in (*SETTINGS, "zip-file", "s3-key") if one.all(option)}
                )
        zipped = next((found for _, one in given if (found := self.parts.archive(one)) is not None), None)
        made = self._zipped(name, given[0][0], zipped, options)
        return made._replace(alias=alias) if made is not None else None

    def _zipped(
        self, name: str, place: Place, zipped: Zipped | None, options: dict[str, tuple[Place, Aws]]
    ) -> Function | None:
        """The function of a zip, with what the `options` of commands say of it."""
        source, include = self._source(name, place, zipped)

        def text(option: str) -> str:
            return known(options[option][1].one(option)) if option in options else ""

        handler = handler_of(text("handler")) if text("handler") else self._handler(name, source, include, place)
        if handler is None:
            return None
        check_handler(self.parts.root, source, handler, place, self.parts.notes)
        return Function(
            key="",
            name=name,
            handler=handler,
            source=source,
            include=include,
            layers=self._layers_of(options, zipped, place),
            memory=number(text("memory-size")),
            timeout=number(text("timeout")),
            environment=self._environment(options),
        )

    def _source(self, name: str, place: Place, zipped: Zipped | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """`source` and `include` of a function: the folders that were zipped, or copied into what was zipped."""
        if zipped is None:
            self.parts.notes.open(
                place, f"what is in the zip of `{name}` was not found", "name the folder of its code in `source`"
            )
            return (("src",) if os.path.isdir(os.path.join(self.parts.root, "src")) else (".",)), ()
        copied = [path for one in self.parts.copies if below(one.to, zipped.folder) for path in one.sources]
        built = {install.target for _, install in self.parts.installs} | {one.to for one in self.parts.copies}
        built.discard(".")
        sources: list[str] = []
        include: list[str] = []
        for path in [*copied, *(os.path.join(zipped.folder, member) for member in zipped.members)]:
            whole = path.endswith(("/*", "/.", "/"))
            path = os.path.normpath(re.sub(r"/(\*|\.)?$", "", path) if path not in ("*", ".") else ".")
            full = os.path.join(self.parts.root, path)
            if path in built:
                continue  # it is made by the script; an earlier run may have left it
            if path in copied and os.path.isdir(full) and not whole:
                sources.append(os.path.dirname(path) or ".")  # cp -r app build/: it lands as app/
                include.append(f"/{os.path.basename(path)}/")
            elif path.endswith(("*", ".py")) and not os.path.isdir(full):
                sources.append(os.path.dirname(path) or ".")
                include.append(f"/{os.path.basename(path)}")
            elif os.path.isdir(full) and path not in (".", zipped.folder) and not whole and path not in copied:
                sources.append(zipped.folder)
                include.append(f"/{os.path.relpath(path, zipped.folder)}/")
            elif os.path.isdir(full):
                sources.append(path)
        found = tuple(dict.fromkeys(sources))
        if not found:
            self.parts.notes.open(
                place,
                f"the code of `{name}` is put together in `{zipped.folder}`",
                "name the folder of its code in `source`",
            )
            return (("src",) if os.path.isdir(os.path.join(self.parts.root, "src")) else (".",)), ()
        patterns = tuple(dict.fromkeys(include)) if include else ()
        if found == (".",) and not patterns:
            patterns = whole_folder(self.parts.root, ".", place, self.parts.notes)
        return found, patterns

    def _handler(self, name: str, source: tuple[str, ...], include: tuple[str, ...], place: Place) -> str | None:
        """The only handler in the sources; None, and an item, where there is none or a choice."""
        from lamella.config.handlers import find_handlers, python_files
        from lamella.gitignore import matcher

        wanted = matcher("include", include) if include else None
        found = []
        for folder in source:
            at, files = python_files(os.path.join(self.parts.root, folder))
            files = tuple(one for one in files if at == "src" or wanted is None or wanted(one.path))
            prefix = "src." if at == "src" and folder == "." else ""
            found += [f"{prefix}{one.module}.{one.function}" for one in find_handlers(files, at).handlers]
        configured = f"`aws lambda get-function-configuration --function-name {name} --query Handler`"
        if len(found) == 1:
            self.parts.notes.mapped(
                place,
                f"no command says the handler of `{name}`: `{found[0]}` is the only one there",
                f"compare it: {configured}",
            )
            return found[0]
        choice = ", ".join(f"`{one}`" for one in found) or "none was found in its sources"
        self.parts.notes.open(
            place,
            f"the function `{name}` is left out: its handler is not said ({choice})",
            f"ask AWS: {configured}, and write its `[functions]` table",
        )
        return None

    def _layers_of(self, options: dict[str, tuple[Place, Aws]], zipped: Zipped | None, place: Place) -> tuple[str, ...]:
        found: list[str] = []
        arns = options["layers"][1].all("layers") if "layers" in options else ()
        for text in (part for arn in arns for part in re.split(r"[\s,]+", arn) if part):
            own = next(
                (layer.key for layer in self.parts.layers if re.search(rf":layer:{re.escape(layer.name)}(:|$)", text)),
                None,
            )
            if own or (text.startswith("arn:") and "$" not in text):
                found.append(own or text)
        if not arns or not found:
            found += [layer.key for layer in self.parts.layers]
            if self.parts.layers:
                self.parts.notes.mapped(
                    place,
                    "which layers it has is not said: all of the proposal are attached",
                    "remove those that it does not need from `layers`",
                )
        for command, install in self.parts.installs:
            if zipped is None or not holds(zipped, install.target) or install.target in self.parts.folders:
                continue
            key = layer_key((install.requirements or ("",))[0], [layer.key for layer in self.parts.layers])
            self.parts.extra(install.requirements, command.place)
            self.parts.layers.append(
                Layer(
                    key,
                    f"{stem(self.parts.root)}-{key}",
                    (install.requirements or ("",))[0],
                    self.parts.names(install.packages, command.place),
                    drop=self.parts.drop(),
                )
            )
            self.parts.folders[install.target] = key
            self.parts.notes.mapped(
                command.place,
                "the requirements were installed into the function's zip",
                f"they are a layer now, `{key}`",
            )
        shared = [key for target, key in self.parts.folders.items() if zipped is not None and holds(zipped, target)]
        return tuple(dict.fromkeys([*shared, *found]))

    def _environment(self, options: dict[str, tuple[Place, Aws]]) -> tuple[tuple[str, str], ...]:
        if "environment" not in options:
            return ()
        place, one = options["environment"]
        match = re.fullmatch(r"Variables=\{(.*)\}", one.one("environment").replace("'", ""))
        pairs = [part.partition("=") for part in match[1].split(",")] if match else []
        known = tuple((name.strip(), value) for name, _, value in pairs if name.strip() and "$" not in value)
        if not pairs or len(known) < len(pairs):
            self.parts.notes.open(
                place,
                "variables of the function that are computed",
                "they stay set in AWS; for runs here pass them by `--env NAME=VALUE`",
            )
        return known
