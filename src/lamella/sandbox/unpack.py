"""Zips unpacked as Lambda unpacks them: once per digest, kept, and read-only.

<root>/v1/unpacked/<sha256>/     one artifact
<root>/v1/unpacked/<key>/        several layers in one folder; the key is the digest of theirs, in order.  Or entries
                                 that were never a zip; whoever has them names them

A folder is made beside its place and renamed: it is whole or not there.  Files are 0444, programs 0555, folders 0555,
so that nothing that runs from one changes what the next one gets.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
import time
from _thread import get_ident
from collections.abc import Callable, Iterable, Sequence

from lamella.archive.built import HINT, member_content, read_built
from lamella.archive.entry import LINK, Entry, content
from lamella.archive.names import link_objection
from lamella.archive.reader import Archive, RawMember
from lamella.errors import ArchiveError
from lamella.sandbox.used import is_used

_FOLDER = 0o555
_PARTIAL = ".partial"
# What nobody asked for in this time, and nothing runs from, is removed when something new is unpacked, in seconds
_UNUSED = 14 * 24 * 3600
# What a killed process left
_ABANDONED = 3600
_LARGE = 1 << 20


def unpack(zip_path: str, sha256: str, root: str) -> str:
    """The folder with the content of the zip at `zip_path`, whose SHA-256 (hex) must be `sha256`.

    `root` is the cache's.  Raises ArchiveError for a zip that is damaged, dangerous or another one; OSError.
    """

    def fill(folder: str) -> None:
        file = os.open(zip_path, os.O_RDONLY)
        try:
            extract(file, read_built(zip_path, file), sha256, folder)
        finally:
            os.close(file)

    return _made(root, sha256, fill)


def merged(layers: Sequence[tuple[str, str]], root: str) -> str | None:
    """One folder with all `layers` as /opt would have them, None for none: of two equal paths the later layer's stays.

    `layers` are (path of the zip, its SHA-256), in the function's order.  Files are shared with the folders of the
    single layers.  Raises what `unpack` does.
    """
    folders = [unpack(path, sha256, root) for path, sha256 in layers]
    if len(folders) < 2:
        return folders[0] if folders else None
    key = hashlib.sha256("\0".join(["merged", *(sha256 for _, sha256 in layers)]).encode()).hexdigest()

    def fill(folder: str) -> None:
        for source in folders:
            _lay(source, folder)

    return _made(root, key, fill)


def laid(key: str, entries: Callable[[], Iterable[Entry]], root: str) -> str:
    """The folder with the files of `entries`, named by `key`: equal keys, equal files.

    They are asked for only where the folder is not there yet.  Raises DamagedSourceError, OSError, and what they raise.
    """

    def fill(folder: str) -> None:
        for entry in entries():
            path = f"{folder}/{entry.path}"
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if entry.mode == LINK:
                os.symlink(content(entry).decode(), path)
            else:
                _put(path, content(entry), _readable(entry.mode))

    return _made(root, key, fill)


def _made(root: str, name: str, fill: Callable[[str], None]) -> str:
    """The folder of this name, filled if it is not there.  Of two processes that fill one, the first one's stays."""
    base = os.path.join(root, "v1", "unpacked")
    place = os.path.join(base, name)
    try:
        os.utime(place)
        return place
    except FileNotFoundError:
        pass
    except PermissionError:
        return place  # somebody else's cache, that we may read
    os.makedirs(base, exist_ok=True)
    _tidy(base)
    partial = f"{place}.{os.getpid()}-{get_ident()}{_PARTIAL}"
    os.mkdir(partial)
    try:
        fill(partial)
        _close(partial)
        os.rename(partial, place)
    except OSError as error:
        _remove(partial)
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
            raise
    except BaseException:
        _remove(partial)
        raise
    return place


