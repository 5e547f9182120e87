from __future__ import annotations

import datetime

import pytest

from lamella.config.section import Section, described, escaped, written_key
from lamella.errors import ConfigError

TOP = ("tool", "lamella")


def section(**data: object) -> Section:
    return Section(data, "pyproject.toml", TOP, ("layers", "my layer"))


def test_places_in_either_file() -> None:
    assert section().place() == '[tool.lamella.layers."my layer"]'
    assert section().place("groups") == '[tool.lamella.layers."my layer"] groups'
    own = Section({}, "lamella.toml", ())
    assert own.place("runtime") == "runtime"
    assert str(own.refuse("runtime", "is wrong")) == "`runtime` in lamella.toml is wrong"


def test_one_text_where_a_list_is_asked_for() -> None:
    assert section(runtime="a").texts("runtime", or_one=True) == ("a",)
    assert section(runtime=["a", "b"]).texts("runtime", or_one=True) == ("a", "b")
    assert section().texts("runtime") is None
    assert section(runtime=[]).texts("runtime") == ()
    with pytest.raises(ConfigError) as caught:
        section(runtime="a").texts("runtime")
    assert caught.value.hint == 'write `runtime = ["a"]`'
    with pytest.raises(ConfigError, match="lists `a` twice"):
        section(runtime=["a", "b", "a"]).texts("runtime")


@pytest.mark.parametrize("value", ["", "a\x1b[31m", "a\nb"])
def test_text_that_cannot_be_meant(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        section(name=value).text("name")
    assert caught.value.what.startswith('`[tool.lamella.layers."my layer"] name` in pyproject.toml ')
    assert all(line.isprintable() for line in str(caught.value).splitlines())
    assert len(caught.value.why) == 1


def test_tables_keep_their_order_and_know_their_place() -> None:
    top = Section({"functions": {"b": {"x": 1}, "a": {}}}, "pyproject.toml", TOP)
    found = list(top.sections("functions"))
    assert [name for name, _ in found] == ["b", "a"]
    assert found[0][1].place("x") == "[tool.lamella.functions.b] x"
    assert list(top.sections("layers")) == []


def test_keys_as_toml_writes_them() -> None:
    assert [written_key(key) for key in ("a-b_1", "", "a.b", 'a"b')] == ["a-b_1", '""', '"a.b"', '"a\\"b"']
    assert escaped("a\x1b\\\U000e0001") == "a\\u001b\\\\\\U000e0001"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("a", 'the string "a"'),
        (True, "the boolean true"),
        (7, "the integer 7"),
        pytest.param(10**5000, "an integer", id="huge"),
        (1.5, "the number 1.5"),
        ([], "an empty list"),
        ([1], "a list"),
        ({}, "a table"),
        (datetime.date(2026, 1, 2), "the date or time 2026-01-02"),
    ],
)
def test_values_in_words(value: object, told: str) -> None:
    assert described(value) == told


def test_long_text_is_cut() -> None:
    assert described("x" * 61) == f'the string "{"x" * 57}…"'
