"""What a build has of the shared cache: wheels, derived members and finished layers that another machine made.

Every key here also names the libdeflate that packs, as the cache of one machine needs not; the rest is in the keys of
`derive` and of `build.filling.Order`.  Nothing is asked while the cache of this machine has it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from lamella import manifest
from lamella.archive.writer import Written
from lamella.digests import key_of
from lamella.files import sha256_of
from lamella.shared.depot import Depot, Offer
from lamella.shared.model import Reference
from lamella.wheels import index

if TYPE_CHECKING:
    from lamella.archive.entry import Entry
    from lamella.build.filling import Order
    from lamella.wheels.cache import Cache
    from lamella.wheels.model import Wheel
    from lamella.wheels.obtain import Progress

_WHEEL, _DERIVED, _LAYER = "wheel", "derived", "layer"
# Answers about a layer that are worked out from its wheels' bytes; they travel with its zip
_ANSWERS = ("zips", "dropped", "idle", "licences")
_FILE = "file"
# What stands beside the bar
_SHOWN = "to the shared cache"


class Wheels:
    """`wheels.obtain.Elsewhere`: what admission learnt, and the wheels themselves, which the lock's digests prove."""

    def __init__(self, depot: Depot) -> None:
        self._depot = depot
        self._found: dict[str, Reference | None] = {}

    def open(self) -> None:
        self._depot.open()

    def index(self, sha256: str) -> bytes | None:
        found = self._reference(sha256)
        return found.facts.encode() if found is not None else None

    def wheel(self, sha256: str, path: str) -> bool:
        found = self._reference(sha256)
        return found is not None and self._depot.fetch(_WHEEL, _wheel_key(sha256), found.files[_FILE], path)

    def admitted(self, wheel: Wheel) -> None:
        self.offer(wheel, known=True)

    def offer(self, wheel: Wheel, *, known: bool) -> None:
        facts = index.to_json(wheel).decode()
        self._depot.offer(Offer(_WHEEL, _wheel_key(wheel.sha256), facts, {_FILE: wheel.path}, known))

    def _reference(self, sha256: str) -> Reference | None:
        """What is known of the wheel; a thread asks for it once."""
        if sha256 not in self._found:
            found = self._depot.find(_WHEEL, _wheel_key(sha256))
            if found is not None and not _is_of(found, sha256):
                self._depot.refuse(_WHEEL, _wheel_key(sha256), "it is of another wheel")
                found = None
            self._found[sha256] = found
        return self._found[sha256]


class Packs:
    """`derive.model.Store`: the cache of this machine, and behind it what others derived."""

    def __init__(self, depot: Depot, cache: Cache) -> None:
        self._depot = depot
        self._cache = cache

    def expect(self, keys: Iterable[str]) -> None:
        self._depot.together(self._bring, [key for key in dict.fromkeys(keys) if self._cache.pack(key) is None])

    def derived(self, key: str) -> Mapping[str, Entry] | None:
        if self._cache.pack(key) is None:
            self._bring(key)
        return self._cache.derived(key)

    def derive(self, key: str, made: Iterable[Entry]) -> Mapping[str, Entry]:
        kept = self._cache.derive(key, made)
        packed = self._cache.pack(key)
        if packed is not None and self._depot.lacks(_DERIVED, _salted(key)):
            columns, path = packed
            paths = {_FILE: path} if os.path.getsize(path) else {}
            self._depot.offer(Offer(_DERIVED, _salted(key), columns, paths))
        return kept

    def _bring(self, key: str) -> None:
        found = self._depot.find(_DERIVED, _salted(key))
        if found is None:
            return
        # A disk that takes no more says so to whoever has to make it
        with contextlib.suppress(OSError), self._cache.locked(key):
            path = self._cache.partial(f"{key}.pack")
            blob = found.files.get(_FILE)
            if blob is None:  # that nothing was gained is kept, too
                with open(path, "wb"):
                    pass
            elif not self._depot.fetch(_DERIVED, _salted(key), blob, path):
                return
            if not self._cache.adopt_pack(key, found.facts, path):
                self._depot.refuse(_DERIVED, _salted(key), "its facts are not those of its file")


