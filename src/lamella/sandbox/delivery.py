"""Zips unpacked for another tool, into a folder of its own: with the zip's modes, and nobody's but the tool's."""

from __future__ import annotations

import os
import shutil
import stat
import zlib

from lamella.archive.built import member_content, read_built
from lamella.archive.reader import Archive, RawMember
from lamella.errors import UsageError
from lamella.sandbox.unpack import extract
from lamella.wording import shown

_PIECE = 1 << 20


def deliver(zip_path: str, sha256: str, folder: str) -> None:
    """Put what is in the zip at `zip_path`, whose SHA-256 (hex) must be `sha256`, into `folder`.

    The folder is made where it is missing.  One that holds just that already is left as it is.
    Raises UsageError where it holds something else, or is no folder; ArchiveError for a zip that can't be used;
    OSError.
    """
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise UsageError(f"`{shown(folder, os.getcwd())}` is not a folder", hint="name an empty one, or a new one")
    file = os.open(zip_path, os.O_RDONLY)
    try:
        archive = read_built(zip_path, file)
        os.makedirs(folder, exist_ok=True)
        if not os.listdir(folder):
            _fill(file, archive, sha256, folder)
            return
        different = _difference(file, archive, folder)
    finally:
        os.close(file)
    if different is not None:
        raise UsageError(
            f"`{shown(folder, os.getcwd())}` holds something else than `{os.path.basename(zip_path)}`",
            why=[different],
            hint="name an empty folder; if `sam build` took it from its cache, run `sam build --no-cached`",
        )


def _fill(file: int, archive: Archive, sha256: str, folder: str) -> None:
    """All of the zip, or nothing."""
    try:
        extract(file, archive, sha256, folder, lambda mode: mode & 0o777)
    except BaseException:
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path, ignore_errors=True)
            else:
                os.unlink(path)
        raise


def _difference(file: int, archive: Archive, folder: str) -> str | None:
    """In what the folder differs from the zip, a phrase; None where it doesn't."""
    members = {member.name: member for member in archive.members if not member.is_dir}
    there = set(_files(folder))
    for name in sorted(there ^ members.keys()):
        return f"`{name}` is not in the zip" if name in there else f"`{name}` is missing"
    for name, member in members.items():
        if not _is(f"{folder}/{name}", file, archive.path, member):
            return f"`{name}` is another file"
    return None


def _files(folder: str) -> list[str]:
    """Paths of all but folders, relative to `folder`; links are not followed."""
    found = []
    for base, folders, files in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(base, name))]
        found += [os.path.relpath(os.path.join(base, name), folder) for name in (*files, *links)]
    return found


def _is(path: str, file: int, zip_path: str, member: RawMember) -> bool:
    state = os.lstat(path)
    if stat.S_ISLNK(member.mode) or stat.S_ISLNK(state.st_mode):
        if not (stat.S_ISLNK(member.mode) and stat.S_ISLNK(state.st_mode)):
            return False
        return os.fsencode(os.readlink(path)) == member_content(file, member, zip_path)
    same_kind = stat.S_ISREG(state.st_mode) and bool(state.st_mode & 0o111) == bool(member.mode & 0o111)
    return same_kind and state.st_size == member.size and _crc(path) == member.crc


def _crc(path: str) -> int:
    value = 0
    with open(path, "rb") as opened:
        while piece := opened.read(_PIECE):
            value = zlib.crc32(piece, value)
    return value
