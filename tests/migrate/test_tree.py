from __future__ import annotations

import pytest

from lamella.errors import ConfigError
from lamella.migrate.model import Place
from lamella.migrate.tree import Tree, parse


def tree(text: str) -> Tree:
    found = parse(text, "a.yml")
    assert found is not None
    return found


def test_values_have_their_lines() -> None:
    top = tree("a: 1\nb:\n  - x\n  - yes\n")
    assert top.get("b") is not None
    rows = top.get("b").list()  # type: ignore[union-attr]
    assert [str(one.place) for one in rows] == ["a.yml:3", "a.yml:4"]
    assert rows[1].flag() is True
    assert rows[1].text() == "yes"
    assert top.get("a", "b") is None
    assert top.get("a").whole() == 1  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "name", "argument"),
    [
        ("!Ref X", "Ref", "X"),
        ("!GetAtt A.Arn", "GetAtt", "A.Arn"),
        ("{Ref: X}", "Ref", "X"),
        ("{'Fn::Sub': 'a-${B}'}", "Sub", "a-${B}"),
        ('{"Fn::ImportValue": "x"}', "ImportValue", "x"),
    ],
)
def test_calls_are_the_same_short_and_long(text: str, name: str, argument: str) -> None:
    call = tree(text).call()
    assert call is not None
    assert (call[0], call[1].text()) == (name, argument)
    assert tree(text).text() is None


def test_merge_keys_give_way_and_end() -> None:
    top = tree("x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3\nz: &z\n  <<: *z\n  c: 4\n")
    below = top.get("y")
    assert below is not None
    assert {key: one.text() for key, one in below.items()} == {"a": "1", "b": "3"}
    assert [key for key, _ in top.get("z").items()] == ["c"]  # type: ignore[union-attr]


def test_what_is_no_yaml_names_the_line() -> None:
    with pytest.raises(ConfigError, match=r"`a\.yml` is not valid YAML") as raised:
        parse("a:\n  - b\n c: [\n", "a.yml")
    assert raised.value.why[0].startswith("line 3, column 2: ")
    with pytest.raises(ConfigError):
        parse("[" * 100_000, "a.yml")
    assert parse("", "a.yml") is None


def test_a_bomb_is_not_expanded() -> None:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    assert len(tree("\n".join(lines)).items()) == 60


def test_a_place_is_shown_as_editors_take_it() -> None:
    assert str(Place("a.yml", 3)) == "a.yml:3"
    assert str(Place("a.yml")) == "a.yml"
