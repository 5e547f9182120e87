from __future__ import annotations

from pathlib import Path

import pytest
from tests.checks.builds import RUNTIME, Build, metadata

from lamella.checks.metadata import answered, recorded
from lamella.checks.model import Finding, Severity


def found(build: Build) -> list[Finding]:
    bench = build.bench()
    return [each for layer in build.layers for each in recorded(layer, RUNTIME, bench.zips[layer.key])]


def asked(build: Build) -> list[Finding]:
    tested = build.bench().tested(imports=False, metadata=True)
    assert not tested.untried
    return [each for trial, attempt in tested.attempts for each in answered(trial.distributions, attempt.answers)]


INFO = "stem-1.0.dist-info"


def test_complete(build: Build) -> None:
    points = "[console_scripts]\nstem = stem.cli:main\n[plugins]\nx = stem [extra]\n"
    build.layer("a", {"stem": {"stem/__init__.py": "", "stem/cli.py": "", f"{INFO}/entry_points.txt": points}})
    assert found(build) == asked(build) == []


def test_names_and_versions_are_compared_as_they_are_meant(build: Build) -> None:
    build.layer("a", {"my-stem": {"my_stem.py": "", "my-stem-1.0.dist-info/METADATA": "-",
                                  "My_Stem-1.0.0.dist-info/METADATA": metadata("My.Stem", "1.0.0")}})  # fmt: skip
    assert found(build) == asked(build) == []


def test_no_metadata(build: Build) -> None:
    build.layer("a", {"stem": {"stem.py": "", f"{INFO}/METADATA": "-"}})
    (finding,) = found(build)
    assert finding.severity is Severity.ERROR
    assert finding.reason == "`stem` 1.0 has no METADATA: importlib.metadata won't find it"
    assert [each.reason for each in asked(build)] == ["importlib.metadata does not find `stem` 1.0"]


def test_another_version(build: Build) -> None:
    build.layer("a", {"stem": {"stem.py": "", f"{INFO}/METADATA": metadata("stem", "2.0")}})
    (finding,) = found(build)
    assert (finding.path, finding.severity) == (f"python/{INFO}/METADATA", Severity.ERROR)
    assert [each.reason for each in asked(build)] == [
        "importlib.metadata says that `stem` is 2.0; the manifest says 1.0"
    ]


@pytest.mark.parametrize(
    ("group", "severity"),
    [
        ("console_scripts", Severity.WARNING),
        ("plugins", Severity.WARNING),
        ("pytest11", Severity.NOTE),
        ("setuptools.finalize_distribution_options", Severity.NOTE),
    ],
)
def test_an_entry_point_whose_module_is_gone(build: Build, group: str, severity: Severity) -> None:
    build.layer("a", {"stem": {"stem/__init__.py": "", f"{INFO}/entry_points.txt": f"[{group}]\nx = stem.gone:main\n"}})
    (finding,) = found(build)
    assert finding.severity is severity
    assert finding.reason == f"`x = stem.gone:main` of `{group}` names a module that is not in `a`"
    assert "`lamella why a stem/gone.py`" in finding.hint


def test_an_entry_point_may_name_a_folder_or_somebody_elses_module(build: Build) -> None:
    points = "[pkg_config]\nx = stem.data\ny = elsewhere.thing\n"
    build.layer("a", {"stem": {"stem/__init__.py": "", "stem/data/x.pc": "", f"{INFO}/entry_points.txt": points}})
    assert found(build) == []


def test_entry_points_that_can_not_be_read(build: Build) -> None:
    build.layer("a", {"stem": {"stem.py": "", f"{INFO}/entry_points.txt": "x = y\n"}})
    (finding,) = found(build)
    assert (finding.severity, finding.path) == (Severity.ERROR, f"python/{INFO}/entry_points.txt")


def test_a_layer_for_several_runtimes_answers_for_each(build: Build) -> None:
    """What is only there for another runtime is not asked."""
    site = "python/lib/python3.99/site-packages"
    build.layer("a", {"stem": {"stem.py": ""}}, runtimes=("python3.99",), site=site)
    assert found(build) == []
    bench = build.bench()
    assert recorded(build.layers[0], "python3.99", bench.zips["a"]) == ()
    assert Path(bench.path(build.layers[0])).exists()


@pytest.mark.parametrize(
    ("source", "line", "count"),
    [("class System: ...\n", "x = stem.System", 0), ("", "x = stem.System", 1), ("System = 1", "x = stem.System:y", 1)],
)
def test_an_entry_point_may_name_an_object_as_if_it_were_a_module(
    build: Build, source: str, line: str, count: int
) -> None:
    build.layer("a", {"stem": {"stem/__init__.py": source, f"{INFO}/entry_points.txt": f"[fsspec.specs]\n{line}\n"}})
    assert len(found(build)) == count
