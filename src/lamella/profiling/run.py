"""Import a handler again and again in fresh processes, and make one profile of what they said."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from lamella.errors import OutsideError
from lamella.facts.tables import provided
from lamella.profiling.importtime import parse, whole
from lamella.profiling.merge import merged
from lamella.profiling.model import Import, ImportFailedError, Profile
from lamella.profiling.origins import Seen, Sources, origin_of
from lamella.sandbox.model import Finished
from lamella.wording import escaped

# Lines of a traceback that a message shows
_LAST = 10
# For one import, in seconds: Lambda gives the whole start ten, and then starts anew
TIMEOUT = 120.0


class Subject(NamedTuple):
    """A function of one build.  `run` runs the target's Python with these arguments where the function would run.

    `handler` is as it is configured; `label` tells builds apart.  `lacking` says why what Lambda's runtime brings, and
    no zip of the function, is not all there.
    """

    label: str
    function: str
    handler: str
    runtime: str
    sources: Sources
    run: Callable[[Sequence[str]], Finished]
    lacking: str = ""

    @property
    def import_(self) -> str:
        """What is done, as messages name it."""
        return f"importing `{self.module}` for `{self.function}` in `{self.label}`"

    @property
    def module(self) -> str:
        """What Lambda imports: awslambdaric, `_get_handler`: all before the last dot, a slash being a dot."""
        return self.handler.rpartition(".")[0].replace("/", ".")


class Run(NamedTuple):
    """One process: the handler's import, and what the process said of itself."""

    made: Import
    seen: Seen
    python: str
    isolation: str


def profile(
    subjects: Sequence[Subject], *, repeat: int, progress: Callable[[int, int], None] | None = None
) -> tuple[Profile, ...]:
    """Profiles of `subjects`, measured in turn (A B A B …) `repeat` times.

    A first round is not counted: it brings the files into memory.  `progress` is told (rounds done, all rounds).
    Raises ImportFailedError when a handler's module raises or ends the process, OutsideError when it doesn't end.
    """
    runs: list[list[Run]] = [[] for _ in subjects]
    for round_ in range(repeat + 1):
        for subject, done in zip(subjects, runs, strict=True):
            run = measure(subject)
            if round_:
                done.append(run)
        if progress:
            progress(round_ + 1, repeat + 1)
    return tuple(_profile(subject, done) for subject, done in zip(subjects, runs, strict=True))


def _profile(subject: Subject, runs: Sequence[Run]) -> Profile:
    # Imports of later runs may be others than those of the first
    modules = {name: file for run in runs for name, file in run.seen.modules.items()}
    seen = runs[0].seen._replace(modules=modules)
    return Profile(
        subject.label,
        subject.function,
        subject.module,
        subject.runtime,
        runs[0].python,
        runs[0].isolation,
        tuple(whole([run.made]) for run in runs),
        merged([run.made for run in runs], lambda name: origin_of(name, subject.sources, seen)),
    )


def measure(subject: Subject) -> Run:
    """Import the handler's module once.  Raises ImportFailedError, OutsideError."""
    mark = f"lamella-{secrets.token_hex(8)}"
    # -B: where nothing keeps the process from writing, the first run would leave bytecode for the next
    finished = subject.run(["-B", "-X", "importtime", "-c", _inside(), subject.module, mark])
    text = finished.err.decode("utf-8", "replace")
    _, began, after = text.partition(f"{mark} begin\n")
    shown, ended, report = after.partition(f"\n{mark} end\n")
    if not ended:
        raise _unfinished(subject, finished, parse(after if began else text)[1])
    said: dict[str, Any] = json.loads(next(line for line in report.splitlines() if line.startswith("{")))
    if said["failure"]:
        raise _failed(subject, said["failure"])
    imports = [made for made in parse(shown)[0] if made.name == subject.module]
    if not imports:
        raise ImportFailedError(
            f"{subject.import_} can't be measured",
            why=["python writes the times of imports to stderr, and the module leads that elsewhere"],
        )
    seen = Seen(said["modules"], tuple(said["path"]), said["task"])
    return Run(imports[-1], seen, said["python"], finished.isolation)


def _inside() -> str:
    with open(os.path.join(os.path.dirname(__file__), "inside.py"), encoding="utf-8") as file:
        return file.read()


def _unfinished(subject: Subject, finished: Finished, words: str) -> ImportFailedError | OutsideError:
    lines = [escaped(line) for line in words.splitlines() if line.strip()][-_LAST:]
    if finished.code is None:
        return OutsideError(
            f"{subject.import_} did not end in time",
            why=lines,
            hint="a module that waits for the network when it is imported waits here, too: there is none",
        )
    how = f"was killed by {finished.signal}" if finished.signal else f"ended the process with {finished.code}"
    return ImportFailedError(f"{subject.import_} {how}", why=lines)


def _failed(subject: Subject, failure: dict[str, Any]) -> ImportFailedError:
    lines = [escaped(line) for line in failure["lines"] if line.strip()]
    missing, module = failure["missing"], (failure["module"] or "").partition(".")[0]
    brought = {row.name for row in (*subject.sources.bundled, *subject.sources.layered)}
    if any(module in row.modules and row.name not in brought for row in provided(subject.runtime)):
        hint = f"Lambda's runtime brings `{module}`; what the project locks of it stands in here: {subject.lacking}"
    elif missing:
        hint = f"set the variable for the measurement: `--env {escaped(missing)}=VALUE`"
    elif failure["type"] in ("ModuleNotFoundError", "ImportError"):
        hint = "`lamella check` says what the function needs and none of its layers has"
    else:
        hint = "if it wants a variable of the function's configuration, set it with `--env NAME=VALUE`"
    return ImportFailedError(
        f"{subject.import_} raised {escaped(failure['type'])}",
        why=lines[-_LAST:],
        hint=hint,
    )
