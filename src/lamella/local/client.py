"""AWS's runtime client, `awslambdaric`, as Lambda's runtimes have it: pinned here, taken from the package index."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lamella.errors import IncompatibleError, LamellaError, OfflineError

if TYPE_CHECKING:
    from lamella.config.model import Settings
    from lamella.target import Target
    from lamella.wheels.model import Wheel
    from lamella.wheels.obtain import Source

LOCK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "client.txt")


def client(settings: Settings, source: Source, target: Target) -> tuple[Wheel, ...]:
    """The wheels of the runtime client for this machine's interpreter of the target's Python.

    The project says which indexes are asked, its lock has no part in it.
    Raises OfflineError, OutsideError, IncompatibleError.
    """
    from lamella.build.resolve import Question, Resolver

    resolver = Resolver(settings._replace(lock=LOCK, allow_build=()), source, locked=True)
    try:
        return resolver.answer(Question("the runtime client", True), target).wheels
    except OfflineError as error:
        raise OfflineError(
            "AWS's runtime client is not in the cache, and `--offline` was given",
            why=error.why,
            hint="run it once without `--offline`",
        ) from None
    except IncompatibleError as error:
        raise _no_client(target, error) from None


def _no_client(target: Target, error: LamellaError) -> IncompatibleError:
    return IncompatibleError(
        f"AWS's runtime client has no wheel for {target.runtime} on this machine",
        why=[error.what, *error.why],
        hint="run the function on a runtime that it has wheels for",
    )
