from __future__ import annotations

from collections.abc import Mapping

import pytest
from packaging.requirements import Requirement

from lamella.target import Target
from lamella.wheels.graph import Node, applicable, complete, reach, requirements, unasked
from lamella.wheels.model import Wheel

ENVIRONMENT = Target("python3.12", "x86_64").environment()


def wheel(name: str, *requires: str) -> Wheel:
    return Wheel(
        name,
        "1.0",
        f"{name}-1.0-py3-none-any.whl",
        "0" * 64,
        "/nowhere",
        True,
        ("py3-none-any",),
        requires,
        None,
        (),
        (),
    )


def walk(
    start: list[Node],
    wheels: list[Wheel],
    environment: Mapping[str, str] = ENVIRONMENT,
    without: frozenset[str] = frozenset(),
) -> dict[str, tuple[str, ...]]:
    known = {one.name: one for one in wheels}
    asked: list[str] = []

    def load(names: list[str]) -> dict[str, Wheel]:
        asked.extend(names)
        return {name: known[name] for name in names if name in known}

    found = reach(start, load, environment, without=without)
    assert len(asked) == len(set(asked)), "nothing is loaded twice"
    assert without.isdisjoint(asked), "what is left out is not fetched either"
    return found


def node(name: str, *extras: str) -> Node:
    return name, frozenset(extras)


def test_everything_that_is_needed_with_who_asks() -> None:
    wheels = [wheel("a", "b", "c>=1"), wheel("b", "c"), wheel("c"), wheel("d")]
    assert walk([node("a")], wheels) == {"a": (), "b": ("a",), "c": ("a", "b")}


def test_markers_are_those_of_the_target() -> None:
    wheels = [
        wheel("a", 'win; sys_platform == "win32"', 'new; python_version >= "3.12"', 'old; python_version < "3.12"'),
        wheel("win"), wheel("new"), wheel("old"),
    ]  # fmt: skip
    assert walk([node("a")], wheels) == {"a": (), "new": ("a",)}
    assert walk([node("a")], wheels, Target("python3.11", "x86_64").environment()) == {"a": (), "old": ("a",)}


def test_architecture_markers() -> None:
    one = wheel("a", 'arm; platform_machine == "aarch64"')
    assert requirements(one, (), ENVIRONMENT) == []
    (found,) = requirements(one, (), Target("python3.12", "arm64").environment())
    assert found.name == "arm"


def test_extras_travel_along() -> None:
    wheels = [
        wheel("a", "b[fast]"),
        wheel("b", 'quick; extra == "fast"', 'other; extra == "x"'),
        wheel("quick"),
        wheel("other"),
    ]
    assert walk([node("a")], wheels) == {"a": (), "b": ("a",), "quick": ("b",)}
    assert walk([node("b")], wheels) == {"b": ()}


def test_an_extra_that_is_asked_for_later_counts() -> None:
    wheels = [wheel("a", "b", "c"), wheel("b", 'deep; extra == "more"'), wheel("c", "b[more]"), wheel("deep")]
    assert walk([node("a")], wheels) == {"a": (), "b": ("a", "c"), "c": ("a",), "deep": ("b",)}


def test_an_extra_of_itself() -> None:
    wheels = [wheel("a", 'a[one]; extra == "all"', 'leaf; extra == "one"'), wheel("leaf")]
    assert set(walk([node("a", "all")], wheels)) == {"a", "leaf"}


def test_rings_end() -> None:
    assert walk([node("a")], [wheel("a", "b"), wheel("b", "a")]) == {"a": ("b",), "b": ("a",)}


def test_what_is_left_out_takes_along_what_only_it_needs() -> None:
    wheels = [wheel("a", "boto", "shared"), wheel("boto", "core", "shared"), wheel("core"), wheel("shared")]
    found = walk([node("a"), node("boto")], wheels, without=frozenset({"boto"}))
    assert found == {"a": (), "shared": ("a",)}


def test_what_the_lock_does_not_pin_is_not_needed() -> None:
    assert walk([node("a")], [wheel("a", "unpinned")]) == {"a": ()}


def test_names_are_normalized() -> None:
    assert walk([node("a")], [wheel("a", "Zope.Interface"), wheel("zope-interface")]) == {
        "a": (),
        "zope-interface": ("a",),
    }


def test_roots_with_markers_and_extras() -> None:
    roots = [
        Requirement('One[Fast]; python_version >= "3.12"'),
        Requirement('two; sys_platform == "win32"'),
        Requirement("three"),
    ]
    assert applicable(roots, ENVIRONMENT) == [node("one", "fast"), node("three")]


@pytest.mark.parametrize(
    ("wheels", "starts"),
    [
        ([], []),
        ([wheel("a", "b"), wheel("b")], ["a"]),
        ([wheel("a", "b"), wheel("b", "a")], ["a"]),
        ([wheel("a", "b"), wheel("b", "a"), wheel("c", "b")], ["c"]),
        ([wheel("a"), wheel("b", "a"), wheel("z", "y"), wheel("y", "z")], ["b", "y"]),
        ([wheel("a", "a[x]"), wheel("b", 'c; extra == "e"'), wheel("c")], ["a", "b"]),
    ],
)
def test_where_a_bare_list_starts(wheels: list[Wheel], starts: list[str]) -> None:
    known = {one.name: one for one in wheels}
    assert unasked(known, ENVIRONMENT, lambda one: complete(one, ENVIRONMENT, known)) == starts


def test_extras_of_which_all_is_pinned() -> None:
    one = wheel(
        "a",
        'speed; extra == "Fast_One"',
        'speed; extra == "slow"',
        'brake; extra == "slow"',
        'a[fast-one,slow]; extra == "all"',
        'a[fast-one]; extra == "most"',
        'win; extra == "speed" and sys_platform == "win32"',
        "leaf",
    )
    assert complete(one, ENVIRONMENT, {"a", "speed"}) == {"fast-one", "most"}
    assert complete(one, ENVIRONMENT, {"a", "speed", "brake"}) == {"fast-one", "slow", "all", "most"}
    assert complete(one, ENVIRONMENT, {"a"}) == frozenset()


def test_a_bare_list_starts_where_its_walk_comes_to_all() -> None:
    """`fast` is not complete: nothing of it is followed, so what it needs is where the walk starts, too."""
    wheels = {
        one.name: one for one in [wheel("web", 'speed; extra == "fast"', 'gone; extra == "fast"'), wheel("speed")]
    }
    assert unasked(wheels, ENVIRONMENT, lambda one: complete(one, ENVIRONMENT, wheels)) == ["speed", "web"]
