"""The end records and the central directory of a zip, read so that only one reading is possible.

Sections are those of PKWARE's APPNOTE.TXT 6.3.10.  Every byte from the first record of the directory to the end
of the file belongs to exactly one record, or the file is refused.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple, NoReturn

from lamella.archive import names, records
from lamella.errors import ArchiveError
from lamella.wording import printable

HINT = "the file is damaged, or was made to be read in two ways; report it to whoever published it"

# It is held whole; two hundred thousand members with long names fit
DIRECTORY_BYTES = 32 * 1024**2

_ALLOWED_FLAGS = 0x0006 | records.FLAG_DESCRIPTOR | records.FLAG_UTF8
_METHODS = {1: "shrink", 6: "implode", 9: "deflate64", 12: "bzip2", 14: "lzma", 93: "zstd", 95: "xz", 98: "ppmd"}
_FORMAT, _REGULAR, _DIRECTORY, _LINK = 0o170000, 0o100000, 0o040000, 0o120000
_DOS_DIRECTORY, _DOS_LABEL = 0x10, 0x08
# What stands in an `Ending` of the plain end record when the ZIP64 one has the value
_NARROW_TOPS = (records.MAX_16, records.MAX_32, records.MAX_32)


class Ending(NamedTuple):
    """Where the central directory lies: `offset` and `length` in bytes, and how many `records` it has."""

    records: int
    offset: int
    length: int


class Record(NamedTuple):
    """One record of the central directory, with ZIP64 values resolved.  `header` is the local header's offset."""

    name: str
    raw: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    mode: int
    header: int


def refuse(path: str, why: str, member: str | None = None) -> NoReturn:
    """Raise ArchiveError about the file `path`, or about one `member` of it."""
    shown = printable(os.path.basename(path))
    what = f"`{shown}` is refused" if member is None else f"`{shown}` is refused because of `{printable(member)}`"
    raise ArchiveError(what, why=(why,), hint=HINT)


def find_end(file: int, size: int, path: str) -> Ending:
    """Read the end records of the open `file` of `size` bytes (4.3.14 to 4.3.16)."""
    tail_start = max(0, size - records.EOCD.size - records.MAX_16 - 76)
    tail = os.pread(file, size - tail_start, tail_start)
    at = _end_record(tail, path)
    end = tail_start + at
    _, disk, first_disk, here, count, length, offset, comment_length = records.EOCD.unpack_from(tail, at)
    comment = tail[at + records.EOCD.size :]
    if comment_length != len(comment):
        refuse(path, "there are bytes behind its comment, or its comment is cut off")
    if b"PK" in comment:
        refuse(path, "its comment holds zip records")
    ending = Ending(count, offset, length)
    locator = at - records.ZIP64_LOCATOR.size
    if locator >= 0 and tail.startswith(records.ZIP64_LOCATOR_SIGNATURE, locator):
        end -= records.ZIP64_LOCATOR.size + records.ZIP64_EOCD.size
        wide = _zip64(tail, locator, end, path)
        for narrow, value, top in zip(ending, wide, _NARROW_TOPS, strict=True):
            if narrow not in (value, top):
                refuse(path, "its end record and its ZIP64 end record disagree")
        if {disk, first_disk} - {0, records.MAX_16} or here != count:
            refuse(path, "it claims to be one of several volumes")
        ending = wide
    elif disk or first_disk or here != count:
        refuse(path, "it claims to be one of several volumes")
    elif count == records.MAX_16 or records.MAX_32 in (offset, length):
        refuse(path, "its end record asks for a ZIP64 end record, and there is none")
    if ending.offset + ending.length != end:
        refuse(path, "its central directory does not end where the end record starts")
    return ending


def _end_record(tail: bytes, path: str) -> int:
    """Find the one end record in the last bytes of the file, as zipfile, unzip and libarchive do: from behind."""
    at = len(tail) - records.EOCD.size
    if at < 0:
        refuse(path, "it is too short to be a zip")
    if tail.startswith(records.EOCD_SIGNATURE, at) and tail.endswith(b"\x00\x00"):
        return at
    found = tail.rfind(records.EOCD_SIGNATURE)
    if found < 0 or found > at:
        refuse(path, "it has no end record: it is no zip, or cut off")
    return found


