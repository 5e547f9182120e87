"""The artifacts of one build on the table: their zips read once, their trials run once, whichever checks ask."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from typing import NamedTuple

from lamella.checks.members import contents, normalized, sites
from lamella.checks.metadata import requirements
from lamella.checks.model import Contents, Finding, Severity
from lamella.checks.trials import Attempt, Trial, Wanted, attempt, trials, wanted
from lamella.interpreter import Interpreter, InterpreterMissingError, Memory, Purpose, find
from lamella.manifest import Artifact, FunctionArtifact, LayerArtifact, Manifest
from lamella.sandbox.model import KINDS, StandIn
from lamella.sandbox.run import Place, Sandbox
from lamella.sandbox.unpack import merged, unpack
from lamella.target import Target

# A Requires-Dist line begins with a name (PEP 508)
_NAME = re.compile(r"[^\w.-]")
_PURPOSE = Purpose("to try imports with", "check the rest alone, with `--only`")


class Means(NamedTuple):
    """What trials are made with: the cache's folder and memory, the isolation that was asked for, variables.

    `asked` are the checks that were asked for by name: what these can't try is an error.  `standin` gives what stands
    in for a runtime's distributions, but for those whose names it is given: the artifacts bring them.
    """

    cache: str
    memory: Memory | None
    isolation: str
    env: Mapping[str, str]
    asked: tuple[str, ...] = ()
    standin: Callable[[Target, Interpreter, frozenset[str]], StandIn] | None = None


class Tested(NamedTuple):
    """What came of all trials.

    `untried` are those that could not be made here.  `how` says what they ran in: ``bubblewrap, Python 3.12.1``;
    `weak` why it is no stronger isolation, a line each.  `notes` are what else is to be known of it, a sentence each.
    """

    attempts: tuple[tuple[Trial, Attempt], ...]
    untried: tuple[tuple[Trial, Finding], ...]
    how: str
    weak: tuple[str, ...]
    notes: tuple[str, ...] = ()


class Bench:
    """The artifacts in `folder`, which `manifest` describes.  Reads and unpacks what is asked for."""

    def __init__(self, manifest: Manifest, folder: str, means: Means) -> None:
        self.manifest = manifest
        self.folder = folder
        self.means = means
        self._zips: dict[str, Contents] = {}

    @property
    def zips(self) -> dict[str, Contents]:
        """What each artifact's zip holds, by its key.  Raises ArchiveError, OSError."""
        if not self._zips:
            self._zips = {artifact.key: contents(self.path(artifact)) for artifact in self.manifest.artifacts}
        return self._zips

    def path(self, artifact: Artifact) -> str:
        return os.path.join(self.folder, artifact.file)

    def layers(self, function: FunctionArtifact) -> list[LayerArtifact]:
        """A function's local layers, in its order."""
        known = {layer.key: layer for layer in self.manifest.layers}
        return [known[key] for key in function.layers if key in known]

    def tested(self, *, imports: bool, metadata: bool) -> Tested:
        """Make all trials.  Raises UsageError for an isolation that does not work here; ArchiveError, OSError."""
        return _Testing(self, imports=imports, metadata=metadata).run()


