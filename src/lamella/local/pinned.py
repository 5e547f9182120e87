"""Distributions that lamella itself pins, by requirements files beside this one, and takes from the package index."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lamella.errors import IncompatibleError, OfflineError

if TYPE_CHECKING:
    from lamella.config.model import Settings
    from lamella.target import Target
    from lamella.wheels.model import Wheel
    from lamella.wheels.obtain import Source

_HERE = os.path.dirname(os.path.abspath(__file__))


def lock(name: str) -> str:
    """The path of the requirements file of this name."""
    return os.path.join(_HERE, name)


def pinned(
    settings: Settings, source: Source, path: str, target: Target, *, what: str, otherwise: str = ""
) -> tuple[Wheel, ...]:
    """The wheels of a requirements file that run on `target`.  `what` names them in messages: "the SAM CLI".

    The project says which indexes are asked; its own lock has no part in it.
    Raises OfflineError, whose hint `otherwise` completes, OutsideError, IncompatibleError.
    """
    from lamella.build.resolve import Question, Resolver

    resolver = Resolver(settings._replace(lock=path, allow_build=()), source, locked=True)
    try:
        return resolver.answer(Question(what, True), target).wheels
    except OfflineError as error:
        raise OfflineError(
            f"{what} is not in the cache, and `--offline` was given",
            why=error.why,
            hint=f"run it once without `--offline`{otherwise}",
        ) from None
    except IncompatibleError as error:
        raise IncompatibleError(
            f"{what} can't be had for {target.runtime} on this machine",
            why=[error.what, *error.why],
            hint="take a runtime that there is a wheel for",
        ) from None
