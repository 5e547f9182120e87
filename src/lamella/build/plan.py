"""What a build comes to, before anything is written: each layer's wheels, each function's files, and no open end."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

from lamella.build.artifacts import state_of
from lamella.build.closing import Closing
from lamella.build.filling import Filler, Order
from lamella.build.resolve import Question, Resolver
from lamella.contents.model import SourceFile, Sources
from lamella.digests import key_of
from lamella.errors import CollisionError, ConfigError
from lamella.files import settled, state
from lamella.revision import revision
from lamella.target import Target

if TYPE_CHECKING:
    from lamella.build.fleet import Fleet
    from lamella.config.model import FunctionSettings, LayerSettings, Settings, Slimming
    from lamella.interpreter import Interpreter
    from lamella.wheels.model import Wheel
    from lamella.wheels.obtain import Source


class LayerPlan(NamedTuple):
    """`wheels` are sorted by name, for each target.  The key of `order` names the content: equal ones, equal zips."""

    settings: LayerSettings
    wheels: Mapping[Target, tuple[Wheel, ...]]
    order: Order


class FunctionPlan(NamedTuple):
    """`order` fills its bundle; `state` names the sources' content at the time of planning."""

    settings: FunctionSettings
    target: Target
    files: tuple[SourceFile, ...]
    bundle: tuple[Wheel, ...]
    order: Order
    needs: tuple[tuple[str, tuple[str, ...]], ...]
    state: str


