"""Makes the zips of planned artifacts, or finds that the one in place is already it."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from lamella import manifest
from lamella.archive.entry import Entry
from lamella.archive.writer import Written, overhead, write
from lamella.build import artifacts
from lamella.build.filling import Order
from lamella.build.notices import describe, licence
from lamella.build.plan import FunctionPlan, LayerPlan, Planner
from lamella.contents.merge import merge
from lamella.contents.split import parts
from lamella.digests import key_of
from lamella.errors import ConfigError, LamellaError
from lamella.facts.tables import limits
from lamella.files import sha256_of
from lamella.manifest import Artifact, Distribution, FunctionArtifact, LayerArtifact
from lamella.wheels.cache import Cache

if TYPE_CHECKING:
    from lamella.build.fleet import Layers
    from lamella.config.model import Settings
    from lamella.target import Target
    from lamella.wheels.model import Wheel

# What a zip has beside its members: the end record
_RECORDS = 22


class Staged(NamedTuple):
    """A finished artifact and where its zip waits; `waiting` None when the one in place is already the same."""

    artifact: Artifact
    waiting: str | None
    seconds: float


class _Zip(NamedTuple):
    written: Written
    distributions: tuple[Distribution, ...]
    waiting: str | None


class SourceChangedError(LamellaError):
    """A source file was edited between planning and packing."""


class Press:
    """Makes the zips of planned artifacts, or finds that the one in place is already it."""

    def __init__(
        self, settings: Settings, cache: Cache, planner: Planner, folder: str, layers: Layers | None = None
    ) -> None:
        self.settings = settings
        self.finished = layers
        self.planner = planner
        self.filler = planner.filler
        self.cache = cache
        self.folder = folder

    def layer(self, plan: LayerPlan) -> list[Staged]:
        """The layer, or the parts that it is split over."""
        parts = self._parts(plan.settings.key, plan.order)
        return self._layers(plan.settings.key, plan.settings.name, plan.order, parts, plan.settings.description)

    def function(self, plan: FunctionPlan) -> list[Staged]:
        """The function; before it the layers that its bundle is split over."""
        began = time.perf_counter()
        function = plan.settings
        order, apart = plan.order, list[Staged]()
        if function.slimming.split and plan.bundle and self._too_large(plan):
            moved = order._replace(bundled=False, key=key_of(order.key, "layers"))
            apart = self._layers(function.key, function.name, moved, self._parts(function.key, moved, all_apart=True))
            order = order._replace(wheels={plan.target: ()}, key=key_of(order.key, "none"))
        made = self._zip(
            function.key,
            key_of(order.key, plan.state),
            order.wheels,
            lambda: self._function_entries(plan, order),
            site="",
        )
        split = {key: self._parts(key, self.planner.layer(key).order) for key in function.layers if key[:4] != "arn:"}
        layers = tuple(part for key in function.layers for part in split.get(key, {key: ()}))
        artifact = FunctionArtifact(
            **self._common(function.key, function.name, made),
            runtime=function.runtime,
            handler=function.handler,
            layers=(*(item.artifact.key for item in apart), *layers),
            needs=tuple(_needs(plan.needs, split)),
        )
        _refuse_many(function.key, artifact.layers)
        return [*apart, Staged(artifact, made.waiting, time.perf_counter() - began)]

    def _layers(
        self, key: str, name: str, order: Order, parts: Mapping[str, tuple[str, ...]], described: str = ""
    ) -> list[Staged]:
        """One layer for each part."""
        staged = []
        for part, names in parts.items():
            began = time.perf_counter()
            wheels = {
                target: [wheel for wheel in chosen if not names or wheel.name in names]
                for target, chosen in order.wheels.items()
            }
            question = key_of(order.key, names) if names else order.key
            made = self._zip(
                part, question, wheels, partial(self._entries, order, names), order=None if names else order
            )
            artifact = LayerArtifact(
                **self._common(part, name + part[len(key) :], made),
                runtimes=tuple(target.runtime for target in order.wheels),
                part_of=key if names else "",
                description=describe(self.settings.project, made.distributions, described),
                licence=licence(question, wheels, self.cache),
            )
            staged.append(Staged(artifact, made.waiting, time.perf_counter() - began))
        return staged

    def _entries(self, order: Order, names: Sequence[str]) -> list[Entry]:
        entries = self.filler.entries(order)
        return [entry for entry in entries if entry.origin in names] if names else entries

    def _parts(self, key: str, order: Order, *, all_apart: bool = False) -> Mapping[str, tuple[str, ...]]:
        """The layers that an order comes to, with the distributions of each; {key: ()} for one that stays whole."""
        if not order.slimming.split:
            return {key: ()}
        sizes: dict[str, int] = {}
        for entry in self.filler.entries(order):
            sizes[entry.origin] = sizes.get(entry.origin, _RECORDS) + entry.packed + overhead(entry.path)
        limit = limits().layer_zipped
        if not all_apart and sum(sizes.values()) <= limit:
            return {key: ()}
        found = parts(sizes, limit, limits().layers)
        return {f"{key}-{number}": names for number, names in enumerate(found, 1)}

    def _too_large(self, plan: FunctionPlan) -> bool:
        packed = sum(entry.packed + overhead(entry.path) for entry in self._function_entries(plan, plan.order))
        return packed + _RECORDS > limits().layer_zipped

    def _zip(
        self,
        key: str,
        question: str,
        wheels: Mapping[Target, Sequence[Wheel]],
        entries: Callable[[], list[Entry]],
        *,
        site: str = artifacts.SHARED_SITE,
        order: Order | None = None,
    ) -> _Zip:
        """Make the zip that `question` names, unless the one in place is known to be it.

        `order` is that of a whole layer, which another machine may have finished.
        """
        in_place = os.path.join(self.settings.output, f"{key}.zip")
        others = self.finished if order is not None else None
        known = self.cache.recall("zips", question)
        if known is None and others is not None and order is not None and others.learn(order):
            known = self.cache.recall("zips", question)
        if known is not None and self.cache.digest(in_place) == known["written"]["sha256"]:
            rows = tuple(manifest.distribution(row) for row in known["distributions"])
            return _Zip(Written(**known["written"]), rows, None)
        waiting = os.path.join(self.folder, f"{key}.zip")
        if known is not None and others is not None and order is not None and self.filler.at_hand(order) is None:
            rows = tuple(manifest.distribution(row) for row in known["distributions"])
            if others.give(order, known["written"]["sha256"], waiting):
                return _Zip(Written(**known["written"]), rows, waiting)
        content = entries()
        written = write(waiting, content, expected=known["written"]["sha256"] if known is not None else None)
        rows = artifacts.distributions(wheels, content, site)
        if known is None or known["written"]["sha256"] != written.sha256:
            if others is not None and order is not None:
                others.made(order, in_place)
            answer = {"written": written._asdict(), "distributions": [row._asdict() for row in rows]}
            self.cache.remember("zips", question, answer)
            if sha256_of(in_place) == written.sha256:
                return _Zip(written, rows, None)
        return _Zip(written, rows, waiting)

    def _function_entries(self, plan: FunctionPlan, order: Order) -> list[Entry]:
        """Raises SourceChangedError when the sources are no longer those that were planned with and checked."""
        own, found = artifacts.own_entries(plan.files)
        if found != plan.state:
            raise SourceChangedError(
                f"the sources of function `{plan.settings.key}` keep changing while they are packed",
                hint="run `lamella build` again when they are at rest",
            )
        return merge([own, self.filler.entries(order)]) if any(order.wheels.values()) else own

    def _common(self, key: str, name: str, made: _Zip) -> dict[str, Any]:
        written = made.written
        return {
            "key": key,
            "name": name,
            "file": f"{key}.zip",
            "zipped": written.zipped,
            "unzipped": written.unzipped,
            "members": written.members,
            "sha256": written.sha256,
            "code_sha256": base64.b64encode(bytes.fromhex(written.sha256)).decode(),
            "architecture": self.settings.architecture,
            "distributions": made.distributions,
        }


def _needs(
    needs: Sequence[tuple[str, tuple[str, ...]]], split: Mapping[str, Mapping[str, tuple[str, ...]]]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What a function needs of each layer, with the parts of those that were split."""
    for layer, names in needs:
        for part, held in split[layer].items():
            wanted = tuple(name for name in names if not held or name in held)
            if wanted:
                yield part, wanted


def _refuse_many(function: str, layers: Sequence[str]) -> None:
    if len(layers) > limits().layers:
        raise ConfigError(
            f"function `{function}` would have {len(layers)} layers: {', '.join(layers)}",
            why=[f"Lambda allows {limits().layers} in a function"],
            hint="leave something out (`without`, `services`, `exclude`), or split less",
        )
