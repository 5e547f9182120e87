"""Entries of several sources in one archive: equal twins fold into one, different ones are an error."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator

from lamella.archive.entry import DamagedSourceError, Entry
from lamella.archive.records import STORED
from lamella.errors import CollisionError

# Bytes of each twin that are looked at at a time
_PIECE = 256 * 1024


def collision(twin: Entry, entry: Entry) -> CollisionError:
    """What is said of two sources with one path."""
    return CollisionError(
        f"`{twin.origin}` and `{entry.origin}` both bring `{entry.path}`, with different bytes",
        why=["on Lambda one would silently hide the other"],
        hint=f'leave one of them out: `exclude = ["{entry.origin}"]`, or lock versions that don\'t overlap',
    )


def merge(groups: Iterable[list[Entry]], refusal: Callable[[Entry, Entry], CollisionError] = collision) -> list[Entry]:
    """All entries, one for each path.  Of equal twins the first stays.

    Raises what `refusal` says of two that have one path and different bytes or modes; DamagedSourceError.
    """
    kept: dict[str, Entry] = {}
    for group in groups:
        for entry in group:
            twin = kept.setdefault(entry.path, entry)
            if twin is not entry and not _equal(twin, entry):
                raise refusal(twin, entry)
    return list(kept.values())


def _equal(one: Entry, other: Entry) -> bool:
    if (one.crc, one.size, one.mode) != (other.crc, other.size, other.mode):
        return False
    if one.data is None and other.data is None and (one.source, one.offset) == (other.source, other.offset):
        return True
    return digest(one) == digest(other)


def digest(entry: Entry) -> bytes:
    """SHA-256 of the real bytes, of which no more than a piece is held: twins may be programs of 60 MB each.

    Raises DamagedSourceError.
    """
    import hashlib

    found, crc = hashlib.sha256(), 0
    try:
        for piece in _pieces(entry):
            found.update(piece)
            crc = zlib.crc32(piece, crc)
    except (OSError, zlib.error):
        crc = ~entry.crc
    if crc != entry.crc:
        raise DamagedSourceError(entry.source, entry.path)
    return found.digest()


def _pieces(entry: Entry) -> Iterator[bytes]:
    """The real bytes.  Raises OSError, zlib.error."""
    if entry.method == STORED:
        yield from _packed(entry)
        return
    stream = zlib.decompressobj(-15)
    for data in _packed(entry):
        piece = b""
        # With its input used up, zlib may still hold output: as long as it fills what it may give
        while not stream.eof and (data or len(piece) == _PIECE):
            piece = stream.decompress(data, _PIECE)
            yield piece
            data = stream.unconsumed_tail


def _packed(entry: Entry) -> Iterator[bytes]:
    if entry.data is not None:
        yield entry.data
        return
    with open(entry.source, "rb") as file:
        file.seek(entry.offset)
        left = entry.packed
        while left and (data := file.read(min(left, _PIECE))):
            left -= len(data)
            yield data
