"""Members packed as small as libdeflate can, where that is smaller than the stream that came with the wheel.

Zopfli was tried on 2026-11-22 and left: on 4 MB of pyarrow's machine code it took ten to twenty times as long, for
0.05 to 0.2 % less; on botocore's sources 0.3 % less.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from lamella.archive.entry import LINK, Entry, content
from lamella.archive.records import DEFLATED
from lamella.derive.key import groups, identity
from lamella.digests import key_of

if TYPE_CHECKING:
    from lamella.derive.model import Store

# Raised when the same bytes are packed into others than before
_REVISION = 1
_LEVEL = 12  # libdeflate's highest
# A member of this size is kept by itself, so that it is not packed again when another of its distribution goes
_LARGE = 256 << 10
# Each thread holds a member whole, unpacked and packed
_THREADS = 4


def compress(entries: Sequence[Entry], store: Store) -> list[Entry]:
    """The same entries in the same order, each with the smaller of its own packed bytes and libdeflate's level 12.

    What was made once is kept in `store`, by distribution, large members each for itself; that a member can't be made
    smaller is kept, too.  Symbolic links stay as they are.
    Raises DamagedSourceError; OSError of the store.
    """
    smaller: dict[str, Entry] = {}
    missing: dict[str, list[Entry]] = {}
    shelves = {
        key_of("compress", _REVISION, *(f"{entry.path} {identity(entry)}" for entry in shelf)): shelf
        for shelf in _shelves(entry for entry in entries if entry.mode != LINK and entry.size)
    }
    store.expect(shelves)
    for key, shelf in shelves.items():
        kept = store.derived(key)
        if kept is None:
            missing[key] = shelf
        else:
            smaller.update(kept)
    if missing:
        for made in _made(missing, store):
            smaller.update(made)
    return [
        smaller[entry.path]._replace(origin=entry.origin, mode=entry.mode) if entry.path in smaller else entry
        for entry in entries
    ]


def _shelves(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """What is kept together."""
    for group in groups(entries):
        yield from ([entry] for entry in group if entry.size >= _LARGE)
        small = [entry for entry in group if entry.size < _LARGE]
        if small:
            yield small


def _made(missing: Mapping[str, Sequence[Entry]], store: Store) -> list[Mapping[str, Entry]]:
    """Pack what is missing, several at a time: libdeflate lets other threads run."""
    from concurrent.futures import ThreadPoolExecutor

    def alone(key: str) -> Mapping[str, Entry]:
        return store.derive(key, filter(None, map(_tight, missing[key])))

    # The largest first, so that none of them is left over for the end
    large = sorted((key for key in missing if len(missing[key]) == 1), key=lambda key: -missing[key][0].size)
    with ThreadPoolExecutor(min(os.cpu_count() or 1, _THREADS)) as pool:
        try:
            under_way = [pool.submit(alone, key) for key in large]
            packed = {key: pool.map(_tight, shelf) for key, shelf in missing.items() if len(shelf) > 1}
            return [
                *(store.derive(key, filter(None, twins)) for key, twins in packed.items()),
                *(future.result() for future in under_way),
            ]
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _tight(entry: Entry) -> Entry | None:
    """The entry in the fewest bytes; None when it is that already."""
    import deflate

    packed = bytes(deflate.deflate_compress(content(entry), _LEVEL))
    if len(packed) >= entry.packed:
        return None
    return entry._replace(method=DEFLATED, packed=len(packed), data=packed, offset=0, packed_crc=0)
