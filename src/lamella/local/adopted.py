"""The function whose process was started early, and the keeping of what is started, for the next time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lamella import manifest
from lamella.local import early
from lamella.runtime.model import Launch
from lamella.runtime.pool import Pool
from lamella.runtime.worker import Worker
from lamella.sandbox.model import BUBBLEWRAP
from lamella.sandbox.run import Place, Sandbox

if TYPE_CHECKING:
    from lamella.local.early import Early
    from lamella.local.functions import Project
    from lamella.local.prepare import Voice
    from lamella.runtime.model import Asked, Log, Result


class Adopted:
    """The one function that was started; see `runtime.model.Functions`.  Close it: that ends its process."""

    def __init__(self, started: Early, voice: Voice) -> None:
        *rest, place, env, memory, timeout, version = started.launch
        key, name, arn, handler, interpreter, python = rest
        launch = Launch(key, name, arn, handler, interpreter, python, Place(*place), env, memory, timeout, version)
        sandbox = Sandbox(interpreter, python, chosen=BUBBLEWRAP)
        notes, lacking, why = started.told
        self._lacking = lacking, why
        self._pool = Pool(sandbox, launch, limit=1)
        self._pool.adopt(
            Worker.adopt(sandbox, launch, started, started.listener, started.log, began=started.began)
        )  # fmt: skip
        for kind, text in notes:
            {"note": voice.note, "warning": voice.warning}[kind](text)

    def __enter__(self) -> Adopted:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()

    def lacking(self, _key: str) -> tuple[tuple[str, ...], str]:
        """See `functions.Project.lacking`."""
        return self._lacking

    def invoke(self, _key: str, asked: Asked, log: Log | None = None) -> Result:
        """Invoke it: it is the function of this key."""
        return self._pool.invoke(asked, log)


def keep(arguments: Sequence[str], project: Project, configurations: Iterable[str], began: int) -> None:
    """Keep what `project` started for these words.  `configurations` are files whose coming would change their meaning.

    Kept only where the same command can be used again: see `Sandbox.lasting`.  Raises OSError.
    """
    from lamella.runtime.starting import runtime
    from lamella.sandbox import bubblewrap

    if len(project.made) != 1:
        return
    (made,) = project.made.values()
    launch = made.launch
    words, variables = runtime(launch, f"127.0.0.1:{early.PORT}")
    command = made.sandbox.lasting(words, launch.place, env=variables)
    program = bubblewrap.program()
    if command is None or program is None or made.absent:
        return
    output = project.settings.output
    inputs = {project.settings.file, os.path.join(output, manifest.NAME), program, *made.inputs, *configurations}
    plain = tuple(tuple(value) if isinstance(value, Place) else value for value in launch)
    told = (project.told, made.lacking, made.why)
    early.remember(arguments, command, plain, told, inputs, made.needs, began)
