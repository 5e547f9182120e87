"""A zip of whatever origin: what its directory says, and the same laid out so that the checks can look at it."""

from __future__ import annotations

import os
import stat

from lamella.archive.entry import Entry
from lamella.archive.proof import Proof
from lamella.archive.reader import read
from lamella.archive.records import SYSTEM_DARWIN, SYSTEM_UNIX
from lamella.archive.writer import write
from lamella.doctor.model import LAYER, Layout, Row
from lamella.errors import ArchiveError, UsageError
from lamella.wording import printable

_MOST_ROWS = 200_000


def rows(path: str) -> tuple[Row, ...]:
    """What the zip's directory lists, with the modes that it gives.

    Raises UsageError where there is no file, ArchiveError for what is no zip.
    """
    from zipfile import BadZipFile, ZipFile

    if not os.path.isfile(path):
        raise UsageError(f"there is no file `{printable(path)}`", hint="name a zip, or a function")
    try:
        with ZipFile(path) as archive:
            listed = archive.infolist()
    except (BadZipFile, NotImplementedError, ValueError) as error:
        raise ArchiveError(
            f"`{printable(path)}` is no zip that can be read",
            why=[printable(str(error))],
            hint="zip it again: `zip -r`, or `lamella build`",
        ) from None
    if len(listed) > _MOST_ROWS:
        raise ArchiveError(
            f"`{printable(path)}` has {len(listed)} members", hint="Lambda takes no zip that is so large"
        )
    found = []
    for info in listed:
        unix = info.create_system in (SYSTEM_UNIX, SYSTEM_DARWIN)
        permissions = stat.S_IMODE(info.external_attr >> 16) if unix else None
        name = info.filename
        while name.startswith("./"):
            name = name[2:]
        if name:
            found.append(Row(name, permissions, info.file_size, info.is_dir()))
    return tuple(found)


def laid(path: str, layout: Layout, kind: str, folder: str) -> str:
    """A zip in `folder` with what is in that at `path`, as it would be once it is laid out right; `path` where it is.

    Raises ArchiveError for a zip that can't be read in one way alone.
    """
    from lamella.deployed.relaid import lay_anew, objection

    source = path
    if objection(path) is not None:
        source = os.path.join(folder, f"{len(os.listdir(folder))}-read.zip")
        lay_anew(path, source, mount="/opt" if kind == LAYER else "/var/task")
    if layout == Layout():
        return source
    target = os.path.join(folder, f"{len(os.listdir(folder))}-laid.zip")
    with open(source, "rb") as file:
        entries = []
        for member in read(source).members:
            name = moved(member.name, layout)
            if member.is_dir or name is None:
                continue
            packed_crc = Proof(file.fileno(), member, source).feed()
            entries.append(
                Entry(
                    name, source, member.mode, member.method, member.crc, member.packed, member.size, source,
                    member.offset, packed_crc,
                )
            )  # fmt: skip
    write(target, entries)
    return target


def moved(name: str, layout: Layout) -> str | None:
    """Where a member lands; None for one outside of the folder that is stripped."""
    if layout.strip:
        if not name.startswith(f"{layout.strip}/"):
            return None
        name = name[len(layout.strip) + 1 :]
    return f"{layout.into}/{name}" if layout.into else name
