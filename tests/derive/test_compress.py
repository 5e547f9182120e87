from __future__ import annotations

import os
import random
import zlib
from pathlib import Path

import deflate
import pytest
from tests.derive.storing import Shelf

from lamella.archive.entry import FILE, LINK, PROGRAM, DamagedSourceError, Entry, content, from_bytes
from lamella.archive.records import DEFLATED, STORED
from lamella.derive.compress import compress

WORDS = " ".join(random.Random(1).choices(["the", "layer", "holds", "what", "its", "functions", "need"], k=4000))


def zipped(path: str, data: bytes, level: int = 1, origin: str = "demo") -> Entry:
    """As a wheel made with zlib has it."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush()
    return Entry(path, origin, FILE, DEFLATED, zlib.crc32(data), len(packed), len(data), data=packed)


def test_each_member_has_its_smaller_stream(tmp_path: Path) -> None:
    noise = random.Random(2).randbytes(5000)
    best = bytes(deflate.deflate_compress(WORDS.encode(), 12))
    entries = [
        zipped("python/words.txt", WORDS.encode()),
        zipped("python/best.txt", WORDS.encode())._replace(packed=len(best), data=best),
        from_bytes("python/noise.bin", "demo", noise),
        zipped("python/large.txt", WORDS.encode() * 30)._replace(mode=PROGRAM),
        Entry("python/plain.txt", "demo", FILE, STORED, zlib.crc32(b"a" * 99), 99, 99, data=b"a" * 99),
        from_bytes("python/link.txt", "demo", b"words.txt" * 20, LINK),
        from_bytes("python/empty.txt", "demo", b""),
    ]
    done = compress(entries, Shelf(tmp_path))
    assert [(entry.path, entry.origin, entry.mode, entry.crc, entry.size) for entry in done] == [
        (entry.path, entry.origin, entry.mode, entry.crc, entry.size) for entry in entries
    ]
    smaller = {entry.path for entry, before in zip(done, entries, strict=True) if entry.packed < before.packed}
    assert smaller == {"python/words.txt", "python/large.txt", "python/plain.txt"}
    for entry, before in zip(done, entries, strict=True):
        assert content(entry) == content(before)
        if entry.path in smaller:
            assert entry.packed == len(deflate.deflate_compress(content(before), 12))
            assert entry.method == DEFLATED
        else:
            assert entry is before


def test_what_was_packed_once_is_not_packed_again(tmp_path: Path) -> None:
    store = Shelf(tmp_path)
    large = [zipped(f"python/large{number}.txt", WORDS.encode() * (20 + number)) for number in range(2)]
    small = [zipped(f"python/small{number}.txt", WORDS.encode()) for number in range(3)]
    noise = from_bytes("python/noise.bin", "noise", random.Random(3).randbytes(300_000))
    first = compress([*large, *small, noise], store)
    names = [[], ["python/large0.txt"], ["python/large1.txt"], [f"python/small{number}.txt" for number in range(3)]]
    assert sorted(store.made) == names
    assert compress([*large, *small, noise], store) == first
    assert sorted(store.made) == names
    # Without one of the large members nothing is packed, without a small one the small ones are
    compress([large[1], *small, noise], store)
    assert sorted(store.made) == names
    compress([*large, *small[1:], noise], store)
    assert len(store.made) == 5


def test_other_bytes_under_the_same_name(tmp_path: Path) -> None:
    store = Shelf(tmp_path)
    for text in (WORDS, WORDS.upper()):
        (done,) = compress([zipped("python/a.txt", text.encode())], store)
        assert content(done) == text.encode()


@pytest.mark.parametrize("large", [False, True])
def test_a_damaged_member_ends_it(tmp_path: Path, large: bool) -> None:
    entries = [
        zipped(f"python/{number}.txt", WORDS.encode() * (20 if large else 1), origin=f"demo{number}")
        for number in range(8)
    ]
    entries[3] = entries[3]._replace(crc=1)
    with pytest.raises(DamagedSourceError):
        compress(entries, Shelf(tmp_path))


def test_nothing(tmp_path: Path) -> None:
    assert compress([], Shelf(tmp_path)) == []
    assert os.listdir(tmp_path) == []
