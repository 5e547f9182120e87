"""Closure of the functions of a build: gathers what each has, asks the pure checks, and keeps their answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lamella.contents.model import BUNDLE, RUNTIME, layer_holder
from lamella.contents.place import AT_SITE, in_scheme
from lamella.digests import key_of
from lamella.facts.tables import provided, stdlib
from lamella.revision import revision

if TYPE_CHECKING:
    from lamella.build.filling import Order
    from lamella.build.plan import Planner
    from lamella.closure.findings import Distribution, Finding, Import, ModuleIndex
    from lamella.config.model import FunctionSettings
    from lamella.contents.model import SourceFile
    from lamella.target import Target
    from lamella.wheels.model import Wheel
    from lamella.wheels.obtain import Source

Needs = tuple[tuple[str, tuple[str, ...]], ...]


class Closing:
    """Examines one function after the other; all that is missing is told at once, by `refuse`."""

    def __init__(self, planner: Planner) -> None:
        self.planner = planner
        self.notes: list[str] = []
        self._errors: list[Finding] = []
        self._indexes: dict[tuple[str, ...], ModuleIndex] = {}

    def refuse(self) -> None:
        """Raise ClosureError when any function lacks something."""
        if self._errors:
            from lamella.closure.check import closure_error

            error = closure_error(self._errors)
            if error is not None:
                raise error

    def examine(
        self,
        function: FunctionSettings,
        target: Target,
        files: Sequence[SourceFile],
        bundle: Order,
        state: str,
    ) -> Needs:
        """What of each layer the function's code imports.  Findings are kept for `notes` and `refuse`.

        An examination without an error is remembered under the digest of all that it saw.
        """
        held = self._held(function, bundle)
        key = key_of(
            revision(), function, target, state, [(holder, order.key) for holder, order in held.items()],
            [sorted((name, sorted(extras)) for name, extras in kind.items()) for kind in self.asked(function, target)],
        )  # fmt: skip
        cache = self.planner.resolver.source.cache
        memo: Any = cache.recall("closures", key)
        if memo is not None:
            self.notes += memo["notes"]
            return tuple((layer, tuple(names)) for layer, names in memo["needs"])
        from lamella.closure.findings import Severity

        inquiry = _Inquiry(self, function, target, files, held)
        findings = inquiry.findings()
        errors = [finding for finding in findings if finding.severity is Severity.ERROR]
        notes = [finding.text for finding in findings if finding.severity is Severity.NOTE]
        self.notes += notes
        if errors:
            self._errors += inquiry.findings_with_hints()
            return ()
        needs = inquiry.needs()
        if not inquiry.unread:  # another Python may be able to read them
            cache.remember("closures", key, {"notes": notes, "needs": needs})
        return needs

    def _held(self, function: FunctionSettings, bundle: Order) -> dict[str, Order]:
        held = {
            layer_holder(key): self.planner.layer(key).order for key in function.layers if not key.startswith("arn:")
        }
        held[BUNDLE] = bundle
        return held

    def asked(
        self, function: FunctionSettings, target: Target
    ) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
        """The extras of what the function has: those asked for, and those that may have been."""
        places = [*(f"layers.{key}" for key in function.layers), f"functions.{function.key}"]
        return self.planner.resolver.asked(places, target)

    def index(self, order: Order, wheels: Sequence[Wheel]) -> ModuleIndex:
        """The modules of these wheels of an artifact, once they are placed and pruned.

        In a layer for several runtimes they may lie in two folders, which count as one: `build.sharing` splits no
        package between them.
        """
        from lamella.closure.modules import index_modules

        key = (order.key, *(wheel.sha256 for wheel in wheels))
        if key not in self._indexes:
            dropped = self.planner.filler.dropped(order)
            none: frozenset[str] = frozenset()
            self._indexes[key] = index_modules(
                path for wheel in wheels for path in importable(wheel) if path not in dropped.get(wheel.sha256, none)
            )
        return self._indexes[key]

    def pruned(self, order: Order) -> ModuleIndex:
        """The modules that rules left out of an artifact."""
        from lamella.closure.modules import index_modules

        return index_modules(path for paths in self.planner.filler.dropped(order).values() for path in paths)


def importable(wheel: Wheel) -> list[str]:
    """The wheel's paths below the folder of importable code, those that come there from `.data` included."""
    paths = []
    for member in wheel.members:
        found = in_scheme(member.name)
        if found is None:
            paths.append(member.name)
        elif found[0] in AT_SITE:
            paths.append(found[1])
    return paths


