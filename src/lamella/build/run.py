"""`build`: every named artifact is decided, checked, written beside the old ones, then all are put in place."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from lamella import manifest
from lamella.archive.entry import DamagedSourceError
from lamella.build.changes import changes
from lamella.build.filling import AbsentWheelsError
from lamella.build.model import Made, Outcome, Request
from lamella.build.plan import Planner
from lamella.build.press import Press, SourceChangedError, Staged
from lamella.errors import ConfigError, LamellaError, UsageError
from lamella.files import write_atomic
from lamella.manifest import Artifact, FunctionArtifact, LayerArtifact, Manifest
from lamella.wheels.cache import Cache
from lamella.wheels.obtain import Progress, Source
from lamella.wording import did_you_mean, listed

if TYPE_CHECKING:
    from lamella.build.fleet import Fleet
    from lamella.config.model import Settings
    from lamella.index.settings import IndexSettings
    from lamella.shared.depot import Depot

_STAGING = ".staging"
# How often sources that are edited while they are packed are read again before somebody is told
_PATIENCE = 3


def build(
    settings: Settings, request: Request, cache: Cache, progress: Progress, depot: Depot | None = None
) -> Outcome:
    """Build what is asked for into `settings.output`.

    What `depot`, a shared cache, has is not made again, and what it lacks is given to it at the end.  Cached files that
    turn out damaged while they are copied are fetched again, each once.
    Raises any LamellaError; then the output folder is as it was.
    """
    began = time.perf_counter()
    _known(request.names, settings)
    if depot is None or request.offline:
        outcome = _repeated(settings, request, cache, progress, None)
        return outcome._replace(seconds=time.perf_counter() - began)
    from lamella.build.fleet import Fleet

    fleet = Fleet(depot, cache)
    try:
        outcome = _repeated(settings, request, cache, progress, fleet)
        fleet.publish(progress)
    finally:
        fleet.layers.close()
    return outcome._replace(
        warnings=(*outcome.warnings, *depot.warnings),
        fetched=outcome.fetched + depot.fetched,
        inputs_tell=outcome.inputs_tell and not depot.warnings,  # or they would be told each time
        seconds=time.perf_counter() - began,
    )


def _repeated(settings: Settings, request: Request, cache: Cache, progress: Progress, fleet: Fleet | None) -> Outcome:
    """Build, and again where what it began with turned out not to be there."""
    discarded: set[str] = set()
    needed: set[str] = set()
    changed = 0
    while True:
        try:
            return _build(settings, request, cache, progress, fleet, needed)
        except AbsentWheelsError as absent:
            if absent.digests <= needed:
                raise
            needed |= absent.digests
        except SourceChangedError:
            changed += 1
            if changed > _PATIENCE:
                raise
        except DamagedSourceError as damage:
            if damage.source in discarded:
                raise
            discarded.add(damage.source)
            needed.add(os.path.basename(damage.source).removesuffix(".whl"))
            cache.discard(damage.source)
            # Where one is damaged, others may be: each would cost a build of its own
            cache.discard_damaged()


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


def _build(
    settings: Settings,
    request: Request,
    cache: Cache,
    progress: Progress,
    fleet: Fleet | None,
    needed: Collection[str],
) -> Outcome:
    with Source(
        cache,
        lambda: index_settings(settings),
        offline=request.offline,
        progress=progress,
        elsewhere=fleet.wheels if fleet else None,
        needed=needed,
    ) as source:
        planner = Planner(settings, source, locked=request.locked, contained=request.contained, fleet=fleet)
        plan = planner.plan(_with_functions_of_split(settings, request.names))
    os.makedirs(settings.output, exist_ok=True)
    with _staging(settings.output) as folder:
        previous = _previous(settings.output)
        old = {artifact.key: artifact for artifact in previous.artifacts} if previous else {}
        press = Press(settings, cache, planner, folder, fleet.layers if fleet else None)
        staged = [item for layer in plan.layers for item in press.layer(layer)]
        staged += [item for function in plan.functions for item in press.function(function)]
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
        seconds=0.0,
        inputs=tuple(plan.inputs),
        inputs_tell=plan.inputs_tell,
    )


def _with_functions_of_split(settings: Settings, names: Sequence[str]) -> Sequence[str]:
    """A layer that is split may come to other parts: what is attached to it is written with it."""
    split = {layer.key for layer in settings.layers if layer.slimming.split and layer.key in names}
    attached = [function.key for function in settings.functions if split.intersection(function.layers)]
    return [*names, *(key for key in attached if key not in names)]


def index_settings(settings: Settings) -> IndexSettings:
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


def _made(item: Staged, old: Artifact | None) -> Made:
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
    anew = {manifest.whole_of(artifact) for artifact in built}
    if partly and previous is not None:
        for artifact in previous.artifacts:
            if manifest.whole_of(artifact) not in anew and os.path.exists(os.path.join(settings.output, artifact.file)):
                found.setdefault(artifact.key, artifact)
    layers = [artifact for artifact in found.values() if isinstance(artifact, LayerArtifact)]
    functions = [found.get(item.key) for item in settings.functions]
    configured = [layer.key for layer in settings.layers] + [function.key for function in settings.functions]
    return Manifest(
        settings.project,
        tuple(artifact for key in configured for artifact in layers if key in (artifact.key, artifact.part_of)),
        tuple(artifact for artifact in functions if isinstance(artifact, FunctionArtifact)),
    )


def _publish(output: str, folder: str, staged: Sequence[Staged], new: Manifest) -> bool:
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
