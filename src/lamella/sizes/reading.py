"""Finished zips as `Contents`: what is in them, and whose it is."""

from __future__ import annotations

import csv
import os
import re

from lamella import manifest
from lamella.archive.built import member_content, read_built
from lamella.archive.reader import Archive
from lamella.archive.writer import overhead
from lamella.errors import UsageError
from lamella.manifest import Artifact, Manifest
from lamella.sizes.kinds import at_site
from lamella.sizes.model import Contents, Member
from lamella.sizes.owners import Owners, versions


def read_pair(old: str, new: str) -> tuple[Contents, Contents]:
    """Two zips.  What one says of whose its files are helps with the other.

    Raises UsageError where there is no such file, ArchiveError.
    """
    archives = [_opened(path) for path in (old, new)]
    artifacts = [found for path in (old, new) if (found := described(path)) is not None]
    records = {path: name for archive in reversed(archives) for path, name in _records(archive).items()}
    known = {name for archive in archives for name in versions(member.name for member in archive.members)}
    owners = Owners(records, artifacts, known)
    first, second = (_contents(archive, owners) for archive in archives)
    return first, second


def described(path: str) -> Artifact | None:
    """What the manifest beside a zip says of it; None where there is none, or the zip is another one by now."""
    folder = os.path.dirname(path) or "."
    built = manifest.read(folder) if manifest.is_ours(folder) else None
    name = os.path.basename(path)
    found = next((artifact for artifact in built.artifacts if artifact.file == name), None) if built else None
    return found if found is not None and os.path.getsize(path) == found.zipped else None


def sides(path: str) -> tuple[str, Manifest | None]:
    """What an argument of a comparison means: a zip (None), or a folder with its manifest.  Raises UsageError."""
    if os.path.basename(path) == manifest.NAME and os.path.isfile(path):
        path = os.path.dirname(path) or "."
    if not os.path.isdir(path):
        return path, None
    built = manifest.read(path)
    if built is None:
        raise UsageError(
            f"`{path}` has no {manifest.NAME}: nothing was built there",
            hint="name a zip, or a folder that `lamella build` wrote into",
        )
    return path, built


def _opened(path: str) -> Archive:
    try:
        return read_built(path)
    except FileNotFoundError:
        raise UsageError(
            f"there is no file `{path}`", hint="name a zip, or a folder that `lamella build` wrote into"
        ) from None


def _contents(archive: Archive, owners: Owners) -> Contents:
    members = {
        raw.name: Member(
            raw.name, owners.of(raw.name), raw.crc, raw.mode, raw.packed, raw.packed + overhead(raw.name), raw.size
        )
        for raw in archive.members
        if not raw.is_dir
    }
    return Contents(archive.path, members, versions(members))


def _records(archive: Archive) -> dict[str, str]:
    """Path below the importable folder → distribution, of those whose RECORD is in the zip (pip and zip leave it)."""
    found: dict[str, str] = {}
    for raw in archive.members:
        below = at_site(raw.name)
        owner = next(iter(versions([below])), None)
        if owner is None or not below.endswith(".dist-info/RECORD"):
            continue
        with open(archive.path, "rb") as file:
            text = member_content(file.fileno(), raw, archive.path).decode(errors="replace")
        for row in csv.reader(text.splitlines()):
            if row:
                # Programs lie outside: "../../bin/f2py"
                found.setdefault(re.sub(r"^(\.\./)+", "", row[0]), owner)
    return found
