"""References as they are kept: compressed JSON behind its own SHA-256, so that a damaged one is never read.

That is no proof of who wrote it: whoever may write to the bucket can write one that holds together.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from typing import Any

from lamella.digests import key_of
from lamella.shared.model import Blob, Reference

# Counts up when what is kept changes its form; of another version nothing is found
FORMAT = 1
LARGEST = 64 << 20  # bytes of JSON: the index of a wheel of a hundred thousand files has about 12 MiB


class DamagedReferenceError(ValueError):
    """Not what was written; the text says how that shows."""


def object_key(kind: str, key: str) -> str:
    """Where the reference to `key`, the digest of what something was made of, lies."""
    return f"v{FORMAT}/keys/{key_of(kind, key)}"


def blob_key(sha256: str) -> str:
    """Where the bytes with this digest lie."""
    return f"v{FORMAT}/blobs/{sha256}"


def to_bytes(kind: str, key: str, files: Mapping[str, Blob], facts: Any) -> bytes:
    """Write a reference."""
    tree = {"kind": kind, "key": key, "files": files, "facts": facts}
    data = zlib.compress(json.dumps(tree, separators=(",", ":")).encode(), 6)
    return hashlib.sha256(data).hexdigest().encode() + b"\n" + data


def from_bytes(kind: str, key: str, data: bytes) -> Reference:
    """Read what `to_bytes` wrote for this key.  Raises DamagedReferenceError."""
    digest, _, packed = data.partition(b"\n")
    if digest != hashlib.sha256(packed).hexdigest().encode():
        raise DamagedReferenceError("its bytes are not those of its digest")
    try:
        opened = zlib.decompressobj()
        text = opened.decompress(packed, LARGEST)
        if not opened.eof:
            raise DamagedReferenceError(f"it has more than {LARGEST >> 20} MiB")
        tree = json.loads(text)
        if (tree["kind"], tree["key"]) != (kind, key):
            raise DamagedReferenceError("it was written for another key")
        files = {str(name): _blob(*row) for name, row in tree["files"].items()}
        return Reference(object_key(kind, key), files, tree["facts"])
    except DamagedReferenceError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, zlib.error, RecursionError):
        raise DamagedReferenceError("it is no reference") from None


def _blob(sha256: str, size: int) -> Blob:
    if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef") or not isinstance(size, int) or size < 0:
        raise ValueError
    return Blob(sha256, size)
