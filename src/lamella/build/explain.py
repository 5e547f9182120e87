"""Every file of an artifact's wheels and sources: in or out, by which rule, and what it takes before and after."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from lamella.archive.entry import LINK, Entry, content
from lamella.archive.writer import overhead
from lamella.build.artifacts import own_entries
from lamella.build.plan import Planner
from lamella.build.run import index_settings
from lamella.errors import LamellaError
from lamella.sizes.model import Explained, Row
from lamella.wheels.obtain import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lamella.build.filling import Order
    from lamella.config.model import FunctionSettings, LayerSettings, Settings
    from lamella.pruning.model import Fate, File
    from lamella.wheels.cache import Cache
    from lamella.wheels.model import Wheel
    from lamella.wheels.obtain import Progress


def explain(settings: Settings, key: str, cache: Cache, progress: Progress, *, offline: bool = False) -> Explained:
    """What the artifact `key` of the configuration is made of; one that is split is explained as a whole.

    Everything is decided anew from the lock and the wheels, as a build would.  Writes nothing but the cache.
    Raises KeyError for a key that is not configured, and what `build` raises.
    """
    with Source(cache, lambda: index_settings(settings), offline=offline, progress=progress) as source:
        return _explained(Planner(settings, source, locked=False), settings, key)


def absence(
    settings: Settings, key: str, name: str, cache: Cache, progress: Progress, *, offline: bool = False
) -> tuple[str, str] | None:
    """Why a distribution that the lock pins has nothing in the artifact `key`: a rule, and a sentence.

    The rule is "exclude", "held" (a layer that the function has holds it) or "unasked".  None for a name that the
    lock doesn't pin.  `name` is normalized.  Raises what `build` raises.
    """
    with Source(cache, lambda: index_settings(settings), offline=offline, progress=progress) as source:
        planner = Planner(settings, source, locked=False)
        if name not in planner.resolver.pinned():
            return None
        held = [holder for holder in _holders(planner, settings, name) if holder != key]
        elsewhere = "".join(f"; `{holder}` holds it" for holder in held)
        layer = next((item for item in settings.layers if item.key == key), None)
        if layer is not None:
            return _not_in_layer(layer, name, elsewhere)
        function = next(item for item in settings.functions if item.key == key)
        for holder in held:
            if holder in function.layers:
                return "held", f"layer `{holder}`, which the function has, holds it"
        bundle = "nothing that `bundle` names asks for it" if function.bundle else "the function has no `bundle`"
        return "unasked", f"the lock pins it, but {bundle}{elsewhere}"


def _not_in_layer(layer: LayerSettings, name: str, elsewhere: str) -> tuple[str, str]:
    if name in layer.exclude:
        return "exclude", f"`exclude` of `[tool.lamella.layers.{layer.key}]` names it{elsewhere}"
    reason = f"the lock pins it, but nothing that the layer takes asks for it on {' and '.join(layer.runtimes)}"
    if layer.exclude:
        reason += ", less what `exclude` names and what only that needs"
    return "unasked", reason + elsewhere


def _holders(planner: Planner, settings: Settings, name: str) -> Iterator[str]:
    """The keys of the artifacts that hold a distribution, as far as they can be planned."""
    plans: list[tuple[str, Callable[[], Order]]] = [
        *((layer.key, lambda key=layer.key: planner.layer(key).order) for layer in settings.layers),
        *((function.key, lambda function=function: planner.code(function)[1]) for function in settings.functions),
    ]
    for key, plan in plans:
        with contextlib.suppress(LamellaError):  # what is wrong with another artifact is told by its own build
            if any(wheel.name == name for chosen in plan().wheels.values() for wheel in chosen):
                yield key


def _explained(planner: Planner, settings: Settings, key: str) -> Explained:
    if any(layer.key == key for layer in settings.layers):
        return Explained(key, f"{key}.zip", tuple(_rows(planner, planner.layer(key).order)))
    function = next((item for item in settings.functions if item.key == key), None)
    if function is None:
        raise KeyError(key)
    files, order = planner.code(function)
    own = [_own(entry) for entry in own_entries(files)[0]]
    bundled = _rows(planner, order) if any(order.wheels.values()) else []
    return Explained(key, f"{key}.zip", (*own, *bundled), tuple(_left_out(settings, function)))


def _own(entry: Entry) -> Row:
    zipped = entry.packed + overhead(entry.path)
    return Row(
        entry.path, "", "", "", True, "", "it is the project's own", zipped, entry.size, zipped, entry.size, ()
    )  # fmt: skip


def _left_out(settings: Settings, function: FunctionSettings) -> Iterator[Row]:
    from lamella.contents.sources import left_out

    for path, rule, reason in left_out(
        settings.root, function.source, function.include, function.exclude, output=settings.output
    ):
        yield Row(path, "", "", "", False, rule, reason, 0, 0, 0, 0, ())


def _rows(planner: Planner, order: Order) -> list[Row]:
    decided = planner.filler.decided(order)
    final = {entry.path: entry for entry in planner.filler.entries(order)}
    blanked = _blanked(planner, decided.files, decided.fates, final)
    wheels = {wheel.path: wheel for chosen in order.wheels.values() for wheel in chosen}
    by_name = {wheel.name: wheel for wheel in wheels.values()}
    seen: set[str] = set()
    rows = []
    for index, (file, fate) in enumerate(zip(decided.files, decided.fates, strict=True)):
        row = _row(file, fate, wheels[file.entry.source], final, blanked.get(index), path_taken=file.entry.path in seen)
        rows.append(row)
        if fate.kept:
            seen.add(file.entry.path)
    versions = ", ".join(interpreter.version for interpreter in order.interpreters.values())
    for path, entry in final.items():
        if path not in seen:
            rows.append(_compiled(path, entry, by_name[entry.origin], versions))
    return rows


def _compiled(path: str, entry: Entry, wheel: Wheel, versions: str) -> Row:
    return Row(
        path=path,
        distribution=wheel.name,
        version=wheel.version,
        wheel=wheel.filename,
        kept=True,
        rule="bytecode",
        reason=f"compiled by Python {versions} from its source",
        before_zipped=0,
        before_unzipped=0,
        zipped=entry.packed + overhead(path),
        unzipped=entry.size,
        changes=("compiled",),
    )


def _blanked(
    planner: Planner, files: Sequence[File], fates: Sequence[Fate], final: Mapping[str, Entry]
) -> dict[int, Entry]:
    """The files (by place) whose bytes are others in the artifact, as they were between blanking and compression."""
    from lamella.derive.blank import blank_all

    changed = []
    for index, (file, fate) in enumerate(zip(files, fates, strict=True)):
        now = final.get(file.entry.path)
        if fate.kept and now is not None and now.mode != LINK and not _same(file.entry, now):
            changed.append(index)
    made = blank_all([files[index].entry for index in changed], planner.filler.cache)  # at hand: the build has it
    return dict(zip(changed, made, strict=True))


def _row(
    file: File, fate: Fate, wheel: Wheel, final: Mapping[str, Entry], blanked: Entry | None, *, path_taken: bool
) -> Row:
    entry = file.entry
    before = (entry.packed + overhead(entry.path), entry.size)
    kept, rule, reason = fate.kept, fate.rule, fate.reason
    changes: tuple[str, ...] = ()
    after = (0, 0)
    between = 0
    now = final.get(entry.path)
    if kept and now is None:
        kept, rule = False, "bytecode"
        reason = 'its bytecode is there instead: `bytecode = "instead"`'
    elif kept and now is not None:
        changes = _changes(entry, blanked, now)
        if path_taken:
            changes = (*changes, f"the same file as `{now.origin}` brings")
        else:
            after = (now.packed + overhead(now.path), now.size)
            between = blanked.packed + overhead(now.path) if blanked and len(changes) > 1 else 0
        if now.mode == LINK and entry.mode != LINK:
            rule, reason = "equal", "an equal file is there already: this is a link to it"
    return Row(
        entry.path, wheel.name, wheel.version, wheel.filename, kept, rule, reason, *before, *after, changes, between
    )


def _changes(entry: Entry, blanked: Entry | None, now: Entry) -> tuple[str, ...]:
    """All that was made to a file, in order."""
    if now.mode == LINK and entry.mode != LINK:
        return (f"linked to {content(now).decode()}",)
    last = blanked or entry
    changes = [] if _same(entry, last) else ["blanked"]
    if (last.method, last.packed) != (now.method, now.packed):
        changes.append("recompressed")
    return tuple(changes)


def _same(one: Entry, other: Entry) -> bool:
    return (one.crc, one.size) == (other.crc, other.size)
