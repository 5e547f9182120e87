from __future__ import annotations

from tests.checks.builds import Build

from lamella.checks.model import Finding, Severity
from lamella.checks.overlap import overlap


def found(build: Build) -> list[Finding]:
    bench = build.bench()
    return [each for one in build.functions for each in overlap(one, bench.layers(one), bench.zips)]


def told(build: Build) -> list[tuple[str, str, str, str]]:
    return [(each.severity.value, each.artifact, each.path, each.reason) for each in found(build)]


def test_layers_that_share_nothing(build: Build) -> None:
    build.layer("a", {"stem": {"stem.py": ""}})
    build.layer("b", {"leaf": {"leaf/__init__.py": ""}})
    build.function("api", {"app.py": ""}, ["a", "b"])
    assert found(build) == []


def test_a_package_that_two_layers_share_merges_in_opt(build: Build) -> None:
    build.layer("a", {"stem": {"google/__init__.py": "", "google/a.py": ""}})
    build.layer("b", {"leaf": {"google/b.py": ""}})
    build.function("api", {"app.py": ""}, ["a", "b"])
    assert found(build) == []


def test_the_same_distribution_in_two_layers(build: Build) -> None:
    build.layer("a", {"stem": {"stem.py": "1"}})
    build.layer("b", {"stem": {"stem.py": "1"}})
    build.function("api", {"app.py": ""}, ["a", "b"])
    assert told(build) == [("warning", "b", "", "`stem` is also in layer `a`; function `api` has both")]
    assert found(build)[0].hint == 'exclude = ["stem"] in layer `b`, or attach one of the two layers'


def test_two_versions_of_one_distribution_mix(build: Build) -> None:
    build.layer("a", {"stem": {"stem.py": "1"}})
    later = build.layer("b", {"stem": {"stem.py": "2"}})
    build.layers[-1] = later._replace(distributions=(later.distributions[0]._replace(version="2.0"),))
    build.function("api", {"app.py": ""}, ["a", "b"])
    (finding,) = found(build)
    assert finding.severity is Severity.ERROR
    assert finding.reason.endswith("in the versions 1.0 and 2.0, which mix at /opt")


def test_files_that_two_layers_bring(build: Build) -> None:
    build.layer("a", {"stem": {"stem.py": "", "tests/__init__.py": "a", "tests/one.py": "1", "LICENSE": "same"}})
    build.layer("b", {"leaf": {"leaf.py": "", "tests/__init__.py": "b", "tests/one.py": "2", "LICENSE": "same"}})
    build.function("api", {"app.py": ""}, ["a", "b"])
    assert told(build) == [
        ("warning", "b", "python/LICENSE", "`python/LICENSE` is in layer `a`, too: the same"),
        (
            "error",
            "b",
            "python/tests/__init__.py",
            "`python/tests/__init__.py` and 1 more are in layer `a`, too: another one, which layer `b` overwrites",
        ),
    ]


def test_layers_of_different_functions_do_not_meet(build: Build) -> None:
    build.layer("a", {"stem": {"stem.py": "1"}})
    build.layer("b", {"stem": {"stem.py": "2"}})
    build.function("api", {"app.py": ""}, ["a"])
    build.function("worker", {"app.py": ""}, ["b"])
    assert found(build) == []


def test_what_the_function_hides(build: Build) -> None:
    build.layer(
        "a", {"stem": {"stem/__init__.py": "", "stem/a.py": ""}, "leaf": {"leaf.py": "same"}, "six": {"six.py": ""}}
    )
    build.function(
        "api", {"app.py": "", "stem/__init__.py": "", "leaf.py": "same"}, ["a"], bundle={"six": {"six.py": "x"}}
    )
    assert told(build) == [
        ("warning", "api", "leaf.py", "its `leaf` hides the `leaf` of layer `a`"),
        ("error", "api", "six.py", "its `six` hides the `six` of layer `a`"),
        ("error", "api", "stem/__init__.py", "its `stem` hides the `stem` of layer `a`"),
    ]
    assert [each.hint for each in found(build)] == [
        "rename `leaf`",
        "take `six` out of bundle or out of layer `a`",
        "rename `stem`",
    ]


def test_a_folder_without_init_is_hidden_by_a_layers_package(build: Build) -> None:
    build.layer("a", {"stem": {"shared/__init__.py": ""}})
    build.function("api", {"app.py": "", "shared/own.py": ""}, ["a"])
    (finding,) = found(build)
    assert (finding.severity, finding.path) == (Severity.ERROR, "shared/own.py")
    assert finding.hint == "give `shared` an __init__.py, or rename it"


def test_namespace_packages_join(build: Build) -> None:
    build.layer("a", {"stem": {"google/a.py": ""}})
    build.function("api", {"app.py": "", "google/b.py": ""}, ["a"])
    assert found(build) == []


def test_somebody_elses_layer_is_not_looked_into(build: Build) -> None:
    build.function("api", {"app.py": ""}, ["arn:aws:lambda:eu-west-1:123456789012:layer:theirs:3"])
    assert found(build) == []
