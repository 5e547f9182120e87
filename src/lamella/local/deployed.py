"""A function as it is deployed, run here: what was pulled, with what AWS says of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lamella.config.model import Settings
from lamella.errors import UsageError
from lamella.local.client import LOCK
from lamella.local.functions import Single
from lamella.local.prepare import Code, Options, Preparer, Voice
from lamella.target import Target
from lamella.wording import counted, listed

if TYPE_CHECKING:
    from lamella.deployed.model import DeployedFunction
    from lamella.wheels.cache import Cache
    from lamella.wheels.obtain import Progress


def without_project(directory: str) -> Settings:
    """Settings where there is no project: nothing is built, and no lock says what stands in for the runtime's own."""
    return Settings(directory, "", "", "", (), LOCK, os.path.join(directory, "dist"), (), ())


def open_deployed(
    function: DeployedFunction,
    settings: Settings,
    cache: Cache,
    root: str,
    progress: Progress,
    options: Options,
    voice: Voice,
) -> Single:
    """The function, ready to be invoked.  Raises UsageError for a runtime that is not Python's."""
    if function.environment is None and function.variables:
        voice.note(
            f"without the {counted(len(function.variables), 'variable')} {listed(function.variables)}: "
            "their values are never kept; give them with `--env`"
        )
    preparer = Preparer(settings, cache, root, progress, options, voice)
    return Single(code_of(function), preparer, options.limit)


def code_of(function: DeployedFunction) -> Code:
    """Raises UsageError for a runtime that is not Python's."""
    if not function.runtime.startswith("python"):
        raise UsageError(
            f"`{function.name}` runs on {function.runtime or 'a runtime of its own'}",
            hint="lamella runs functions of the python runtimes",
        )
    arn = f"{function.arn}:{function.qualifier}" if function.qualifier else function.arn
    return Code(
        function.name,
        function.name,
        function.handler,
        Target.parse(function.runtime, function.architecture),
        function.unpackable,
        tuple(layer.unpackable for layer in function.layers),
        (),
        (),
        function.environment or (),
        function.memory,
        function.timeout,
        arn,
        function.version,
        function.scratch * 1024**2,
    )
