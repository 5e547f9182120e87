"""The functions of a project, each made ready when it is first invoked; with a watch, built anew after a change.

`Project` is what the servers and `invoke` call.  It starts nothing before it is asked to.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, NamedTuple

from lamella.errors import UsageError
from lamella.local.prepare import Code, Options, Preparer, Ready, Voice
from lamella.runtime.pool import Pool, PoolClosedError
from lamella.target import Target
from lamella.wording import did_you_mean, listed

if TYPE_CHECKING:
    from lamella.config.model import Settings
    from lamella.local.watch import Watch
    from lamella.manifest import FunctionArtifact, Manifest
    from lamella.runtime.model import Asked, Begun, Log, Result
    from lamella.wheels.cache import Cache
    from lamella.wheels.obtain import Progress


class Built(NamedTuple):
    """What is run: a configuration, and what was built from it."""

    settings: Settings
    manifest: Manifest


class _Running(NamedTuple):
    """A function at work, and the description that it was started from."""

    code: Code
    pool: Pool


class Project:
    """The functions of one build; see `runtime.model.Functions`.  Close it: that ends all their processes.

    `watch`, if there is one, is asked before every invocation whether there is a newer build.
    """

    def __init__(
        self,
        built: Built,
        cache: Cache,
        root: str,
        progress: Progress,
        options: Options,
        voice: Voice,
        watch: Watch | None = None,
    ) -> None:
        self.built = built
        self.cache = cache
        self.root = root
        self.progress = progress
        self.options = options
        self.voice = voice
        self._watch = watch
        self._preparer = self._new_preparer()
        self._changing = threading.Lock()
        self._running: dict[str, _Running] = {}
        # Those that were started, by key
        self.made: dict[str, Ready] = {}
        self._closed = False

    @property
    def settings(self) -> Settings:
        """The configuration; with a watch, the newest, after `refresh`."""
        return self.built.settings

    def __enter__(self) -> Project:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def refresh(self) -> None:
        """Take the newest build, if something changed.  Functions that differ start anew; the others stay warm.

        Raises any LamellaError that the build raises, or reading the configuration.
        """
        if self._watch is None:
            return
        with self._changing:
            built = self._watch.newest(self.built)
            if built is self.built:
                return
            self.built = built
            self._preparer = self._new_preparer()
            for key, running in list(self._running.items()):
                if not self._has(key) or self._code(key) != running.code:
                    del self._running[key]
                    running.pool.retire()

    def ready(self, key: str) -> Ready:
        """The function made ready, nothing started.  Raises what `invoke` does."""
        with self._changing:
            return self._preparer.ready(self._code(key))

    @property
    def told(self) -> tuple[tuple[str, str], ...]:
        """What was said of the functions that were made ready: ("note" or "warning", text)."""
        return tuple(self._preparer.told)

    def lacking(self, key: str) -> tuple[tuple[str, ...], str]:
        """Modules that Lambda's runtime would bring and this one does not, and why, of a function that was started."""
        made = self.made.get(key)
        return (made.lacking, made.why) if made else ((), "")

    def invoke(self, key: str, asked: Asked, log: Log | None = None) -> Result:
        """Invoke the function `key`, which is started if none of its processes is idle.

        Raises UsageError for a function that is not there, and what `Preparer.ready` and `refresh` do.
        """
        self.refresh()
        running = self._running.get(key)
        if running is None:
            running = self._started(key)
        return running.pool.invoke(asked, log)

    def begin(self, key: str, asked: Asked, log: Log | None = None) -> Begun | None:
        """See `runtime.model.Functions`.  With a watch there is always something to look at first."""
        running = self._running.get(key)
        return running.pool.begin(asked, log) if running is not None and self._watch is None else None

    def close(self) -> None:
        """End all processes.  Waits for their end."""
        with self._changing:
            self._closed = True
            running, self._running = self._running, {}
        for one in running.values():
            one.pool.close()

    def _started(self, key: str) -> _Running:
        with self._changing:
            if self._closed:
                raise PoolClosedError(f"`{key}` was ended", hint="start it again")
            if key not in self._running:
                code = self._code(key)
                made = self._preparer.ready(code)
                self.made[key] = made
                if self.options.say_isolation:
                    self.voice.note(f"`{key}` is isolated by {made.sandbox.isolation}")
                self._running[key] = _Running(code, Pool(made.sandbox, made.launch, limit=self.options.limit))
            return self._running[key]

    def _new_preparer(self) -> Preparer:
        return Preparer(self.built.settings, self.cache, self.root, self.progress, self.options, self.voice)

    def _has(self, key: str) -> bool:
        return any(function.key == key for function in self.built.manifest.functions)

    def _code(self, key: str) -> Code:
        return code_of(self.built, key, self.root)


