"""Where ld.so looks for the libraries that a file names.  Source: ld.so(8); glibc, elf/dl-load.c."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lamella.elf.links import Library

_ORIGIN = re.compile(r"\$(?:\{ORIGIN\}|ORIGIN\b)")


def folders(
    library: Library, path: str, inherited: Sequence[str] = (), library_path: Sequence[str] = ()
) -> tuple[str, ...]:
    """The folders in the order of the search, for a library that lies at the absolute `path`.

    `inherited` is what `passed_on` gives for the file that loads it, `library_path` is LD_LIBRARY_PATH.  The system's
    own folders come behind these, and libraries that were loaded before, by their SONAME, in front of them.
    """
    if library.runpath:
        return (*library_path, *_expanded(library.runpath, path))
    return (*_expanded(library.rpath, path), *inherited, *library_path)


def passed_on(library: Library, path: str, inherited: Sequence[str] = ()) -> tuple[str, ...]:
    """The folders that what this library loads also looks into: its RPATH, and those of what has loaded it.

    A library with a RUNPATH has its own RPATH ignored, and passes none on.
    """
    own = () if library.runpath else _expanded(library.rpath, path)
    return tuple(dict.fromkeys((*own, *inherited)))


def _expanded(listed: Sequence[str], path: str) -> tuple[str, ...]:
    here = posixpath.dirname(path)
    # A folder with another of ld.so's variables, or relative to the working directory, is nowhere in an artifact
    full = (_ORIGIN.sub(lambda _: here, folder) for folder in listed)
    return tuple(posixpath.normpath(folder) for folder in full if folder.startswith("/") and "$" not in folder)
