"""What the content of a zip, and the manifest beside it, say of what it is meant to be.

Source of the rules: PyPA specifications, "Recording installed projects" and "Recording the Direct URL Origin of
installed distributions"; for native code the header of ELF files.
"""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lamella.doctor.guess import INFO, MACHINE, inside, own_tops, single
from lamella.doctor.model import Evidence, Row
from lamella.errors import LamellaError
from lamella.manifest import FunctionArtifact
from lamella.sizes.reading import described

if TYPE_CHECKING:
    from zipfile import ZipFile, ZipInfo

# A function as Lambda calls it, or an object called as people call it
CALLED = re.compile(
    rb"^(?:async +)?def +\w+\(\s*\w*event\w*\b[^)]*,[^)]*\)|^(?:lambda_)?handler\s*(?::[^=\n]+)?=[^=]", re.MULTILINE
)
# e_machine (<elf.h>), as the names of modules have it
_E_MACHINES = {62: "x86_64", 183: "aarch64"}
_MOST_FILES = 3000
_MOST_BYTES = 16_000_000


def evidence(path: str, rows: Sequence[Row]) -> Evidence:
    """What the zip at `path`, whose directory lists `rows`, says of itself.  What can't be read says nothing."""
    import zlib
    from zipfile import BadZipFile, ZipFile

    try:
        told = described(path)
    except (LamellaError, OSError):
        told = None
    runtimes = (told.runtime,) if isinstance(told, FunctionArtifact) else told.runtimes if told is not None else ()
    found = Evidence(
        "" if told is None else "function" if isinstance(told, FunctionArtifact) else "layer",
        runtimes,
        told.architecture if told is not None else "",
        told.handler if isinstance(told, FunctionArtifact) else "",
    )
    try:
        with ZipFile(path) as archive:
            return _read(archive, [row.name for row in rows if not row.is_dir], found)
    # NotImplementedError and RuntimeError are those of methods and passwords
    except (BadZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError, EOFError, OSError):
        return found


def _read(archive: ZipFile, names: Sequence[str], found: Evidence) -> Evidence:
    infos = {info.filename.removeprefix("./"): info for info in archive.infolist()}
    folders = {name[: match.end()] for name in names if (match := INFO.search(name))}
    owned: set[str] = set()
    local: set[str] = set()
    recorded: set[str] = set()
    for folder in folders:
        info = infos.get(f"{folder}RECORD")
        if info is None or info.file_size > _MOST_BYTES:
            continue
        place = os.path.dirname(folder.rstrip("/"))
        listed = [row[0] for row in csv.reader(archive.read(info).decode(errors="replace").splitlines()) if row]
        tops = {os.path.join(place, name.partition("/")[0]) for name in listed}
        if tops - {folder.rstrip("/")}:
            recorded.add(folder)
        (local if _is_local(archive, infos.get(f"{folder}direct_url.json")) else owned).update(tops)
    found = found._replace(
        recorded=frozenset(recorded), owned=frozenset(owned), local=frozenset(local - owned),
        machines=tuple(_machines(archive, infos)),
    )  # fmt: skip
    return found._replace(callers=frozenset(_callers(archive, infos, names, found)))


def _is_local(archive: ZipFile, info: ZipInfo | None) -> bool:
    """Whether a distribution was installed from a folder here: somebody's own project."""
    return info is not None and b'"dir_info"' in archive.read(info)


def _machines(archive: ZipFile, infos: dict[str, ZipInfo]) -> Iterator[str]:
    """Of modules whose names say nothing, the machines that their headers say, the most frequent first."""
    counts: Counter[str] = Counter()
    named = [name for name in infos if name.endswith(".so") and not MACHINE.search(name)]
    for name in named[:_MOST_FILES]:
        with archive.open(infos[name]) as file:
            head = file.read(20)
        if head.startswith(b"\x7fELF") and len(head) == 20:
            machine = int.from_bytes(head[18:20], "big" if head[5] == 2 else "little")
            counts.update([_E_MACHINES[machine]] if machine in _E_MACHINES else [])
    yield from (machine for machine, _ in counts.most_common())


def _callers(archive: ZipFile, infos: dict[str, ZipInfo], names: Sequence[str], found: Evidence) -> Iterator[str]:
    """The files of no distribution's in which something may be a handler."""
    folder = single(names)
    own = {one.name for one in own_tops(inside(names, folder), found, folder)}
    sources = [name for name in names if name.endswith(".py")]
    below = f"{folder}/" if folder else ""
    sources = [name for name in sources if name[len(below) :].partition("/")[0] in own]
    # Those at the root first
    for name in sorted(sources, key=lambda name: name.count("/"))[:_MOST_FILES]:
        if name in infos and infos[name].file_size < _MOST_BYTES and CALLED.search(archive.read(infos[name])):
            yield name
