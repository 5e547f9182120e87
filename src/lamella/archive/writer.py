"""Entries → zip.  Compressed bytes are copied as they are; only the records around them are new.

The bytes written depend on the entries alone: members sorted, one fixed time, Unix as creating system.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import threading
import zlib
from collections.abc import Iterable, Iterator
from queue import SimpleQueue
from typing import NamedTuple

from lamella.archive.entry import LINK, DamagedSourceError, Entry
from lamella.archive.records import (
    CENTRAL,
    CENTRAL_SIGNATURE,
    EOCD,
    EOCD_SIGNATURE,
    EXTRA,
    FLAG_UTF8,
    LOCAL,
    LOCAL_SIGNATURE,
    MAX_16,
    MAX_32,
    SYSTEM_UNIX,
    ZIP64_EOCD,
    ZIP64_EOCD_REST,
    ZIP64_EOCD_SIGNATURE,
    ZIP64_EXTRA,
    ZIP64_LOCATOR,
    ZIP64_LOCATOR_SIGNATURE,
    ZIP64_SIZES,
)
from lamella.errors import ArchiveError, CollisionError

# 1980-01-01 00:00:00, the first moment that a zip can name (APPNOTE 4.4.6)
_TIME = 0
_DATE = 0x0021
_PLAIN = 20
_ZIP64 = 45
# Bytes handed to the disk and to the digest at once: many enough that neither waits on Python, few enough for the
# processor's cache
_CHUNK = 1 << 18


class Written(NamedTuple):
    """A finished zip: SHA-256 (hex), its length, the length of all that is in it, and the number of members."""

    sha256: str
    zipped: int
    unzipped: int
    members: int


def overhead(path: str) -> int:
    """Bytes that the records of a member of this name take beside its packed data (without zip64)."""
    return LOCAL.size + CENTRAL.size + 2 * len(path.encode())


def arranged(entries: Iterable[Entry]) -> list[Entry]:
    """The entries in the order in which they are written: by name, as bytes.

    Raises CollisionError where two entries have one path, or one's path is another's folder.  Equal twins must
    have been folded into one before (that takes reading them).
    """
    ordered = sorted(entries, key=lambda entry: entry.path.encode())
    folders: set[str] = set()
    previous = None
    for entry in ordered:
        if previous is not None and previous.path == entry.path:
            raise CollisionError(
                f"two sources want the path `{entry.path}`",
                why=[f"`{previous.origin}` and `{entry.origin}`"],
                hint="leave one of them out with `exclude`",
            )
        folder = entry.path.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
        previous = entry
    if folders:
        for entry in ordered:
            if entry.path in folders:
                raise CollisionError(
                    f"`{entry.path}` is a file of `{entry.origin}` and a folder of another source",
                    hint="leave one of them out with `exclude`",
                )
    return ordered


def write(path: str, entries: Iterable[Entry], *, expected: str | None = None) -> Written:
    """Write the zip `path` whole or not at all, and return its digest and sizes.

    What is copied is proven by each member's CRC; or, where the whole's SHA-256 (hex) is known already, by that, and
    by the CRCs only when it differs, to find the damaged file.
    The file appears under its name only when complete; a process killed before leaves the old one.  It is not
    flushed to the platter: an artifact can be made again, and its sha256 is in the manifest.
    Raises DamagedSourceError, CollisionError; OSError from the file system.
    """
    ordered = arranged(entries)
    partial = f"{path}.{os.getpid()}.partial"
    try:
        written = _write(partial, ordered, prove=expected is None)
        if expected is not None and written.sha256 != expected:
            written = _write(partial, ordered, prove=True)
        os.replace(partial, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(partial)
        raise
    return written


def _write(path: str, ordered: list[Entry], *, prove: bool) -> Written:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        with _Sink(descriptor) as sink, _Sources(prove) as sources:
            central, unzipped = _members(ordered, sink, sources)
            _directory(central, len(ordered), sink)
    finally:
        os.close(descriptor)
    return Written(sink.digest.hexdigest(), sink.offset, unzipped, len(ordered))


class _Sources:
    """The open files that entries are copied from, one descriptor each.  With `prove` each member's CRC is checked."""

    def __init__(self, prove: bool) -> None:
        self._prove = prove
        self._open: dict[str, int] = {}
        # What was read last: wheels are mostly in the order of their names, so the next member is often in it
        self._ahead = b""
        self._ahead_of = ""
        self._ahead_at = 0

    def __enter__(self) -> _Sources:
        return self

    def __exit__(self, *exc: object) -> None:
        for descriptor in self._open.values():
            os.close(descriptor)

    def small(self, entry: Entry) -> bytes:
        """The packed bytes of an entry of at most a chunk."""
        source, offset, packed = entry.source, entry.offset, entry.packed
        start = offset - self._ahead_at
        if source != self._ahead_of or start < 0 or start + packed > len(self._ahead):
            self._ahead = os.pread(self.descriptor(entry), _CHUNK, offset)
            self._ahead_of, self._ahead_at, start = source, offset, 0
        chunk = self._ahead[start : start + packed]
        if len(chunk) != packed or (self._prove and zlib.crc32(chunk) != entry.packed_crc):
            raise DamagedSourceError(entry.source, entry.path)
        return chunk

    def large(self, entry: Entry) -> Iterator[bytes]:
        """The packed bytes of any entry, a chunk at a time."""
        descriptor = self.descriptor(entry)
        offset, left, crc = entry.offset, entry.packed, 0
        while left:
            chunk = os.pread(descriptor, min(left, _CHUNK), offset)
            if not chunk:
                raise DamagedSourceError(entry.source, entry.path)
            if self._prove:
                crc = zlib.crc32(chunk, crc)
            offset += len(chunk)
            left -= len(chunk)
            yield chunk
        if self._prove and crc != entry.packed_crc:
            raise DamagedSourceError(entry.source, entry.path)

    def descriptor(self, entry: Entry) -> int:
        descriptor = self._open.get(entry.source)
        if descriptor is None:
            try:
                descriptor = self._open[entry.source] = os.open(entry.source, os.O_RDONLY)
            except OSError:
                raise DamagedSourceError(entry.source, entry.path) from None
        return descriptor


