"""What the zips of artifacts hold, and where of it a runtime looks for modules."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable

from lamella.archive.built import member_content, read_built
from lamella.checks.model import Contents
from lamella.manifest import Artifact, Distribution, FunctionArtifact

_INFO = re.compile(r"([^/]+)-[^/-]+\.dist-info/")


def contents(path: str) -> Contents:
    """The members of the zip at `path`.  Raises ArchiveError, OSError."""
    return Contents(path, {member.name: member for member in read_built(path).members if not member.is_dir})


def content(held: Contents, name: str) -> bytes:
    """The bytes of a member.  Raises ArchiveError when they are not what the zip says, KeyError, OSError."""
    with open(held.path, "rb") as file:
        return member_content(file.fileno(), held.members[name], held.path)


def is_link(held: Contents, name: str) -> bool:
    return stat.S_ISLNK(held.members[name].mode)


def sites(artifact: Artifact, runtime: str) -> tuple[str, ...]:
    """The folders of an artifact's zip that are on the path of `runtime`, in its order."""
    return ("",) if isinstance(artifact, FunctionArtifact) else (f"python/lib/{runtime}/site-packages", "python")


def below(name: str, folders: Iterable[str]) -> str | None:
    """The path below the first of `folders` that `name` lies in; None for elsewhere."""
    for folder in folders:
        if not folder:
            return name
        if name.startswith(f"{folder}/"):
            return name[len(folder) + 1 :]
    return None


def normalized(name: str) -> str:
    """A distribution's name as names are compared (PyPA spec: name normalization)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def top(path: str) -> str:
    """What a path below a site is counted under: `numpy` of numpy/linalg/lapack.py, `six` of six.py."""
    first, slash, _ = path.partition("/")
    return first if slash else first.partition(".")[0]


def owner(path: str, rows: Iterable[Distribution]) -> Distribution | None:
    """The distribution that a path below a site belongs to, as far as names tell; None for a project's own file."""
    first = path.partition("/")[0]
    info = _INFO.match(path)
    dotted = path.partition(".")[0].replace("/", ".")
    for row in rows:
        if info is not None and normalized(info[1]) == row.name:
            return row
        if first.endswith((".libs", ".data")) and normalized(first.rpartition(".")[0]) == row.name:
            return row
        if any(dotted == module or dotted.startswith(f"{module}.") for module in row.modules):
            return row
    return None
