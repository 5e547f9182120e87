from __future__ import annotations

from lamella.profiling.merge import merged
from lamella.profiling.model import Import, Node


def origin(name: str) -> str:
    return name.split(".")[0]


def test_the_median_of_each_module() -> None:
    runs = [
        Import("app", 10, (Import("a", 5, ()), Import("b", 1, ()))),
        Import("app", 30, (Import("a", 1, ()), Import("b", 2, ()))),
        Import("app", 20, (Import("a", 9, ()), Import("b", 3, ()))),
    ]
    assert merged(runs, origin) == Node("app", "app", 20, 27, (Node("a", "a", 5, 5, ()), Node("b", "b", 2, 2, ())))


def test_what_one_run_alone_imported_goes() -> None:
    runs = [Import("app", 1, ()), Import("app", 1, (Import("odd", 9, ()),)), Import("app", 1, ())]
    assert merged(runs, origin) == Node("app", "app", 1, 1, ())


def test_what_most_runs_imported_stays() -> None:
    runs = [Import("app", 1, ()), Import("app", 1, (Import("b", 9, ()),)), Import("app", 1, (Import("b", 5, ()),))]
    assert merged(runs, origin).children == (Node("b", "b", 5, 5, ()),)


def test_a_name_that_is_tried_twice_is_two_imports() -> None:
    run = Import("app", 1, (Import("no", 3, ()), Import("a", 1, ()), Import("no", 4, ())))
    assert [(child.name, child.own) for child in merged([run, run], origin).children] == [
        ("no", 3),
        ("a", 1),
        ("no", 4),
    ]
