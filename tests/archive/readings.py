"""What a zip holds, as five programs read it: name → bytes, of a link LINK and its target.  No directories."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

from lamella.archive.proof import Proof, prove_link
from lamella.archive.reader import read_open

Reading = dict[str, bytes]
LINK = b"link to "
HOW_TO_INSTALL = "not installed; apt-get install unzip libarchive-tools"


class UnreadableError(Exception):
    """A program refused the zip, or a part of it."""


def difference(one: Reading, other: Reading) -> str:
    """Name the members on which two readings disagree; "" when they agree."""
    differing = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    return ", ".join(f"{name!r}: {one.get(name)!r:.80} or {other.get(name)!r:.80}" for name in differing)


def disagreement(reader: str, path: Path, seen: Reading) -> str:
    """Say how `reader` reads the zip differently from `seen`; "" when it does not."""
    if reader == "unzip" and _misspelt_by_unzip(path):
        return ""
    if reader == "stream":  # local headers have no modes
        seen = {name: data.removeprefix(LINK) for name, data in seen.items()}
    try:
        return difference(seen, READERS[reader](path))
    except UnreadableError as error:
        return str(error)


def _misspelt_by_unzip(path: Path) -> bool:
    """Tell whether unzip 6.0 takes names marked as UTF-8 for code page 437, as it does in zips from Windows."""
    with zipfile.ZipFile(path) as archive:
        return any(info.create_system != 3 and not info.filename.isascii() for info in archive.infolist())


def by_lamella(path: Path) -> Reading:
    """Read with lamella.  Raises ArchiveError."""
    file = os.open(path, os.O_RDONLY)
    try:
        archive = read_open(file, str(path))
        found: Reading = {}
        for member in archive.members:
            if member.mode == 0o120777:
                found[member.name] = LINK + prove_link(file, member, str(path)).encode()
            elif member.is_dir:
                Proof(file, member, str(path)).feed()
            else:
                found[member.name] = b"".join(Proof(file, member, str(path)).pieces())
        return found
    finally:
        os.close(file)


def _link(info: zipfile.ZipInfo) -> bytes:
    return LINK if info.create_system == 3 and stat.S_ISLNK(info.external_attr >> 16) else b""


def by_zipfile(path: Path) -> Reading:
    """Read with the standard library, which pip uses."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            found = {info.filename: _link(info) + archive.read(info) for info in infos if not info.is_dir()}
            if len(found) != sum(not info.is_dir() for info in infos):
                raise UnreadableError("two members of one name")
            return found
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
        UnicodeError,
        EOFError,
        ValueError,
        OSError,
    ) as error:
        raise UnreadableError(repr(error)) from None
    except Exception as error:
        if type(error).__module__ == "zlib":
            raise UnreadableError(repr(error)) from None
        raise


def _extracted(root: Path) -> Reading:
    found: Reading = {}
    for folder, _, files in os.walk(root, followlinks=False):
        for file in files:
            place = os.path.join(folder, file)
            name = os.path.relpath(place, root)
            found[name] = LINK + os.fsencode(os.readlink(place)) if os.path.islink(place) else Path(place).read_bytes()
    for folder, directories, _ in os.walk(root, followlinks=False):
        for directory in directories:
            place = os.path.join(folder, directory)
            if os.path.islink(place):
                found[os.path.relpath(place, root)] = LINK + os.fsencode(os.readlink(place))
    return found


def _run(command: list[str], root: Path, stdin: Path | None = None) -> Reading:
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
    with open(stdin or os.devnull, "rb") as source:
        done = subprocess.run(
            command, stdin=source, capture_output=True, env=environment, timeout=60, check=False, cwd=root
        )
    try:
        # unzip warns about an empty zip; that is a reading, too
        if done.returncode and b"zipfile is empty" not in done.stderr:
            raise UnreadableError(f"{command[0]} exits with {done.returncode}: {done.stderr[-300:]!r}")
        return _extracted(root)
    finally:
        shutil.rmtree(root)


def by_unzip(path: Path) -> Reading:
    """Unpack with Info-ZIP's unzip."""
    root = path.with_name(path.name + ".unzip")
    root.mkdir()
    return _run(["unzip", "-qq", "-o", str(path.resolve()), "-d", str(root.resolve())], root)


def by_bsdtar(path: Path) -> Reading:
    """Unpack with libarchive, which seeks to the central directory."""
    root = path.with_name(path.name + ".bsdtar")
    root.mkdir()
    return _run(["bsdtar", "-xf", str(path.resolve()), "-C", str(root.resolve())], root)


def by_stream(path: Path) -> Reading:
    """Unpack with libarchive from a pipe: local headers from the first byte on, as installers that stream do."""
    root = path.with_name(path.name + ".stream")
    root.mkdir()
    copied = path.with_name(path.name + ".pipe")
    shutil.copyfile(path, copied)
    command = f'cat "{copied.resolve()}" | bsdtar -xf - -C "{root.resolve()}"'
    try:
        return _run(["sh", "-c", command], root)
    finally:
        copied.unlink()


READERS: dict[str, Callable[[Path], Reading]] = {
    "zipfile": by_zipfile,
    "unzip": by_unzip,
    "bsdtar": by_bsdtar,
    "stream": by_stream,
}


def missing(reader: str) -> str | None:
    """Say which program a reader lacks on this machine, or None."""
    program = {"zipfile": None, "unzip": "unzip"}.get(reader, "bsdtar")
    return program if program is not None and shutil.which(program) is None else None
