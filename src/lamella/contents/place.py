"""Where each file of a wheel lands, as the wheel specification's installation rules say.

Source: PyPA specifications, "Binary distribution format", sections "Installing a wheel" and "The .data directory".
The schemes are those of `pip install --target`, run outside a virtual environment, but for programs: those go to
`bin/` at the archive's root, which Lambda has on PATH when the archive is a layer.  The files of `.data/data/lib`,
which pip loses with --target (pypa/pip#10399), are kept.
"""

from __future__ import annotations

import os
import zlib
from typing import NamedTuple

from lamella.archive.entry import FILE, LINK, PROGRAM, DamagedSourceError, Entry, content, from_bytes
from lamella.archive.records import STORED
from lamella.errors import ArchiveError
from lamella.wheels.model import Wheel

PROGRAMS = "bin"
# The schemes whose files lie in the folder of importable code
AT_SITE = ("purelib", "platlib", "data")
# Packed bytes of a script that hold at least the start of its first line
_HEAD = 512
# What old versions of setuptools append to the name of an entry point's program
_WRAPPER_ENDINGS = (".exe", "-script.py", ".pya")


class Place(NamedTuple):
    """The scheme of an archive: `site` is the folder of importable code ("python", or "" for a function).

    `interpreter` is the absolute path in Lambda of the Python that runs the programs.
    """

    site: str
    interpreter: str

    def under_site(self, path: str) -> str:
        return f"{self.site}/{path}" if self.site else path


def in_scheme(name: str) -> tuple[str, str] | None:
    """The scheme of a wheel's member, and its path there; None for one outside of `.data`.

    However the folder spells the distribution's name: admission lets in no other folder with this ending.
    """
    folder, _, inner = name.partition("/")
    if not inner or not folder.endswith(".data"):
        return None
    scheme, _, path = inner.partition("/")
    return scheme, path


def place(wheel: Wheel, at: Place) -> list[Entry]:
    """The wheel's files as entries.  RECORD is written anew only where something was moved or added.

    What is written anew names the wheel as its `source`, as what is copied does.
    Raises ArchiveError for a `.data` folder that the specification doesn't know; DamagedSourceError.
    """
    dist_info = _dist_info(wheel)
    prefix = at.site + "/" if at.site else ""
    origin, source = wheel.name, wheel.path
    programs = {name for name, _ in wheel.scripts}
    entries: list[Entry] = []
    moved: dict[str, str | None] = {}
    record = None
    for member in wheel.members:
        name, offset, packed, size, crc, packed_crc, method, mode = member
        entry = Entry(prefix + name, origin, mode, method, crc, packed, size, source, offset, packed_crc)
        if ".data/" in name and (found := in_scheme(name)) is not None:
            is_script = found[0] == "scripts"
            if is_script and _is_wrapper(name, programs):
                moved[name] = None
                continue
            path = moved[name] = _data_path(wheel, *found, at)
            entry = entry._replace(path=path)
            if is_script:
                entry = _script(entry, at)
        elif name == dist_info + "/RECORD":
            # Some builders mark it as a program.  It is the installer's own, and no wheel's word on that counts
            record = entry = entry._replace(mode=FILE)
        entries.append(entry)
    added = [_made(f"{PROGRAMS}/{name}", wheel, _program(target, at), PROGRAM) for name, target in wheel.scripts]
    entries += added
    if record is not None and (moved or added):
        text = _record(content(record), moved, entries, at, added)
        entries.remove(record)
        entries.append(_made(record.path, wheel, text, FILE))
    return entries


def _made(path: str, wheel: Wheel, content: bytes, mode: int) -> Entry:
    return from_bytes(path, wheel.name, content, mode)._replace(source=wheel.path)


def _dist_info(wheel: Wheel) -> str:
    for member in wheel.members:
        folder, _, name = member.name.partition("/")
        if name == "METADATA" and folder.endswith(".dist-info"):
            return folder
    raise ArchiveError(f"`{wheel.filename}` has no METADATA")


