"""What artifacts are made of, for the commands that tell of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lamella.config.model import Settings
    from lamella.report.console import Console
    from lamella.sizes.model import Explained


def keys(settings: Settings, names: Sequence[str]) -> list[str]:
    """The configured keys that are meant; all for no name.  A part of a split layer means the whole of it.

    Raises UsageError for what is not configured.
    """
    from lamella import manifest
    from lamella.errors import UsageError
    from lamella.wording import did_you_mean, listed

    configured = [*(layer.key for layer in settings.layers), *(function.key for function in settings.functions)]
    if not names:
        return configured
    built = manifest.read(settings.output) if set(names) - set(configured) else None
    parts = {artifact.key: manifest.whole_of(artifact) for artifact in built.artifacts} if built else {}
    found = [name if name in configured else parts.get(name, name) for name in names]
    for name in found:
        if name not in configured:
            raise UsageError(
                f"there is no artifact `{name}`",
                why=[f"what is configured is {listed(configured)}"],
                hint=did_you_mean(name, configured),
            )
    return list(dict.fromkeys(found))


def absence(settings: Settings, key: str, name: str, console: Console, *, offline: bool) -> tuple[str, str] | None:
    """Why a pinned distribution is not in an artifact, as `build.explain` tells it."""
    from lamella.build import explain
    from lamella.cachedir import cache_dir
    from lamella.wheels.cache import Cache

    progress = console.progress()
    try:
        return explain.absence(settings, key, name, Cache(cache_dir(os.environ)), progress, offline=offline)
    finally:
        progress.close()


def explained(settings: Settings, names: Sequence[str], console: Console, *, offline: bool) -> list[Explained]:
    """Every file of these artifacts, as a build would decide now.  Raises what a build raises."""
    from lamella.build.explain import explain
    from lamella.cachedir import cache_dir
    from lamella.wheels.cache import Cache

    cache = Cache(cache_dir(os.environ))
    progress = console.progress()
    try:
        return [explain(settings, key, cache, progress, offline=offline) for key in keys(settings, names)]
    finally:
        progress.close()