def _zip64(tail: bytes, locator: int, start: int, path: str) -> Ending:
    """Read the ZIP64 end record that must lie right before its locator, at `start` of the file."""
    at = locator - records.ZIP64_EOCD.size
    _, disk, where, disks = records.ZIP64_LOCATOR.unpack_from(tail, locator)
    if at < 0 or where != start or disk or disks != 1:
        refuse(path, "its ZIP64 locator points elsewhere than to the record before it")
    fields = records.ZIP64_EOCD.unpack_from(tail, at)
    signature, rest, _, needed, disk, first_disk, here, count, length, offset = fields
    needed &= 0xFF
    if signature != records.ZIP64_EOCD_SIGNATURE or rest != records.ZIP64_EOCD_REST or needed > records.NEWEST_NEEDED:
        refuse(path, "its ZIP64 end record is malformed or has an extensible part")
    if disk or first_disk or here != count:
        refuse(path, "it claims to be one of several volumes")
    return Ending(count, offset, length)


def read_directory(file: int, ending: Ending, path: str) -> list[Record]:
    """Read every record of the central directory (4.3.12), in one read."""
    if ending.length > DIRECTORY_BYTES:
        refuse(path, f"its central directory has {ending.length} bytes, more than {DIRECTORY_BYTES}")
    if ending.records * records.CENTRAL.size > ending.length:
        refuse(path, "its end record counts more members than its central directory can hold")
    data = os.pread(file, ending.length, ending.offset)
    if len(data) != ending.length:
        refuse(path, "its central directory is cut off")
    found: list[Record] = []
    at = 0
    while at < len(data):
        if len(data) - at < records.CENTRAL.size or not data.startswith(records.CENTRAL_SIGNATURE, at):
            refuse(path, "its central directory has bytes that belong to no record")
        record, at = _record(data, at, path)
        found.append(record)
    if len(found) != ending.records:
        refuse(path, f"its end record counts {ending.records} members, its central directory {len(found)}")
    return found


def _record(data: bytes, at: int, path: str) -> tuple[Record, int]:
    fields = records.CENTRAL.unpack_from(data, at)
    _, made_by, needed, flags, method, _, _, crc, packed, size, name_length, extra_length, comment_length = fields[:13]
    disk, _, attributes, header = fields[13:]
    start = at + records.CENTRAL.size
    raw = data[start : start + name_length]
    extra = data[start + name_length : start + name_length + extra_length]
    if len(raw) + len(extra) != name_length + extra_length:
        refuse(path, "its central directory has a record longer than itself", raw.decode("latin-1"))
    name = _name(raw, flags, path)
    if comment_length:
        refuse(path, "it has a comment", name)
    if needed & 0xFF > records.NEWEST_NEEDED or needed >> 8 not in (0, records.SYSTEM_UNIX):
        refuse(path, f"it needs a program for version {needed & 0xFF} of the zip format", name)
    check_method(flags, method, path, name)
    if extra or disk or records.MAX_32 in (size, packed, header):
        wide = check_extra(extra, path, name)
        if disk:
            refuse(path, "it claims to lie in another volume", name)
        size, packed, header = _widen((size, packed, header), wide, path, name)
    mode = _mode(made_by >> 8, attributes, name, path)
    record = Record(name, raw, flags, method, crc, packed, size, mode, header)
    return record, start + name_length + extra_length


def _widen(narrow: tuple[int, int, int], wide: bytes, path: str, name: str) -> Iterator[int]:
    """Put the values of a ZIP64 field (4.5.3) where the header holds only ones."""
    values = [int.from_bytes(wide[i : i + 8], "little") for i in range(0, len(wide), 8)]
    asked = narrow.count(records.MAX_32)
    if len(values) != asked and (asked or tuple(values) != narrow[: len(values)]):
        refuse(path, "its ZIP64 field does not hold exactly the values that its header leaves out", name)
    following = iter(values)
    return (next(following) if value == records.MAX_32 else value for value in narrow)