class _Sink:
    """A file being written: gathers small pieces; a thread of its own computes the digest meanwhile."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pieces: list[bytes] = []
        self._gathered = 0
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        # Few chunks wait for the digest, so that memory stays flat
        self._free = threading.Semaphore(4)
        self._thread = threading.Thread(target=self._digest, daemon=True)
        self.digest = hashlib.sha256()
        self.offset = 0

    def __enter__(self) -> _Sink:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            self._queue.put(None)
            self._thread.join()

    def put(self, piece: bytes) -> None:
        """Write a small piece, with others like it."""
        self._pieces.append(piece)
        self._gathered += len(piece)
        self.offset += len(piece)
        if self._gathered >= _CHUNK:
            self.flush()

    def put_chunk(self, chunk: bytes) -> None:
        """Write a large piece as it is, without copying it together with others."""
        if self._pieces:
            self.flush()
        self.offset += len(chunk)
        self._write(chunk)

    def flush(self) -> None:
        self._write(b"".join(self._pieces))
        self._pieces.clear()
        self._gathered = 0

    def _write(self, chunk: bytes) -> None:
        self._free.acquire()
        self._queue.put(chunk)
        written = os.write(self._descriptor, chunk)
        while written < len(chunk):
            written += os.write(self._descriptor, memoryview(chunk)[written:])

    def _digest(self) -> None:
        while (chunk := self._queue.get()) is not None:
            self.digest.update(chunk)
            self._free.release()


def _members(ordered: list[Entry], sink: _Sink, sources: _Sources) -> tuple[list[bytes], int]:
    """Write every member; return the records of the central directory and the bytes that unzip to."""
    central: list[bytes] = []
    unzipped = 0
    put, small, pack_local, pack_central = sink.put, sources.small, LOCAL.pack, CENTRAL.pack
    made_by = SYSTEM_UNIX << 8
    for entry in ordered:
        path, _, mode, method, crc, packed, size, _, _, _, data = entry
        name = path.encode()
        length = len(name)
        if length > MAX_16:
            raise ArchiveError(f"the name `{path[:60]}…` is longer than a zip can hold (65535 bytes)")
        flags = 0 if name.isascii() else FLAG_UTF8
        offset = sink.offset
        large = packed >= MAX_32 or size >= MAX_32
        unzipped += size
        needed, local_extra, central_extra, shown = _PLAIN, b"", b"", (packed, size)
        if large or offset >= MAX_32:
            needed = _ZIP64
            local_extra, central_extra = _zip64_extra(large, size, packed, offset)
            shown = (MAX_32, MAX_32) if large else shown
        head = pack_local(
            LOCAL_SIGNATURE, _ZIP64 if large else _PLAIN, flags, method, _TIME, _DATE, crc, *shown,
            length, len(local_extra),
        )  # fmt: skip
        if data is None and packed <= _CHUNK:
            data = small(entry)
        if data is not None:
            put(head + name + local_extra + data)
        else:
            put(head + name + local_extra)
            for chunk in sources.large(entry):
                sink.put_chunk(chunk)
        kind = mode if mode == LINK else stat.S_IFREG | mode
        central.append(
            pack_central(
                CENTRAL_SIGNATURE, made_by | needed, needed, flags, method, _TIME, _DATE, crc, *shown,
                length, len(central_extra), 0, 0, 0, kind << 16, min(offset, MAX_32),
            ) + name + central_extra
        )  # fmt: skip
    return central, unzipped


def _zip64_extra(large: bool, size: int, packed: int, offset: int) -> tuple[bytes, bytes]:
    """The ZIP64 fields of the local and the central record (APPNOTE 4.5.3: only what does not fit, in order)."""
    sizes = ZIP64_SIZES.pack(size, packed) if large else b""
    local = EXTRA.pack(ZIP64_EXTRA, len(sizes)) + sizes if large else b""
    rest = sizes + (offset.to_bytes(8, "little") if offset >= MAX_32 else b"")
    return local, EXTRA.pack(ZIP64_EXTRA, len(rest)) + rest


def _directory(central: list[bytes], count: int, sink: _Sink) -> None:
    start = sink.offset
    sink.put(b"".join(central))
    length = sink.offset - start
    if count >= MAX_16 or start >= MAX_32 or length >= MAX_32:
        end = sink.offset
        sink.put(
            ZIP64_EOCD.pack(
                ZIP64_EOCD_SIGNATURE, ZIP64_EOCD_REST, SYSTEM_UNIX << 8 | _ZIP64, _ZIP64, 0, 0,
                count, count, length, start,
            )
        )  # fmt: skip
        sink.put(ZIP64_LOCATOR.pack(ZIP64_LOCATOR_SIGNATURE, 0, end, 1))
    shown = min(count, MAX_16)
    sink.put(EOCD.pack(EOCD_SIGNATURE, 0, 0, shown, shown, min(length, MAX_32), min(start, MAX_32), 0))
