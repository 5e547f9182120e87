"""What is tried in the sandbox, and the trial itself: modules, handlers and metadata, with layers at /opt.

A function's layers are tried together, for they may need each other; so are the parts that one layer was split into.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from lamella.checks.model import Answers, Tried
from lamella.manifest import Artifact, Distribution, FunctionArtifact, LayerArtifact, Manifest, whole_of
from lamella.sandbox.model import Finished, StandIn
from lamella.sandbox.run import Place, Sandbox
from lamella.sandbox.variables import variables

# Longer than any import that Lambda lets pass (Init may take 10 s), as this machine may be busy
SECONDS = 60
_PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "runner.py")


class Trial(NamedTuple):
    """What is tried in one sandbox: the distributions of `subjects`, and the handler of `function`, if there is one.

    `layers` are unpacked at /opt, in order; `foreign` are ARNs of layers that would be there, too.  `alone` says that
    no function has just these layers, so that what they need may be elsewhere.
    """

    runtime: str
    architecture: str
    layers: tuple[LayerArtifact, ...]
    function: FunctionArtifact | None
    subjects: tuple[Artifact, ...]
    foreign: tuple[str, ...] = ()
    alone: bool = False

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """All that is unpacked for it."""
        return (*self.layers, self.function) if self.function is not None else self.layers

    @property
    def distributions(self) -> list[tuple[Artifact, Distribution]]:
        """Those that are tried, each with the artifact that it is in."""
        return [
            (artifact, row)
            for artifact in self.subjects
            for row in artifact.distributions
            if self.runtime in row.runtimes
        ]


class Attempt(NamedTuple):
    """What came of a trial; `broken` says why nothing could be tried, "" otherwise.

    `standin` stood in for what the runtime brings.  `image` is the reference of the runtime's image in which it was
    made, "" for this machine.
    """

    tried: tuple[Tried, ...] = ()
    answers: tuple[Answers, ...] = ()
    broken: str = ""
    standin: StandIn = StandIn()
    image: str = ""


class Wanted(NamedTuple):
    """What is asked in one sandbox.  `first` are the modules that are imported before some of `modules`."""

    modules: tuple[str, ...] = ()
    handlers: tuple[str, ...] = ()
    distributions: tuple[str, ...] = ()
    first: Mapping[str, Sequence[str]] = MappingProxyType({})


def trials(manifest: Manifest) -> tuple[Trial, ...]:
    """All that has to be tried, so that each distribution of each artifact is, for each of its runtimes."""
    layers = {layer.key: layer for layer in manifest.layers}
    found: list[Trial] = []
    tried: set[tuple[str, str]] = set()
    sets: set[tuple[tuple[str, ...], str]] = set()
    for function in manifest.functions:
        attached = tuple(layers[key] for key in function.layers if key in layers)
        foreign = tuple(key for key in function.layers if key not in layers)
        if attached and (function.layers, function.runtime) not in sets:
            sets.add((function.layers, function.runtime))
            tried |= {(layer.key, function.runtime) for layer in attached}
            found.append(Trial(function.runtime, function.architecture, attached, None, attached, foreign))
        found.append(Trial(function.runtime, function.architecture, attached, function, (function,), foreign))
    for layer in manifest.layers:
        for runtime in layer.runtimes:
            if (layer.key, runtime) in tried:
                continue
            parts = tuple(part for part in manifest.layers if whole_of(part) == whole_of(layer))
            tried |= {(part.key, runtime) for part in parts}
            found.append(Trial(runtime, layer.architecture, parts, None, parts, alone=True))
    return tuple(found)


def wanted(trial: Trial, *, imports: bool = True, metadata: bool = True) -> Wanted:
    """All that there is to ask of a trial."""
    rows = trial.distributions
    return Wanted(
        tuple(sorted({module for _, row in rows for module in row.modules})) if imports else (),
        (trial.function.handler,) if imports and trial.function is not None else (),
        tuple(sorted({row.name for _, row in rows})) if metadata else (),
    )


def attempt(
    trial: Trial,
    sandbox: Sandbox,
    place: Place,
    asked: Wanted,
    *,
    env: Mapping[str, str] | None = None,
    at_once: int = 2,
    seconds: float = SECONDS,
) -> Attempt:
    """Try it.  `place` has the folders that its zips were unpacked to; `env` are variables for its handler.

    Each module, and the handler, is imported in a process of its own, `at_once` of them at a time, for at most
    `seconds` each.  Raises UsageError, OSError.
    """
    if not (asked.modules or asked.handlers or asked.distributions):
        return Attempt()
    done = sandbox.run(
        ["-c", program()],
        opt=place.opt,
        task=place.task,
        runtime=place.runtime,
        env={**named(trial), **(env or {})},
        timeout=patience(asked, seconds),
        stdin=json.dumps(question(asked, at_once, seconds)).encode(),
    )
    return read(done)


def question(asked: Wanted, at_once: int, seconds: float = SECONDS) -> dict[str, object]:
    """What the runner reads, for JSON."""
    return {**asked._asdict(), "first": dict(asked.first), "at_once": at_once, "seconds": seconds}


def named(trial: Trial) -> dict[str, str]:
    """The variables that name its function to its code."""
    function = trial.function
    return variables() if function is None else variables(function.name, function.handler)


def patience(asked: Wanted, seconds: float = SECONDS) -> float:
    """How long all of it may take, one after the other."""
    return seconds * (len(asked.modules) + len(asked.handlers) + 1)


def read(done: Finished) -> Attempt:
    """What the runner said."""
    try:
        told = json.loads(done.out)
        return Attempt(_tried(told["tried"]), tuple(Answers(*row) for row in told["metadata"]))
    except (ValueError, KeyError, TypeError):
        lines = done.err.decode("utf-8", "replace").strip().splitlines()
        ending = f"the sandbox ended with {done.signal or done.code}"
        return Attempt(broken=f"{ending}: {lines[-1]}" if lines else ending)


def program() -> str:
    """The runner's text."""
    with open(_PROGRAM, encoding="utf-8") as file:
        return file.read()


def _tried(rows: Sequence[dict[str, object]]) -> tuple[Tried, ...]:
    lists = {"missing", "noise", "runtime"}
    return tuple(
        Tried(**{name: tuple(value) if name in lists else value for name, value in row.items()})  # type: ignore[arg-type]
        for row in sorted(rows, key=lambda row: str(row["subject"]))
    )
