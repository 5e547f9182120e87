"""Names for answers and derived files: a digest of all that they were made of."""

from __future__ import annotations

import hashlib


def key_of(*parts: object) -> str:
    """The SHA-256 of the parts' texts, hex.  Other parts, or the same ones divided otherwise, have another."""
    digest = hashlib.sha256()
    for part in parts:
        text = str(part).encode("utf-8", "surrogateescape")
        digest.update(b"%d:" % len(text) + text)
    return digest.hexdigest()
