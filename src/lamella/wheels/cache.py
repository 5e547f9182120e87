"""The content-addressed store of admitted wheels, shared by every process of a user.

<root>/v1/wheels/ab/<sha256>.whl    the file as the index served it
<root>/v1/wheels/ab/<sha256>.json   what admission learnt; written last, so that it marks a complete entry; alone, where
                                    another machine looked at the wheel and its file was not needed here
<root>/v1/derived/ab/<key>.pack     packed bytes of members that were made from a wheel's, one behind the other
<root>/v1/derived/ab/<key>.json     what they are, and where in the pack; written last
<root>/v1/partial/…                 downloads under way, resumed by whoever comes next
<root>/v1/memos/<kind>/<key>.json   answers to questions that took long: which wheels a lock comes to
<root>/v1/locks/…                   one per key; the operating system frees a dead process's lock
"""

from __future__ import annotations

import contextlib
import json
import os
import time
import zlib
from _thread import get_ident
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from lamella.archive.entry import FILE, Entry
from lamella.digests import key_of
from lamella.files import settled, sha256_of, state, write_atomic
from lamella.wheels import index

if TYPE_CHECKING:
    from lamella.wheels.model import Wheel

_LAYOUT = "v1"
# A CRC-32 as eight hex digits and a line break stand before what is kept: a flipped bit makes no other answer
_SEAL = 9
# What is kept of a derived member: name, method, CRC-32, sizes, offset, CRC-32 of the packed bytes
_COLUMNS = 7


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
        return self.known(sha256) if os.path.exists(self._stem(sha256) + ".whl") else None

    def known(self, sha256: str) -> Wheel | None:
        """What admission learnt of the wheel with this digest, here or elsewhere; its file need not be here."""
        stem = self._stem(sha256)
        try:
            return index.from_json(_unsealed(stem + ".json"), stem + ".whl")
        except (FileNotFoundError, ValueError, KeyError, TypeError, IndexError):
            return None

    def learn(self, sha256: str, data: bytes) -> Wheel | None:
        """Keep what admission learnt of a wheel elsewhere (`wheels.index`); None where that is not of this wheel."""
        stem = self._stem(sha256)
        try:
            if index.from_json(data, "").sha256 != sha256:
                return None
        except (ValueError, KeyError, TypeError, IndexError):
            return None
        os.makedirs(os.path.dirname(stem), exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(stem + ".whl")  # it lost what was learnt here: nothing says that it is whole
        write_atomic(stem + ".json", _sealed(data), flush=False)
        return self.known(sha256)

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
        """Forget the wheel or the derived members whose file this is (it was found damaged)."""
        for name in (os.path.splitext(path)[0] + ".json", path):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)

    def derived(self, key: str) -> Mapping[str, Entry] | None:
        """The entries that `derive` kept under this key, by name; None for none."""
        found = self.pack(key)
        return _entries(*found) if found is not None else None

    def pack(self, key: str) -> tuple[Any, str] | None:
        """What is kept under this key as it is kept: columns of what the pack holds, and the pack's path."""
        stem = os.path.join(self.root, "derived", key[:2], key)
        try:
            columns = json.loads(_unsealed(stem + ".json"))
            os.stat(stem + ".pack")
            return columns, stem + ".pack"
        except (FileNotFoundError, ValueError):
            return None

    def adopt_pack(self, key: str, columns: Any, path: str) -> bool:
        """Move a pack that was made elsewhere to its place; False where it does not hold what `columns` say."""
        entries = _entries(columns, path)
        if entries is None or len(columns) != _COLUMNS or not all(map(_is_row, zip(*columns, strict=True))):
            return False
        size = sum(entry.packed for entry in entries.values())
        if size != os.path.getsize(path) or not _is_whole(path, entries.values()):
            return False
        stem = os.path.join(self.root, "derived", key[:2], key)
        os.makedirs(os.path.dirname(stem), exist_ok=True)
        os.replace(path, stem + ".pack")
        write_atomic(stem + ".json", _sealed(json.dumps(columns, separators=(",", ":")).encode()), flush=False)
        return True

    def expect(self, keys: Iterable[str]) -> None:
        """Nothing has to be brought nearer; see `derive.model.Store`."""

    def derive(self, key: str, made: Iterable[Entry]) -> Mapping[str, Entry]:
        """Keep entries that hold their `data`; return them as `derived` will.  Raises OSError.

        Of two processes that make the same, the later one's replaces the earlier's, byte for byte the same.
        """
        folder = os.path.join(self.root, "derived", key[:2])
        os.makedirs(folder, exist_ok=True)
        stem = os.path.join(folder, key)
        waiting = f"{stem}.{os.getpid()}-{get_ident()}.partial"
        rows: list[tuple[str | int, ...]] = []
        offset = 0
        try:
            with open(waiting, "wb") as file:
                for entry in made:
                    assert entry.data is not None
                    file.write(entry.data)
                    rows.append(
                        (entry.path, entry.method, entry.crc, entry.packed, entry.size, offset, zlib.crc32(entry.data))
                    )
                    offset += entry.packed
            os.replace(waiting, stem + ".pack")
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(waiting)
            raise
        columns = [[row[at] for row in rows] for at in range(_COLUMNS)]
        write_atomic(stem + ".json", _sealed(json.dumps(columns, separators=(",", ":")).encode()), flush=False)
        kept = self.derived(key)
        assert kept is not None
        return kept

    def discard_damaged(self) -> None:
        """Forget all derived members whose files no longer hold what was written: reads every one of them."""
        for folder, _, names in os.walk(os.path.join(self.root, "derived")):
            for name in names:
                key, ending = os.path.splitext(name)
                pack = os.path.join(folder, key + ".pack")
                if ending == ".json" and not _is_whole(pack, (self.derived(key) or {}).values()):
                    self.discard(pack)

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

    def digest(self, path: str) -> str | None:
        """The SHA-256 (hex) of a finished zip: as it was last known, while the file's state is the same.

        None where there is no file.  Raises OSError.
        """
        path = os.path.abspath(path)
        key = key_of(path)
        known = self.recall("placed", key)
        if known is not None and known["state"] == state(path):
            digest: str = known["sha256"]
            return digest
        began = time.time_ns()
        found = sha256_of(path)
        if found is not None and settled(path, began):
            self.remember("placed", key, {"state": state(path), "sha256": found})
        return found


