from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from tests.elf.making import Section, elf

from lamella.archive.entry import FILE, LINK, PROGRAM, DamagedSourceError, Entry, content, from_bytes
from lamella.derive.blank import blank_all
from lamella.elf.blank import blank
from lamella.wheels.cache import Cache

NAMES = (
    "python/demo/_demo.cpython-312-x86_64-linux-gnu.so",
    "python/demo/_abi.abi3.so",
    "python/demo.libs/libdemo-0123abcd.so.1.2.3",
    "python/demo.libs/libblas-r0-12345678.3.33.dev.so",
)


class Counted:
    """A cache that notes what was made."""

    def __init__(self, root: Path) -> None:
        self.cache = Cache(str(root))
        self.made: list[int] = []

    def expect(self, keys: Iterable[str]) -> None: ...

    def derived(self, key: str) -> Mapping[str, Entry] | None:
        return self.cache.derived(key)

    def derive(self, key: str, made: Iterable[Entry]) -> Mapping[str, Entry]:
        entries = list(made)
        self.made.append(len(entries))
        return self.cache.derive(key, entries)


def library(seed: int, symbols: int = 4000) -> bytes:
    chance = random.Random(seed)
    return elf(
        soname=f"lib{seed}.so", text=chance.randbytes(500), sections=[Section(".symtab", chance.randbytes(symbols))]
    )


def test_libraries_are_replaced_in_place_and_all_else_is_left(tmp_path: Path) -> None:
    libraries = [from_bytes(name, "demo", library(seed)) for seed, name in enumerate(NAMES)]
    others = [
        from_bytes("python/demo/__init__.py", "demo", b"import demo._demo\n"),
        from_bytes("bin/demo", "demo", library(9), PROGRAM),
        from_bytes("python/demo/v1.some-named.parquet", "demo", library(10)),
        from_bytes("python/demo/libdemo.so", "demo", b"libdemo.so.1", LINK),
    ]
    entries = [others[0], libraries[0], others[1], *libraries[1:], *others[2:]]
    blanked = blank_all(entries, Counted(tmp_path))
    assert [(entry.path, entry.origin, entry.mode) for entry in blanked] == [
        (entry.path, entry.origin, entry.mode) for entry in entries
    ]
    for before, after in zip(entries, blanked, strict=True):
        if before in others:
            assert after == before
        else:
            assert content(after) == blank(content(before))
            assert after.packed < before.packed
            assert after.source.startswith(str(tmp_path))


def test_what_was_made_once_is_not_made_again(tmp_path: Path) -> None:
    store = Counted(tmp_path)
    entries = [
        from_bytes("python/a.so", "a", library(1), PROGRAM),
        from_bytes("python/copy.so", "a", library(1)),
        from_bytes("python/nothing_to_gain.so", "a", elf(sections=[])),
        from_bytes("python/text.so", "a", b"INPUT ( libdemo.so.1 )"),
    ]
    first = blank_all(entries, store)
    # Equal bytes are made once; that nothing was gained is known, too
    assert sorted(store.made) == [0, 0, 1]
    assert blank_all(entries, store) == first
    assert len(store.made) == 3
    assert first[2:] == entries[2:]
    assert [entry.mode for entry in first] == [PROGRAM, FILE, FILE, FILE]


def test_bytes_in_a_wheel_are_told_by_where_they_lie(tmp_path: Path) -> None:
    made = from_bytes("python/a.so", "a", library(1))
    assert made.data is not None
    wheel = tmp_path / ("ab" * 32 + ".whl")
    wheel.write_bytes(b"front" + made.data)
    entry = made._replace(data=None, source=str(wheel), offset=5, packed_crc=1)
    store = Counted(tmp_path / "cache")
    (twin,) = blank_all([entry], store)
    assert content(twin) == blank(library(1))
    # Nothing of the wheel is read again
    wheel.unlink()
    assert blank_all([entry], store) == [twin]


def test_the_order_and_the_store_make_no_difference(tmp_path: Path) -> None:
    entries = [from_bytes(f"python/{seed}.so", "a", library(seed, 100 * seed)) for seed in range(12)]
    one = blank_all(entries, Counted(tmp_path / "one"))
    two = blank_all(entries[::-1], Counted(tmp_path / "two"))[::-1]
    assert [(entry.crc, entry.packed, content(entry)) for entry in one] == [
        (entry.crc, entry.packed, content(entry)) for entry in two
    ]


def test_a_twin_that_is_not_smaller_zipped_is_not_taken(tmp_path: Path) -> None:
    entry = from_bytes("python/a.so", "a", library(1))._replace(packed=10)
    assert entry.data is not None
    assert blank(content(entry)) is not None
    assert blank_all([entry], Counted(tmp_path)) == [entry]


def test_damage_is_told(tmp_path: Path) -> None:
    entry = from_bytes("python/a.so", "a", library(1))._replace(crc=1)
    with pytest.raises(DamagedSourceError):
        blank_all([entry], Counted(tmp_path))