class Single:
    """One function, whatever it is called; see `runtime.model.Functions`.  Close it: that ends its processes."""

    def __init__(self, code: Code, preparer: Preparer, limit: int) -> None:
        self._code = code
        self._preparer = preparer
        self._limit = limit
        self._pool: Pool | None = None
        self._starting = threading.Lock()
        self.made: dict[str, Ready] = {}

    def __enter__(self) -> Single:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.close()

    def lacking(self, key: str) -> tuple[tuple[str, ...], str]:
        """See `Project.lacking`."""
        made = self.made.get(key)
        return (made.lacking, made.why) if made else ((), "")

    def invoke(self, key: str, asked: Asked, log: Log | None = None) -> Result:
        """Invoke it.  Raises what `Preparer.ready` does."""
        with self._starting:
            if self._pool is None:
                made = self.made[key] = self._preparer.ready(self._code)
                self._pool = Pool(made.sandbox, made.launch, limit=self._limit)
        return self._pool.invoke(asked, log)


def code_of(built: Built, key: str, root: str) -> Code:
    """The function `key` of a build.  Layers of others are there if they were pulled.  Raises UsageError."""
    from lamella.deployed import kept

    artifact = function_of(built.manifest, key, os.path.relpath(built.settings.output))
    settings = next((row for row in built.settings.functions if row.key == artifact.key), None)
    if settings is None:
        raise UsageError(
            f"the function `{artifact.key}` was built, and is configured no more",
            why=[f"`{os.path.basename(built.settings.file)}` has no `functions.{artifact.key}`"],
            hint="run `lamella build`, or configure it again",
        )
    here = {layer.key: layer for layer in built.manifest.layers}
    layers: list[tuple[str, str]] = []
    absent: list[str] = []
    for name in artifact.layers:
        if name in here:
            layers.append((os.path.join(built.settings.output, here[name].file), here[name].sha256))
        elif (pulled := kept.layer(name, root)) is not None:
            layers.append(pulled.unpackable)
        else:
            absent.append(name)
    rows = [row for name in artifact.layers if name in here for row in here[name].distributions]
    return Code(
        key,
        artifact.name,
        artifact.handler,
        Target.parse(artifact.runtime, artifact.architecture),
        (os.path.join(built.settings.output, artifact.file), artifact.sha256),
        tuple(layers),
        tuple(absent),
        (*artifact.distributions, *rows),
        settings.environment,
        settings.memory,
        settings.timeout,
    )


def function_of(built: Manifest, key: str, folder: str) -> FunctionArtifact:
    """The function of this key, or of this name in AWS.  Raises UsageError when the build has none."""
    for function in built.functions:
        if key in (function.key, function.name):
            return function
    keys = [function.key for function in built.functions]
    why = [f"the functions are {listed(keys)}" if keys else "it has no functions"]
    if any(layer.key == key for layer in built.layers):
        raise UsageError(f"`{key}` is a layer, and has no handler", why=why)
    raise UsageError(f"there is no function `{key}` in `{folder}`", why=why, hint=did_you_mean(key, keys))