class Layers:
    """Finished layers, and what is known of them, so that a machine needs neither their wheels nor what was derived."""

    def __init__(self, depot: Depot, cache: Cache, wheels: Wheels) -> None:
        self._depot = depot
        self._cache = cache
        self._wheels = wheels
        self._brought: dict[str, str] = {}  # the sha256 of what lies at `_path`
        self._made: dict[str, tuple[Order, str]] = {}

    def learn(self, order: Order) -> bool:
        """Bring a finished layer, and remember what is known of it, as if it had been made here."""
        if order.bundled or order.slimming.split:
            return False
        path = self._path(order)
        if order.key in self._brought and os.path.exists(path):
            return True
        found = self._depot.find(_LAYER, _salted(order.key))
        if found is None:
            return False
        digest = _said(found)
        if digest is None:
            self._depot.refuse(_LAYER, _salted(order.key), "its facts are not those of a layer")
            return False
        with self._cache.locked(order.key):
            fetched = self._depot.fetch(_LAYER, _salted(order.key), found.files[_FILE], path)
        if fetched:
            self._brought[order.key] = digest
            for kind in _ANSWERS:
                if kind in found.facts:
                    self._cache.remember(kind, order.key, found.facts[kind])
        return fetched

    def give(self, order: Order, sha256: str, path: str) -> bool:
        """Put the finished layer with this digest at `path`, if another machine made it."""
        if not self.learn(order) or self._brought[order.key] != sha256:
            return False
        try:
            shutil.copyfile(self._path(order), path)
        except FileNotFoundError:  # another build that was lent the same is done, and cleared it away
            return False
        return True

    def made(self, order: Order, path: str) -> None:
        """A layer that others lack was made, and will lie at `path` at the end of the build."""
        if self._depot.lacks(_LAYER, _salted(order.key)):
            self._made[order.key] = order, path

    def offer(self) -> None:
        """Offer what was made, now that it is in place, with the wheels that it was made of."""
        for key, (order, path) in self._made.items():
            facts = {kind: memo for kind in _ANSWERS if (memo := self._cache.recall(kind, key)) is not None}
            if "zips" not in facts or sha256_of(path) != facts["zips"]["written"]["sha256"]:
                continue
            self._depot.offer(Offer(_LAYER, _salted(key), facts, {_FILE: path}))
            for wheel in {wheel.sha256: wheel for chosen in order.wheels.values() for wheel in chosen}.values():
                self._wheels.offer(wheel, known=False)

    def close(self) -> None:
        """Nothing of what was brought is needed any more."""
        for key in self._brought:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._cache.partial(f"{key}.zip"))

    def _path(self, order: Order) -> str:
        return self._cache.partial(f"{order.key}.zip")


class Fleet:
    """All of it, for one build."""

    def __init__(self, depot: Depot, cache: Cache) -> None:
        self.depot = depot
        self.wheels = Wheels(depot)
        self.packs = Packs(depot, cache)
        self.layers = Layers(depot, cache, self.wheels)

    def publish(self, progress: Progress) -> None:
        """Give others what was made.  To be called when all of it is in place."""
        self.layers.offer()
        if self.depot.offered:
            progress.began(_SHOWN, None)
            try:
                self.depot.publish()
            finally:
                progress.ended(_SHOWN)


def _is_of(found: Reference, sha256: str) -> bool:
    """Whether a reference is to the wheel of this digest, and to what admission learnt of it."""
    try:
        return found.files[_FILE].sha256 == sha256 == index.from_json(found.facts.encode(), "").sha256
    except (KeyError, ValueError, TypeError, AttributeError, IndexError):
        return False


def _wheel_key(sha256: str) -> str:
    return key_of(index.VERSION, sha256)


def _salted(key: str) -> str:
    from importlib.metadata import version

    return key_of(key, version("deflate"))


def _said(found: Reference) -> str | None:
    """The digest of the layer that a reference is to, where all that it says is what a build would have written."""
    try:
        facts: dict[str, Any] = found.facts
        written = Written(**facts["zips"]["written"])
        rows = [manifest.distribution(row) for row in facts["zips"]["distributions"]]
        blob = found.files[_FILE]
        dropped = all(isinstance(path, str) for paths in facts.get("dropped", {}).values() for path in paths)
        idle = all(isinstance(note, str) for note in facts.get("idle", ()))
        licences = isinstance(facts.get("licences", ""), str)
    except (KeyError, TypeError, AttributeError, ValueError):
        return None
    whole = bool(rows) and dropped and idle and licences and (written.sha256, written.zipped) == blob
    return blob.sha256 if whole else None
