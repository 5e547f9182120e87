from __future__ import annotations

from lamella.digests import key_of


def test_keys_depend_on_every_part_and_where_it_ends() -> None:
    keys = {
        key_of("a", "b"),
        key_of("ab"),
        key_of("ab", ""),
        key_of("", "ab"),
        key_of("b", "a"),
        key_of("a", "b", None),
    }
    assert len(keys) == 6
    assert key_of("a", 1, ("x", None)) == key_of("a", 1, ("x", None))
    assert all(len(key) == 64 for key in keys)
    assert key_of("\udcff")
