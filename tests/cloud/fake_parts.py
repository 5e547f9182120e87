"""The smaller parts of the AWS in memory: a clock, faults, a bucket, alarms, logs."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from lamella import aws
from lamella.cloud.model import AlarmState, Content, LogEvent

Call = Callable[..., AbstractContextManager[None]]


class FakeClock:
    """Time that passes when somebody sleeps.  `slept` are the seconds of each sleep."""

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self._now = now
        self._lock = threading.Lock()
        self.slept: list[float] = []

    def now(self) -> float:
        with self._lock:
            return self._now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._now += max(0.0, seconds)
            self.slept.append(seconds)


class Killed(BaseException):
    """The process ends here: no `except Exception` sees it."""


class Fault(NamedTuple):
    """`error` is raised in place of the answer; `after` the call took its effect, or before."""

    error: BaseException
    after: bool = False


def throttled() -> Fault:
    return Fault(aws.ThrottledError("could not ask", why=["TooManyRequestsException: Rate exceeded"]))


def unreachable(after: bool = False) -> Fault:
    return Fault(aws.UnreachableError("could not ask", why=["the connection was closed"], hint="try again"), after)


def denied(action: str = "lambda:UpdateAlias", resource: str = "") -> Fault:
    error = aws.DeniedError("could not ask", action=action, resource=resource, hint=f"let a policy allow `{action}`")
    return Fault(error)


def busy() -> Fault:
    return Fault(aws.BusyError("could not ask", why=["ResourceConflictException: an update is in progress"]))


def stale() -> Fault:
    return Fault(aws.StaleError("could not ask", why=["PreconditionFailedException: the RevisionId is another"]))


def killed(after: bool = False) -> Fault:
    return Fault(Killed("killed"), after)


def code_digest(content: bytes) -> str:
    """As AWS prints it."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def content_of(content: bytes, folder: Path | None = None, name: str = "code.zip") -> Content:
    """A `Content` of these bytes; they are written to `folder`, where one is given (else only digests are compared)."""
    path = ""
    if folder is not None:
        (folder / name).write_bytes(content)
        path = str(folder / name)
    return Content(path, len(content), hashlib.sha256(content).hexdigest(), code_digest(content))


class FakeObjects:
    """`cloud.model.Objects`.  `stored` are the objects by their whole key."""

    def __init__(self, call: Call, name: str = "deploys", prefix: str = "") -> None:
        self._call = call
        self.name = name
        self.prefix = prefix
        self.stored: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        with self._call("get", key):
            return self.stored.get(self.prefix + key)

    def fetch(self, key: str, path: str) -> bool:
        with self._call("fetch", key):
            content = self.stored.get(self.prefix + key)
            if content is not None:
                Path(path).write_bytes(content)
            return content is not None

    def has(self, key: str) -> int | None:
        with self._call("has", key):
            content = self.stored.get(self.prefix + key)
            return None if content is None else len(content)

    def put(self, key: str, content: bytes, *, absent: bool = False) -> bool:
        with self._call("put", key):
            if absent and self.prefix + key in self.stored:
                return False
            self.stored[self.prefix + key] = content
            return True

    def put_file(self, key: str, path: str) -> None:
        with self._call("put_file", key):
            self.stored[self.prefix + key] = Path(path).read_bytes()

    def delete(self, key: str) -> None:
        with self._call("delete", key):
            self.stored.pop(self.prefix + key, None)

    def keys(self, below: str = "") -> Iterator[str]:
        with self._call("keys", below):
            found = [key for key in sorted(self.stored) if key.startswith(self.prefix + below)]
        yield from (key.removeprefix(self.prefix) for key in found)


class FakeAlarms:
    """`cloud.model.Alarms`.  `states` are those that there are; `counts` answers (errors, invocations) of a version.

    Both may be changed while somebody watches; `counts` may be replaced by a function of the same arguments.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self.states: dict[str, str] = {}
        self.counts: Callable[[str, str, str, float, float], tuple[int, int]] = lambda *_: (0, 0)

    def alarms(self, names: Sequence[str]) -> Sequence[AlarmState]:
        with self._call("alarms", *names):
            return tuple(AlarmState(name, self.states[name]) for name in names if name in self.states)

    def errors(self, function: str, alias: str, version: str, start: float, end: float) -> tuple[int, int]:
        with self._call("errors", function, alias, version):
            return self.counts(function, alias, version, start, end)


class FakeLogs:
    """`cloud.model.Logs`.  `groups` hold the events of each log group."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self.groups: dict[str, list[LogEvent]] = {}

    def events(self, group: str, start: int, end: int | None = None, words: str = "") -> Iterator[LogEvent]:
        with self._call("events", group):
            if group not in self.groups:
                raise aws.NotThereError(f"there is no log group `{group}`", hint="it is made with the first invocation")
            found = sorted(self.groups[group], key=lambda event: (event.time, event.id))
        wanted = words.strip('"')
        for event in found:
            if event.time >= start and (end is None or event.time <= end) and wanted in event.message:
                yield event
