"""What tells the entries that members are derived from, and which of them are kept together."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable

from lamella.archive.entry import Entry, content

# A file of the cache that is named by the digest of what it holds, or of all that it was made of
_BY_DIGEST = re.compile(r"[0-9a-f]{64}\.\w+")


def identity(entry: Entry) -> str:
    """What tells an entry's bytes, unpacked and packed, from all others: cheap for what is copied from the cache."""
    source = os.path.basename(entry.source)
    if entry.data is not None:
        where = hashlib.sha256(entry.data).hexdigest()
    elif _BY_DIGEST.fullmatch(source):
        where = f"{source} {entry.offset} {entry.packed_crc}"
    else:
        where = hashlib.sha256(content(entry)).hexdigest()
    return f"{where} {entry.method} {entry.crc} {entry.packed} {entry.size}"


def groups(entries: Iterable[Entry]) -> list[list[Entry]]:
    """The entries by what they come from, a distribution's file: what is derived of each is kept together."""
    found: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        found.setdefault((entry.origin, entry.source), []).append(entry)
    return list(found.values())
