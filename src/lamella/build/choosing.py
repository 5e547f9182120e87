"""Pins → wheels for one target: the file is chosen, fetched or built, and a refusal says what would work."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from packaging.utils import canonicalize_name

from lamella.build.natives import Natives
from lamella.build.sources import Builder, Raw
from lamella.container.model import ContainerSettings
from lamella.digests import key_of
from lamella.errors import IncompatibleError, LamellaError, LockError, OfflineError, OutsideError
from lamella.lock.model import FromDirectory, FromFile, FromGit, FromIndex, LockedFile, Pin, Pins
from lamella.wheels import graph
from lamella.wheels.choose import Choice, choose, refusal
from lamella.wheels.native import REPAIR
from lamella.wheels.obtain import Source, Wanted

if TYPE_CHECKING:
    from lamella.target import Target
    from lamella.wheels.model import Wheel


# Pages of an index that are asked for at a time
ASKING = 8


class _Listed(NamedTuple):
    files: tuple[LockedFile, ...]
    yanked: tuple[tuple[str, str], ...]  # filename, reason


class Chooser:
    """Turns pins into admitted wheels for one target.

    `contained`: what has no wheel is built in a container, as `container` says.  What was, is found in any case.
    """

    def __init__(
        self,
        source: Source,
        allow_build: tuple[str, ...],
        target: Target,
        container: ContainerSettings = ContainerSettings(),  # noqa: B008  a value
        *,
        contained: bool = False,
    ) -> None:
        self.source = source
        self.allow_build = frozenset(allow_build)
        self.target = target
        self.contained = contained
        self._natives = Natives(container, source, target, self._tools, allowed=contained)
        self._builder = Builder(source, target, self._natives)

    def wheels(self, wanted: list[Pin], here: Mapping[str, Pin], pins: Pins, notes: list[str]) -> dict[str, Wheel]:
        """The wheels by name.  `here` are all pins of the target, to name parents in a refusal.

        Raises IncompatibleError, BuildError, LockError, OutsideError, ArchiveError.
        """
        fetched: list[Wanted] = []
        raws: list[Raw] = []
        listed = self._listings([pin for pin in wanted if isinstance(pin.source, FromIndex) and not pin.source.files])
        for pin in wanted:
            match pin.source:
                case FromDirectory() | FromGit():
                    raws.append(Raw(pin))
                case FromFile(file=file) if not file.filename.endswith(".whl"):
                    raw = self._raw(pin, file)
                    if raw is None:
                        raise self._refusal(pin, choose(pin, [file], self.target), here, pins)
                    raws.append(raw)
                case FromFile(file=file):
                    choice = choose(pin, [file], self.target)
                    fetched.append(self._wanted(pin, choice, here, pins))
                case FromIndex():
                    choice = self._choice(pin, listed, notes)
                    raw = self._raw(pin, choice.sdist) if choice.file is None else None
                    if raw is not None:
                        raws.append(raw)
                    else:
                        fetched.append(self._wanted(pin, choice, here, pins))
        ready = self._builder.wheels(raws)
        ready.update(zip((item.name for item in fetched), self.source.wheels(fetched), strict=True))
        return ready

    def _raw(self, pin: Pin, sdist: LockedFile | None) -> Raw | None:
        """How the sdist is built; None where it may not be, and was not in a container before."""
        if sdist is None:
            return None
        raw = Raw(pin, sdist, here=pin.name in self.allow_build)
        return raw if raw.here or self.contained or self._natives.kept(raw) is not None else None

    def _tools(self) -> list[Wheel]:
        """The wheels that repair.txt pins, whose files are here."""
        from lamella.build.filling import AbsentWheelsError
        from lamella.lock.model import Selection
        from lamella.lock.requirements import read
        from lamella.lock.select import for_target

        pins = read(REPAIR, Selection(everything=True), root=os.path.dirname(REPAIR))
        here = {str(pin.name): pin for pin in for_target(pins, self.target.environment())}
        wheels = list(self.wheels(list(here.values()), here, pins, []).values())
        absent = frozenset(wheel.sha256 for wheel in wheels if not os.path.exists(wheel.path))
        if absent:
            raise AbsentWheelsError(absent)
        return wheels

    def _wanted(self, pin: Pin, choice: Choice, here: Mapping[str, Pin], pins: Pins) -> Wanted:
        if choice.file is None:
            raise self._refusal(pin, choice, here, pins)
        return Wanted(pin.name, str(pin.version) if pin.version else None, choice.file)

    def _choice(self, pin: Pin, listed: Mapping[str, _Listed], notes: list[str]) -> Choice:
        source = pin.source
        assert isinstance(source, FromIndex)
        if source.files:
            return choose(pin, source.files, self.target)
        choice = choose(pin, listed[pin.name].files, self.target, yanked=dict(listed[pin.name].yanked))
        notes += choice.notes
        return choice

    def _listings(self, pins: list[Pin]) -> dict[str, _Listed]:
        """What the index offers of each pin whose lock names no files.

        Offline, what it offered when it was last asked: choosing among the files that happen to be in the cache
        could come to another wheel.  Raises OfflineError naming every pin that it was never asked about.
        """
        if not pins:
            return {}
        if self.source.offline:
            remembered = {pin.name: self._remembered(pin) for pin in pins}
            missing = [f"`{pin.name}=={pin.version}`" for pin in pins if remembered[pin.name] is None]
            if missing:
                raise OfflineError(
                    "not everything that is pinned is in the cache, and `--offline` was given",
                    why=missing,
                    hint="run the same build once without `--offline`",
                )
            return {name: listed for name, listed in remembered.items() if listed is not None}
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(ASKING) as pool:
            asked = list(pool.map(self._asked, pins))
        return {pin.name: listed for pin, listed in zip(pins, asked, strict=True)}

    def _remembered(self, pin: Pin) -> _Listed | None:
        rows = self.source.cache.recall("listings", _listing_key(pin))
        if rows is None:
            return None
        files = [LockedFile(name, url="", hashes=tuple(map(tuple, hashes))) for name, hashes, _ in rows]
        return _Listed(tuple(files), tuple((name, reason) for name, _, reason in rows if reason is not None))

    def _asked(self, pin: Pin) -> _Listed:
        """The index's files of the pinned version, less what the lock's hashes rule out."""
        from lamella.index.listing import list_files

        source = pin.source
        assert isinstance(source, FromIndex)
        assert pin.version is not None
        allowed = set(source.hashes)
        listed = list_files(self.source.session, pin.name, pin.version, index=source.index)
        if not listed:
            raise OutsideError(
                f"the index has no files of `{pin.name}=={pin.version}`",
                why=[f"`{pin.where}` pins it"],
                hint="check the version, and that the index it comes from is configured for uv or pip",
            )
        fitting = [
            (replace(row.file, hashes=_held_to(row.file.hashes, allowed)), row.yanked)
            for row in listed
            if not _contradicts(row.file.hashes, allowed)
        ]
        if not fitting:
            raise LockError(
                f"no file of `{pin.name}=={pin.version}` on the index has a hash that `{pin.where}` allows",
                why=["the files were exchanged since, or another index answers than the one that was locked"],
                hint="lock again, and look at what changed before you trust it",
            )
        # Without addresses: those may hold credentials
        rows = [(file.filename, file.hashes, yanked) for file, yanked in fitting]
        self.source.cache.remember("listings", _listing_key(pin), rows)
        return _Listed(
            tuple(file for file, _ in fitting),
            tuple((file.filename, yanked) for file, yanked in fitting if yanked is not None),
        )

    def _refusal(self, pin: Pin, choice: Choice, here: Mapping[str, Pin], pins: Pins) -> IncompatibleError:
        """The refusal, with those that ask for the pin, and an older version where one is known to fit."""
        older = None
        wheels = any(refused.filename.endswith(".whl") for refused in choice.refused)
        if pin.version is not None and wheels and not self.source.offline:
            from lamella.index.listing import newest_older

            def works(filename: str, requires_python: str | None) -> bool:
                candidate = replace(pin, requires_python=requires_python)
                return choose(candidate, [LockedFile(filename)], self.target).file is not None

            found = newest_older(self.source.session, pin.name, pin.version, works)
            older = str(found.version) if found else None
        return refusal(pin, choice, self.target, self._parents(pin, here, pins), older=older)

    def _parents(self, pin: Pin, here: Mapping[str, Pin], pins: Pins) -> list[str]:
        environment = self.target.environment()
        parents = []
        if any(name == pin.name for name, _ in graph.applicable(pins.roots or (), environment)):
            parents.append("the project")
        for other in here.values():
            if other.name == pin.name or not isinstance(other.source, FromIndex) or not other.source.files:
                continue
            choice = choose(other, other.source.files, self.target)
            if choice.file is None:
                continue
            try:
                (wheel,) = self.source.wheels([Wanted(other.name, str(other.version), choice.file)])
            except LamellaError:
                continue
            if any(canonicalize_name(r.name) == pin.name for r in graph.requirements(wheel, (), environment)):
                parents.append(other.name)
        return parents


def _contradicts(offered: Sequence[tuple[str, str]], allowed: set[tuple[str, str]]) -> bool:
    """Whether the index's own word rules a file out: it names a hash of a kind that the lock names too, another one."""
    kinds = {kind for kind, _ in allowed}
    return any(kind in kinds and (kind, digest) not in allowed for kind, digest in offered)


def _held_to(offered: tuple[tuple[str, str], ...], allowed: set[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The hashes that a listed file must have: the lock's, of which the index may tell which are this file's.

    What the index says counts by itself only where the lock says nothing.
    """
    if not allowed:
        return offered
    return tuple(sorted(allowed.intersection(offered))) or tuple(sorted(allowed))


def _listing_key(pin: Pin) -> str:
    source = pin.source
    assert isinstance(source, FromIndex)
    return key_of(pin.name, pin.version, source.hashes, source.index)
