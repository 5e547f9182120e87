"""What a check says.  Values only."""

from __future__ import annotations

from dataclasses import dataclass


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
