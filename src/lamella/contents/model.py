"""A function's source files, and how the holders of its modules are called.  Values only."""

from __future__ import annotations

from typing import NamedTuple

BUNDLE = "the bundle"
RUNTIME = "the runtime"


def layer_holder(key: str) -> str:
    """How a layer is called as a holder of modules or distributions: ``layer `images` ``."""
    return f"layer `{key}`"


class SourceFile(NamedTuple):
    """One file of a function's source: `path` inside the zip, `absolute` on disk, `shown` relative to the project."""

    path: str
    absolute: str
    executable: bool
    shown: str


class Sources(NamedTuple):
    """`files` sorted by path; `directories` are the absolute paths that were listed, sorted.

    A file that is added later changes the modification time of one of `directories`.
    """

    files: tuple[SourceFile, ...]
    directories: tuple[str, ...]


class LeftOut(NamedTuple):
    """A file or folder (with a slash at its end) of a function's source roots that its zip doesn't take.

    `path` is where it would be in the zip.  `rule` is "include", "exclude" or "never"; `reason` is one sentence.
    """

    path: str
    rule: str
    reason: str