def extract(file: int, archive: Archive, sha256: str, folder: str, modes: Callable[[int], int] | None = None) -> None:
    """Put the members of `archive`, which `file` is open at, into `folder`, which is empty.

    `modes` gives a file's permissions from those in the zip; left out, nobody may write to it.
    Raises ArchiveError for a zip that is damaged, or whose SHA-256 is not `sha256`; OSError.
    """
    from concurrent.futures import ThreadPoolExecutor

    modes = modes or _readable

    members = [member for member in archive.members if not member.is_dir]
    links = [member for member in members if stat.S_ISLNK(member.mode)]
    files = [member for member in members if not stat.S_ISLNK(member.mode)]
    folders = {member.name.rstrip("/") for member in archive.members if member.is_dir}
    folders |= {name for member in members if (name := os.path.dirname(member.name))}
    for name in sorted(folders):
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    small = [member for member in files if member.size < _LARGE]
    large = sorted((member for member in files if member.size >= _LARGE), key=lambda member: -member.size)
    with ThreadPoolExecutor(max(2, min(8, os.cpu_count() or 1))) as pool:
        digest = pool.submit(_digest, archive.path)
        work = [pool.submit(_write, file, archive.path, [member], folder, modes) for member in large]
        work += [
            pool.submit(_write, file, archive.path, small[at : at + 200], folder, modes)
            for at in range(0, len(small), 200)
        ]
        for done in work:
            done.result()
        if digest.result() != sha256:
            raise ArchiveError(
                f"`{os.path.basename(archive.path)}` is not the file that the manifest describes",
                why=[f"its SHA-256 is {digest.result()}, not {sha256}"],
                hint=HINT,
            )
    for member in links:  # last: nothing is written through one
        _link(file, archive.path, member, folder)


def _digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(file: int, path: str, members: Iterable[RawMember], folder: str, modes: Callable[[int], int]) -> None:
    for member in members:
        _put(f"{folder}/{member.name}", member_content(file, member, path), modes(member.mode))


def _readable(mode: int) -> int:
    return 0o555 if mode & 0o111 else 0o444


def _put(path: str, content: bytes, mode: int) -> None:
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        os.fchmod(target, mode)  # the umask has been at it
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(target, rest) :]
    finally:
        os.close(target)


def _link(file: int, path: str, member: RawMember, folder: str) -> None:
    target = member_content(file, member, path).decode("utf-8", "surrogateescape")
    objection = link_objection(member.name, target)
    if objection is not None:
        raise ArchiveError(
            f"the link `{member.name}` in `{os.path.basename(path)}` can't be unpacked",
            why=[objection],
            hint=HINT,
        )
    os.symlink(target, f"{folder}/{member.name}")


def _lay(source: str, folder: str) -> None:
    """Put the files of `source` into `folder`, over what is there."""
    with os.scandir(source) as entries:
        for entry in entries:
            target = f"{folder}/{entry.name}"
            there = _kind(target)
            if entry.is_dir(follow_symlinks=False):
                if there != stat.S_IFDIR:
                    if there is not None:
                        os.unlink(target)
                    os.mkdir(target)
                _lay(entry.path, target)
                continue
            if there == stat.S_IFDIR:
                _remove(target)
            elif there is not None:
                os.unlink(target)
            if entry.is_symlink():
                os.symlink(os.readlink(entry.path), target)
            else:
                os.link(entry.path, target)


def _kind(path: str) -> int | None:
    try:
        return stat.S_IFMT(os.lstat(path).st_mode)
    except FileNotFoundError:
        return None


def _close(folder: str) -> None:
    """Let nobody write to any folder of a tree."""
    for base, folders, _ in os.walk(folder, topdown=False):
        for name in folders:
            path = os.path.join(base, name)
            if not os.path.islink(path):
                os.chmod(path, _FOLDER)
    os.chmod(folder, _FOLDER)


def _remove(folder: str) -> None:
    """Remove a tree whose folders can't be written to."""
    with contextlib.suppress(OSError):
        os.chmod(folder, 0o755)
        for base, folders, _ in os.walk(folder):
            for name in folders:
                path = os.path.join(base, name)
                if not os.path.islink(path):
                    os.chmod(path, 0o755)
    shutil.rmtree(folder, ignore_errors=True)


def _tidy(base: str) -> None:
    """Remove what was left half made, and what nobody used for long."""
    now = time.time()
    with contextlib.suppress(OSError), os.scandir(base) as entries:
        for entry in entries:
            age = now - entry.stat(follow_symlinks=False).st_mtime
            if age > (_ABANDONED if entry.name.endswith(_PARTIAL) else _UNUSED) and not is_used(entry.path):
                _remove(entry.path)
