"""Files that appear whole or not at all."""

from __future__ import annotations

import os


def write_atomic(path: str, data: bytes) -> None:
    """Put `data` at `path`: written beside it, flushed, then renamed, so that a kill leaves the old or the new.

    Keeps the permissions of a file that was there.  Raises OSError.
    """
    partial = f"{path}.{os.getpid()}.partial"
    try:
        mode = os.stat(path).st_mode & 0o777
    except FileNotFoundError:
        mode = 0o644
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        os.fchmod(descriptor, mode)  # the umask has been at it
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise


def sha256_of(path: str) -> str | None:
    """The SHA-256 (hex) of a file's bytes, or None where there is no file."""
    import hashlib

    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
