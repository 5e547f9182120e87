"""Source → admitted wheel: by uv here, for pure Python, else in a container of the runtime; each state of it once."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from lamella.digests import key_of
from lamella.errors import ArchiveError, BuildError, OfflineError
from lamella.files import sha256_of
from lamella.lock.model import FromDirectory, FromFile, FromGit, LockedFile, Pin
from lamella.revision import revision
from lamella.wheels.build import NativeError, checkout, copied, from_source, interpreter, tree_digest
from lamella.wheels.obtain import Source, Wanted

if TYPE_CHECKING:
    from lamella.build.natives import Natives
    from lamella.target import Target
    from lamella.wheels.model import Wheel


class Raw(NamedTuple):
    """A pin that there is no wheel of: it has to be built, from `sdist` or, without, from its source tree.

    `here`: uv may do it on this machine.
    """

    pin: Pin
    sdist: LockedFile | None = None
    here: bool = True


class Builder:
    """Builds what the lock pins as source, for one target; in a container what `natives` may."""

    def __init__(self, source: Source, target: Target, natives: Natives) -> None:
        self.source = source
        self.target = target
        self.natives = natives
        self._interpreter: tuple[str, str] | None = None

    def wheels(self, raws: Sequence[Raw]) -> dict[str, Wheel]:
        """The admitted wheels by name.  Raises BuildError, OfflineError, OutsideError, ArchiveError."""
        ready: dict[str, Wheel] = {}
        left: list[Raw] = []
        for raw in raws:
            wheel = self._kept(raw) or self.natives.kept(raw)
            if wheel is None and raw.here:
                wheel = self._here(raw)
            if wheel is None:
                left.append(raw)
            else:
                ready[raw.pin.name] = wheel
        return {**ready, **self.natives.wheels(left, self.laid)} if left else ready

    @contextmanager
    def laid(self, raw: Raw, folder: str) -> Iterator[str]:
        """What is built, as a file or folder below `folder`."""
        source = raw.pin.source
        match source:
            case FromDirectory(path=path):
                # What is built and what the key names are one state, whatever is edited meanwhile
                yield copied(path, folder)
            case FromGit():
                if self.source.offline:
                    raise OfflineError(
                        f"`{raw.pin.name}` would have to be fetched from its repository, and `--offline` was given",
                        hint="run the same build once without `--offline`",
                    )
                yield checkout(source, folder)
            case _:
                assert raw.sdist is not None
                yield self.source.raw(raw.sdist, folder)

    def _kept(self, raw: Raw) -> Wheel | None:
        """What uv built of this state before."""
        if not raw.here:
            return None
        memo = self.source.cache.recall("built", self._key(raw))
        return self.source.cache.wheel(memo["sha256"]) if memo is not None else None

    def _here(self, raw: Raw) -> Wheel | None:
        """What uv builds of it; None where it can't, and a container may."""
        pin, cache = raw.pin, self.source.cache
        if subdirectory := subdirectory_of(pin):
            raise BuildError(
                f"`{pin.name}` is in a subfolder of an archive, which can't be built here",
                why=[f"`{pin.where}` names `{subdirectory}`"],
                hint="lock its repository (`git+https://…`) with that subdirectory, or a wheel of it",
            )
        key = self._key(raw)
        with (
            cache.locked(key),
            tempfile.TemporaryDirectory(dir=os.path.dirname(cache.partial(key))) as folder,
            self.laid(raw, folder) as project,
        ):
            if isinstance(pin.source, FromDirectory):
                key = self._key(raw, project)
            try:
                built = self._by_uv(pin, project, folder)
            except BuildError:
                if self.natives.allowed:
                    return None
                raise
            wheel = admitted(self.source, pin, built)
        cache.remember("built", key, {"sha256": wheel.sha256})
        return wheel

    def _by_uv(self, pin: Pin, project: str, folder: str) -> str:
        python, _ = self._python()
        try:
            return from_source(pin.name, project, folder, python=python, offline=self.source.offline)
        except BuildError as error:
            if isinstance(error, NativeError) or not isinstance(pin.source, FromDirectory):
                raise
            # It may need what lies beside it, as the readme of a repository
            return from_source(pin.name, pin.source.path, folder, python=python, offline=self.source.offline)

    def _python(self) -> tuple[str, str]:
        """The interpreter to build with, and its minor version."""
        if self._interpreter is None:
            source = self.source
            self._interpreter = interpreter(self.target.python, offline=source.offline, memory=source.cache)
        return self._interpreter

    def _key(self, raw: Raw, project: str | None = None) -> str:
        """What a wheel that uv builds depends on, as far as it can be told."""
        return key_of(revision(), self._python()[1], *state(raw, project))


def state(raw: Raw, project: str | None = None) -> tuple[object, ...]:
    """What is built, as values of which others make another wheel; `project` is where a project's files were copied."""
    pin, sdist = raw.pin, raw.sdist
    match pin.source:
        case FromDirectory(path=path):
            return "directory", pin.name, tree_digest(project or path)
        case FromGit(url=url, commit=commit, subdirectory=subdirectory):
            return "git", url, commit, subdirectory
        case _:
            assert sdist is not None
            # Without a hash a file on this disk may be another one tomorrow
            return "sdist", sdist.hashes or sdist.url or (sdist.path and sha256_of(sdist.path))


def admitted(source: Source, pin: Pin, built: str) -> Wheel:
    """The built wheel, looked at and in the cache.  Raises BuildError where it is unfit."""
    version = str(pin.version) if pin.version else None
    try:
        return source.admit(Wanted(pin.name, version, LockedFile(os.path.basename(built), path=built)), built)
    except ArchiveError as error:
        raise BuildError(
            f"the wheel that was built of `{pin.name}` is unfit", why=str(error).splitlines(), hint=error.hint
        ) from None


def subdirectory_of(pin: Pin) -> str:
    return (isinstance(pin.source, FromFile) and pin.source.subdirectory) or ""