def _name(raw: bytes, flags: int, path: str) -> str:
    try:
        name = raw.decode("utf-8" if flags & records.FLAG_UTF8 else "ascii")
    except UnicodeDecodeError:
        why = "its name is not UTF-8" if flags & records.FLAG_UTF8 else "its name is not ASCII, and not marked as UTF-8"
        refuse(path, why, raw.decode("latin-1"))
    objection = names.objection(name)
    if objection is not None:
        refuse(path, objection, name)
    return name


def check_method(flags: int, method: int, path: str, name: str) -> None:
    """Refuse encryption, flags of no known meaning, and methods other than stored and deflated."""
    if flags & (records.FLAG_ENCRYPTED | records.FLAG_STRONG_ENCRYPTION | records.FLAG_MASKED):
        refuse(path, "it is encrypted", name)
    if flags & ~_ALLOWED_FLAGS:
        refuse(path, f"its flags {flags:#06x} have bits that no wheel uses", name)
    if method not in (records.STORED, records.DEFLATED):
        named = _METHODS.get(method, f"method {method}")
        refuse(path, f"it is compressed with {named}; wheels are stored or deflated", name)


def check_extra(extra: bytes, path: str, name: str) -> bytes:
    """Walk extra fields (4.5.1), refuse malformed and contradicting ones, and return what the ZIP64 field holds.

    A Unicode path (4.6.9) is refused even where it repeats the name: zipfile follows it from 3.13 on and not before,
    and unzip 6.0 takes a zip with such a field and a data descriptor for a bomb.
    """
    at, wide, seen_wide = 0, b"", False
    while at < len(extra):
        if len(extra) - at < records.EXTRA.size:
            refuse(path, "its extra fields do not fill their space", name)
        tag, length = records.EXTRA.unpack_from(extra, at)
        value = extra[at + 4 : at + 4 + length]
        at += 4 + length
        if len(value) != length:
            refuse(path, "an extra field is longer than its space", name)
        if tag == records.ZIP64_EXTRA:
            if seen_wide:
                refuse(path, "it has two ZIP64 fields", name)
            wide, seen_wide = value, True
        elif tag == records.UNICODE_PATH_EXTRA:
            refuse(path, "it has a second name, in an extra field", name)
        elif tag in (records.ASI_UNIX_EXTRA, records.STREAM_EXTRA):
            refuse(path, "it has a second mode, in an extra field", name)
        elif tag == records.AES_EXTRA:
            refuse(path, "it is encrypted", name)
        elif tag == records.TIME_EXTRA and not value:
            refuse(path, "its field of times is empty, which libarchive refuses", name)
    if seen_wide and len(wide) not in (8, 16, 24):
        refuse(path, "its ZIP64 field is malformed", name)
    return wide


def _mode(system: int, attributes: int, name: str, path: str) -> int:
    """Work out 0o644, 0o755 or 0o120777 (directories: 0o755) from the external attributes (4.4.15)."""
    directory = name.endswith("/")
    kind = attributes >> 16 & _FORMAT
    if kind not in (0, _REGULAR, _DIRECTORY, _LINK):
        refuse(path, "it is neither a file, a directory nor a link", name)
    if attributes & _DOS_LABEL:
        refuse(path, "its attributes are those of a volume's label, which unzip leaves out", name)
    if kind == _LINK and system != records.SYSTEM_UNIX:
        refuse(path, "it is a link, and not marked as made on Unix", name)
    if directory:
        if kind not in (0, _DIRECTORY):
            refuse(path, "its name is a directory's, its mode is not", name)
        return 0o755
    if kind == _DIRECTORY or attributes & _DOS_DIRECTORY:
        refuse(path, "its mode is a directory's, its name is not", name)
    if kind == _LINK:
        return 0o120777
    executable = attributes >> 16 & 0o111 and system in (records.SYSTEM_UNIX, records.SYSTEM_DARWIN)
    return 0o755 if executable else 0o644