class _Testing:
    def __init__(self, bench: Bench, *, imports: bool, metadata: bool) -> None:
        self.bench = bench
        self.means = bench.means
        self.imports = imports
        self.metadata = metadata
        self.check = "imports" if imports else "metadata"
        self.sandboxes: dict[str, Sandbox | None] = {}
        self.interpreters: dict[str, Interpreter] = {}
        self.why: dict[str, InterpreterMissingError] = {}

    def run(self) -> Tested:
        from concurrent.futures import ThreadPoolExecutor

        ready: list[tuple[Trial, Sandbox, StandIn]] = []
        untried: list[tuple[Trial, Finding]] = []
        for trial in trials(self.bench.manifest):
            objection = self.objection(trial)
            if objection is not None:
                untried.append((trial, objection))
                continue
            sandbox = self.sandboxes[trial.runtime]
            assert sandbox is not None
            ready.append((trial, sandbox, self.standin(trial)))
        # Before the pool: of several threads only one finds out what works here
        kinds = {sandbox.isolation: sandbox for _, sandbox, _ in ready}
        at_once = os.cpu_count() or 1
        with ThreadPoolExecutor(at_once) as pool:
            attempts = list(pool.map(lambda job: self.attempt(job[0], job[1], job[2], at_once), ready))
        found = sorted({*kinds}, key=KINDS.index)
        used = dict.fromkeys(self.interpreters[trial.runtime].version for trial, _, _ in ready)
        how = ", ".join([*found, *(f"Python {version}" for version in used)])
        weak = tuple(f"{kind}: {why}" for sandbox in kinds.values() for kind, why in sandbox.refused)
        return Tested(tuple(zip((trial for trial, _, _ in ready), attempts, strict=True)), tuple(untried), how, weak)

    def attempt(self, trial: Trial, sandbox: Sandbox, standin: StandIn, at_once: int) -> Attempt:
        root, path = self.means.cache, self.bench.path
        opt = merged([(path(layer), layer.sha256) for layer in trial.layers], root)
        task = unpack(path(trial.function), trial.function.sha256, root) if trial.function is not None else None

        def tried(asked: Wanted) -> Attempt:
            place = Place(opt, task, standin.folder)
            return attempt(trial, sandbox, place, asked, env=self.means.env, at_once=at_once)

        done = tried(wanted(trial, imports=self.imports, metadata=self.metadata))
        again = once_more(trial, done, self.bench.zips)
        return (mended(done, tried(again)) if again.modules else done)._replace(standin=standin)

    def standin(self, trial: Trial) -> StandIn:
        """What stands in for those of the runtime's distributions that the trial's artifacts lack."""
        if self.means.standin is None or not self.imports:
            return StandIn()
        held = {
            row.name for artifact in trial.artifacts for row in artifact.distributions if trial.runtime in row.runtimes
        }
        target = Target(trial.runtime, trial.architecture)
        return self.means.standin(target, self.interpreters[trial.runtime], frozenset(held))

    def objection(self, trial: Trial) -> Finding | None:
        """Why a trial can't be made on this machine."""
        machine = Target(trial.runtime, trial.architecture).machine
        here = os.uname().machine
        if sys.platform != "linux" or here != machine:
            system = {"linux": "Linux", "darwin": "macOS"}.get(sys.platform, sys.platform)
            reason = f"not tried: it is for Linux on {machine}, and this machine is {system} on {here}"
            return self.finding(trial, Severity.NOTE, reason, f"check it on a machine with {trial.architecture}")
        if not _has_glibc():
            reason = "not tried: this system's C library is not glibc"
            return self.finding(trial, Severity.NOTE, reason, "check it on a system with glibc")
        if self.sandbox(trial) is None:
            error = self.why[trial.runtime]
            severity = Severity.ERROR if self.check in self.means.asked else Severity.WARNING
            return self.finding(trial, severity, f"not tried: {error.what}", error.hint or "")
        return None

    def finding(self, trial: Trial, severity: Severity, reason: str, hint: str) -> Finding:
        artifact = trial.function or trial.layers[0]
        return Finding(self.check, severity, artifact.key, "", reason, hint, tried=False)

    def sandbox(self, trial: Trial) -> Sandbox | None:
        runtime = trial.runtime
        if runtime not in self.sandboxes:
            python = Target(runtime, trial.architecture).python
            try:
                found = find(python, offline=True, install=False, memory=self.means.memory, purpose=_PURPOSE)
            except InterpreterMissingError as error:
                self.why[runtime], self.sandboxes[runtime] = error, None
            else:
                self.interpreters[runtime] = found
                self.sandboxes[runtime] = Sandbox(found.path, python, self.means.isolation)
        return self.sandboxes[runtime]


def once_more(trial: Trial, done: Attempt, zips: Mapping[str, Contents]) -> Wanted:
    """What to try again, after importing other modules: those of the distributions that require what raised.

    Some want to be imported by these alone: psycopg_binary raises where psycopg did not begin.
    """
    failed = {one.subject for one in done.tried if one.failed == "raised"}
    rows = [row for _, row in trial.distributions if failed.intersection(row.modules)]
    if not rows:
        return Wanted()
    parents: dict[str, list[str]] = {}
    for artifact in trial.artifacts:
        folders = sites(artifact, trial.runtime)
        for row in artifact.distributions:
            if trial.runtime in row.runtimes:
                for line in requirements(row, zips[artifact.key], folders):
                    parents.setdefault(normalized(_NAME.split(line, maxsplit=1)[0]), []).extend(row.modules)
    first = {
        module: list(dict.fromkeys(parents[row.name]))
        for row in rows
        if row.name in parents
        for module in row.modules
        if module in failed
    }
    return Wanted(modules=tuple(first), first=first)


def mended(done: Attempt, again: Attempt) -> Attempt:
    """The attempt with what worked the second time."""
    worked = {one.subject: one for one in again.tried if not one.failed}
    return done._replace(tried=tuple(worked.get(one.subject, one) for one in done.tried))


def _has_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (ValueError, OSError):
        return False
