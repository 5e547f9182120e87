"""One function made ready: its zips unpacked, the runtime client and what stands in beside it, its variables."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lamella.build.run import index_settings
from lamella.build.standin import StandIns
from lamella.errors import OutsideError
from lamella.facts.tables import provided
from lamella.local.client import client
from lamella.runtime.model import ACCOUNT, Launch
from lamella.sandbox.model import AUTO, PATH_ONLY
from lamella.sandbox.run import Place, Sandbox
from lamella.sandbox.unpack import merged, unpack
from lamella.sandbox.variables import REGION, variables
from lamella.target import Target
from lamella.wheels.obtain import Source
from lamella.wording import listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lamella.config.model import Settings
    from lamella.interpreter import Interpreter
    from lamella.manifest import Distribution
    from lamella.wheels.cache import Cache
    from lamella.wheels.model import Wheel
    from lamella.wheels.obtain import Progress


# Of what the runtime brings, what functions import
_HEADS = ("boto3", "botocore")
# Libraries that are named; one that is too new seldom comes alone
_SHOWN = 3


class Voice(Protocol):
    """Somebody who tells a person what a run is less than Lambda."""

    def note(self, text: str) -> None: ...
    def warning(self, text: str) -> None: ...


class Options(NamedTuple):
    """What a command line says of all functions that it runs.

    `env` are variables that win over the configured ones.  `memory` (megabytes) and `timeout` (seconds) are the
    function's own where they are None.  `limit` is how many invocations of a function may run at once.  With
    `say_isolation` each function's is said when it is started.
    """

    env: tuple[tuple[str, str], ...] = ()
    isolation: str = AUTO
    offline: bool = False
    memory: int | None = None
    timeout: float | None = None
    limit: int = 32
    say_isolation: bool = False


class Code(NamedTuple):
    """A function wherever it comes from.  `zips` are (path, SHA-256): `task` its own, `layers` in Lambda's order.

    `absent` are the ARNs of layers that are not here.  `shipped` are the distributions in all of it, as far as known.
    """

    key: str
    name: str
    handler: str
    target: Target
    task: tuple[str, str]
    layers: tuple[tuple[str, str], ...]
    absent: tuple[str, ...]
    shipped: tuple[Distribution, ...]
    environment: tuple[tuple[str, str], ...]
    memory: int
    timeout: float
    arn: str = ""
    version: str = "$LATEST"
    scratch_bytes: int | None = None


class Ready(NamedTuple):
    """A function that can be started: `sandbox` is where.

    `inputs` are the files that it was made from, `needs` the folders that it finds its files in.  `lacking` are
    modules that Lambda's runtime would bring, and nothing stands in for here; `why` says why.  `absent` are the ARNs
    of layers that may come later.
    """

    launch: Launch
    sandbox: Sandbox
    inputs: frozenset[str]
    needs: frozenset[str]
    lacking: tuple[str, ...]
    why: str
    absent: tuple[str, ...]


class Preparer:
    """Makes functions ready.  `root` is the folder of `cache`."""

    def __init__(
        self, settings: Settings, cache: Cache, root: str, progress: Progress, options: Options, voice: Voice
    ) -> None:
        self.settings = settings
        self.cache = cache
        self.root = root
        self.progress = progress
        self.options = options
        self.voice = voice
        self._standins = StandIns(settings, cache, root, progress, offline=options.offline)
        self._sandboxes: dict[tuple[int, int], tuple[Interpreter, Sandbox]] = {}
        # What was said, in order: (kind, text)
        self.told: list[tuple[str, str]] = []

    def ready(self, code: Code) -> Ready:
        """Unpack it and find what runs it.

        Raises InterpreterMissingError, UsageError for an isolation that does not work here, ArchiveError, OSError;
        OfflineError, OutsideError where the runtime client can't be had.
        """
        self._tell_limits(code)
        python, sandbox = self._sandbox(code.target)
        opt = merged(code.layers, self.root)
        task = unpack(*code.task, self.root)
        held = frozenset(row.name for row in code.shipped if code.target.runtime in row.runtimes)
        standin = self._standins.of(code.target, python, held, self._client(code.target))
        # Of what it needs in turn nobody imports much by itself
        if any(row.name in _HEADS for row in standin.distributions):
            self._note(standin.words)
        place = Place(opt, task, standin.folder, True)
        if code.scratch_bytes is not None:
            place = place._replace(scratch_bytes=code.scratch_bytes)
        memory = self.options.memory or code.memory
        launch = Launch(
            code.key,
            code.name,
            code.arn or f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{code.name}",
            code.handler,
            python.path,
            code.target.python,
            place,
            tuple(self._environment(code, memory).items()),
            memory,
            self.options.timeout or code.timeout,
            code.version,
        )
        here = held | {row.name for row in standin.distributions}
        lacking = [row for row in provided(code.target.runtime) if row.name not in here]
        return Ready(
            launch,
            sandbox,
            frozenset([python.path, code.task[0], *(path for path, _ in code.layers), *self._standins.inputs]),
            frozenset(folder for folder in (opt, task, standin.folder) if folder is not None),
            tuple(module for row in lacking for module in row.modules),
            standin.why,
            code.absent,
        )

    def _environment(self, code: Code, memory: int) -> Mapping[str, str]:
        return {
            **variables(code.name, code.handler, memory=memory, version=code.version),
            **dict(code.environment),
            **dict(self.options.env),
        }

    def _client(self, target: Target) -> tuple[Wheel, ...]:
        """The runtime client, for this machine, whatever the function was built for."""
        if sys.platform != "linux":
            raise OutsideError(
                f"functions can't be run on {sys.platform}",
                why=["AWS's runtime client has wheels for Linux alone"],
                hint="run it in a Linux container or virtual machine",
            )
        here = Target(target.runtime, {"aarch64": "arm64"}.get(os.uname().machine, os.uname().machine))
        with Source(
            self.cache, lambda: index_settings(self.settings), offline=self.options.offline, progress=self.progress
        ) as source:
            return client(self.settings, source, here)

    def _sandbox(self, target: Target) -> tuple[Interpreter, Sandbox]:
        """The target's Python, and where it runs."""
        from lamella import interpreter

        if target.python not in self._sandboxes:
            purpose = interpreter.Purpose("to run the function with", "build it for a runtime whose Python is here")
            python = interpreter.find(target.python, offline=self.options.offline, memory=self.cache, purpose=purpose)
            sandbox = Sandbox(python.path, target.python, self.options.isolation)
            if sandbox.isolation == PATH_ONLY != self.options.isolation:
                refused = "; ".join(f"{kind}: {why}" for kind, why in sandbox.refused)
                self._note(f"no isolation ({refused}): it can read what you can")
            self._sandboxes[target.python] = python, sandbox
        return self._sandboxes[target.python]

    def _tell_limits(self, code: Code) -> None:
        """What makes this run less than one in Lambda."""
        machine = os.uname().machine
        if machine != code.target.machine:
            self._warn(
                f"`{code.key}` is for {code.target.architecture} and this machine is {machine}: "
                "its compiled modules can't be imported here"
            )
        if code.absent:
            pull = " and ".join(f"`lamella pull {arn}`" for arn in code.absent)
            self._note(f"without {listed(code.absent)}, which is only in AWS: {pull} brings it here")
        for text in too_new(code, self.cache):
            self._warn(text)

    def _note(self, text: str) -> None:
        if ("note", text) not in self.told:
            self.told.append(("note", text))
            self.voice.note(text)

    def _warn(self, text: str) -> None:
        if ("warning", text) not in self.told:
            self.told.append(("warning", text))
            self.voice.warning(text)


def too_new(code: Code, cache: Cache) -> tuple[str, ...]:
    """A sentence for each shared library that this machine may load and Lambda would not; the first few of them.

    Looked for once, and remembered for these zips.  Raises ArchiveError, OSError.
    """
    from lamella.digests import key_of
    from lamella.revision import revision

    digests = [sha256 for _, sha256 in (*code.layers, code.task)]
    key = key_of(revision(), "too new", code.target, digests)
    known = cache.recall("too-new", key)
    if known is None:
        from lamella.checks.model import Severity
        from lamella.checks.platform import TOO_NEW, platform

        archives = [(path, "/opt") for path, _ in code.layers] + [(code.task[0], "/var/task")]
        known = [
            f"`{row.path}`: {row.reason}; that it runs here proves nothing"
            for row in platform(code.key, archives, code.target)
            if row.severity is Severity.ERROR and row.reason.startswith(TOO_NEW)
        ]
        cache.remember("too-new", key, known)
    more = len(known) - _SHOWN
    return (*known[:_SHOWN], *([f"{more} more like that: `lamella check --only platform`"] if more > 0 else []))
