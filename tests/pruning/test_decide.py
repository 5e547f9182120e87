"""`decide`: which rule is about a file, and which of several wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from tests.pruning.deciding import fates, gone, made

from lamella.config.model import Rules, Slimming
from lamella.errors import ConfigError
from lamella.pruning.decide import decide, idle_patterns
from lamella.pruning.model import UNTOUCHED, Fate, File

NUMBERS: dict[str, str | bytes] = {
    "numbers/__init__.py": "import numbers.core",
    "numbers/core.py": "x = 1",
    "numbers/core.h": "int x;",
    "numbers/core.pyi": "x: int",
    "numbers/tests/__init__.py": "",
    "numbers/tests/test_core.py": "import numbers",
    "numbers/tests/data.csv": "1,2",
}


@pytest.fixture
def numbers(tmp_path: Path) -> list[File]:
    return made(tmp_path, "numbers", NUMBERS)


def test_fates_come_in_the_order_of_the_files(numbers: list[File]) -> None:
    decided = decide(numbers, Slimming())
    assert len(decided) == len(numbers)
    assert decided == list(fates(numbers).values())
    reversed_files = numbers[::-1]
    assert decide(reversed_files, Slimming()) == decided[::-1]


def test_the_default_profile_drops_what_nothing_reads(numbers: list[File]) -> None:
    assert gone(numbers) == {
        "numbers/core.h": "headers",
        "numbers/core.pyi": "stubs",
        "numbers/tests/__init__.py": "tests",
        "numbers/tests/test_core.py": "tests",
        "numbers/tests/data.csv": "tests",
        "numbers-1.0.dist-info/RECORD": "records",
    }
    assert fates(numbers)["numbers/core.py"] == UNTOUCHED
    assert fates(numbers)["numbers/core.pyi"].reason == "type stubs are read by type checkers alone"


def test_lean_drops_all_that_safe_drops(numbers: list[File]) -> None:
    lean = gone(numbers, Slimming(profile="lean"))
    assert gone(numbers).items() < lean.items()
    assert lean["numbers-1.0.dist-info/WHEEL"] == "wheel notes"


def test_the_profile_none_drops_nothing_by_itself(numbers: list[File]) -> None:
    assert gone(numbers, Slimming(profile="none")) == {}
    assert gone(numbers, Slimming(profile="none", drop=("*.csv",))) == {"numbers/tests/data.csv": "drop"}


def test_keep_wins_over_drop_and_over_every_rule(numbers: list[File]) -> None:
    slimming = Slimming(keep=("numbers/tests/",), drop=("*.csv", "core.py"))
    decided = fates(numbers, slimming)
    assert decided["numbers/tests/data.csv"] == Fate(True, "keep", "`keep` matches it")
    assert decided["numbers/tests/test_core.py"].kept
    assert decided["numbers/core.py"] == Fate(False, "drop", "`drop` matches it")


def test_drop_is_obeyed_though_something_imports_it(numbers: list[File]) -> None:
    assert gone(numbers, Slimming(drop=("/numbers/core.py",)))["numbers/core.py"] == "drop"


def test_patterns_match_the_path_in_the_archive_as_well(numbers: list[File]) -> None:
    assert fates(numbers, Slimming(keep=("python/numbers/tests/",)))["numbers/tests/data.csv"].rule == "keep"
    assert fates(numbers, Slimming(keep=("/numbers/tests/",)))["numbers/tests/data.csv"].rule == "keep"


def test_a_negation_takes_a_match_back(numbers: list[File]) -> None:
    slimming = Slimming(profile="none", drop=("numbers/tests/**", "!numbers/tests/data.csv"))
    assert set(gone(numbers, slimming)) == {"numbers/tests/__init__.py", "numbers/tests/test_core.py"}


def test_a_distribution_has_rules_of_its_own(numbers: list[File], tmp_path: Path) -> None:
    files = numbers + made(tmp_path, "other", {"other/__init__.py": "", "other/a.h": "", "other/b.pyi": ""})
    own = (("other", Rules("none", keep=("*.pyi",), drop=("a.h", "core.h"))),)
    dropped = gone(files, Slimming(distributions=own))
    assert dropped["other/a.h"] == "drop"
    assert "other/b.pyi" not in dropped
    assert "other-1.0.dist-info/RECORD" not in dropped
    assert dropped["numbers/core.h"] == "headers"  # that of the other is none of its business
    own = (("other", Rules(drop=("a.h",))),)
    assert gone(files, Slimming(distributions=own))["other/b.pyi"] == "stubs"
    dropped = gone(files, Slimming(profile="none", distributions=(("other", Rules("safe")),)))
    assert set(dropped) == {"other/a.h", "other/b.pyi", "other-1.0.dist-info/RECORD"}


def test_rules_about_a_distribution_that_is_not_there_are_refused(numbers: list[File]) -> None:
    with pytest.raises(ConfigError) as refusal:
        fates(numbers, Slimming(distributions=(("number", Rules()),)))
    assert refusal.value.what == "`distributions` is about `number`, which is not in this artifact"
    assert refusal.value.hint == "did you mean `numbers`?"


def test_programs_are_no_business_of_the_rules(tmp_path: Path) -> None:
    files = made(
        tmp_path,
        "prog",
        {"prog/__init__.py": "", "prog-1.0.data/scripts/README": "#!/bin/sh", "prog-1.0.data/scripts/tests": "x"},
    )
    assert [file.path for file in files if not file.at_site] == ["bin/README", "bin/tests"]
    assert set(gone(files)) == {"prog-1.0.dist-info/RECORD"}
    assert gone(files, Slimming(drop=("bin/tests",)))["bin/tests"] == "drop"


def test_an_artifact_of_nothing_is_refused(numbers: list[File]) -> None:
    with pytest.raises(ConfigError) as refusal:
        fates(numbers, Slimming(drop=("**",)))
    assert refusal.value.what == "every file of this artifact would be left out"
    assert refusal.value.why == (f"{len(numbers)} files match `drop`, `without` or a rule",)
    assert refusal.value.hint == "make the patterns of `drop` narrower, or remove the artifact"
    assert len(gone(numbers, Slimming(drop=("**",), keep=("core.py",)))) == len(numbers) - 1
    assert decide([], Slimming(drop=("**",))) == []


class Native:
    """A port that calls everything that ends in `.so.1` unreached."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, files: Sequence[File]) -> Mapping[str, str]:
        self.asked = [file.path for file in files]
        return {file.entry.path: "nothing loads it" for file in files if file.path.endswith(".so.1")}


