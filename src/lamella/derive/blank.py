"""Shared libraries among entries, replaced by their blanked twins; see `lamella.elf.blank` for what that is."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lamella.archive.entry import LINK, Entry, content, from_bytes
from lamella.derive.key import identity
from lamella.digests import key_of
from lamella.elf.blank import VERSION, blank

if TYPE_CHECKING:
    from lamella.derive.model import Store

# libfoo.so, _foo.cpython-312-x86_64-linux-gnu.so, libfoo-0123abcd.so.1.2.3; not notes.source, v1.some.parquet
_LIBRARY = re.compile(r"\.so(\.\d[\w.+-]*)?$")
_NAME = "library"

# A large library is in memory twice, and packed: at most this many at a time, however many processors there are
_LARGE = 16 << 20
_LARGE_AT_ONCE = 2
_AT_ONCE = 4


def blank_all(entries: Sequence[Entry], store: Store) -> list[Entry]:
    """The same entries in the same order, with each library that gets smaller zipped replaced by its blanked twin.

    What was made once is kept in `store`; that nothing was gained is kept, too.  Path, origin and mode stay.  Of the
    store's entries the bytes are level 9 of libdeflate: 12 takes five times as long and saves 2 % (`compress` has it).
    Raises DamagedSourceError; OSError of the store.
    """
    keys = {
        index: key_of("blank", VERSION, identity(entry)) for index, entry in enumerate(entries) if _is_candidate(entry)
    }
    store.expect(keys.values())
    made = {key: store.derived(key) for key in keys.values()}
    missing = {key: entries[index] for index, key in keys.items() if made[key] is None}
    if missing:
        made.update(_made(missing, store))
    result = list(entries)
    for index, key in keys.items():
        twin = (made[key] or {}).get(_NAME)
        if twin is not None:
            entry = entries[index]
            result[index] = twin._replace(path=entry.path, origin=entry.origin, mode=entry.mode)
    return result


def _is_candidate(entry: Entry) -> bool:
    return entry.mode != LINK and _LIBRARY.search(entry.path) is not None


def _made(missing: dict[str, Entry], store: Store) -> dict[str, dict[str, Entry]]:
    """Make what is missing, several at a time: deflating lets other threads run."""
    from concurrent.futures import ThreadPoolExecutor
    from contextlib import nullcontext
    from threading import Semaphore

    large = Semaphore(_LARGE_AT_ONCE)

    def make(key: str) -> dict[str, Entry]:
        entry = missing[key]
        with large if entry.size >= _LARGE else nullcontext():
            twin = _twin(entry)
            return dict(store.derive(key, () if twin is None else (twin,)))

    # The largest first, so that none of them is left over for the end
    order = sorted(missing, key=lambda key: (-missing[key].size, key))
    with ThreadPoolExecutor(min(_AT_ONCE, os.cpu_count() or 1)) as pool:
        return dict(zip(order, pool.map(make, order), strict=True))


def _twin(entry: Entry) -> Entry | None:
    blanked = blank(content(entry))
    if blanked is None:
        return None
    twin = from_bytes(_NAME, "", blanked)
    return twin if twin.packed < entry.packed else None
