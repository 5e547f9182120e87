"""Nothing to do is found out without reading a configuration: from what the last build looked at.

After a build that left all in place, the command line, the folder it was given in, and the state of every file that
was looked at or written are kept in the cache.  While all of that is as it was, the same command has the same
outcome.  This module is on the way of every start: it imports next to nothing.
"""

from __future__ import annotations

import os
import sys
import zlib

from lamella.cachedir import cache_dir
from lamella.files import settled, state, write_atomic
from lamella.revision import revision

TYPE_CHECKING = False  # `typing` is not imported for it
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def recall(arguments: Sequence[str]) -> tuple[str, str] | None:
    """What to print (stdout, stderr) when this command would do nothing; None when it must be run."""
    try:
        path, question = _place(arguments)
        with open(path, "rb") as file:
            fields = file.read().decode("utf-8", "surrogateescape").split("\0")
    except OSError:
        return None
    if len(fields) < 4 or fields[0] != question or fields[-1] != "end":
        return None
    for at in range(3, len(fields) - 1, 2):
        if state(fields[at]) != fields[at + 1]:
            return None
    return fields[1], fields[2]


def remember(
    arguments: Sequence[str], out: str, err: str, inputs: Iterable[str], outputs: Iterable[str], began: int
) -> None:
    """Keep the outcome of a command that found nothing to do, or did all.  `began` is its start (ns since 1970).

    Not kept when an input changed so shortly before or during the build that its time would not tell.
    """
    path, question = _place(arguments)
    fields = [question, out, err]
    for name in sorted(set(spread(inputs))):
        if not settled(name, began):
            return
        fields += [name, state(name)]
    for name in sorted(outputs):
        fields += [name, state(name)]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    write_atomic(path, "\0".join([*fields, "end"]).encode("utf-8", "surrogateescape"), flush=False)


def _place(arguments: Sequence[str]) -> tuple[str, str]:
    """The stamp's path, and the question that it answers."""
    question = "\n".join([revision(), sys.version, os.getcwd(), *arguments])
    name = f"{zlib.crc32(question.encode('utf-8', 'surrogateescape')):08x}"
    return os.path.join(cache_dir(os.environ), "v1", "stamps", name), question


def spread(inputs: Iterable[str]) -> Iterable[str]:
    """`inputs` of a build, and of folders that were read whole (path dependencies) all that is in them."""
    for path in inputs:
        yield path
        if path.endswith(os.sep):
            for base, folders, files in os.walk(path):
                folders[:] = [name for name in folders if name not in (".git", "__pycache__", ".venv", "node_modules")]
                yield base
                yield from (os.path.join(base, name) for name in files)
