"""A zip that the strict reader would not take, laid out anew where one reading of it is sure to be Lambda's.

The reader is made for wheels, where whoever packs may be an enemy.  What is deployed was unpacked by Lambda before, so
that what many programs write is taken here: names in UTF-8 that are not marked as such, and `./` before them (zip,
bsdtar), members whose sizes stand behind them, comments, extra fields.  What may mean two things stays refused: a name
that is there twice, one that leaves the root, headers that name a member differently.  Packed bytes are copied, not
packed again.
"""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Iterator
from typing import NoReturn
from zipfile import BadZipFile, ZipFile, ZipInfo

from lamella.archive import names, records
from lamella.archive.entry import FILE, LINK, PROGRAM, Entry, from_bytes
from lamella.archive.proof import Proof, prove_link
from lamella.archive.reader import MOST_PER_BYTE, RawMember, read
from lamella.archive.writer import Written, write
from lamella.errors import ArchiveError, CollisionError
from lamella.wording import printable

_KINDS = (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK)


def objection(path: str) -> str | None:
    """Why the strict reader would not take the zip at `path`, or None where `sandbox.unpack` takes it as it is."""
    try:
        archive = read(path)
        file = os.open(path, os.O_RDONLY)
        try:
            for member in archive.members:
                if stat.S_ISLNK(member.mode):
                    prove_link(file, member, path)
        finally:
            os.close(file)
    except ArchiveError as error:
        return said(error)
    return None


def said(error: ArchiveError) -> str:
    """What is wrong, in a line that does not name the file, which nobody named so."""
    _, because, member = error.what.partition(" is refused because of ")
    why = "; ".join(error.why) or error.what
    return f"{member}: {why}" if because else why


def lay_anew(path: str, target: str, *, mount: str) -> Written:
    """Write the zip `target` with what is in that at `path`; its digest and sizes.

    `mount` is where Lambda unpacks it: absolute links below it are made relative.  Folders with nothing in them are
    left out.  Raises ArchiveError, whose `why` says what can't be taken; OSError.
    """
    file = os.open(path, os.O_RDONLY)
    try:
        with ZipFile(path) as archive:
            entries = [_entry(file, info, name, path, mount) for info, name in _members(archive)]
        return write(target, entries)
    except (BadZipFile, NotImplementedError, zlib.error, EOFError) as error:
        raise ArchiveError("it can't be read", why=[printable(str(error))]) from None
    except CollisionError as error:
        raise ArchiveError("it can't be read", why=[error.what]) from None
    finally:
        os.close(file)


def _members(archive: ZipFile) -> Iterator[tuple[ZipInfo, str]]:
    """The files of a zip, with their names as a program on Linux makes them.  Raises ArchiveError."""
    for info in archive.infolist():
        name = _name(info)
        while name.startswith("./"):
            name = name[2:]
        if not name:
            continue
        against = names.objection(name)
        if against is not None:
            _refuse(name, against)
        if not name.endswith("/"):
            yield info, name


def _name(info: ZipInfo) -> str:
    raw = _raw(info)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        _refuse(raw.decode("latin-1"), "its name is not UTF-8")


def _raw(info: ZipInfo) -> bytes:
    """The bytes of the name, of which zipfile makes a text by the rules of DOS where they are not marked."""
    return info.orig_filename.encode("utf-8" if info.flag_bits & records.FLAG_UTF8 else "cp437")


def _entry(file: int, info: ZipInfo, name: str, path: str, mount: str) -> Entry:
    kind = stat.S_IFMT(info.external_attr >> 16)
    unix = info.create_system in (records.SYSTEM_UNIX, records.SYSTEM_DARWIN)
    if info.flag_bits & (records.FLAG_ENCRYPTED | records.FLAG_STRONG_ENCRYPTION | records.FLAG_MASKED):
        _refuse(name, "it is encrypted")
    if info.compress_type not in (records.STORED, records.DEFLATED):
        _refuse(name, f"it is compressed with method {info.compress_type}")
    if unix and (kind not in _KINDS or kind == stat.S_IFDIR):
        _refuse(name, "it is neither a file nor a link")
    if info.file_size > info.compress_size * MOST_PER_BYTE:
        _refuse(name, f"its {info.compress_size} bytes can't unpack to {info.file_size}")
    mode = FILE
    if unix:
        mode = LINK if kind == stat.S_IFLNK else PROGRAM if info.external_attr >> 16 & 0o111 else FILE
    member = RawMember(
        name, _offset(file, info, name), info.compress_size, info.file_size, info.CRC, info.compress_type, mode, False
    )
    proof = Proof(file, member, path)
    if mode == LINK:
        return from_bytes(name, path, _target(proof, name, mount), LINK)
    packed_crc = proof.feed()
    return Entry(
        name, path, mode, member.method, member.crc, member.packed, member.size, path, member.offset, packed_crc
    )  # fmt: skip


def _offset(file: int, info: ZipInfo, name: str) -> int:
    """Where the member's packed bytes start.  Raises ArchiveError where its two headers call it differently."""
    head = os.pread(file, records.LOCAL.size, info.header_offset)
    if len(head) < records.LOCAL.size or not head.startswith(records.LOCAL_SIGNATURE):
        _refuse(name, "there is no local header where the central directory says")
    name_length, extra_length = records.LOCAL.unpack(head)[-2:]
    start = info.header_offset + records.LOCAL.size
    if os.pread(file, name_length, start) != _raw(info):
        _refuse(name, "its local header gives it another name")
    offset: int = start + name_length + extra_length
    return offset


def _target(proof: Proof, name: str, mount: str) -> bytes:
    target = b"".join(proof.pieces()).decode("utf-8", "surrogateescape")
    if target.startswith(f"{mount}/"):
        target = "../" * name.count("/") + target.removeprefix(f"{mount}/")
    against = names.link_objection(name, target)
    if against is not None:
        _refuse(name, f"it is a link, and {against}")
    return target.encode("utf-8", "surrogateescape")


def _refuse(name: str, why: str) -> NoReturn:
    raise ArchiveError("it can't be read", why=[f"`{printable(name)}`: {why}"])
