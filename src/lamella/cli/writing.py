"""Files that the command line names: written whole, or refused by their own name."""

from __future__ import annotations

import os


def refuse_place(path: str) -> None:
    """Raises UsageError where no file can be: asked before long work, not after it."""
    folder = os.path.dirname(path) or "."
    if os.path.isdir(path):
        raise _refusal(path, "it is a folder", "name a file in it")
    if not os.path.isdir(folder):
        raise _refusal(path, f"there is no folder `{folder}`", "make the folder first, or name another file")
    if not os.access(folder, os.W_OK):
        raise _refusal(path, f"the folder `{folder}` can't be written to", "name a file in another folder")


def write(path: str, text: str) -> None:
    """Put `text` at `path`: all of it, or the old file stays.  Raises UsageError."""
    from lamella.files import write_atomic

    refuse_place(path)
    # What a link leads to is meant, not the link
    place = os.path.realpath(path)
    try:
        if os.path.exists(place) and not os.path.isfile(place):
            with open(place, "wb") as stream:  # a pipe, or a device: nothing can be put in its place
                stream.write(text.encode())
        else:
            write_atomic(place, text.encode())
    except OSError as error:
        raise _refusal(path, error.strerror or str(error), "name a file in another folder") from None


def _refusal(path: str, why: str, hint: str) -> Exception:
    from lamella.errors import UsageError

    return UsageError(f"`{path}` can't be written", why=[why], hint=hint)