def _data_path(wheel: Wheel, scheme: str, path: str, at: Place) -> str:
    if not path:
        # Admission refuses it, too: as a file it would take the place of the whole folder
        raise ArchiveError(
            f"`{wheel.filename}` has a file `{scheme}` where the folder of a scheme belongs",
            why=["files of `.data` lie at `SCHEME/PATH` (wheel specification)"],
            hint="the wheel was built wrongly; report it to its authors, or lock another version",
        )
    match scheme:
        case _ if scheme in AT_SITE:
            return at.under_site(path)
        case "scripts":
            return f"{PROGRAMS}/{path}"
        case "headers":
            return at.under_site(f"include/python/{wheel.name}/{path}")
        case _:
            raise ArchiveError(
                f"`{wheel.filename}` wants files placed in an unknown scheme, `{scheme}`",
                why=["the wheel specification has purelib, platlib, data, scripts and headers"],
                hint="the wheel was built wrongly; report it to its authors, or lock another version",
            )


def _is_wrapper(name: str, programs: set[str]) -> bool:
    """Tell whether a script is but an entry point's program, made in advance.  Those are made anew, as pip does."""
    script = name.rpartition("/")[2]
    for ending in _WRAPPER_ENDINGS:
        if script.lower().endswith(ending):
            script = script[: -len(ending)]
            break
    return script in programs


def _script(entry: Entry, at: Place) -> Entry:
    """A ready-made script: a first line that starts with `#!python` is pointed at the runtime's interpreter."""
    if entry.mode == LINK:
        return entry
    if not _head(entry).startswith(b"#!python"):
        return entry._replace(mode=PROGRAM)
    rest = content(entry).partition(b"\n")[2]
    text = b"#!" + at.interpreter.encode() + b"\n" + rest
    return from_bytes(entry.path, entry.origin, text, PROGRAM)._replace(source=entry.source)


def _head(entry: Entry) -> bytes:
    """The first bytes of a member that is copied.  Not all: a script may be a native program of 60 MB."""
    try:
        with open(entry.source, "rb") as file:
            packed = os.pread(file.fileno(), min(entry.packed, _HEAD), entry.offset)
        return packed if entry.method == STORED else zlib.decompressobj(-15).decompress(packed, _HEAD)
    except (OSError, zlib.error):
        raise DamagedSourceError(entry.source, entry.path) from None


# A layer's folders of importable code in Lambda's own order (developer guide, "Layer paths for each Lambda runtime").
# The running Python chooses its own, so that a layer for several runtimes has one program of each name.
_LAYER_PATHS = """\
python = os.path.join(root, "python")
sys.path[:0] = [os.path.join(python, "lib", "python%d.%d" % sys.version_info[:2], "site-packages"), python]
"""
_FUNCTION_PATHS = """\
sys.path.insert(0, root)
"""


def _program(target: str, at: Place) -> bytes:
    """The program of a console or gui entry point "module:object.attribute".

    Lambda puts `/opt/python` on the handler's path, not on that of programs it starts: this one finds its own.
    """
    module, _, attribute = target.partition(":")
    return (
        f"#!{at.interpreter}\n"
        "import os\n"
        "import sys\n"
        "\n"
        "root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))\n"
        f"{_LAYER_PATHS if at.site else _FUNCTION_PATHS}"
        "\n"
        f"from {module} import {attribute.split('.')[0]}\n"
        "\n"
        'if __name__ == "__main__":\n'
        f"    sys.exit({attribute}())\n"
    ).encode()


def _record(text: bytes, moved: dict[str, str | None], entries: list[Entry], at: Place, added: list[Entry]) -> bytes:
    """RECORD with the paths that are true here, relative to the folder of importable code.

    `moved` maps names in the wheel to their paths here, to None what is left out.
    """
    import csv
    import io

    changed = {entry.path: entry for entry in entries if entry.data is not None}
    rows: list[tuple[str, str, str]] = []
    for row in csv.reader(io.StringIO(text.decode("utf-8"), newline="")):
        if not row:
            continue
        name, digest, size = (*row, "", "")[:3]
        path = moved.get(name, at.under_site(name))
        if path is None:
            continue
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
