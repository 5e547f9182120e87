"""The content-addressed store of admitted wheels, shared by every process of a user.

<root>/v1/wheels/ab/<sha256>.whl    the file as the index served it
<root>/v1/wheels/ab/<sha256>.json   what admission learnt; written last, so that it marks a complete entry
<root>/v1/partial/…                 downloads under way, resumed by whoever comes next
<root>/v1/memos/<kind>/<key>.json   answers to questions that took long: which wheels a lock comes to
<root>/v1/locks/…                   one per key; the operating system frees a dead process's lock
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lamella.files import write_atomic
from lamella.wheels import index

if TYPE_CHECKING:
    from lamella.wheels.model import Wheel

_LAYOUT = "v1"
# A CRC-32 as eight hex digits and a line break stand before what is kept: a flipped bit makes no other answer
_SEAL = 9


def key_of(*parts: object) -> str:
    """A name for the answer to one question: the SHA-256 of its parts' texts."""
    digest = hashlib.sha256()
    for part in parts:
        text = str(part).encode("utf-8", "surrogateescape")
        digest.update(b"%d:" % len(text) + text)
    return digest.hexdigest()


class Cache:
    """One user's cache.  `root` is absolute; nothing is made before something is stored."""

    def __init__(self, root: str) -> None:
        self.root = os.path.join(root, _LAYOUT)

    def _stem(self, sha256: str) -> str:
        return os.path.join(self.root, "wheels", sha256[:2], sha256)

    def wheel(self, sha256: str) -> Wheel | None:
        """The admitted wheel with this digest, or None.

        Trusts what admission wrote down; that the bytes are still the same is proven where they are copied, member
        by member (`archive.writer.DamagedSourceError`).
        """
        stem = self._stem(sha256)
        try:
            data = _unsealed(stem + ".json")
            os.stat(stem + ".whl")
            return index.from_json(data, stem + ".whl")
        except (FileNotFoundError, ValueError, KeyError, TypeError, IndexError):
            return None

    def adopt(self, wheel: Wheel) -> Wheel:
        """Move an admitted wheel from where it lies (on the cache's file system) to its place."""
        stem = self._stem(wheel.sha256)
        os.makedirs(os.path.dirname(stem), exist_ok=True)
        os.replace(wheel.path, stem + ".whl")
        write_atomic(stem + ".json", _sealed(index.to_json(wheel)), flush=False)
        kept = self.wheel(wheel.sha256)
        assert kept is not None
        return kept

    def discard(self, path: str) -> None:
        """Forget the wheel whose file this is (it was found damaged)."""
        for name in (path.removesuffix(".whl") + ".json", path):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)

    def partial(self, key: str) -> str:
        """Where the download of this key is gathered; hold its lock while writing there."""
        folder = os.path.join(self.root, "partial")
        os.makedirs(folder, exist_ok=True)
        return os.path.join(folder, key)

    @contextlib.contextmanager
    def locked(self, key: str) -> Iterator[None]:
        """Hold the lock of a key; waits for another process that holds it."""
        from filelock import FileLock

        folder = os.path.join(self.root, "locks")
        os.makedirs(folder, exist_ok=True)
        with FileLock(os.path.join(folder, key[:32])):
            yield

    def recall(self, kind: str, key: str) -> Any:
        """The answer kept under this key, or None."""
        try:
            return json.loads(_unsealed(os.path.join(self.root, "memos", kind, key + ".json")))
        except (FileNotFoundError, ValueError):
            return None

    def remember(self, kind: str, key: str, answer: object) -> None:
        """Keep an answer.  It is only a shortcut: a cache that can't be written to keeps nothing."""
        folder = os.path.join(self.root, "memos", kind)
        data = json.dumps(answer, separators=(",", ":")).encode()
        with contextlib.suppress(OSError):
            os.makedirs(folder, exist_ok=True)
            write_atomic(os.path.join(folder, key + ".json"), _sealed(data), flush=False)


def _sealed(data: bytes) -> bytes:
    return b"%08x\n" % zlib.crc32(data) + data


def _unsealed(path: str) -> bytes:
    """What was sealed.  Raises ValueError where it is no longer that."""
    with open(path, "rb") as file:
        seal, data = file.read(_SEAL), file.read()
    if seal != b"%08x\n" % zlib.crc32(data):
        raise ValueError(f"{path} is damaged")
    return data
