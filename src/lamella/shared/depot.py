"""What is asked of the shared cache in one run, and what is given to it at the end."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from lamella.errors import LamellaError, OutsideError
from lamella.files import sha256_of
from lamella.shared.model import Blob, Objects, Reference
from lamella.shared.patience import Patience
from lamella.shared.record import LARGEST, DamagedReferenceError, blob_key, from_bytes, object_key, to_bytes
from lamella.wording import counted

# As many as botocore keeps connections
_PARALLEL = 10
# Blobs of at least so many bytes are looked for before they are sent: it saves more than the question costs
_WORTH_ASKING = 1 << 20

_T = TypeVar("_T")


class Offer(NamedTuple):
    """What others may find under a key: facts, and files by name with the paths where they lie.

    `known` False: nobody looked yet whether it is there.
    """

    kind: str
    key: str
    facts: Any
    paths: Mapping[str, str]
    known: bool = True


class _TooLargeError(Exception):
    """An object has more bytes than what it is to be can have."""


class Depot:
    """The shared cache, for one run.  Threads may share it.

    After the first failure it is asked nothing more: `warnings` say why, in a sentence each.  `fetched` are bytes.
    That its answers take too long is a failure, too; `now` are the seconds that they are timed by.
    """

    def __init__(
        self, objects: Objects, *, name: str, writes: bool, now: Callable[[], float] = time.monotonic
    ) -> None:  # fmt: skip
        self.name = name
        self.writes = writes
        self.warnings: list[str] = []
        self.fetched = 0
        self._objects = objects
        self._patience = Patience(now)
        self._lock = threading.Lock()
        self._off = False
        self._absent: set[tuple[str, str]] = set()
        self._present: set[tuple[str, str]] = set()
        self._damaged: set[str] = set()
        self._offers: dict[tuple[str, str], Offer] = {}

    def open(self) -> None:
        """Load what speaks to the bucket, while something else is waited for."""
        self._objects.open()

    def find(self, kind: str, key: str) -> Reference | None:
        """What is known under `key`, or None.  A key that isn't there is asked for once in a run."""
        if (kind, key) in self._absent:
            return None
        place = object_key(kind, key)
        try:
            data = self._brought(lambda going: self._objects.get(place, going), LARGEST, None)
            if data is not None:
                found = from_bytes(kind, key, data)
                with self._lock:
                    self.fetched += len(data)
                    self._present.add((kind, key))
                return found
        except DamagedReferenceError as error:
            self._refuse(place, str(error))
        except _TooLargeError:
            self._refuse(place, f"it has more than {LARGEST >> 20} MiB")
        with self._lock:
            self._absent.add((kind, key))
        return None

    def fetch(self, kind: str, key: str, blob: Blob, path: str) -> bool:
        """Put a blob of the reference `key` at `path`, which appears only with the bytes of its digest.

        A disk that takes no more is no matter either: what was to be brought is made, or says the same.
        """
        place = blob_key(blob.sha256)
        if place in self._damaged:
            return False
        waiting = f"{path}.{os.getpid()}-{threading.get_ident()}.shared"
        try:
            if self._brought(lambda going: self._objects.fetch(place, waiting, going), blob.size, False):
                with self._lock:
                    self.fetched += os.path.getsize(waiting)
                if sha256_of(waiting) == blob.sha256:
                    os.replace(waiting, path)
                    return True
                self._damage(place, "its bytes are not those of its digest")
        except _TooLargeError:
            self._damage(place, f"it has more than its {counted(blob.size, 'byte')}")
        except OSError as error:
            self._stop(OutsideError("could not keep what it has", why=[f"`{path}`: {error.strerror or error}"]))
            return False
        finally:
            with contextlib.suppress(OSError):
                os.unlink(waiting)
        self.forget(kind, key)
        return False

    def forget(self, kind: str, key: str) -> None:
        """What was found under the key was of no use: it counts as absent, and a good one takes its place."""
        with self._lock:
            self._present.discard((kind, key))
            self._absent.add((kind, key))

    def refuse(self, kind: str, key: str, why: str) -> None:
        """What was found under the key is not what it says: tell it, and forget it."""
        self._refuse(object_key(kind, key), why)
        self.forget(kind, key)

    def lacks(self, kind: str, key: str) -> bool:
        """Whether it was asked for, and is not there."""
        return (kind, key) in self._absent

    def together(self, work: Callable[[_T], object], items: Iterable[_T]) -> None:
        """Do `work` for each, side by side, as many at a time as a bucket is asked for."""
        asked = list(items)
        if len(asked) < 2:
            for item in asked:
                work(item)
            return
        from concurrent.futures import ThreadPoolExecutor

        pool = ThreadPoolExecutor(min(_PARALLEL, len(asked)), thread_name_prefix="shared")
        try:
            for _ in pool.map(work, asked):
                pass
        except BaseException as error:
            # A server that is silent keeps its thread; somebody who interrupts does not wait for it
            pool.shutdown(wait=not isinstance(error, KeyboardInterrupt), cancel_futures=True)
            raise
        pool.shutdown()

    def offer(self, offer: Offer) -> None:
        """Remember what is to be given at the end of the run, unless it is there."""
        where = (offer.kind, offer.key)
        if self.writes and where not in self._present:
            with self._lock:
                self._offers.setdefault(where, offer)

    @property
    def offered(self) -> bool:
        """Whether there is anything to give, and a bucket that takes it."""
        return bool(self._offers) and not self._off

    def publish(self) -> None:
        """Give what was offered and is not there: blobs first, so that no reference is without them."""
        offers = [offer for where, offer in self._offers.items() if where not in self._present]
        self._offers.clear()
        if offers and not self._off:
            self.together(self._give, offers)

    def _give(self, offer: Offer) -> None:
        place = object_key(offer.kind, offer.key)
        if not offer.known and self._tried(lambda: self._objects.has(place), None) is not None:
            return
        files = {}
        try:
            for name, path in offer.paths.items():
                blob = Blob(sha256_of(path) or "", os.path.getsize(path))
                if not self._sent(blob, path):
                    return
                files[name] = blob
        except OSError:
            return  # somebody cleared the cache or the output away meanwhile
        data = to_bytes(offer.kind, offer.key, files, offer.facts)
        self._tried(lambda: self._objects.put(place, data), None)

    def _sent(self, blob: Blob, path: str) -> bool:
        place = blob_key(blob.sha256)
        ask = blob.size >= _WORTH_ASKING and place not in self._damaged
        if ask and self._tried(lambda: self._objects.has(place), None) == blob.size:
            return True

        def send() -> bool:
            self._objects.put_file(place, path)
            return True

        return self._tried(send, False)

    def _brought(self, ask: Callable[[Callable[[int], None]], _T], most: int, otherwise: _T) -> _T:
        """What the bucket gives, while it has at most so many bytes and is quick.  Raises _TooLargeError."""
        so_far = 0

        def going(received: int) -> None:
            nonlocal so_far
            if received > most:
                raise _TooLargeError
            self._patience.brought(max(received - so_far, 0))
            so_far = max(received, so_far)
            self._lose_patience()

        def patiently() -> _T:
            self._lose_patience()
            with self._patience.waiting():
                return ask(going)

        return self._tried(patiently, otherwise)

    def _lose_patience(self) -> None:
        spent = self._patience.spent()
        if spent is not None:
            seconds, size = spent
            raise OutsideError("it is too slow", why=[f"{size / 1e6:.1f} MB in {seconds:.0f} s"])

    def _tried(self, ask: Callable[[], _T], otherwise: _T) -> _T:
        """What the bucket answers; after the first failure it is not asked again."""
        if self._off:
            return otherwise
        try:
            return ask()
        except LamellaError as error:
            self._stop(error)
            return otherwise

    def _stop(self, error: LamellaError) -> None:
        with self._lock:
            first, self._off = not self._off, True
            if first:
                self.warnings.append(self._told(error))

    def _told(self, error: LamellaError) -> str:
        why = f" ({error.why[0]})" if error.why else ""
        hint = f"; {error.hint}" if error.hint else ""
        return f"this build goes on without the shared cache `{self.name}`: {error.what}{why}{hint}"

    def _damage(self, place: str, why: str) -> None:
        self._refuse(place, why)
        with self._lock:
            self._damaged.add(place)

    def _refuse(self, key: str, why: str) -> None:
        then = "a good one takes its place" if self.writes else "it is read only here, and stays"
        with self._lock:
            self.warnings.append(f"`{key}` of the shared cache `{self.name}` is refused: {why}; {then}")
