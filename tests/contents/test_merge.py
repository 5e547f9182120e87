from __future__ import annotations

import zlib

import pytest

from lamella.archive.entry import PROGRAM, from_bytes
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
