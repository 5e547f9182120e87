"""AWS's runtime client, `awslambdaric`, as Lambda's runtimes have it: pinned here, taken from the package index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lamella.local.pinned import lock, pinned

if TYPE_CHECKING:
    from lamella.config.model import Settings
    from lamella.target import Target
    from lamella.wheels.model import Wheel
    from lamella.wheels.obtain import Source

LOCK = lock("client.txt")


def client(settings: Settings, source: Source, target: Target) -> tuple[Wheel, ...]:
    """The wheels of the runtime client for this machine's interpreter of the target's Python.

    Raises OfflineError, OutsideError, IncompatibleError.
    """
    return pinned(settings, source, LOCK, target, what="AWS's runtime client")
