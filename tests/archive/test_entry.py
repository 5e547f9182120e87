from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from lamella.archive.entry import FILE, LINK, DamagedSourceError, Entry, content, from_bytes
from lamella.archive.records import DEFLATED, STORED

TEXT = b"the same words, " * 200


def copied(source: Path, offset: int, packed: bytes, plain: bytes) -> Entry:
    return Entry(
        "a.txt", "demo", FILE, DEFLATED, zlib.crc32(plain), len(packed), len(plain), str(source), offset,
        zlib.crc32(packed),
    )  # fmt: skip


@pytest.mark.parametrize(("plain", "method"), [(TEXT, DEFLATED), (b"", STORED), (b"ab", STORED), (bytes(1), STORED)])
def test_bytes_are_deflated_only_where_that_is_shorter(plain: bytes, method: int) -> None:
    entry = from_bytes("a.txt", "demo", plain)
    assert entry.method == method
    assert (entry.size, entry.crc, entry.mode) == (len(plain), zlib.crc32(plain), FILE)
    assert entry.data is not None
    assert entry.packed == len(entry.data) <= len(plain)
    assert content(entry) == plain


def test_a_links_content_is_its_target() -> None:
    entry = from_bytes("a", "demo", b"../b", LINK)
    assert (entry.mode, content(entry)) == (LINK, b"../b")


def test_bytes_in_the_middle_of_a_file(tmp_path: Path) -> None:
    packed = zlib.compress(TEXT, wbits=-15)
    source = tmp_path / "demo.whl"
    source.write_bytes(b"before" + packed + b"behind")
    assert content(copied(source, 6, packed, TEXT)) == TEXT


@pytest.mark.parametrize("damage", ["flipped", "cut off", "gone", "another"])
def test_a_source_that_changed_is_named(tmp_path: Path, damage: str) -> None:
    packed = zlib.compress(TEXT, wbits=-15)
    source = tmp_path / "demo.whl"
    match damage:
        case "flipped":
            source.write_bytes(packed[:9] + bytes([packed[9] ^ 4]) + packed[10:])
        case "cut off":
            source.write_bytes(packed[:-4])
        case "another":
            source.write_bytes(zlib.compress(TEXT[::-1], wbits=-15))
    with pytest.raises(DamagedSourceError, match=r"`a\.txt` is damaged") as caught:
        content(copied(source, 0, packed, TEXT))
    assert caught.value.source == str(source)
    assert "`demo.whl`" in caught.value.why[0]
