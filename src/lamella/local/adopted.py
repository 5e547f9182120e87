"""The function whose process was started early, and the keeping of what is started, for the next time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from lamella import manifest
from lamella.errors import LamellaError
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


# A process that ends within this many seconds, without a word to its Runtime API, may not have been a function yet
_DOUBT_SECONDS = 1.0


class Adopted:
    """The one function that was started; see `runtime.model.Functions`.  Close it: that ends its process.

    Where what is kept does not work any more (user namespaces were switched off), it is forgotten, and `otherwise`
    opens the project as if nothing had been started.
    """

    def __init__(self, started: Early, voice: Voice, otherwise: Callable[[], Project]) -> None:
        *rest, place, env, memory, timeout, version = started.launch
        key, name, arn, handler, interpreter, python = rest
        launch = Launch(key, name, arn, handler, interpreter, python, Place(*place), env, memory, timeout, version)
        sandbox = Sandbox(interpreter, python, chosen=BUBBLEWRAP)
        notes, lacking, why = started.told
        self._lacking = lacking, why
        self._pool = Pool(sandbox, launch, limit=1)
        self._worker = Worker.adopt(sandbox, launch, started, started.listener, started.log, began=started.began)
        self._pool.adopt(self._worker)
        self._started = started
        self._otherwise = otherwise
        self._instead: Project | None = None
        self._doubt: _Doubt | None = _Doubt(self._worker, notes, voice)

    def __enter__(self) -> Adopted:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()
        if self._instead is not None:
            self._instead.close()

    def lacking(self, key: str) -> tuple[tuple[str, ...], str]:
        """See `functions.Project.lacking`."""
        return self._lacking if self._instead is None else self._instead.lacking(key)

    def invoke(self, key: str, asked: Asked, log: Log | None = None) -> Result:
        """Invoke it: it is the function of this key.  From one thread.  Raises what `Pool.invoke` does.

        If the function is started another way, also what `otherwise` and `functions.Project.invoke` raise.
        """
        if self._doubt is not None:
            doubt, self._doubt = self._doubt, None
            result = self._first(doubt, asked, log)
            if result is not None:
                return result
            self._started.forget()
            self._pool.close()
            self._instead = self._otherwise()
        if self._instead is not None:
            return self._instead.invoke(key, asked, log)
        return self._pool.invoke(asked, log)

    def _first(self, doubt: _Doubt, asked: Asked, log: Log | None) -> Result | None:
        """The first invocation; None where it came to nothing, of which nothing was said."""
        try:
            result = self._pool.invoke(asked, doubt.hearing(log))
        except LamellaError:
            if doubt.justified:
                return None
            raise
        if doubt.justified:
            return None
        doubt.dispel()
        return result


class _Doubt:
    """What an adopted process wrote, held back until it is sure to be the function: another may have to say it."""

    def __init__(self, worker: Worker, notes: Iterable[tuple[str, str]], voice: Voice) -> None:
        self._worker = worker
        self._notes = notes
        self._voice = voice
        self._log: Log | None = None
        self._held: list[bytes] = []
        self._dispelled = False
        self._until = 0.0

    def hearing(self, log: Log | None) -> Log:
        """Who is told instead of `log`, from now on."""
        self._log = log
        self._until = time.monotonic() + _DOUBT_SECONDS
        return self._hear

    @property
    def justified(self) -> bool:
        """Whether the process ended before it was at its Runtime API, and before anybody was told anything."""
        return self._worker.ended and not (self._worker.connected or self._dispelled)

    def dispel(self) -> None:
        """Say what is to be said of the function, and what it wrote."""
        if self._dispelled:
            return
        self._dispelled = True
        for kind, text in self._notes:
            {"note": self._voice.note, "warning": self._voice.warning}[kind](text)
        if self._log is not None:
            for line in self._held:
                self._log(line)

    def _hear(self, line: bytes) -> None:
        if not self._dispelled and not self._worker.connected and time.monotonic() < self._until:
            self._held.append(line)
            return
        self.dispel()
        if self._log is not None:
            self._log(line)


def keep(arguments: Sequence[str], project: Project, configurations: Iterable[str], began: int) -> None:
    """Keep what `project` started for these words.  `configurations` are files whose coming would change their meaning.

    Kept only where the same command can be used again, see `Sandbox.lasting`, and no control group is.  Raises OSError.
    """
    from lamella.runtime import cgroup
    from lamella.runtime.starting import runtime
    from lamella.sandbox import bubblewrap

    if len(project.made) != 1 or cgroup.home(os.environ.get(cgroup.VARIABLE)) is not None:
        return  # a process that is started early joins no group
    (made,) = project.made.values()
    launch = made.launch
    words, variables = runtime(launch, f"127.0.0.1:{early.PORT}")
    lasting = made.sandbox.lasting(words, launch.place, env=variables, descriptor=early.DESCRIPTOR)
    program = bubblewrap.program()
    if lasting is None or program is None or made.absent:
        return
    command, options = lasting
    if options.count(early.PORT.encode()) != 1:
        return  # somebody's variable has it, too
    output = project.settings.output
    inputs = {project.settings.file, os.path.join(output, manifest.NAME), program, *made.inputs, *configurations}
    plain = tuple(tuple(value) if isinstance(value, Place) else value for value in launch)
    told = (project.told, made.lacking, made.why)
    early.remember(arguments, command, options, plain, told, inputs, made.needs, began)
