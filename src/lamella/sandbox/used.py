"""Unpacked folders that a process runs from: they are not tidied away, however long it runs.

Whoever runs from a folder has a lock on it that others may have, too; the kernel takes it back with his end.
"""

from __future__ import annotations

import contextlib
import fcntl
import os


def use(folder: str, left: contextlib.ExitStack) -> None:
    """It is used until `left` is closed.  Where there are no locks, it is not known to be."""
    with contextlib.suppress(OSError):
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        left.callback(os.close, held)
        fcntl.flock(held, fcntl.LOCK_SH)


def is_used(folder: str) -> bool:
    """Whether another process, or this one, runs from it, as far as that can be known."""
    try:
        asking = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(asking, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return isinstance(error, BlockingIOError)
    finally:
        os.close(asking)
    return False
