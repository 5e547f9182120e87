from __future__ import annotations

import pytest

from lamella.profiling.model import MISSING, OWN, PYTHON, Module, Node, Origin, Profile, median


def tree() -> Node:
    re = Node("re", PYTHON, 40, 40, ())
    core = Node("demo.core", "demo", 100, 140, (re,))
    no = Node("no", MISSING, 5, 5, ())
    demo = Node("demo", "demo", 50, 195, (core, no))
    return Node("app", OWN, 10, 210, (demo, no))


PROFILE = Profile("dist", "api", "app", "python3.12", "3.12.1", "path-only", (230, 210, 220), tree())


def test_modules_by_their_own_cost() -> None:
    assert PROFILE.modules == (
        Module("demo.core", "demo", 100, 140),
        Module("demo", "demo", 50, 195),
        Module("re", PYTHON, 40, 40),
        Module("app", OWN, 10, 210),
        Module("no", MISSING, 10, 10),
    )


def test_origins_add_up_and_count_nothing_twice() -> None:
    assert PROFILE.origins == (
        Origin("demo", 2, 150, 195),
        Origin(PYTHON, 1, 40, 40),
        Origin(MISSING, 1, 10, 10),
        Origin(OWN, 1, 10, 210),
    )
    assert sum(row.own for row in PROFILE.origins) == PROFILE.tree.total


def test_walk_is_in_the_order_in_which_imports_began() -> None:
    assert [node.name for node in PROFILE.tree.walk()] == ["app", "demo", "demo.core", "re", "no", "no"]


@pytest.mark.parametrize(("values", "middle"), [((3,), 3), ((9, 1, 5), 5), ((1, 2, 4, 9), 3)])
def test_median(values: tuple[int, ...], middle: int) -> None:
    assert median(values) == middle
    assert PROFILE.median == 220
