from __future__ import annotations

import pytest
from tests.sizes.rows import function, layer

from lamella.errors import UsageError
from lamella.sizes.asking import UnknownError, absent, ask, missing
from lamella.sizes.model import Answer


def names(answer: Answer) -> list[str]:
    return [row.path.rpartition("/")[2] for row in answer.rows]


@pytest.mark.parametrize(
    "asked",
    [
        "python/demo/core.pyi",
        "demo/core.pyi",
        "./python/demo/core.pyi",
        "/opt/python/demo/core.pyi",
        "/demo/core.pyi",
    ],
)
def test_a_file(asked: str) -> None:
    answer = ask(layer(), asked)
    assert (answer.what, names(answer)) == ("file", ["core.pyi"])
    (only,) = answer.rows
    assert (only.kept, only.rule, only.reason) == (False, "stubs", "for type checkers")


@pytest.mark.parametrize("asked", ["demo/tests", "demo/tests/", "python/demo/tests", "/opt/python/demo/tests/"])
def test_a_folder(asked: str) -> None:
    answer = ask(layer(), asked)
    assert (answer.what, names(answer)) == ("folder", ["big.bin", "test_core.py"])
    (group,) = answer.groups
    assert (group.kept, group.rule, group.reason, group.files) == (False, "tests", "not for use", 2)
    assert group.before == (2, 4500, 9000)


def test_a_folder_by_fate_and_rule() -> None:
    answer = ask(layer(), "demo")
    assert [(group.kept, group.rule, group.files) for group in answer.groups] == [
        (True, "", 2),
        (True, "bytecode", 1),
        (False, "tests", 2),
        (False, "stubs", 1),
    ]


def test_everything() -> None:
    for asked in ("/", ".", "./", "/opt/"):
        assert len(ask(layer(), asked).rows) == len(layer().rows)


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("*.so", ["libz-abc.so", "core.cpython-312-x86_64-linux-gnu.so"]),
        ("demo/**/*.bin", ["big.bin"]),
        ("demo/*.py", ["__init__.py"]),
        ("demo/test[s]/*.py", ["test_core.py"]),
    ],
)
def test_a_pattern_reads_as_in_the_configuration(pattern: str, wanted: list[str]) -> None:
    answer = ask(layer(), pattern)
    assert (answer.what, names(answer)) == ("pattern", wanted)


@pytest.mark.parametrize("asked", ["scikit-thing", "Scikit.Thing"])
def test_a_distribution_by_its_name(asked: str) -> None:
    answer = ask(layer(), asked)
    assert (answer.what, answer.path, names(answer)) == ("distribution", "scikit-thing", ["table.csv"])


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [("demo.tests", ["big.bin", "test_core.py"]), ("demo.core", ["core.cpython-312-x86_64-linux-gnu.so"])],
)
def test_a_module(asked: str, wanted: list[str]) -> None:
    assert names(ask(layer(), asked)) == wanted


def test_reasons_that_differ_are_counted() -> None:
    one, two, *rest = layer().rows
    rows = (one._replace(reason="a"), two._replace(reason="b"), *rest)
    answer = ask(layer()._replace(rows=rows), "demo")
    assert answer.groups[0].reason == "a (and 1 other reason)"


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("demo/test", "demo/tests"),
        ("dmo/tests/test_core.py", "demo/tests/test_core.py"),
        ("python/demo/tests/test_cor.py", "demo/tests/test_core.py"),
        ("somewhere/else/table.csv", "scikit_thing/table.csv"),
    ],
)
def test_what_is_not_there(asked: str, meant: str) -> None:
    with pytest.raises(UsageError) as caught:
        ask(layer(), asked)
    assert caught.value.what == f"`{asked}` is neither in `layer` nor in what it is made of"
    assert caught.value.hint == f"did you mean `{meant}`?"


def test_nothing_is_near() -> None:
    with pytest.raises(UnknownError, match="neither in `layer`") as caught:
        ask(layer(), "zzz")
    assert caught.value.hint == "`lamella why layer /` tells of all that is there"
    with pytest.raises(UsageError, match=r"no file of `layer` matches `\*\.zzz`"):
        ask(layer(), "*.zzz")
    with pytest.raises(UsageError, match="can't be read as a pattern"):
        ask(layer(), "[z-a]")


def test_own_code() -> None:
    (only,) = ask(function(), "/var/task/app.py").rows
    assert only.reason == "it is the project's own"


@pytest.mark.parametrize(
    ("asked", "path", "rule", "reason"),
    [
        ("/var/task/notes.md", "notes.md", "exclude", "`exclude` leaves it out, by `*.md`"),
        ("app/__pycache__/x.pyc", "app/__pycache__/x.pyc", "never", "of `app/__pycache__/`: tools make it anew"),
    ],
)
def test_own_code_that_is_left_out(asked: str, path: str, rule: str, reason: str) -> None:
    answer = ask(function(), asked)
    (only,) = answer.rows
    assert (answer.what, only.path, only.kept, only.rule, only.reason) == ("file", path, False, rule, reason)


def test_folders_that_are_left_out_are_seen_from_above() -> None:
    assert names(ask(function(), "app")) == [""]
    assert [row.path for row in ask(function(), "/").rows] == ["app.py", "app/__pycache__/", "notes.md"]


@pytest.mark.parametrize("asked", ["Demo_Thing", "/opt/python/demo_thing/core.py", "demo.thing"])
def test_which_distribution_may_be_meant(asked: str) -> None:
    assert missing(layer(), asked) == "demo-thing"
    assert missing(layer(), "demo/test") is None


def test_a_distribution_that_is_not_there() -> None:
    answer = absent("demo", "demo", "exclude", "`exclude` names it")
    (only,) = answer.rows
    assert (answer.what, only.kept, only.rule, only.reason) == ("absent", False, "exclude", "`exclude` names it")
