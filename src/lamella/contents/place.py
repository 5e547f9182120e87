"""Where each file of a wheel lands, as the wheel specification's installation rules say.

Source: PyPA specifications, "Binary distribution format", sections "Installing a wheel" and "The .data directory".
The schemes are those of `pip install --target`, but for programs: those go to `bin/` at the archive's root, which
Lambda has on PATH when the archive is a layer.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from lamella.archive.entry import PROGRAM, Entry, content, from_bytes
from lamella.errors import ArchiveError
from lamella.wheels.model import Wheel

PROGRAMS = "bin"


class Place(NamedTuple):
    """The scheme of an archive: `site` is the folder of importable code ("python", or "" for a function).

    `interpreter` is the absolute path in Lambda of the Python that runs the programs.
    """

    site: str
    interpreter: str

    def under_site(self, path: str) -> str:
        return f"{self.site}/{path}" if self.site else path


def place(wheel: Wheel, at: Place) -> list[Entry]:
    """The wheel's files as entries.  RECORD is written anew only where something was moved or added.

    Raises ArchiveError for a `.data` folder that the specification doesn't know; DamagedSourceError.
    """
    dist_info = _dist_info(wheel)
    data = dist_info.removesuffix(".dist-info") + ".data/"
    prefix = at.site + "/" if at.site else ""
    origin, source = wheel.name, wheel.path
    entries: list[Entry] = []
    moved: dict[str, str] = {}
    record = None
    for member in wheel.members:
        name, offset, packed, size, crc, packed_crc, method, mode = member
        entry = Entry(prefix + name, origin, mode, method, crc, packed, size, source, offset, packed_crc)
        if name.startswith(data):
            path = moved[name] = _data_path(wheel, name[len(data) :], at)
            entry = entry._replace(path=path)
            if name.startswith(data + "scripts/"):
                entry = _script(entry, at)
        elif name == dist_info + "/RECORD":
            record = entry
        entries.append(entry)
    added = [from_bytes(f"{PROGRAMS}/{name}", origin, _program(target, at), PROGRAM) for name, target in wheel.scripts]
    entries += added
    if record is not None and (moved or added):
        text = _record(content(record), moved, entries, at, added)
        entries.remove(record)
        entries.append(from_bytes(record.path, origin, text))
    return entries


def _dist_info(wheel: Wheel) -> str:
    for member in wheel.members:
        folder, _, name = member.name.partition("/")
        if name == "METADATA" and folder.endswith(".dist-info"):
            return folder
    raise ArchiveError(f"`{wheel.filename}` has no METADATA")


def _data_path(wheel: Wheel, path: str, at: Place) -> str:
    scheme, _, rest = path.partition("/")
    match scheme:
        case "purelib" | "platlib" | "data":
            return at.under_site(rest)
        case "scripts":
            return f"{PROGRAMS}/{rest}"
        case "headers":
            return at.under_site(f"include/python/{wheel.filename.split('-', 1)[0]}/{rest}")
        case _:
            raise ArchiveError(
                f"`{wheel.filename}` wants files placed in an unknown scheme, `{scheme}`",
                why=["the wheel specification has purelib, platlib, data, scripts and headers"],
                hint="the wheel was built wrongly; report it to its authors, or lock another version",
            )


def _script(entry: Entry, at: Place) -> Entry:
    """A ready-made script: its `#!python` line is pointed at the runtime's interpreter."""
    text = content(entry)
    first, newline, rest = text.partition(b"\n")
    if first.rstrip() in (b"#!python", b"#!pythonw"):
        return from_bytes(entry.path, entry.origin, b"#!" + at.interpreter.encode() + newline + rest, PROGRAM)
    return entry._replace(mode=PROGRAM)


def _program(target: str, at: Place) -> bytes:
    """The program of a console or gui entry point "module:object.attribute".

    Lambda puts `/opt/python` on the handler's path, not on that of programs it starts: this one finds its own.
    """
    module, _, attribute = target.partition(":")
    depth = at.site.split("/") if at.site else []
    parts = "".join(f", {part!r}" for part in depth)
    return (
        f"#!{at.interpreter}\n"
        "import os\n"
        "import sys\n"
        "\n"
        "root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))\n"
        f"sys.path.insert(0, os.path.join(root{parts}))\n"
        "\n"
        f"from {module} import {attribute.split('.')[0]}\n"
        "\n"
        'if __name__ == "__main__":\n'
        f"    sys.exit({attribute}())\n"
    ).encode()


def _record(text: bytes, moved: dict[str, str], entries: list[Entry], at: Place, added: list[Entry]) -> bytes:
    """RECORD with the paths that are true here, relative to the folder of importable code."""
    import csv
    import io

    changed = {entry.path: entry for entry in entries if entry.data is not None}
    rows: list[tuple[str, str, str]] = []
    for row in csv.reader(io.StringIO(text.decode("utf-8"), newline="")):
        if not row:
            continue
        name, digest, size = (*row, "", "")[:3]
        path = moved.get(name, at.under_site(name))
        if path in changed:
            digest, size = _digest(changed[path])
        rows.append((_relative(path, at), digest, size))
    rows += [(_relative(entry.path, at), *_digest(entry)) for entry in added]
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode("utf-8")


def _digest(entry: Entry) -> tuple[str, str]:
    import base64
    import hashlib

    digest = base64.urlsafe_b64encode(hashlib.sha256(content(entry)).digest()).rstrip(b"=").decode()
    return f"sha256={digest}", str(entry.size)


def _relative(path: str, at: Place) -> str:
    return os.path.relpath(path, at.site) if at.site else path
