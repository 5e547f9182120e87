"""Wheels that are built in a container: found again in the cache without an engine, or built in one run of it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, NamedTuple

from lamella.build.sources import Raw, admitted, state
from lamella.container.images import image_of, pinned
from lamella.container.running import SAID
from lamella.digests import key_of
from lamella.errors import BuildError, ConfigError, OfflineError
from lamella.lock.model import FromDirectory, LockedFile
from lamella.wheels import native
from lamella.wheels.choose import choose
from lamella.wording import counted, listed

if TYPE_CHECKING:
    from lamella.container.model import ContainerSettings, Engine
    from lamella.target import Target
    from lamella.wheels.model import Wheel
    from lamella.wheels.obtain import Source

Laid = Callable[[Raw, str], AbstractContextManager[str]]


class _Image(NamedTuple):
    reference: str
    identity: str


class Natives:
    """What a container makes of sources for one target.

    `allowed`: an engine may be asked for what is not in the cache.  `tools` gives the wheels that repair.txt pins.
    """

    def __init__(
        self,
        settings: ContainerSettings,
        source: Source,
        target: Target,
        tools: Callable[[], Sequence[Wheel]],
        *,
        allowed: bool,
    ) -> None:
        self.settings = settings
        self.source = source
        self.target = target
        self.allowed = allowed
        self._tools = tools

    def kept(self, raw: Raw) -> Wheel | None:
        """What was built of this state in the image that a tag stood for when it was last used here."""
        try:
            reference = self._reference()
        except ConfigError:  # there is no image, so nothing was built in one
            return None
        identity = pinned(reference)
        if identity is None:
            memo = self.source.cache.recall("images", self._image_key(reference))
            if memo is None:
                return None
            identity = memo["identity"]
        return self._recalled(self._key(raw, identity))

    def wheels(self, raws: Sequence[Raw], laid: Laid) -> dict[str, Wheel]:
        """The admitted wheels by name, built in one run of the engine where the cache has none.

        `laid` puts what is built below a folder.  Raises BuildError for the first that can't be built, when the others
        are; OfflineError, OutsideError.
        """
        if self.source.offline:
            raise OfflineError(
                f"{counted(len(raws), 'distribution')} would have to be built in a container, "
                "and `--offline` was given",
                why=[f"`{raw.pin.name}`" for raw in raws],
                hint="run the same build once without `--offline`",
            )
        from lamella.container.engine import find

        engine = find(self.settings)
        image = self._identified(engine)
        with self.source.cache.locked(key_of("container", image.identity, *self.target)):
            # The tag may stand for another image than it did, and another process may have built meanwhile
            found = {str(raw.pin.name): self._recalled(self._key(raw, image.identity)) for raw in raws}
            left = [raw for raw in raws if found[raw.pin.name] is None]
            ready = {name: wheel for name, wheel in found.items() if wheel is not None}
            return {**ready, **self._run(engine, image, left, laid)} if left else ready

    def _run(self, engine: Engine, image: _Image, raws: Sequence[Raw], laid: Laid) -> dict[str, Wheel]:
        from lamella.wheels.piping import piped

        cache, progress = self.source.cache, self.source.progress
        beside = os.path.dirname(cache.partial("container"))
        names = listed(raw.pin.name for raw in raws)
        progress.said(f"building {names} in {image.reference} with {engine.kind} {engine.version}")
        with tempfile.TemporaryDirectory(dir=beside) as folder, ExitStack() as stack:
            projects = [stack.enter_context(laid(raw, folder)) for raw in raws]
            keys = [self._key(raw, image.identity, path) for raw, path in zip(raws, projects, strict=True)]
            label = f"{engine.kind}: {', '.join(raw.pin.name for raw in raws)}"
            progress.began(label, None)
            try:
                built = native.build(
                    [native.Order(raw.pin.name, path) for raw, path in zip(raws, projects, strict=True)],
                    engine=engine,
                    image=image.reference,
                    packages=self.settings.packages,
                    target=self.target,
                    tools=self._tools(),
                    piped=piped(self.source.settings(), folder),
                    folder=folder,
                    said=lambda line: self._said(label, line),
                )
            finally:
                progress.ended(label)
            return self._admitted(raws, keys, built)

    def _admitted(self, raws: Sequence[Raw], keys: Sequence[str], built: native.Built) -> dict[str, Wheel]:
        """What came out well is kept, whatever became of the others."""
        ready: dict[str, Wheel] = {}
        failures: list[BuildError] = []
        for raw, key in zip(raws, keys, strict=True):
            made = built[raw.pin.name]
            try:
                if isinstance(made, BuildError):
                    raise made
                self._fits(raw, made)
                wheel = admitted(self.source, raw.pin, made)
            except BuildError as error:
                failures.append(error)
                continue
            self.source.cache.remember("contained", key, {"sha256": wheel.sha256})
            ready[raw.pin.name] = wheel
        if failures:
            raise failures[0]
        return ready

    def _fits(self, raw: Raw, path: str) -> None:
        filename = os.path.basename(path)
        choice = choose(raw.pin, [LockedFile(filename)], self.target)
        if choice.file is None:
            raise BuildError(
                f"`{filename}`, built in a container, does not run on {self.target}",
                why=[refused.reason for refused in choice.refused],
                hint="name the runtime's own image: `[tool.lamella.container] build-image`",
            )

    def _identified(self, engine: Engine) -> _Image:
        from lamella.container.images import identity

        reference = self._reference()
        found = identity(engine, reference, self.target.architecture, lambda line: self._said(None, line))
        self.source.cache.remember("images", self._image_key(reference), {"identity": found})
        return _Image(reference, found)

    def _reference(self) -> str:
        return image_of(self.settings, "build", self.target.runtime, self.target.architecture)

    def _said(self, label: str | None, line: str) -> None:
        """Show what the engine's log is at, and that it goes on."""
        _, told, text = line.partition(SAID)
        # The engine repeats the commands that it was given
        if told and "$" not in line and "RUN" not in line:
            self.source.progress.said(text)
        elif label is not None:
            self.source.progress.received(label, len(line))

    def _image_key(self, reference: str) -> str:
        return key_of(reference, self.target.architecture)

    def _key(self, raw: Raw, identity: str, project: str | None = None) -> str:
        path = project if isinstance(raw.pin.source, FromDirectory) else None
        return native.key(self.settings, identity, self.target, state(raw, path))

    def _recalled(self, key: str) -> Wheel | None:
        memo = self.source.cache.recall("contained", key)
        return self.source.cache.wheel(memo["sha256"]) if memo is not None else None
