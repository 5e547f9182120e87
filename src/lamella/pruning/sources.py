"""Code among the files: which of them it is, and their modules' names."""

from __future__ import annotations

from lamella.archive.entry import LINK, PROGRAM, content
from lamella.pruning.model import File

_LONGEST_SCRIPT = 1_000_000


def code(file: File) -> bytes | None:
    """The source of a module, or of a script for Python; None for another file.  Raises DamagedSourceError.

    Nothing is held: the sources of a layer are hundreds of megabytes.
    """
    if is_module_source(file):
        return content(file.entry)
    if file.entry.mode == PROGRAM and not file.at_site and file.entry.size < _LONGEST_SCRIPT:
        source = content(file.entry)
        return source if b"python" in source.partition(b"\n")[0] else None
    return None


def is_module_source(file: File) -> bool:
    return file.entry.mode != LINK and file.path.endswith(".py")


def module_of(path: str) -> str | None:
    """The dotted name of the module in the file `path`; a package's for its `__init__`.  None for what is no module."""
    folder, _, name = path.rpartition("/")
    if not name.endswith((".py", ".so")):
        return None
    stem = name.partition(".")[0]  # _lib.cpython-312-x86_64-linux-gnu.so, _lib.abi3.so
    inner = folder if stem == "__init__" else f"{folder}/{stem}"
    return inner.strip("/").replace("/", ".") or None
