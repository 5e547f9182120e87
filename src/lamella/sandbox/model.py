"""What a process in the sandbox sees, and how it ended.  Values only."""

from __future__ import annotations

import signal
from typing import NamedTuple

from lamella.manifest import Distribution

BUBBLEWRAP = "bubblewrap"
NAMESPACES = "namespaces"
PATH_ONLY = "path-only"
AUTO = "auto"
# The strongest first: `auto` takes the first that works
KINDS = (BUBBLEWRAP, NAMESPACES, PATH_ONLY)
ISOLATIONS = (AUTO, *KINDS)


class View(NamedTuple):
    """The file system of a process, for the kinds that make one.  All paths are absolute.

    `binds` are (what is here, where it is seen), read-only, in the order in which they are mounted; `links` are
    (where, what it says); `folders` are there and empty; `hidden` are folders of `binds` that show nothing;
    `devices` are files of /dev; `scratch` is the one folder that can be written to, with room for `scratch_bytes`.
    With `network` the process shares the machine's; without, it has a loopback of its own and nothing else.
    """

    binds: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str], ...]
    folders: tuple[str, ...]
    hidden: tuple[str, ...]
    devices: tuple[str, ...]
    scratch: str
    scratch_bytes: int
    network: bool


class StandIn(NamedTuple):
    """What stands in for the distributions that a runtime brings, and this machine has not.

    They are in `folder`, None for none; `heads` are those that no other one of them requires.  `why` says why the
    others are not there.
    """

    folder: str | None = None
    distributions: tuple[Distribution, ...] = ()
    heads: tuple[str, ...] = ()
    why: str = ""

    @property
    def words(self) -> str:
        """``boto3 1.44.5 of the lock stands in for the runtime's``."""
        shown = [f"{row.name} {row.version}" for row in self.distributions if row.name in self.heads]
        return f"{' and '.join(shown)} of the lock stand{'s' * (len(shown) == 1)} in for the runtime's"


class Finished(NamedTuple):
    """How a process ended.

    `code` is its exit status, 128 + N where signal N killed it, as shells say it; None where it was still running
    after its time and was killed.  `isolation` is one of `KINDS`.
    """

    code: int | None
    out: bytes
    err: bytes
    isolation: str

    @property
    def signal(self) -> str | None:
        """The name of the signal that killed it (``SIGSEGV``), or None."""
        if self.code is None or self.code <= 128:
            return None
        try:
            return signal.Signals(self.code - 128).name
        except ValueError:
            return None
