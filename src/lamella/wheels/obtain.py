"""Chosen files → admitted wheels: from the cache, else fetched side by side, each looked at once and kept."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import threading
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lamella.digests import key_of
from lamella.errors import ArchiveError, OfflineError, OutsideError
from lamella.wheels.cache import Cache

if TYPE_CHECKING:
    from lamella.index import fetch
    from lamella.index.settings import IndexSettings
    from lamella.lock.model import LockedFile
    from lamella.wheels.model import Wheel

# Connections at a time: what uv and pip's successors use by default is more, but indexes are quick to say 429
_PARALLEL = 8


_USERINFO = re.compile(r"(?<=//)[^/?#'\s]*@")


class Progress(Protocol):
    """Somebody who shows what is fetched.  Called from several threads."""

    def began(self, filename: str, size: int | None) -> None: ...
    def received(self, filename: str, count: int) -> None: ...
    def ended(self, filename: str) -> None: ...
    def said(self, text: str) -> None:
        """What takes minutes began or ended: a sentence that also stands where no bars are drawn."""

    def close(self) -> None: ...


class Silent:
    """A `Progress` that shows nothing."""

    def began(self, filename: str, size: int | None) -> None: ...
    def received(self, filename: str, count: int) -> None: ...
    def ended(self, filename: str) -> None: ...
    def said(self, text: str) -> None: ...
    def close(self) -> None: ...


class Elsewhere(Protocol):
    """Where wheels may be had that other machines looked at, by their sha256.  Never fails: it has less, then."""

    def open(self) -> None:
        """Get ready: somebody will ask."""

    def index(self, sha256: str) -> bytes | None:
        """What admission learnt of a wheel, as `wheels.index` writes it."""

    def wheel(self, sha256: str, path: str) -> bool:
        """Put the wheel at `path`; False where it can't be had."""

    def admitted(self, wheel: Wheel) -> None:
        """A wheel came from an index, and is in the cache now."""


class Wanted(NamedTuple):
    """A file that a pin was decided to use.  `version` is None where only the file itself tells it."""

    name: str
    version: str | None
    file: LockedFile