def test_what_nothing_reaches_goes_last(tmp_path: Path) -> None:
    files = made(
        tmp_path,
        "native",
        {
            "native/__init__.py": "",
            "native.libs/liba.so.1": b"a",
            "native.libs/libb.so.1": b"b",
            "native/tests/libc.so.1": b"c",
        },
    )
    native = Native()
    decided = fates(files, Slimming(keep=("libb*",)), native)
    assert "native/tests/libc.so.1" not in native.asked
    assert decided["native.libs/liba.so.1"] == Fate(False, "unreached", "nothing loads it")
    assert decided["native.libs/libb.so.1"].rule == "keep"
    assert decided["native/tests/libc.so.1"].rule == "tests"
    assert fates(files, Slimming(profile="none"), native)["native.libs/liba.so.1"] == UNTOUCHED
    assert "native.libs/liba.so.1" in native.asked


def test_patterns_that_match_nothing_are_told(numbers: list[File]) -> None:
    slimming = Slimming(
        keep=("numbers/tests/", "numpy/"), drop=("*.csv", "!x"), distributions=(("numbers", Rules(drop=("*.cs",))),)
    )
    assert idle_patterns(numbers, slimming) == ["keep: numpy/", "distributions.numbers.drop: *.cs"]
    assert idle_patterns(numbers, Slimming()) == []


def test_a_profile_of_none_asks_nothing_of_native_libraries(tmp_path: Path) -> None:
    def never(_: Sequence[File]) -> Mapping[str, str]:
        raise AssertionError("it was asked")

    files = made(tmp_path, "pkg", {"pkg/__init__.py": "", "pkg/libx.so": "x"})
    fates = decide(files, Slimming(profile="none"), native=never)
    assert all(fate.kept for fate in fates)


def test_what_only_a_feature_reached_goes_under_any_profile(tmp_path: Path) -> None:
    paths = {"pyarrow/__init__.py": "", "pyarrow/_flight.abi3.so": "x", "pyarrow/flight.py": "", "pyarrow/libf.so": "f",
             "pyarrow/lonely.so.1": "y"}  # fmt: skip
    files = made(tmp_path, "pyarrow", paths)

    def native(kept: Sequence[File]) -> Mapping[str, str]:
        there = {file.path for file in kept}
        out = {"pyarrow/lonely.so.1"} | (set() if "pyarrow/_flight.abi3.so" in there else {"pyarrow/libf.so"})
        return {file.entry.path: "nothing links it" for file in kept if file.path in out}

    def gone(profile: str) -> set[str]:
        fates = decide(files, Slimming(profile=profile, without=(("pyarrow", "flight"),)), native=native)
        return {file.path for file, fate in zip(files, fates, strict=True) if fate.rule == "unreached"}

    assert gone("none") == {"pyarrow/libf.so"}
    assert gone("safe") == {"pyarrow/libf.so", "pyarrow/lonely.so.1"}
