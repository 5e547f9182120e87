"""Which kind of file a path is, told from its name."""

from __future__ import annotations

import re

from lamella.sizes.model import Row

EXTENSION = "extension modules"
LIBRARY = "native libraries"
SOURCE = "Python sources"
BYTECODE = "bytecode"
STUB = "type stubs"
NATIVE_SOURCE = "C and Cython sources"
METADATA = "metadata"
PROGRAM = "programs"
LINK = "links"
DATA = "data"

# How an interpreter names what it imports: "x.cpython-312-x86_64-linux-gnu.so", "x.abi3.so"
_TAGGED = re.compile(r"\.(cpython-\d+[a-z]*(-[\w-]+)?|abi3t?|pypy\d+-[\w-]+)\.so$")
_SHARED = re.compile(r"\.so(\.\d+)*$")
_SITE = re.compile(r"(python/(lib/python3\.\d+/site-packages/)?)?")
_BY_ENDING = {
    ".py": SOURCE,
    ".pyc": BYTECODE,
    ".pyi": STUB,
    **dict.fromkeys((".c", ".cc", ".cpp", ".cxx", ".h", ".hh", ".hpp", ".hxx", ".cu", ".cuh"), NATIVE_SOURCE),
    **dict.fromkeys((".pyx", ".pxd", ".pxi", ".f", ".f90", ".rs", ".a", ".lib", ".pc", ".cmake"), NATIVE_SOURCE),
}


def at_site(path: str) -> str:
    """The path below the folder of importable code of a layer; that of a function's file is what it was."""
    return path[_SITE.match(path).end() :]  # type: ignore[union-attr]


def kind_of(row: Row) -> str:
    """The kind of a row: one of the names above."""
    return LINK if row.kept and row.rule == "equal" else kind(row.path)


def kind(path: str) -> str:
    """The kind of a file by its path in an archive.

    A shared object that no interpreter's tag names is an extension module where it ends in `.so` beside other code
    ("numpy/x.so"), and a library where its name starts with "lib", has a version, or it lies in a `.libs` folder.
    """
    below = at_site(path)
    top, _, rest = below.partition("/")
    name = below.rpartition("/")[2]
    if rest and top.endswith((".dist-info", ".egg-info")):
        return METADATA
    if path.startswith("bin/"):
        return PROGRAM
    if _TAGGED.search(name):
        return EXTENSION
    if _SHARED.search(name):
        plain = name.endswith(".so") and not name.startswith("lib") and not top.endswith(".libs")
        return EXTENSION if plain else LIBRARY
    if name == "py.typed":
        return STUB
    return _BY_ENDING.get(name[name.rfind(".") :] if "." in name else "", DATA)
