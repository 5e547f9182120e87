from __future__ import annotations

import os
import tracemalloc
import zlib
from pathlib import Path

import pytest

from lamella.archive.entry import PROGRAM, DamagedSourceError, Entry, from_bytes
from lamella.archive.records import STORED
from lamella.contents.merge import merge
from lamella.errors import CollisionError


def test_different_bytes_name_both_sources() -> None:
    with pytest.raises(CollisionError) as caught:
        merge([[from_bytes("python/shared.py", "one", b"1")], [from_bytes("python/shared.py", "two", b"2")]])
    assert str(caught.value) == (
        "`one` and `two` both bring `python/shared.py`, with different bytes\n"
        "  on Lambda one would silently hide the other\n"
        '  hint: leave one of them out: `exclude = ["two"]`, or lock versions that don\'t overlap'
    )


def test_equal_twins_fold_into_the_first() -> None:
    one, two = from_bytes("a.py", "one", b"same" * 50), from_bytes("a.py", "two", b"same" * 50)
    assert merge([[one], [two, from_bytes("b.py", "two", b"")]]) == [one, from_bytes("b.py", "two", b"")]


def test_twins_packed_differently_are_equal() -> None:
    text = b"same" * 50
    one = from_bytes("a.py", "one", text)
    stored = one._replace(origin="two", method=STORED, data=text, packed=len(text))
    assert merge([[one], [stored]]) == [one]


def test_another_mode_is_another_file() -> None:
    with pytest.raises(CollisionError):
        merge([[from_bytes("run", "one", b"#!")], [from_bytes("run", "two", b"#!", PROGRAM)]])


def test_equal_crcs_are_not_enough() -> None:
    # Two texts of one length with one CRC-32, found by search
    one, two = b"plumless", b"buckeroo"
    assert zlib.crc32(one) == zlib.crc32(two)
    with pytest.raises(CollisionError):
        merge([[from_bytes("a", "one", one)], [from_bytes("a", "two", two)]])


def test_a_namespace_of_two_distributions_is_no_collision() -> None:
    groups = [[from_bytes("google/one.py", "one", b"1")], [from_bytes("google/two.py", "two", b"2")]]
    assert [entry.path for entry in merge(groups)] == ["google/one.py", "google/two.py"]


def lying(place: Path, entry: Entry, offset: int = 0) -> Entry:
    """The entry, with its packed bytes in a file."""
    assert entry.data is not None
    place.write_bytes(bytes(offset) + entry.data)
    return entry._replace(source=str(place), offset=offset, packed_crc=zlib.crc32(entry.data), data=None)


def test_large_twins_are_not_held_in_memory(tmp_path: Path) -> None:
    text = os.urandom(1000) * 20_000 + os.urandom(5_000_000)
    one = lying(tmp_path / "one", from_bytes("tool", "one", text))
    stored = from_bytes("tool", "two", text)._replace(method=STORED, data=text, packed=len(text))
    two = lying(tmp_path / "two", stored, offset=7)
    del text, stored
    tracemalloc.start()
    merged = merge([[one], [two]])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert merged == [one]
    assert peak < 2_000_000


@pytest.mark.parametrize("harm", ["changed", "cut", "gone"])
def test_a_damaged_twin_is_no_other_version(tmp_path: Path, harm: str) -> None:
    one = from_bytes("a.py", "one", b"same" * 50)
    two = lying(tmp_path / "two", from_bytes("a.py", "two", b"same" * 50))
    data = (tmp_path / "two").read_bytes()
    if harm == "gone":
        (tmp_path / "two").unlink()
    else:
        (tmp_path / "two").write_bytes(b"\xff" + data[1:] if harm == "changed" else data[:-3])
    with pytest.raises(DamagedSourceError) as caught:
        merge([[one], [two]])
    assert caught.value.source == str(tmp_path / "two")


def test_what_is_copied_twice_from_one_place_is_equal_unread(tmp_path: Path) -> None:
    one = lying(tmp_path / "one", from_bytes("bin/tool", "one", b"same" * 50, PROGRAM))
    (tmp_path / "one").unlink()
    assert merge([[one], [one._replace(origin="again")]]) == [one]


def test_the_refusal_can_be_told_otherwise() -> None:
    def refusal(twin: Entry, entry: Entry) -> CollisionError:
        return CollisionError(f"{twin.origin} before {entry.origin}")

    with pytest.raises(CollisionError, match="one before two"):
        merge([[from_bytes("a", "one", b"1")], [from_bytes("a", "two", b"2")]], refusal)