class Plan(NamedTuple):
    """`inputs` are the files and folders that were looked at, absolute; `inputs_tell` whether they decide it all."""

    layers: tuple[LayerPlan, ...]
    functions: tuple[FunctionPlan, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    inputs: frozenset[str]
    inputs_tell: bool


class Planner:
    """Decides a whole build.  Fetches the wheels that it needs to decide; writes nothing but the cache."""

    def __init__(
        self,
        settings: Settings,
        source: Source,
        *,
        locked: bool,
        contained: bool = False,
        fleet: Fleet | None = None,
    ) -> None:
        self.settings = settings
        self.resolver = Resolver(settings, source, locked=locked, contained=contained)
        others = fleet.layers if fleet else None
        self.filler = Filler(source.cache, store=fleet.packs if fleet else None, others=others)
        self.inputs = {settings.file}
        self._notes: list[str] = []
        self._layers: dict[str, LayerPlan] = {}

    def plan(self, names: Iterable[str]) -> Plan:
        """Decide the named artifacts, or all.

        Raises ClosureError naming all that functions lack; CollisionError, LockError, IncompatibleError, ConfigError,
        OutsideError.
        """
        wanted = set(names)
        functions = [item for item in self.settings.functions if not wanted or item.key in wanted]
        layers = [item for item in self.settings.layers if not wanted or item.key in wanted]
        attached = {key for function in functions for key in function.layers}
        for item in self.settings.layers:
            if item in layers or item.key in attached:
                self.layer(item.key)
        self._refuse_overlap()
        closing = Closing(self)
        planned = tuple(self._function(function, closing) for function in functions)
        closing.refuse()
        return Plan(
            layers=tuple(self._layers[item.key] for item in layers),
            functions=planned,
            notes=tuple(dict.fromkeys([*self.resolver.notes, *self._notes, *closing.notes])),
            warnings=self._warnings(),
            inputs=frozenset(self.inputs.union(map(_whole, self.resolver.inputs))),
            inputs_tell=not self.resolver.unstamped,
        )

    def layer(self, key: str) -> LayerPlan:
        """The plan of one layer of the project, by its key."""
        if key not in self._layers:
            settings = next(item for item in self.settings.layers if item.key == key)
            whole = not (settings.groups or settings.extras or settings.packages)
            question = Question(
                f"layers.{key}", whole, settings.extras, settings.groups, settings.packages, settings.exclude
            )
            wheels: dict[Target, tuple[Wheel, ...]] = {}
            for runtime in settings.runtimes:
                target = Target(runtime, self.settings.architecture)
                answer = self.resolver.answer(question, target)
                wheels[target] = answer.wheels
                self._notes += answer.notes
            if not any(wheels.values()):
                raise ConfigError(
                    f"layer `{key}` would be empty",
                    why=["nothing that it takes is locked for its runtime"],
                    hint=f"give it `packages`, `groups` or `extras`, or drop `[tool.lamella.layers.{key}]`",
                )
            order = self._order(f"layer `{key}`", wheels, settings.slimming)
            self._notes += [f"layer `{key}`: {note}" for note in self.filler.notes(order)]
            self._layers[key] = LayerPlan(settings, wheels, order)
        return self._layers[key]

    def _order(
        self, label: str, wheels: Mapping[Target, tuple[Wheel, ...]], slimming: Slimming, *, bundled: bool = False
    ) -> Order:
        """Raises InterpreterMissingError where there is bytecode to make, and no Python of the target."""
        interpreters: dict[Target, Interpreter] = {}
        if slimming.bytecode != "none" and any(wheels.values()):
            from lamella.interpreter import BYTECODE, Purpose, find

            source = self.resolver.source
            purpose = Purpose(f"to compile the bytecode of {label} with", BYTECODE.otherwise)
            interpreters = {
                target: find(target.python, offline=source.offline, memory=source.cache, purpose=purpose)
                for target in wheels
            }
        rows = [(target, [wheel.sha256 for wheel in chosen]) for target, chosen in wheels.items()]
        versions = [interpreter.version for interpreter in interpreters.values()]
        return Order(
            label, wheels, slimming, interpreters, bundled, key_of(revision(), bundled, rows, slimming, versions)
        )

    def code(self, settings: FunctionSettings) -> tuple[tuple[SourceFile, ...], Order]:
        """What is in a function's zip: its own files, and the order for its bundle."""
        target = Target(settings.runtime, self.settings.architecture)
        sources = self._sources(settings)
        self.inputs.update(sources.directories, (file.absolute for file in sources.files))
        bundle = self._bundle(settings, target)
        return sources.files, self._order(
            f"function `{settings.key}`", {target: bundle}, settings.slimming, bundled=True
        )

    def _function(self, settings: FunctionSettings, closing: Closing) -> FunctionPlan:
        files, order = self.code(settings)
        ((target, bundle),) = order.wheels.items()
        if bundle:
            self._notes += [f"function `{settings.key}`: {note}" for note in self.filler.notes(order)]
        code = state_of(files)
        needs = closing.examine(settings, target, files, order, code)
        return FunctionPlan(settings, target, files, tuple(bundle), order, needs, code)

    def _sources(self, settings: FunctionSettings) -> Sources:
        """The files of a function.

        While no folder was changed that was listed for it, the list still holds; only which files are programs can
        change without their folder.  Lists with symbolic links in them are always made anew.
        """
        root, output = self.settings.root, self.settings.output
        cache = self.resolver.source.cache
        key = key_of(revision(), root, settings.source, settings.include, settings.exclude, output)
        memo: Any = cache.recall("sources", key)
        if memo is not None and all(state(path) == known for path, known in memo["directories"]):
            with contextlib.suppress(OSError):
                files = [SourceFile(path, place, _is_program(place), shown) for path, place, shown in memo["files"]]
                return Sources(tuple(files), tuple(path for path, _ in memo["directories"]))
        from lamella.contents.sources import collect

        began = time.time_ns()
        sources = collect(root, settings.source, settings.include, settings.exclude, output=output)
        places = [file.absolute for file in sources.files]
        if all(settled(path, began) for path in sources.directories) and not any(map(os.path.islink, places)):
            memo = {
                "directories": [(path, state(path)) for path in sources.directories],
                "files": [(file.path, file.absolute, file.shown) for file in sources.files],
            }
            cache.remember("sources", key, memo)
        return sources

    def _bundle(self, settings: FunctionSettings, target: Target) -> tuple[Wheel, ...]:
        """The distributions of a function's own zip: what `bundle` names and needs, less what its layers hold."""
        if not settings.bundle:
            return ()
        layered = {
            wheel.name: key
            for key in settings.layers
            if not key.startswith("arn:")
            for wheel in self.layer(key).wheels.get(target, ())
        }
        for name in settings.bundle:
            if name in layered:
                raise ConfigError(
                    f"`{name}` is in the bundle of function `{settings.key}` and in its layer `{layered[name]}`",
                    why=["a distribution belongs in exactly one of them"],
                    hint=f"take `{name}` out of `bundle`, or add it to `exclude` of `{layered[name]}`",
                )
        question = Question(f"functions.{settings.key}", False, packages=settings.bundle, held=tuple(sorted(layered)))
        answer = self.resolver.answer(question, target)
        self._notes += answer.notes
        return answer.wheels

    def _refuse_overlap(self) -> None:
        for one, other in combinations(self._layers.values(), 2):
            for target, wheels in one.wheels.items():
                names = {wheel.name for wheel in other.wheels.get(target, ())}
                both = [wheel.name for wheel in wheels if wheel.name in names]
                if both:
                    a, b = one.settings.key, other.settings.key
                    listed = ", ".join(f'"{name}"' for name in both)
                    raise CollisionError(
                        f"the layers `{a}` and `{b}` both hold " + ", ".join(f"`{name}`" for name in both),
                        why=["of two layers with one distribution, the later hides the earlier's files"],
                        hint=f"add `exclude = [{listed}]` to one of them, and attach the other beside it",
                    )

    def _warnings(self) -> tuple[str, ...]:
        from datetime import date

        runtimes = [*self.settings.runtimes, *(r for item in self.settings.layers for r in item.runtimes)]
        found: dict[str, None] = {}
        for runtime in dict.fromkeys(runtimes):
            for warning in Target(runtime, self.settings.architecture).warnings(date.today()):
                found[warning] = None
        return tuple(found)


def _is_program(path: str) -> bool:
    """As `contents.sources` tells it: by the owner's bit."""
    return bool(os.stat(path).st_mode & stat.S_IXUSR)


def _whole(path: str) -> str:
    """A folder that was read whole is marked as such by a separator at the end."""
    return os.path.join(path, "") if os.path.isdir(path) else path
