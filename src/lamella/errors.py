"""The one tree of errors.  Each carries facts; the text for people is made from them last.

Exit codes: 0 fine, 1 findings (a check failed), 2 wrong usage, configuration or input,
3 the outside failed (network, index, another program).
"""

from __future__ import annotations

from collections.abc import Iterable


class LamellaError(Exception):
    """What failed (`what`), why (`why`, a line each), and what to do about it (`hint`)."""

    exit_code = 2

    def __init__(self, what: str, *, why: Iterable[str] = (), hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.why = tuple(why)
        self.hint = hint

    @property
    def in_one_line(self) -> str:
        """What failed and why, to stand within a sentence."""
        return "; ".join([self.what, *self.why])

    def __str__(self) -> str:
        lines = [self.what, *(f"  {line}" for line in self.why)]
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


class UsageError(LamellaError):
    """The command line asks for something that is not there."""


class ConfigError(LamellaError):
    """`[tool.lamella]` or lamella.toml says something that can't be meant."""


class LockError(LamellaError):
    """A lock file can't be read, is out of date, or pins what can't be built on."""


class IncompatibleError(LamellaError):
    """No locked file of a distribution runs on the target."""


class ArchiveError(LamellaError):
    """A zip or wheel that is damaged, ambiguous or dangerous.  Nothing of it is used."""


class CollisionError(LamellaError):
    """Two sources want the same path with different bytes."""


class ClosureError(LamellaError):
    """A function needs something that none of its layers, its bundle or the runtime provides."""


class BuildError(LamellaError):
    """A wheel could not be built from source."""


class OutsideError(LamellaError):
    """The network, an index or another program failed; the same call may work later."""

    exit_code = 3


class OfflineError(OutsideError):
    """`--offline` was given and something is not in the cache."""