class Source:
    """Where wheels come from: a cache, then `elsewhere`, then an index, which is opened when first needed.

    With `elsewhere`, of the wheels that are not `needed` (sha256) it is enough to know what admission learnt: their
    `path` may be that of no file.  Use as a context manager: leaving it closes the connections.
    """

    def __init__(
        self,
        cache: Cache,
        settings: Callable[[], IndexSettings],
        *,
        offline: bool,
        progress: Progress,
        elsewhere: Elsewhere | None = None,
        needed: Collection[str] = (),
    ) -> None:
        self._elsewhere = elsewhere
        self._needed = needed
        self.cache = cache
        self.offline = offline
        self.progress = progress
        self.fetched = 0
        self._settings = settings
        self._opening = threading.Lock()
        self._closing = contextlib.ExitStack()
        self._session: fetch.Session | None = None
        self._warming: threading.Thread | None = None
        self._stopping = False

    def __enter__(self) -> Source:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            # It may have struck inside an import, whose lock is then never given back: wait for nobody
            return
        if self._warming is not None:
            self._warming.join()
        self._closing.close()

    def warm(self) -> None:
        """Get ready to fetch while something else is waited for: loading the HTTP client takes its time."""
        if self.offline or self._warming is not None:
            return

        def open_early() -> None:
            # Whoever needs what is opened here meets the same error, and tells it
            with contextlib.suppress(Exception):
                if self._elsewhere is not None:
                    self._elsewhere.open()
                else:
                    _ = self.session

        self._warming = threading.Thread(target=open_early, daemon=True)
        self._warming.start()

    @property
    def session(self) -> fetch.Session:
        with self._opening:
            if self._session is None:
                from lamella.index import fetch

                self._session = self._closing.enter_context(fetch.open_session(self._settings()))
            return self._session

    def settings(self) -> IndexSettings:
        """The user's index settings."""
        return self._settings()

    def settings_digest(self) -> str:
        """Names where the index settings look, in which order; logins, which change by the day, are left out."""
        settings = self._settings()
        places = (
            settings.index_urls,
            settings.find_links,
            [url for url, _ in settings.ignored_errors],
            [code for _, code in settings.ignored_errors],
            settings.first_index,
        )
        return key_of(*(_USERINFO.sub("", str(place)) for place in places))

    def wheels(self, wanted: Iterable[Wanted]) -> list[Wheel]:
        """The admitted wheels, in the order asked for.

        Raises OfflineError naming all that is missing; OutsideError, ArchiveError of the first that failed.
        """
        asked = list(wanted)
        found: dict[Wanted, Wheel | None] = {item: self._kept(item) for item in asked}
        missing = [item for item in asked if found[item] is None]
        remote = [item for item in missing if item.file.path is None]
        if self.offline and remote:
            raise OfflineError(
                f"{_counted(len(remote))} not in the cache, and `--offline` was given",
                why=[f"`{item.file.filename}`" for item in remote],
                hint="run the same build once without `--offline`",
            )
        # The largest first: the others fill in beside it
        missing.sort(key=lambda item: -(item.file.size or 0))
        if len(missing) == 1:
            found[missing[0]] = self._bring(missing[0])
        elif missing:
            found.update(zip(missing, self._bring_all(missing), strict=True))
        return [wheel for item in asked if (wheel := found[item]) is not None]

    def _bring_all(self, missing: list[Wanted]) -> list[Wheel]:
        """Side by side.  After the first failure nothing more is started, and what is under way stops."""
        from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

        pool = ThreadPoolExecutor(_PARALLEL)
        try:
            brought = [pool.submit(self._bring, item) for item in missing]
            done, _ = wait(brought, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
            return [future.result() for future in brought]
        except BaseException as error:
            self._stopping = True
            # A server that is silent keeps its thread; somebody who interrupts does not wait for it
            pool.shutdown(wait=not isinstance(error, KeyboardInterrupt), cancel_futures=True)
            raise
        finally:
            pool.shutdown(wait=not self._stopping)

    def kept(self, sha256: str) -> Wheel | None:
        """The wheel with this digest, where what is here of it will do."""
        if self._elsewhere is None or sha256 in self._needed:
            return self.cache.wheel(sha256)
        return self.cache.known(sha256)

    def _kept(self, item: Wanted) -> Wheel | None:
        sha256 = _sha256(item.file)
        wheel = self.kept(sha256) if sha256 else None
        # A lock that gives another distribution's hash is refused whether or not the cache has it
        return wheel if wheel is not None and _is(wheel, item) else None

    def _bring(self, item: Wanted) -> Wheel:
        file = item.file
        key = _sha256(file) or key_of("url", file.url or file.path)
        with self.cache.locked(key):
            kept = self._kept(item)
            if kept is not None:
                return kept
            partial = self.cache.partial(key)
            if self._elsewhere is not None and file.path is None and key == _sha256(file):
                wheel = self._from_elsewhere(self._elsewhere, item, key, partial)
                if wheel is None:
                    wheel = self._fetched(item, partial)
                    self._elsewhere.admitted(wheel)
                return wheel
            return self._fetched(item, partial)

    def _from_elsewhere(self, elsewhere: Elsewhere, item: Wanted, sha256: str, partial: str) -> Wheel | None:
        """What is known of the wheel elsewhere, where that is enough, or the wheel."""
        if sha256 not in self._needed:
            data = elsewhere.index(sha256)
            known = self.cache.learn(sha256, data) if data is not None else None
            if known is not None and _is(known, item):
                return known
        return self.admit(item, partial) if elsewhere.wheel(sha256, partial) else None

    def _fetched(self, item: Wanted, partial: str) -> Wheel:
        file = item.file
        self.progress.began(file.filename, file.size)
        try:
            resumed = self._gather(file, partial)
            try:
                return self.admit(item, partial)
            except ArchiveError:
                if not resumed:
                    raise
            # What an interrupted download had left was not of this file
            self._gather(file, partial)
            return self.admit(item, partial)
        finally:
            self.progress.ended(file.filename)

    def _gather(self, file: LockedFile, partial: str) -> bool:
        """Copy or download the file to `partial`.  True when bytes were used that lay there before."""
        if file.path is not None:
            import shutil

            try:
                shutil.copyfile(file.path, partial)
            except OSError as error:
                raise OutsideError(
                    f"`{file.path}` can't be read",
                    why=[error.strerror or str(error)],
                    hint="the lock refers to this file",
                ) from None
            return False
        from lamella.index import fetch

        assert file.url is not None

        def received(count: int) -> None:
            if self._stopping:
                raise _StoppedError
            self.fetched += count
            self.progress.received(file.filename, count)

        return fetch.download(self.session, file.url, partial, size=file.size, on_bytes=received).resumed > 0

    def raw(self, file: LockedFile, folder: str) -> str:
        """Fetch a file that is no wheel into `folder`, held to its hashes; return its path.

        Raises ArchiveError where a hash differs; OfflineError, OutsideError.
        """
        if self.offline and file.path is None:
            raise OfflineError(f"`{file.filename}` would have to be fetched, and `--offline` was given")
        if file.filename != os.path.basename(file.filename) or file.filename in ("", ".", ".."):
            raise ArchiveError(
                "a file of the lock has no usable name",
                why=[f"`{file.filename}` would lead out of the folder that it is put in"],
                hint="the lock was damaged or made to mislead; lock again",
            )
        from lamella.wheels.admit import STRONG

        weak = file.hashes and not any(kind in STRONG for kind, _ in file.hashes)
        if weak:
            raise ArchiveError(
                f"`{file.filename}` can't be verified",
                why=[f"the lock gives only {', '.join(sorted({kind for kind, _ in file.hashes}))}"],
                hint="lock again with a tool that writes sha256 hashes, such as `uv lock` or `uv export`",
            )
        path = os.path.join(folder, file.filename)
        self.progress.began(file.filename, file.size)
        try:
            self._gather(file, path)
        finally:
            self.progress.ended(file.filename)
        with open(path, "rb") as opened:
            kinds = {kind for kind, _ in file.hashes if kind in STRONG}
            got = set()
            for kind in kinds:
                opened.seek(0)
                got.add((kind, hashlib.file_digest(opened, kind).hexdigest()))
        if not got <= set(file.hashes):
            raise ArchiveError(
                f"`{file.filename}` is not what the lock pins",
                why=[f"its {kind} is {digest}" for kind, digest in sorted(got)],
                hint="lock again, and look at what changed before you trust it",
            )
        return path

    def admit(self, item: Wanted, partial: str) -> Wheel:
        """Look at the file whole, then let it into the cache; nothing of a refused one stays."""
        from lamella.wheels.admit import admit

        try:
            wheel = admit(
                partial, filename=item.file.filename, expected=item.file.hashes, name=item.name, version=item.version
            )
        except ArchiveError:
            os.unlink(partial)
            raise
        return self.cache.adopt(wheel)


class _StoppedError(Exception):
    """Another file failed: this one is not needed any more.  What came of it stays for the next time."""


def _counted(count: int) -> str:
    return "a wheel is" if count == 1 else f"{count} wheels are"


def _is(wheel: Wheel, item: Wanted) -> bool:
    """Whether a cached wheel would be admitted as what is asked for (`wheels.admit` has the rule)."""
    if (wheel.filename, wheel.name) != (item.file.filename, item.name):
        return False
    if item.version is None:
        return True
    from packaging.version import Version

    pinned, number = Version(item.version), Version(wheel.version)
    return pinned == (number if pinned.local else Version(number.public))


def _sha256(file: LockedFile) -> str | None:
    """The one digest that the file must have, where the lock names just one."""
    named = [digest for kind, digest in file.hashes if kind == "sha256"]
    return named[0] if len(named) == 1 else None
