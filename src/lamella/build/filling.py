"""What fills an artifact: which files of its wheels stay, and in which form; decided once, then only copied.

The parts are `pruning`'s and `derive`'s; this composes them for one layer or bundle.  Both answers, which files are
left out and what the finished list of entries is, are kept in the cache under the key of the plan.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from lamella.archive.entry import Entry
from lamella.build.artifacts import Group, bundle_groups, joined, layer_groups
from lamella.errors import ConfigError, LamellaError

if TYPE_CHECKING:
    from lamella.config.model import Slimming
    from lamella.derive.model import Store
    from lamella.interpreter import Interpreter
    from lamella.pruning.model import Fate, File
    from lamella.target import Target
    from lamella.wheels.cache import Cache
    from lamella.wheels.model import Wheel

Dropped = Mapping[str, frozenset[str]]


class Order(NamedTuple):
    """What is to be filled.  `interpreters` compile for each target; none without bytecode.

    `key` names all of it: equal keys give equal entries.  `bundled`: for a function's zip instead of a layer.
    `label` is what messages call it: "layer `images`".
    """

    label: str
    wheels: Mapping[Target, Sequence[Wheel]]
    slimming: Slimming
    interpreters: Mapping[Target, Interpreter]
    bundled: bool
    key: str


class Decided(NamedTuple):
    """Every file of the wheels with what becomes of it, in order; `groups` hold those that stay.

    `excepted` are the archive's paths of files that stay as they are, because `keep` names them.
    """

    files: tuple[File, ...]
    fates: tuple[Fate, ...]
    groups: tuple[Group, ...]
    excepted: frozenset[str]


class AbsentWheelsError(LamellaError):
    """Wheels of which only the names of their files are known here are needed themselves.  `digests` are theirs."""

    def __init__(self, digests: frozenset[str]) -> None:
        super().__init__(f"{len(digests)} wheels are not in the cache", hint="run the command again")
        self.digests = digests


class Learning(Protocol):
    """Who may know what another machine found out about a layer."""

    def learn(self, order: Order) -> bool:
        """Keep it in the cache, as if it had been found out here; False where there is nothing."""


class Filler:
    """Fills artifacts.  What one decided is not decided again in the same run.

    `store` keeps what is derived, None for the cache.
    """

    def __init__(self, cache: Cache, *, store: Store | None = None, others: Learning | None = None) -> None:
        self.cache = cache
        self._store: Store = store if store is not None else cache
        self._others = others
        self._decided: dict[str, Decided] = {}
        self._recalled: dict[str, list[Entry] | None] = {}

    def entries(self, order: Order) -> list[Entry]:
        """The finished entries, each one to be copied.  Raises CollisionError, ConfigError, DamagedSourceError."""
        known = self.at_hand(order)
        if known is not None:
            return known
        entries = self._kept(self._made(order), order.key)
        self.cache.remember("entries", order.key, _memo(entries))
        self.dropped(order)  # at hand by now, and wanted whenever code is checked
        return entries

    def at_hand(self, order: Order) -> list[Entry] | None:
        """The finished entries, where they only have to be copied from what is in the cache."""
        if self._recalled.get(order.key) is None:
            self._recalled[order.key] = _recalled(self.cache.recall("entries", order.key))
        return self._recalled[order.key]

    def _answer(self, kind: str, order: Order) -> Any:
        """What was found out before, here or by others."""
        memo = self.cache.recall(kind, order.key)
        if memo is None and self._others is not None and self._others.learn(order):
            memo = self.cache.recall(kind, order.key)
        return memo

    def dropped(self, order: Order) -> Dropped:
        """Which files are left out: paths below the folder of importable code, by the wheel's sha256."""
        memo = self._answer("dropped", order)
        if memo is not None:
            return {sha256: frozenset(paths) for sha256, paths in memo.items()}
        decided = self.decided(order)
        found: dict[str, set[str]] = {}
        wheels = {wheel.path: wheel.sha256 for chosen in order.wheels.values() for wheel in chosen}
        for file, fate in zip(decided.files, decided.fates, strict=True):
            if not fate.kept and file.at_site:
                found.setdefault(wheels[file.entry.source], set()).add(file.path)
        self.cache.remember("dropped", order.key, {sha256: sorted(paths) for sha256, paths in found.items()})
        return {sha256: frozenset(paths) for sha256, paths in found.items()}

    def notes(self, order: Order) -> list[str]:
        """Patterns of the configuration that match nothing, a sentence each."""
        slimming = order.slimming
        if not (slimming.keep or slimming.drop or slimming.distributions):
            return []
        notes = self._answer("idle", order)
        if notes is None:
            from lamella.pruning.decide import idle_patterns

            idle = idle_patterns(self.decided(order).files, slimming)
            notes = [f"the pattern `{pattern}` matches no file" for pattern in idle]
            self.cache.remember("idle", order.key, notes)
        found: list[str] = notes
        return found

    def decided(self, order: Order) -> Decided:
        """What becomes of each file.  Raises ConfigError, DamagedSourceError."""
        if order.key not in self._decided:
            refuse_absent(order.wheels)
            try:
                self._decided[order.key] = _decide(order)
            except ConfigError as error:
                raise ConfigError(f"{order.label}: {error.what}", why=error.why, hint=error.hint) from None
        return self._decided[order.key]

    def _made(self, order: Order) -> list[Entry]:
        decided = self.decided(order)
        plain = _untouched(decided, profiles(order.slimming))
        entries = joined(self._blanked(decided.groups, plain))
        if order.slimming.bytecode != "none":
            entries = self._compiled(entries, decided.groups, order, decided.excepted)
        if not all(entry.path in plain for entry in entries):
            from lamella.contents.links import link_equal

            entries = _changed(entries, plain, link_equal)
        if order.slimming.compression == "max":
            from lamella.derive.compress import compress

            entries = compress(entries, self._store)
        return entries

    def _blanked(self, groups: Sequence[Group], plain: frozenset[str]) -> list[Group]:
        """The groups with blanked libraries, but for the paths that are left alone."""
        if all(entry.path in plain for group in groups for entry in group.entries):
            return list(groups)
        from lamella.derive.blank import blank_all

        def blanked(entries: Sequence[Entry]) -> list[Entry]:
            return blank_all(entries, self._store)

        return [group._replace(entries=_changed(group.entries, plain, blanked)) for group in groups]

    def _compiled(
        self, entries: list[Entry], groups: Sequence[Group], order: Order, excepted: frozenset[str]
    ) -> list[Entry]:
        """The entries with bytecode.  What all runtimes share is compiled for each of them."""
        from lamella.derive.bytecode import compile_all

        mount = "/var/task" if order.bundled else "/opt"
        found = {entry.path: entry for entry in entries}
        for target, interpreter in order.interpreters.items():
            seen = {entry.path for group in groups if target in group.targets for entry in group.entries}
            before = [entry for entry in entries if entry.path in seen]
            after = compile_all(
                before,
                interpreter=interpreter,
                python=target.python,
                mount=mount,
                sites=sorted({group.site for group in groups if target in group.targets}),
                mode="instead" if order.slimming.bytecode == "instead" else "beside",
                store=self._store,
                keep=excepted,
            )
            for path in seen.difference(entry.path for entry in after):
                found.pop(path, None)
            found.update((entry.path, entry) for entry in after)
        return list(found.values())

    def _kept(self, entries: list[Entry], key: str) -> list[Entry]:
        """Entries that hold their bytes go to the cache, too, so that all can be copied."""
        if not any(entry.data is not None for entry in entries):
            return entries
        packed = self.cache.derive(key, (entry for entry in entries if entry.data is not None))
        return [
            entry if entry.data is None else packed[entry.path]._replace(origin=entry.origin, mode=entry.mode)
            for entry in entries
        ]


