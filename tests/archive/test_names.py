from __future__ import annotations

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamella.archive.names import conflict, link_objection, objection

GOOD = (
    "a",
    "a/b.py",
    "a/b/",
    "a b/c",
    "...",
    "a/..b",
    "a/b..",
    ".hidden",
    "a/.hidden",
    "größe.py",
    "日本/語.py",
    "ab:c",
    "x" * 255,
    "a-1.0.dist-info/RECORD",
)


@pytest.mark.parametrize("name", GOOD)
def test_good_name(name: str) -> None:
    assert objection(name) is None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "no name"),
        ("/", "no name"),
        ("/a", "absolute"),
        ("//a", "absolute"),
        ("..", "leaves the root"),
        ("../a", "leaves the root"),
        ("a/../b", "leaves the root"),
        ("a/..", "leaves the root"),
        ("a/../", "leaves the root"),
        (".", "part `.`"),
        ("./a", "part `.`"),
        ("a/./b", "part `.`"),
        ("a//b", "empty part"),
        ("a//", "empty part"),
        ("C:a", "drive letter"),
        ("c:/a", "drive letter"),
        ("a\\b", "backslash"),
        ("a\x00b", "NUL"),
        ("a\nb", "control character"),
        ("a\x7f", "control character"),
        ("a\x9b", "control character"),
        ("a\u202eb", "can't be seen"),
        ("\ufeffa", "can't be seen"),
        ("a\u2028b", "can't be seen"),
        ("x" * 256, "longer than 255"),
        ("é" * 128, "longer than 255"),
        ("a/" * 2050 + "b", "longer than 4096"),
    ],
)
def test_bad_name(name: str, why: str) -> None:
    said = objection(name)
    assert said is not None
    assert why in said


@given(st.text(alphabet=st.sampled_from("ab./\\:\0\n~é")))
def test_a_name_without_objection_stays_below_the_root(name: str) -> None:
    if objection(name) is None:
        path = name.removesuffix("/")
        assert posixpath.normpath(path) == path
        assert not path.startswith(("/", "../"))
        assert path not in ("", ".", "..")


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("a", "b"),
        ("a", "b/c"),
        ("a", "./b"),
        ("a/b", "../c"),
        ("a/b/c", "../../d/e"),
        ("a", "b/./c"),
        ("a", "größe"),
    ],
)
def test_good_link(name: str, target: str) -> None:
    assert link_objection(name, target) is None


@pytest.mark.parametrize(
    ("name", "target", "why"),
    [
        ("a", "", "no target"),
        ("a", "/etc/passwd", "absolute"),
        ("a", "c:x", "absolute"),
        ("a", "..", "outside"),
        ("a", "../b", "outside"),
        ("a/b", "../../c", "outside"),
        ("a/b", "./../../c", "outside"),
        ("a/b/c", "../x/../../../d", "safely"),
        ("a/b", "c/..", "safely"),
        ("a", "b\\c", "backslash"),
        ("a", "b\0c", "control"),
        ("a", "b\nc", "control"),
        ("a", "b/" * 3000, "longer"),
    ],
)
def test_bad_link(name: str, target: str, why: str) -> None:
    said = link_objection(name, target)
    assert said is not None
    assert why in said


def test_link_may_not_leave_the_directory_that_moves_as_one() -> None:
    name = "a-1.data/purelib/b/link"
    assert link_objection(name, "../c", root="a-1.data/purelib/") is None
    assert link_objection(name, "../../c") is None
    assert link_objection(name, "../../c", root="a-1.data/purelib/") is not None


@given(st.lists(st.sampled_from(["a", "b", "..", "."]), min_size=1), st.integers(0, 3))
def test_a_link_without_objection_points_inside(parts: list[str], depth: int) -> None:
    name = "d/" * depth + "link"
    if link_objection(name, "/".join(parts)) is None:
        assert not posixpath.normpath(posixpath.join("d/" * depth, *parts)).startswith("..")


def test_conflicts() -> None:
    assert conflict([]) is None
    assert conflict(["a", "b/c", "b/d", "b/", "e/f/g"]) is None
    assert conflict(["a", "b", "a"]) == ("a", "a")
    assert conflict(["a/", "a"]) == ("a", "a")
    assert conflict(["a", "a/"]) == ("a/", "a/")
    assert conflict(["a/b", "a"]) == ("a", "a/b")
    assert conflict(["a", "a/b/c"]) == ("a", "a/b/c")
    assert conflict(["a/b", "a/b/c/"]) == ("a/b", "a/b/c/")
    assert conflict(["a", "A", "a.b", "ab/c"]) is None
