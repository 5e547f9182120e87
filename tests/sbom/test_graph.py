from __future__ import annotations

import pytest

from lamella.sbom.graph import Node, edges, roots
from lamella.target import Target

P311, P312 = Target("python3.11", "x86_64"), Target("python3.12", "x86_64")


def node(name: str, *requires: str, key: str = "", runtimes: tuple[str, ...] = ("python3.12",)) -> Node:
    return Node(key or name, name, runtimes, requires)


def test_what_is_here_and_holds() -> None:
    nodes = [
        node("a", "B_B>=2", "gone", "c; sys_platform == 'win32'", "d; python_version < '3.13'", "not a requirement ;"),
        *map(node, ("b-b", "c", "d")),
    ]
    assert edges(nodes, [P312]) == {"a": ("b-b", "d"), "b-b": (), "c": (), "d": ()}


def test_an_extra_counts_where_it_is_asked_for() -> None:
    nodes = [node("a", "b[X_y]"), node("b", "c; extra == 'x-y'", "d; extra == 'z'"), node("c"), node("d")]
    assert edges(nodes, [P312])["b"] == ("c",)
    assert edges(nodes[1:], [P312])["b"] == ()


def test_an_extra_of_itself_is_no_edge_to_itself() -> None:
    nodes = [node("a", "b[all]"), node("b", "b[x]; extra == 'all'", "c; extra == 'x'"), node("c")]
    assert edges(nodes, [P312]) == {"a": ("b",), "b": ("c",), "c": ()}


def test_each_runtime_has_its_own() -> None:
    nodes = [
        node("a", "b", "c; python_version < '3.12'", runtimes=("python3.11", "python3.12")),
        node("b", key="b-11", runtimes=("python3.11",)),
        node("b", key="b-12", runtimes=("python3.12",)),
        node("c", runtimes=("python3.11",)),
    ]
    assert edges(nodes, [P311, P312])["a"] == ("b-11", "b-12", "c")


@pytest.mark.parametrize(
    ("needs", "found"),
    [
        ({}, ()),
        ({"a": ["b"], "b": [], "c": []}, ("a", "c")),
        ({"a": ["b"], "b": ["a"]}, ("a",)),
        ({"a": ["b"], "b": ["c"], "c": ["b"], "x": ["y"], "y": ["x"]}, ("a", "x")),
    ],
)
def test_all_is_reached_from_the_roots(needs: dict[str, list[str]], found: tuple[str, ...]) -> None:
    assert roots(needs) == found
