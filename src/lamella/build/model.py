"""What a build is asked and what it answers.  Values only; named tuples, which cost a start least."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lamella.manifest import Manifest


class Request(NamedTuple):
    """`names`: artifacts to build, all when empty.  `locked`: the lock may not change.  `offline`: no network.

    `contained`: what has no wheel for the target is built in a container.
    """

    names: tuple[str, ...] = ()
    locked: bool = False
    offline: bool = False
    contained: bool = False


class Made(NamedTuple):
    """One artifact of a build.

    `changes` says what differs from the last build, a phrase each, empty for nothing; `written` whether its file
    was touched; `seconds` is the time that it took, without fetching.
    """

    key: str
    kind: str  # "layer" or "function"
    file: str
    zipped: int
    unzipped: int
    members: int
    changes: tuple[str, ...]
    written: bool
    seconds: float


class Outcome(NamedTuple):
    """`output` is the folder, `notes` sentences for the person, `fetched` the bytes that came over the network.

    `inputs` are the files and folders that the outcome depends on, absolute: while none of them changes, neither
    does the outcome, if `inputs_tell`: the environment may have a say, too.  `told` is whether the manifest says
    something else than before.
    """

    output: str
    manifest: Manifest
    made: tuple[Made, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    removed: tuple[str, ...]
    fetched: int
    seconds: float
    inputs: tuple[str, ...]
    inputs_tell: bool = True
    told: bool = False

    @property
    def written(self) -> bool:
        """Whether anything in the output folder was touched."""
        return self.told or bool(self.removed) or any(made.written for made in self.made)
