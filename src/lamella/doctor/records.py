"""Packages that nothing in the zip tells the name and version of, because their `.dist-info` was deleted.

Source of the rule: PyPA specifications, "Recording installed projects": importlib.metadata reads nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from lamella.checks.members import content, normalized
from lamella.checks.model import Contents, Finding, Severity
from lamella.manifest import Distribution
from lamella.wording import listed

NAME = "metadata"
_SHOWN = 8

_READS = re.compile(rb"importlib[._]metadata|pkg_resources")
_ASKS = re.compile(
    rb"\b(?:version|distribution|metadata|requires|files|get_distribution|require)\(\s*"
    rb"(?:(?P<quote>['\"])(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?P=quote)|(?P<own>__name__|__package__))\s*\)"
)
_VERSION = re.compile(rb"^(?:__version__|VERSION|version)\s*(?::\s*\w+\s*)?=\s*['\"](\d[\w.+!-]*)['\"]", re.MULTILINE)
_PLACES = ("__init__.py", "_version.py", "version.py", "__version__.py", "__about__.py")


class Untold(NamedTuple):
    """A finding, and what would have to be installed again: ``name==version``, or the name alone."""

    finding: Finding
    requirements: tuple[str, ...]


def untold(key: str, held: Contents, rows: Sequence[Distribution], folders: Sequence[str]) -> tuple[Untold, ...]:
    """What lacks its metadata; a warning where code asks for it, else a note.  Raises ArchiveError, OSError."""
    lacking = [row for row in rows if not row.version]
    if not lacking:
        return ()
    asked = _asked(held, {row.name for row in lacking})
    found = []
    for row in lacking:
        if row.name in asked:
            path, line = asked[row.name]
            reason = f"it asks for the metadata of `{row.name}`, whose `.dist-info` is not there"
            hint = "leave `.dist-info` folders in: METADATA and entry_points.txt are small"
            finding = Finding(NAME, Severity.WARNING, key, path, reason, hint, line)
            found.append(Untold(finding, (_requirement(row, held, folders),)))
    rest = [row.name for row in lacking if row.name not in asked]
    if rest:
        more = f" and {len(rest) - _SHOWN} more" if len(rest) > _SHOWN else ""
        reason = f"{listed(rest[:_SHOWN])}{more}: no `.dist-info` says what it is, so importlib.metadata won't find it"
        finding = Finding(NAME, Severity.NOTE, key, "", reason, "leave `.dist-info` folders in")
        found.append(Untold(finding, ()))
    return tuple(found)


def _asked(held: Contents, names: set[str]) -> dict[str, tuple[str, int]]:
    """The first file and line that asks for the metadata of each of `names`."""
    found: dict[str, tuple[str, int]] = {}
    for path in held.members:
        if not path.endswith(".py"):
            continue
        source = content(held, path)
        if not _READS.search(source):
            continue
        for match in _ASKS.finditer(source):
            name = match["name"].decode() if match["name"] else _package(path)
            if normalized(name) in names:
                found.setdefault(normalized(name), (path, source.count(b"\n", 0, match.start()) + 1))
    return found


def _package(path: str) -> str:
    """The top-level package that a member is in, as its `__name__` begins."""
    below = re.sub(r"^python/(?:lib/python3\.\d+/site-packages/)?", "", path)
    return below.partition("/")[0].removesuffix(".py")


def _requirement(row: Distribution, held: Contents, folders: Sequence[str]) -> str:
    """With the version that its own code says, where there is one."""
    for folder in folders:
        for module in row.modules:
            place = "/".join(filter(None, (folder, module.replace(".", "/"))))
            for path in (*(f"{place}/{name}" for name in _PLACES), f"{place}.py"):
                if path in held.members and (said := _VERSION.search(content(held, path))):
                    return f"{row.name}=={said[1].decode()}"
    return row.name
