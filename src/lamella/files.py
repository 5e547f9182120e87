"""Files that appear whole or not at all, whether one is still what it was, and what is handed to one process alone."""

from __future__ import annotations

import os
from _thread import get_ident

# The clock behind file times ticks every few milliseconds: a file changed less than this before it was read could
# change again without a trace
_GRAIN = 50_000_000  # nanoseconds
# What a pipe holds if nobody asks for more, pipe(7)
_PIPE_BYTES = 65536


def write_atomic(path: str, data: bytes, *, flush: bool = True, private: bool = False) -> None:
    """Put `data` at `path`: written beside it, then renamed, so that a kill leaves the old or the new.

    With `flush` it also survives the machine going down; what can be made again does without, for that takes long.
    Keeps the permissions of a file that was there; a `private` one is for its owner alone.  Raises OSError.
    """
    partial = f"{path}.{os.getpid()}-{get_ident()}.partial"
    try:
        mode = 0o600 if private else os.stat(path).st_mode & 0o777
    except FileNotFoundError:
        mode = 0o644
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        os.fchmod(descriptor, mode)  # the umask has been at it
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            if flush:
                file.flush()
                os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise


def handed(data: bytes) -> int:
    """A descriptor that gives `data` and its end to a process that inherits it; it has no name by which others find it.

    To be closed once that has started.  Raises OSError for more than a pipe can hold: 1 MiB, as systems come.
    """
    reading, writing = os.pipe()
    try:
        if reading <= 2:  # a standard stream is closed here, and the process will have one of its own there
            import fcntl

            low, reading = reading, fcntl.fcntl(reading, fcntl.F_DUPFD_CLOEXEC, 3)
            os.close(low)
        if len(data) > _PIPE_BYTES:
            _widen(writing, len(data))
        os.set_blocking(writing, False)
        if os.write(writing, data) < len(data):
            raise OSError(7, os.strerror(7))  # E2BIG, as of arguments
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    return reading


def _widen(pipe: int, size: int) -> None:
    import fcntl

    try:
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, size)
    except PermissionError:
        raise OSError(7, os.strerror(7)) from None


def sha256_of(path: str) -> str | None:
    """The SHA-256 (hex) of a file's bytes, or None where there is no file."""
    import hashlib

    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def state(path: str) -> str:
    """What tells one state of a file or folder from another without reading it; "-" where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return "-"
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino} {status.st_mode}"


def settled(path: str, before: int) -> bool:
    """Whether a file or folder was last changed long enough before a moment (ns since 1970) for `state` to tell.

    What is not there counts as settled.
    """
    try:
        status = os.stat(path)
    except OSError:
        return True
    return max(status.st_mtime_ns, status.st_ctime_ns) < before - _GRAIN
