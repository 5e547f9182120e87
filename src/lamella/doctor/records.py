"""Packages that are not whole: without their `.dist-info`, or without what that lists.

Source of the rule: PyPA specifications, "Recording installed projects": importlib.metadata reads nothing else.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from lamella.checks.members import content, normalized
from lamella.checks.metadata import info_of
from lamella.checks.model import Contents, Finding, Severity
from lamella.doctor.natives import is_for
from lamella.manifest import Distribution
from lamella.target import Target
from lamella.wording import counted, listed

NAME = "metadata"
STRUCTURE = "structure"
_SHOWN = 8
# Modules of tests, and libraries that a wheel brings along
_LEFT_OUT = re.compile(r"(?:^|[/_])tests?[/_.]|\.libs/|(?:^|/)lib[^/]*\.so$")

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


def untold(
    key: str,
    held: Contents,
    rows: Sequence[Distribution],
    folders: Sequence[str],
    is_installed: Callable[[Distribution], bool],
) -> tuple[Untold, ...]:
    """What lacks its metadata; a warning where code asks for it, else a note.  Of own modules there never was any.

    Raises ArchiveError, OSError.
    """
    lacking = [row for row in rows if not row.version and is_installed(row)]
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
    # A distribution whose modules nothing lists may be the one of these: its name need not be theirs
    vague = any(row.version and not row.modules and not info_of(row, held, folders, "RECORD") for row in rows)
    if rest and not vague:
        more = f" and {len(rest) - _SHOWN} more" if len(rest) > _SHOWN else ""
        reason = f"{listed(rest[:_SHOWN])}{more}: no `.dist-info` says what it is, so importlib.metadata won't find it"
        finding = Finding(NAME, Severity.NOTE, key, "", reason, "leave `.dist-info` folders in")
        found.append(Untold(finding, ()))
    return tuple(found)


def incomplete(
    key: str, held: Contents, rows: Sequence[Distribution], folders: Sequence[str], target: Target
) -> tuple[tuple[Finding, Distribution], ...]:
    """Distributions without compiled modules that their RECORD lists.  Raises ArchiveError, OSError.

    All else may have been left out on purpose: tests, documentation, bytecode.  What stands in for a compiled module
    in Python does its work; what its `.libs` lacks is `checks.platform`'s.
    """
    found = []
    for row in rows:
        record = info_of(row, held, folders, "RECORD") if row.version else None
        if record is None:
            continue
        place = "/".join(record.split("/")[:-2])
        listed = [line[0] for line in csv.reader(content(held, record).decode(errors="replace").splitlines()) if line]
        paths = [
            f"{place}/{name}".lstrip("/") for name in listed if is_for(name, target) and not _LEFT_OUT.search(name)
        ]
        lost = [path for path in paths if path not in held.members and not _stands_in(path, held)]
        if lost:
            what = counted(len(lost), "compiled module")
            reason = f"{what} of `{row.name}` {row.version} {'is' if len(lost) == 1 else 'are'} not in the zip"
            hint = "its RECORD lists it" if len(lost) == 1 else "its RECORD lists them"
            found.append((Finding(STRUCTURE, Severity.ERROR, key, lost[0], reason, hint), row))
    return tuple(found)


def _stands_in(path: str, held: Contents) -> bool:
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}{name.partition('.')[0]}.py" in held.members


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