def _entries(columns: Any, source: str) -> dict[str, Entry] | None:
    """The entries of a pack by name; None where the columns are not those of one."""
    try:
        return {
            name: Entry(name, "", FILE, method, crc, packed, size, source, offset, packed_crc)
            for name, method, crc, packed, size, offset, packed_crc in zip(*columns, strict=True)
        }
    except (TypeError, ValueError):
        return None


def _is_row(row: tuple[Any, ...]) -> bool:
    name, *numbers = row
    return isinstance(name, str) and all(isinstance(number, int) and number >= 0 for number in numbers)


def _is_whole(path: str, entries: Iterable[Entry]) -> bool:
    """Whether each entry's packed bytes are in the file as they were written."""
    try:
        with open(path, "rb") as file:
            return all(
                zlib.crc32(os.pread(file.fileno(), entry.packed, entry.offset)) == entry.packed_crc for entry in entries
            )
    except OSError:
        return False


def _sealed(data: bytes) -> bytes:
    return b"%08x\n" % zlib.crc32(data) + data


def _unsealed(path: str) -> bytes:
    """What was sealed.  Raises ValueError where it is no longer that."""
    with open(path, "rb") as file:
        seal, data = file.read(_SEAL), file.read()
    if seal != b"%08x\n" % zlib.crc32(data):
        raise ValueError(f"{path} is damaged")
    return data