def refuse_absent(wheels: Mapping[Target, Sequence[Wheel]]) -> None:
    """Raise AbsentWheelsError where a wheel's file is not there."""
    chosen = {wheel.sha256: wheel.path for found in wheels.values() for wheel in found}
    absent = frozenset(sha256 for sha256, path in chosen.items() if not os.path.exists(path))
    if absent:
        raise AbsentWheelsError(absent)


def _changed(
    entries: Sequence[Entry], excepted: frozenset[str], change: Callable[[Sequence[Entry]], list[Entry]]
) -> list[Entry]:
    """What `change` makes of the entries, those whose paths are `excepted` left as they are; the order stays."""
    if not excepted:
        return change(entries)
    changed = iter(change([entry for entry in entries if entry.path not in excepted]))
    return [entry if entry.path in excepted else next(changed) for entry in entries]


def _untouched(decided: Decided, profile_of: Callable[[str], str]) -> frozenset[str]:
    """The paths of what is neither blanked nor linked: what `keep` names, and distributions of the profile "none"."""
    none = (group for group in decided.groups if profile_of(group.wheel.name) == "none")
    return decided.excepted.union(entry.path for group in none for entry in group.entries)


def profiles(slimming: Slimming) -> Callable[[str], str]:
    """The profile of a distribution by its name."""
    own = {name: rules.profile for name, rules in slimming.distributions if rules.profile is not None}
    return lambda name: own.get(name, slimming.profile)


def _decide(order: Order) -> Decided:
    from lamella.pruning.decide import decide
    from lamella.pruning.model import File
    from lamella.pruning.native import unreached

    if order.bundled:
        ((target, bundle),) = order.wheels.items()
        groups = bundle_groups(bundle, target)
    else:
        groups = layer_groups(order.wheels)
    files: list[File] = []
    for group in groups:
        prefix = group.site + "/" if group.site else ""
        for entry in group.entries:
            at_site = entry.path.startswith(prefix) and (bool(prefix) or not entry.path.startswith("bin/"))
            files.append(File(entry, entry.path[len(prefix) :] if at_site else entry.path, group.wheel.name, at_site))
    fates = decide(files, order.slimming, native=unreached)
    kept: list[Group] = []
    at = 0
    for group in groups:
        own = fates[at : at + len(group.entries)]
        at += len(group.entries)
        kept.append(
            group._replace(entries=[entry for entry, fate in zip(group.entries, own, strict=True) if fate.kept])
        )
    excepted = frozenset(
        file.entry.path for file, fate in zip(files, fates, strict=True) if fate.kept and fate.rule == "keep"
    )
    return Decided(tuple(files), tuple(fates), tuple(kept), excepted)


def _memo(entries: Sequence[Entry]) -> dict[str, object]:
    """Entries as columns; files that they are copied from by number."""
    sources = list(dict.fromkeys(entry.source for entry in entries))
    numbers = {source: number for number, source in enumerate(sources)}
    rows = [(*entry[:7], numbers[entry.source], entry.offset, entry.packed_crc) for entry in entries]
    return {"sources": sources, "entries": [[row[at] for row in rows] for at in range(10)]}


def _recalled(memo: Any) -> list[Entry] | None:
    """The entries of a memo, or None when a file that they are copied from is gone."""
    if memo is None:
        return None
    sources: list[str] = memo["sources"]
    if not all(map(os.path.exists, sources)):
        return None
    columns = memo["entries"]
    columns[7] = [sources[number] for number in columns[7]]
    return list(map(Entry._make, zip(*columns, [None] * len(columns[0]), strict=True)))
