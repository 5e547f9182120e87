"""What was built, for every command that looks at it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lamella.config.model import Settings
    from lamella.manifest import Artifact, Manifest
    from lamella.wheels.cache import Cache

_BUILD = "run `lamella build`"


def open_built(
    output: str | None, cache: Cache | None = None, *, layers_only: bool = False
) -> tuple[Settings, Manifest]:
    """The settings of the project here, and the manifest of what was built into `output` (None: as configured).

    With `layers_only` it has the configured layers alone, and no function needs to have been built.
    Raises ConfigError; UsageError when nothing, or not everything, was built there, or a zip is not what was built.
    """
    from lamella.config.read import read

    settings = read(os.getcwd(), output=output)
    built = open_folder(settings.output, cache)
    if layers_only:
        built = _layers_of(settings, built)
    _refuse_unbuilt(settings._replace(functions=()) if layers_only else settings, built)
    return settings, built


def open_folder(folder: str, cache: Cache | None = None, *, hint: str = _BUILD) -> Manifest:
    """The manifest in `folder`, whose zips are there, each proven by its SHA-256.  Raises UsageError otherwise.

    A zip is read for that once: while it stays as it is, `cache` (None: the user's) knows the answer.
    """
    from lamella import manifest
    from lamella.cachedir import cache_dir
    from lamella.errors import UsageError
    from lamella.wheels.cache import Cache

    built = manifest.read(folder)
    if built is None:
        raise UsageError(f"`{os.path.relpath(folder)}` has no {manifest.NAME}: nothing was built there", hint=hint)
    cache = cache or Cache(cache_dir(os.environ))
    for artifact in built.artifacts:
        path = os.path.join(folder, artifact.file)
        there = os.path.isfile(path) and os.path.getsize(path) == artifact.zipped
        if not there or cache.digest(path) != artifact.sha256:
            raise UsageError(
                f"`{os.path.relpath(path)}` is not the file that the manifest describes",
                why=["it was changed or removed after the build"],
                hint=hint,
            )
    return built


def choose(built: Manifest, names: Sequence[str]) -> tuple[Artifact, ...]:
    """The artifacts with these keys, in the manifest's order; all when no name is given.

    What was split over several layers is chosen by its key in the configuration, too.  Raises UsageError.
    """
    from lamella.errors import UsageError
    from lamella.manifest import whole_of
    from lamella.wording import did_you_mean, listed

    known = {key for artifact in built.artifacts for key in (artifact.key, whole_of(artifact))}
    for name in names:
        if name not in known:
            raise UsageError(
                f"there is no layer or function `{name}`",
                why=[f"what was built is {listed(known)}"],
                hint=did_you_mean(name, known) or "name one of these, or none for all",
            )
    wanted = frozenset(names or known)
    return tuple(artifact for artifact in built.artifacts if artifact.key in wanted or whole_of(artifact) in wanted)


def _layers_of(settings: Settings, built: Manifest) -> Manifest:
    """The manifest without functions, and without what was split off them.  Raises UsageError for no layers."""
    from lamella.errors import UsageError
    from lamella.manifest import whole_of

    keys = {layer.key for layer in settings.layers}
    if not keys:
        file = os.path.basename(settings.file)
        raise UsageError(f"`{file}` configures no layers", hint="leave `--layers-only` out")
    return built._replace(layers=tuple(one for one in built.layers if whole_of(one) in keys), functions=())


def _refuse_unbuilt(settings: Settings, built: Manifest) -> None:
    """Raises UsageError when something is configured that the manifest lacks: nothing can be said of it."""
    from lamella.errors import UsageError
    from lamella.manifest import whole_of
    from lamella.wording import listed

    configured = [layer.key for layer in settings.layers] + [function.key for function in settings.functions]
    missing = set(configured) - {key for artifact in built.artifacts for key in (artifact.key, whole_of(artifact))}
    if missing:
        raise UsageError(
            f"{listed(missing)} {'is' if len(missing) == 1 else 'are'} configured and not built",
            hint=_BUILD,
        )
