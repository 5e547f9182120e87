"""`build`: every named artifact is decided, checked, written beside the old ones, then all are put in place."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from lamella import manifest
from lamella.archive.entry import DamagedSourceError, Entry
from lamella.archive.writer import Written, write
from lamella.build import artifacts
from lamella.build.changes import changes
from lamella.build.model import Made, Outcome, Request
from lamella.build.plan import FunctionPlan, LayerPlan, Planner
from lamella.errors import ConfigError, LamellaError, UsageError
from lamella.files import settled, sha256_of, state, write_atomic
from lamella.manifest import Artifact, Distribution, FunctionArtifact, LayerArtifact, Manifest
from lamella.wheels.cache import Cache, key_of
from lamella.wheels.obtain import Progress, Source
from lamella.wording import did_you_mean, listed

if TYPE_CHECKING:
    from lamella.config.model import Settings
    from lamella.index.settings import IndexSettings
    from lamella.target import Target
    from lamella.wheels.model import Wheel

_STAGING = ".staging"
# How often sources that are edited while they are packed are read again before somebody is told
_PATIENCE = 3


def build(settings: Settings, request: Request, cache: Cache, progress: Progress) -> Outcome:
    """Build what is asked for into `settings.output`.

    Cached files that turn out damaged while they are copied are fetched again, each once.
    Raises any LamellaError; then the output folder is as it was.
    """
    _known(request.names, settings)
    discarded: set[str] = set()
    changed = 0
    while True:
        try:
            return _build(settings, request, cache, progress)
        except _SourceChangedError:
            changed += 1
            if changed > _PATIENCE:
                raise
        except DamagedSourceError as damage:
            if damage.source in discarded:
                raise
            discarded.add(damage.source)
            cache.discard(damage.source)


def _known(names: Sequence[str], settings: Settings) -> None:
    keys = [layer.key for layer in settings.layers] + [function.key for function in settings.functions]
    if not keys:
        raise ConfigError(
            "there is nothing to build: no layer and no function is configured",
            why=[f"`{os.path.basename(settings.file)}` has no `layers` and no `functions`"],
            hint="`lamella init` proposes some",
        )
    for name in names:
        if name not in keys:
            raise UsageError(
                f"there is no layer or function `{name}`",
                why=[f"`{os.path.basename(settings.file)}` has {listed(keys)}"],
                hint=did_you_mean(name, keys) or "name one of these, or none to build all",
            )


class _Staged(NamedTuple):
    """A finished artifact and where its zip waits; `waiting` None when the one in place is already the same."""

    artifact: Artifact
    waiting: str | None
    seconds: float


def _build(settings: Settings, request: Request, cache: Cache, progress: Progress) -> Outcome:
    began = time.perf_counter()
    with Source(cache, lambda: _index_settings(settings), offline=request.offline, progress=progress) as source:
        planner = Planner(settings, source, locked=request.locked)
        plan = planner.plan(request.names)
    os.makedirs(settings.output, exist_ok=True)
    with _staging(settings.output) as folder:
        previous = _previous(settings.output)
        old = {artifact.key: artifact for artifact in previous.artifacts} if previous else {}
        press = _Press(settings, cache, folder)
        staged = [press.layer(layer) for layer in plan.layers]
        staged += [press.function(function) for function in plan.functions]
        made = [_made(item, old.get(item.artifact.key)) for item in staged]
        new = _joined(settings, [item.artifact for item in staged], previous, bool(request.names))
        told = _publish(settings.output, folder, staged, new)
        removed = _drop_stale(settings.output, new, previous)
    return Outcome(
        output=settings.output,
        manifest=new,
        made=tuple(made),
        notes=tuple(plan.notes),
        warnings=tuple(plan.warnings),
        removed=removed,
        told=told,
        fetched=source.fetched,
        seconds=time.perf_counter() - began,
        inputs=tuple(plan.inputs),
        inputs_tell=plan.inputs_tell,
    )


def _index_settings(settings: Settings) -> IndexSettings:
    """The user's, and what a requirements file says of indexes."""
    from lamella.index.settings import load
    from lamella.lock import discover

    options: list[str] = []
    found = discover.find(settings.root, settings.lock)
    if found.dialect == "requirements":
        from lamella.lock.requirements import index_options

        options = [f"--{option.name} {option.value}".rstrip() for option in index_options(found.path)]
    return load(settings.root, os.environ, options=options)


def _previous(output: str) -> Manifest | None:
    """The manifest in place; None for none, and for one that is damaged or of another version.

    Raises UsageError where the file is somebody else's: a build would replace it.
    """
    try:
        return manifest.read(output)
    except LamellaError:
        if manifest.is_foreign(output):
            raise UsageError(
                f"`{os.path.join(os.path.relpath(output), manifest.NAME)}` was not written by lamella",
                why=["a build would replace it"],
                hint="choose a folder of its own: `output` in the configuration, or `--output`",
            ) from None
        return None


@contextlib.contextmanager
def _staging(output: str) -> Iterator[str]:
    """A folder beside the artifacts, on their file system, that never outlives the build.

    The output is this build's alone meanwhile: another waits, and what a killed one left is cleared away.
    """
    descriptor = os.open(output, os.O_RDONLY)
    try:
        # flock is what the cache's locks use, too; their library takes longer to load than all of a warm build's rest
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        folder = os.path.join(output, _STAGING)
        _clear(folder)
        os.makedirs(folder)
        try:
            yield folder
        finally:
            _clear(folder)
    finally:
        os.close(descriptor)


def _clear(folder: str) -> None:
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        os.rmdir(folder)


class _Zip(NamedTuple):
    written: Written
    distributions: tuple[Distribution, ...]
    waiting: str | None


