"""What a check says.  Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lamella.archive.reader import RawMember


class Severity(Enum):
    """An error makes `lamella check` fail; a warning is something that could not be tried, or may hurt."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Finding(NamedTuple):
    """One thing that a check found.

    `check` is the check's name, `artifact` the key of the layer or function, `path` the member of its zip ("" where
    it is about the whole) and `line` the line in it, `reason` a sentence without a full stop, `hint` the way out (""
    for none).  `tried` is False where the thing itself could not be tried, so that nothing is known of it.
    """

    check: str
    severity: Severity
    artifact: str
    path: str
    reason: str
    hint: str
    line: int | None = None
    tried: bool = True


@dataclass(frozen=True, slots=True)
class Contributor:
    """Something that takes space in an artifact.  `bytes` as the limit counts them: zipped or unzipped."""

    name: str
    where: str
    bytes: int


@dataclass(frozen=True, slots=True)
class SizeVerdict:
    """One artifact against one limit.

    `measured` and `limit` are in bytes, `unit` is "zipped" or "unzipped".  `parts` add up to `measured`;
    `unknown` are ARNs of layers whose size is not known here.  `contributors` are the largest, largest first.
    """

    kind: str  # "layer" or "function"
    key: str
    unit: str
    measured: int
    limit: int
    parts: tuple[tuple[str, int], ...]
    unknown: tuple[str, ...]
    contributors: tuple[Contributor, ...]

    @property
    def passed(self) -> bool:
        return self.measured <= self.limit


class Contents(NamedTuple):
    """What the zip at `path` holds: its members by their paths, without folders."""

    path: str
    members: dict[str, RawMember]


class Tried(NamedTuple):
    """What became of one trial in the sandbox.

    `subject` is what was tried: a module, or a handler.  `failed` is "" for success, else how it failed: "raised" (an
    exception: `kind` is its class, `text` what it says, `where` its innermost line in the artifacts), "ended" (the
    process did: `text` says how) or "time" (it took too long).  `missing` are the modules that were not found on the
    way, `variable` the environment variable that was not ("" for none), and `network` whether a connection failed.
    `noise` are the last lines that it wrote, `runtime` the top-level modules that came from the runtime's folder.
    """

    subject: str
    failed: str = ""
    kind: str = ""
    text: str = ""
    where: str = ""
    missing: tuple[str, ...] = ()
    variable: str = ""
    network: bool = False
    noise: tuple[str, ...] = ()
    runtime: tuple[str, ...] = ()


class Answers(NamedTuple):
    """What importlib.metadata says of a distribution: its version ("" for not found), and what it failed with."""

    name: str
    version: str
    failed: str


class Outcome(NamedTuple):
    """All that one check found.  `summary` is what was looked at, for the line of a check that found nothing bad.

    `tried` is False where nothing could be: `summary` then says why.
    """

    check: str
    summary: str
    findings: tuple[Finding, ...]
    tried: bool = True

    @property
    def passed(self) -> bool:
        return all(finding.severity is not Severity.ERROR for finding in self.findings)
