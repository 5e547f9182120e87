"""What is read in a function's source, and what is said about it.  Values only."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Guard(Enum):
    """Why an import may fail without harm; the value ends the sentence "guarded by …"."""

    NONE = ""
    TRY = "try/except ImportError"
    TYPE_CHECKING = "TYPE_CHECKING"
    PLATFORM = "a platform test"
    MAIN = '__name__ == "__main__"'


class Import(NamedTuple):
    """One import.

    `module` is absolute; one that leads above the zip's root keeps its leading dots.  `names` are those of
    ``from module import names`` (("*",) for a star), else empty.  `lazy`: it stands inside a function.
    """

    module: str
    names: tuple[str, ...]
    line: int
    guard: Guard = Guard.NONE
    lazy: bool = False


class Kind(Enum):
    """What a dotted name is on one place of sys.path."""

    PACKAGE = "package"  # a directory with __init__
    MODULE = "module"  # one file
    OPAQUE = "opaque"  # known by name only: everything below it counts as there
    NAMESPACE = "namespace"  # a directory without __init__ that holds modules


@dataclass(frozen=True, slots=True)
class ModuleIndex:
    """The dotted modules of one place (a layer, a bundle, the runtime, a function's own source)."""

    packages: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()
    opaque: frozenset[str] = frozenset()

    def kind(self, dotted: str) -> Kind | None:
        """What `dotted` is here; a package wins over a module of that name (as in importlib's FileFinder)."""
        if dotted in self.packages:
            return Kind.PACKAGE
        if dotted in self.modules:
            return Kind.MODULE
        if dotted in self.opaque:
            return Kind.OPAQUE
        return Kind.NAMESPACE if dotted in self.namespaces else None


class Provided(Enum):
    """The answer to "is this module there?"."""

    YES = "yes"
    NO = "no"
    UNSURE = "unsure"  # its package is there, no file is: it may be made at run time (six.moves)


@dataclass(frozen=True, slots=True)
class Distribution:
    """One distribution in a layer or bundle.

    `requires`: Requires-Dist lines; `extras`: asked for by the lock; `perhaps`: further ones that may have been, where
    the lock doesn't tell.
    """

    name: str  # normalized
    version: str
    requires: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()


class Severity(Enum):
    ERROR = "error"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about function `function`: `subject` is the import, distribution or handler that it is about.

    `file` (relative to the project) and `line` are None where a finding has no place in the source.
    """

    function: str
    severity: Severity
    subject: str
    message: str
    file: str | None = None
    line: int | None = None
    hint: str | None = None

    @property
    def text(self) -> str:
        """The sentence with its place: ``src/app.py:3 imports `rawpy`: not in …``."""
        if self.file is None:
            return self.message
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place} {self.message}"


def unread(function: str, file: str, line: int | None, runtime: str) -> Finding:
    """The note for a file that the Python that runs this can't read, while that of `runtime`, a newer one, may."""
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    message = f"could not be read by Python {own}: its imports were not checked; run lamella on {runtime}"
    return Finding(function, Severity.NOTE, file, message, file, line)