class _Press:
    """Makes the zips of planned artifacts, or finds that the one in place is already it."""

    def __init__(self, settings: Settings, cache: Cache, folder: str) -> None:
        self.settings = settings
        self.cache = cache
        self.folder = folder

    def layer(self, plan: LayerPlan) -> _Staged:
        began = time.perf_counter()
        made = self._zip(plan.settings.key, plan.key, plan.wheels, lambda: artifacts.layer_entries(plan.wheels))
        artifact = LayerArtifact(
            **self._common(plan.settings.key, plan.settings.name, made),
            runtimes=tuple(target.runtime for target in plan.wheels),
        )
        return _Staged(artifact, made.waiting, time.perf_counter() - began)

    def function(self, plan: FunctionPlan) -> _Staged:
        began = time.perf_counter()
        function = plan.settings
        made = self._zip(
            function.key,
            plan.key,
            {plan.target: plan.bundle},
            lambda: _function_entries(plan),
        )
        artifact = FunctionArtifact(
            **self._common(function.key, function.name, made),
            runtime=function.runtime,
            handler=function.handler,
            layers=function.layers,
            needs=plan.needs,
        )
        return _Staged(artifact, made.waiting, time.perf_counter() - began)

    def _zip(
        self,
        key: str,
        question: str,
        wheels: Mapping[Target, Sequence[Wheel]],
        entries: Callable[[], list[Entry]],
    ) -> _Zip:
        """Make the zip that `question` names, unless the one in place is known to be it."""
        in_place = os.path.join(self.settings.output, f"{key}.zip")
        known = self.cache.recall("zips", question)
        if known is not None and self._in_place(in_place) == known["written"]["sha256"]:
            rows = tuple(manifest.distribution(row) for row in known["distributions"])
            return _Zip(Written(**known["written"]), rows, None)
        waiting = os.path.join(self.folder, f"{key}.zip")
        content = entries()
        written = write(waiting, content, expected=known["written"]["sha256"] if known is not None else None)
        rows = artifacts.distributions(wheels, content)
        if known is None or known["written"]["sha256"] != written.sha256:
            answer = {"written": written._asdict(), "distributions": [row._asdict() for row in rows]}
            self.cache.remember("zips", question, answer)
            if sha256_of(in_place) == written.sha256:
                return _Zip(written, rows, None)
        return _Zip(written, rows, waiting)

    def _in_place(self, path: str) -> str | None:
        """The SHA-256 of a finished zip: as it was last known, while the file's state is the same."""
        key = key_of(path)
        known = self.cache.recall("placed", key)
        if known is not None and known["state"] == state(path):
            digest: str = known["sha256"]
            return digest
        began = time.time_ns()
        found = sha256_of(path)
        if found is not None and settled(path, began):
            self.cache.remember("placed", key, {"state": state(path), "sha256": found})
        return found

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


class _SourceChangedError(LamellaError):
    """A source file was edited between planning and packing."""


def _function_entries(plan: FunctionPlan) -> list[Entry]:
    """Raises _SourceChangedError when the sources are no longer those that were planned with and checked."""
    entries, found = artifacts.function_entries(plan.files, plan.bundle, plan.target)
    if found != plan.state:
        raise _SourceChangedError(
            f"the sources of function `{plan.settings.key}` keep changing while they are packed",
            hint="run `lamella build` again when they are at rest",
        )
    return entries


def _made(item: _Staged, old: Artifact | None) -> Made:
    artifact = item.artifact
    return Made(
        key=artifact.key,
        kind="layer" if isinstance(artifact, LayerArtifact) else "function",
        file=artifact.file,
        zipped=artifact.zipped,
        unzipped=artifact.unzipped,
        members=artifact.members,
        changes=changes(old, artifact),
        written=item.waiting is not None,
        seconds=item.seconds,
    )


def _joined(settings: Settings, built: Sequence[Artifact], previous: Manifest | None, partly: bool) -> Manifest:
    """The new manifest: what was built, and, of a build by name, what else is in place and still configured."""
    found = {artifact.key: artifact for artifact in built}
    if partly and previous is not None:
        for artifact in previous.artifacts:
            if os.path.exists(os.path.join(settings.output, artifact.file)):
                found.setdefault(artifact.key, artifact)
    layers = [found.get(item.key) for item in settings.layers]
    functions = [found.get(item.key) for item in settings.functions]
    return Manifest(
        settings.project,
        tuple(artifact for artifact in layers if isinstance(artifact, LayerArtifact)),
        tuple(artifact for artifact in functions if isinstance(artifact, FunctionArtifact)),
    )


def _publish(output: str, folder: str, staged: Sequence[_Staged], new: Manifest) -> bool:
    """Put the waiting zips in place, the manifest last; tell whether that differs from the one in place."""
    for item in staged:
        if item.waiting is not None:
            os.replace(item.waiting, os.path.join(output, item.artifact.file))
    path = os.path.join(output, manifest.NAME)
    data = manifest.to_json(new)
    if _holds(path, data):
        return False
    waiting = os.path.join(folder, manifest.NAME)
    write_atomic(waiting, data, flush=False)
    os.replace(waiting, path)
    return True


def _drop_stale(output: str, new: Manifest, previous: Manifest | None) -> tuple[str, ...]:
    """Remove zips that only the previous build had; their names."""
    kept = {artifact.file for artifact in new.artifacts}
    stale = sorted({artifact.file for artifact in previous.artifacts} - kept) if previous else []
    removed = []
    for name in stale:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(output, name))
            removed.append(name)
    return tuple(removed)


def _holds(path: str, data: bytes) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read() == data
    except FileNotFoundError:
        return False
