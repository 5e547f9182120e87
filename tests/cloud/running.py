"""Invocations of a strict server, carried out: the deployed code with its layers, by AWS's runtime client, run here."""

from __future__ import annotations

import hashlib
import threading
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

from tests.cloud.strict import Answered, Invocation

from lamella.config.read import read
from lamella.local.deployed import without_project
from lamella.local.functions import Single
from lamella.local.prepare import Code, Options, Preparer
from lamella.runtime.model import Asked
from lamella.target import Target
from lamella.wheels.cache import Cache
from lamella.wheels.obtain import Silent

TAIL = 4096  # bytes; Invoke's API reference, LogResult: "The last 4 KB of the execution log"


class Running:
    """Give it to a server as `invoked`.  `cache` is where wheels and unpacked zips are; zips are put below `folder`.

    The lock of `project` has what stands in for the runtime's own boto3; without one there is none.
    """

    def __init__(self, folder: Path, cache: str, project: Path | None = None) -> None:
        self._folder, self._cache, self._project = folder, cache, project
        self._turn = threading.Lock()
        self._running: dict[tuple[str, ...], Single] = {}
        self._open = ExitStack()

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def __call__(self, invocation: Invocation) -> Answered:
        task = self._zip(invocation.code)
        layers = tuple(self._zip(layer) for layer in invocation.layers)
        key = (invocation.function, invocation.version, task[1], *(sha256 for _, sha256 in layers))
        with self._turn:
            if key not in self._running:
                self._running[key] = self._open.enter_context(self._single(invocation, task, layers))
            result = self._running[key].invoke(invocation.function, Asked(invocation.payload, str(uuid4())))
        return Answered(result.payload, result.error, result.log[-TAIL:].decode(errors="replace"))

    def _zip(self, content: bytes) -> tuple[str, str]:
        sha256 = hashlib.sha256(content).hexdigest()
        path = self._folder / f"{sha256}.zip"
        if not path.exists():
            path.write_bytes(content)
        return str(path), sha256

    def _single(self, invocation: Invocation, task: tuple[str, str], layers: tuple[tuple[str, str], ...]) -> Single:
        target = Target.parse(invocation.runtime, "x86_64")
        environment = tuple(sorted(invocation.environment.items()))
        code = Code(
            invocation.function, invocation.function, invocation.handler, target, task, layers, (), (), environment,
            1024, 20.0,
        )  # fmt: skip
        options = Options()
        settings = read(str(self._project)) if self._project else without_project(str(self._folder))
        preparer = Preparer(settings, Cache(self._cache), self._cache, Silent(), options, _Unheard())
        return Single(code, preparer, options.limit)


class _Unheard:
    def note(self, text: str) -> None: ...
    def warning(self, text: str) -> None: ...
