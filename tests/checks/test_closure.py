from __future__ import annotations

import pytest
from tests.checks.builds import Build, metadata

from lamella.checks.closure import missing
from lamella.checks.model import Finding, Severity

HANDLER = "def handler(event, context):\n    return {}\n"


def found(build: Build) -> list[Finding]:
    bench = build.bench()
    return [each for one in build.functions for each in missing(one, bench.layers(one), bench.zips)]


def test_closed(build: Build) -> None:
    build.layer("a", {"stem": {"stem/__init__.py": "", "stem/part.py": ""}})
    build.function("api", {"app.py": f"import boto3, json, stem.part, own\n{HANDLER}", "own.py": ""}, ["a"])
    assert found(build) == []


def test_an_import_that_nothing_brings(build: Build) -> None:
    build.layer("a", {"stem": {"stem/__init__.py": ""}})
    build.function("api", {"app.py": f"import stem\nimport leaf\n{HANDLER}"}, ["a"])
    (finding,) = found(build)
    assert finding[:4] == ("closure", Severity.ERROR, "api", "app.py")
    assert finding.line == 2
    assert finding.reason == "imports `leaf`: not in layer `a` or the runtime"
    assert finding.hint


def test_sourceless_bytecode_counts(build: Build) -> None:
    build.layer("a", {"stem": {"stem/__init__.pyc": "", "stem/part.pyc": ""}})
    build.function("api", {"app.py": f"import stem.part\n{HANDLER}"}, ["a"])
    assert found(build) == []


def test_bytecode_beside_sources_is_no_module(build: Build) -> None:
    build.layer("a", {"stem": {"stem/__init__.py": "", "stem/__pycache__/gone.cpython-312.pyc": ""}})
    build.function("api", {"app.py": f"import stem.gone\n{HANDLER}"}, ["a"])
    assert [each.severity for each in found(build)] == [Severity.NOTE]


@pytest.mark.parametrize(
    ("handler", "why"), [("app.main", "defines no `main`"), ("gone.handler", "there is no `gone.py`")]
)
def test_the_handler(build: Build, handler: str, why: str) -> None:
    build.function("api", {"app.py": HANDLER}, handler=handler)
    (finding,) = found(build)
    assert finding.severity is Severity.ERROR
    assert why in finding.reason


def test_a_requirement_that_nothing_meets(build: Build) -> None:
    requires = metadata("stem", "1.0", "leaf>=2", "boto3", 'extra-thing; extra == "x"')
    build.layer("a", {"stem": {"stem.py": "", "stem-1.0.dist-info/METADATA": requires}})
    build.function("api", {"app.py": HANDLER}, ["a"])
    (finding,) = found(build)
    assert finding.reason == "`stem` 1.0 (layer `a`) requires `leaf>=2`: not in layer `a`, the bundle or the runtime"


def test_what_is_bundled_is_not_own_code(build: Build) -> None:
    """Its imports are its own affair, as they are in a layer; its modules are there."""
    build.function(
        "api", {"app.py": f"import stem\n{HANDLER}"}, bundle={"stem": {"stem/__init__.py": "import nowhere\n"}}
    )
    assert found(build) == []


def test_with_somebody_elses_layer_nothing_is_surely_missing(build: Build) -> None:
    build.function(
        "api", {"app.py": f"import leaf\n{HANDLER}"}, ["arn:aws:lambda:eu-west-1:123456789012:layer:theirs:3"]
    )
    assert [each.severity for each in found(build)] == [Severity.NOTE]