class _Inquiry:
    """All that the checks want to know of one function."""

    def __init__(
        self,
        closing: Closing,
        function: FunctionSettings,
        target: Target,
        files: Sequence[SourceFile],
        held: Mapping[str, Order],
    ) -> None:
        from lamella.closure.modules import index_modules, known_modules

        self.closing = closing
        self.function = function
        self.target = target
        self.orders = held
        self.held = {holder: order.wheels.get(target, ()) for holder, order in held.items()}
        self.contents: dict[str, bytes] = {}
        self.imports: dict[str, Sequence[Import]] = {}
        self.unread: list[Finding] = []
        self.shown = {file.path: file.shown for file in files}
        for file in files:
            self.contents[file.path] = b""  # what is no source of Python is known by its name alone
            if file.path.endswith(".py"):
                with open(file.absolute, "rb") as opened:
                    self.contents[file.path] = opened.read()
                self.imports[file.shown] = self._scan(file)
        self.own = index_modules(self.contents)
        shipped = provided(target.runtime)
        self.shipped = {row.name for row in shipped}
        self.available = {holder: closing.index(held[holder], wheels) for holder, wheels in self.held.items() if wheels}
        self.available[RUNTIME] = known_modules(module for row in shipped for module in row.modules)
        self.foreign = [key for key in function.layers if key.startswith("arn:")]

    def _scan(self, file: SourceFile) -> Sequence[Import]:
        """The imports of a file; of one that only a newer Python can read none, and a note."""
        from lamella.closure.findings import unread
        from lamella.closure.imports import scan
        from lamella.closure.syntax import NewerSyntaxError

        try:
            return scan(file.path, self.contents[file.path], target=self.target.python, shown=file.shown)
        except NewerSyntaxError as error:
            if _unreadable(self.contents[file.path], self.target, self.closing.planner.resolver.source):
                raise
            self.unread.append(unread(self.function.key, file.shown, error.line, self.target.runtime))
            return ()

    def findings(
        self,
        unattached: Mapping[str, Order] | None = None,
        unplaced: Sequence[str] = (),
    ) -> list[Finding]:
        from lamella.closure.attributes import unbound
        from lamella.closure.check import check
        from lamella.closure.handler import handler_finding
        from lamella.closure.requirements import unmet

        function, others = self.function, unattached or {}
        handler = handler_finding(
            function.key,
            function.handler,
            self.contents,
            available=self.available,
            foreign=self.foreign,
            target=self.target.python,
            shown=self.shown,
        )
        return [
            *([handler] if handler is not None else []),
            *self.unread,
            *check(
                function.key,
                self.imports,
                self.own,
                stdlib(self.target.runtime),
                self.available,
                unattached={
                    key: self.closing.index(order, order.wheels.get(self.target, ())) for key, order in others.items()
                },
                unplaced=dict.fromkeys(unplaced),
                foreign=self.foreign,
                pruned={holder: self.closing.pruned(order) for holder, order in self.orders.items()},
            ),
            *unbound(function.key, self.imports, self.contents, self.own, self.available, target=self.target.python),
            *unmet(
                function.key,
                {holder: self._rows(wheels) for holder, wheels in self.held.items()},
                self.target.environment(),
                self.shipped,
                unattached={
                    key: {wheel.name for wheel in order.wheels.get(self.target, ())} for key, order in others.items()
                },
                unplaced=unplaced,
                excluded={
                    name: layer.key
                    for layer in self.closing.planner.settings.layers
                    if layer.key in function.layers
                    for name in layer.exclude
                },
                foreign=self.foreign,
            ),
        ]

    def findings_with_hints(self) -> list[Finding]:
        """The same, now that something is missing, with the layers and pins that could provide it."""
        from lamella.closure.findings import Severity

        planner = self.closing.planner
        others = {
            layer.key: planner.layer(layer.key).order
            for layer in planner.settings.layers
            if layer.key not in self.function.layers and self.target.runtime in layer.runtimes
        }
        orders = (*self.orders.values(), *others.values())
        placed = {wheel.name for order in orders for wheel in order.wheels.get(self.target, ())}
        unplaced = [name for name in planner.resolver.pinned() if name not in placed]
        return [finding for finding in self.findings(others, unplaced) if finding.severity is Severity.ERROR]

    def _rows(self, wheels: Sequence[Wheel]) -> list[Distribution]:
        from lamella.closure.findings import Distribution

        extras, perhaps = self.closing.asked(self.function, self.target)
        return [
            Distribution(
                wheel.name,
                wheel.version,
                wheel.requires,
                tuple(sorted(extras.get(wheel.name, ()))),
                tuple(sorted(perhaps.get(wheel.name, ()))),
            )
            for wheel in wheels
        ]

    def needs(self) -> Needs:
        """For each local layer the distributions that the function's own files import."""
        from lamella.closure.findings import Provided
        from lamella.closure.modules import provides

        modules = {found.module for imports in self.imports.values() for found in imports}
        needs = []
        for key in self.function.layers:
            holder = layer_holder(key)
            names = [
                wheel.name
                for wheel in self.held.get(holder, ())
                if any(
                    provides(self.closing.index(self.orders[holder], [wheel]), module) is Provided.YES
                    for module in modules
                )
            ]
            if names:
                needs.append((key, tuple(names)))
        return tuple(needs)


def _unreadable(content: bytes, target: Target, source: Source) -> bool:
    """Whether the target's own Python, where there is one here, refuses the file, too: then it is a mistake."""
    import subprocess

    from lamella.interpreter import InterpreterMissingError, find

    try:
        python = find(target.python, offline=source.offline, install=False, memory=source.cache)
    except InterpreterMissingError:
        return False
    asked = [python.path, "-I", "-c", "import ast, sys; ast.parse(sys.stdin.buffer.read())"]
    return subprocess.run(asked, input=content, capture_output=True, check=False).returncode != 0
