"""Whose a file of a finished zip is, told from what the zip and its manifest say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from lamella.manifest import Artifact
from lamella.sizes.kinds import at_site

_INFO = re.compile(r"(?P<name>[^/]+?)-(?P<version>[^/-]+)\.dist-info/")

OWN = "own files"
PROGRAMS = "programs"


def normalized(name: str) -> str:
    """The name as the PyPA's spec of names compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def versions(paths: Iterable[str]) -> dict[str, str]:
    """Name → version of each distribution whose `.dist-info` is there."""
    found = (_INFO.match(at_site(path)) for path in paths)
    return {normalized(info["name"]): info["version"] for info in found if info}


class Owners:
    """Finds the distribution of a path.

    First what RECORDs list, then what a manifest says of top-level names, then the names themselves: a `.dist-info`,
    a `.libs` or `.data` folder, a package that is called like a distribution.  A name that says nothing stands for
    itself where there are distributions; else all files are the project's own.
    """

    def __init__(self, records: Mapping[str, str], artifacts: Iterable[Artifact], known: Iterable[str]) -> None:
        rows = [row for artifact in artifacts for row in artifact.distributions]
        self._files = dict(records)
        self._folders = _folders(records)
        self._modules = {module.replace(".", "/"): row.name for row in rows for module in row.modules}
        self._known = {*known, *(row.name for row in rows)}
        self._told = bool(rows)

    def of(self, path: str) -> str:
        """The normalized name of the distribution, or `OWN`, or the path's first name."""
        below = at_site(path)
        folder, _, name = below.rpartition("/")
        if folder.rpartition("/")[2] == "__pycache__":
            folder = folder.removesuffix("__pycache__").rstrip("/")
            below = f"{folder}/{_stem(name)}.py".lstrip("/")
        info = _INFO.match(below)
        if info:
            return normalized(info["name"])
        found = self._files.get(below) or self._of_module(below) or self._of_folder(folder)
        return found or self._of_name(below)

    def _of_module(self, below: str) -> str | None:
        folder, _, name = below.rpartition("/")
        module = f"{folder}/{_stem(name)}".lstrip("/")
        while module:
            if module in self._modules:
                return self._modules[module]
            module = module.rpartition("/")[0]
        return None

    def _of_folder(self, folder: str) -> str | None:
        while folder:
            if self._folders.get(folder):
                return self._folders[folder]
            folder = folder.rpartition("/")[0]
        return None

    def _of_name(self, below: str) -> str:
        first, slash, _ = below.partition("/")
        top = first.removesuffix(".libs").removesuffix(".data") if slash else _stem(first)
        # "numpy-2.0.data" has a version behind the name
        for name in (normalized(top), normalized(top.rpartition("-")[0])):
            if name in self._known:
                return name
        if first == "bin" and slash and self._known:
            return PROGRAMS
        return OWN if self._told or not self._known else top


def _folders(records: Mapping[str, str]) -> dict[str, str]:
    """Folder → the one distribution that has files below it, "" where several have."""
    found: dict[str, str] = {}
    for path, owner in records.items():
        folder = path.rpartition("/")[0]
        while folder and found.get(folder) != "":
            if found.setdefault(folder, owner) != owner:
                found[folder] = ""
            folder = folder.rpartition("/")[0]
    return found


def _stem(name: str) -> str:
    return name.partition(".")[0]
