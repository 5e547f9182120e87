"""`unmet`: every requirement of a function's distributions is met, once, by the right version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from lamella.closure.findings import Distribution, Finding, Severity
from lamella.closure.requirements import unmet
from lamella.contents.model import BUNDLE, layer_holder

ERROR, NOTE = Severity.ERROR, Severity.NOTE
LINUX = {
    "implementation_name": "cpython",
    "implementation_version": "3.12.0",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "",
    "platform_system": "Linux",
    "platform_version": "",
    "python_full_version": "3.12.0",
    "python_version": "3.12",
    "sys_platform": "linux",
}
RUNTIME_NAMES = frozenset({"boto3", "botocore"})
DEPS, IMAGES = layer_holder("deps"), layer_holder("images")


def dist(name: str, version: str = "1.0", *requires: str, extras: Sequence[str] = ()) -> Distribution:
    return Distribution(name, version, requires, tuple(extras))


def run(*deps: Distribution, bundle: Sequence[Distribution] = ()) -> tuple[Finding, ...]:
    return unmet("api", {DEPS: deps, BUNDLE: bundle}, LINUX, RUNTIME_NAMES)


def test_all_met_across_layer_bundle_and_runtime() -> None:
    found = run(
        dist("a", "1.0", "b>=1,<3", "C.d_e", "boto3"),
        dist("b", "2.1"),
        bundle=[dist("c-d-e", "1.0", "a==1.*")],
    )
    assert found == ()


def test_a_requirement_that_nothing_meets() -> None:
    (finding,) = run(dist("a", "1.0", "b>=2"))
    assert finding.severity is ERROR
    assert finding.subject == "b"
    assert finding.text == "`a` 1.0 (layer `deps`) requires `b>=2`: not in layer `deps`, the bundle or the runtime"
    assert finding.hint == "add it to the project's dependencies"


@pytest.mark.parametrize(
    ("hints", "expected"),
    [
        ({"unattached": {"images": {"b"}}}, "add `images` to layers of function `api`"),
        ({"unplaced": {"b"}}, "put `b` into a layer, or into bundle of function `api`"),
        ({"unplaced": {"b"}, "excluded": {"b": "deps"}}, "layer `deps` excludes it: take `b` out of `exclude`"),
    ],
)
def test_hints(hints: Mapping[str, Mapping[str, str]], expected: str) -> None:
    (finding,) = unmet("api", {DEPS: [dist("a", "1.0", "b")]}, LINUX, RUNTIME_NAMES, **hints)  # type: ignore[arg-type]
    assert finding.hint is not None
    assert finding.hint.startswith(expected)


def test_a_version_that_does_not_fit() -> None:
    (finding,) = run(dist("pydantic", "2.12", "pydantic-core==2.41.1"), dist("pydantic-core", "2.40"))
    assert finding.severity is NOTE, "uv's override-dependencies do this on purpose"
    assert finding.text == (
        "`pydantic` 2.12 requires `pydantic-core==2.41.1`; layer `deps` has 2.40, as the lock decided"
    )


@pytest.mark.parametrize(
    ("requirement", "version"),
    [
        ("b>=1", "2.0rc1"),
        ("b", "2.0.dev1"),
        ("b==1.0", "1.0+local"),
        ("b @ https://files.example/b.whl", "3"),
        ("b>=1", "odd!"),
    ],
)
def test_versions_that_fit(requirement: str, version: str) -> None:
    assert run(dist("a", "1.0", requirement), dist("b", version)) == ()


@pytest.mark.parametrize(
    ("marker", "counts"),
    [
        ("sys_platform == 'linux'", True),
        ("sys_platform == 'win32'", False),
        ("python_version < '3.11'", False),
        ("python_version >= '3.11' and platform_machine == 'x86_64'", True),
        ("extra == 'x'", False),
        ('python_version >= "3.9" and extra=="x"', False),
        ("extra == 'x' or sys_platform == 'linux'", True),
        ("extra == 'x' or sys_platform == 'win32'", False),
        ("extra != 'x'", True),
        ("platform_release == ''", True),
    ],
)
def test_markers_are_those_of_the_target(marker: str, counts: bool) -> None:
    assert bool(run(dist("a", "1.0", f"b ; {marker}"))) is counts


def test_extras_are_followed() -> None:
    a = dist("a", "1.0", "b[Fast_One]")
    b = dist("b", "1.0", "c; extra == 'fast-one'", "d; extra == 'other'", "e[deep]; extra == 'fast-one'")
    e = dist("e", "1.0", "f; extra == 'deep' and sys_platform == 'linux'", "b[fast-one]; extra == 'deep'")
    assert [finding.subject for finding in run(a, b, e)] == ["c", "f"]
    assert run(b) == ()
    assert [finding.subject for finding in run(dist("b", "1.0", "c; extra == 'x'", extras=["X"]))] == ["c"]


def test_self_referring_extras_are_followed() -> None:
    a = dist("a", "1.0", "a[x]; extra == 'all'", "b; extra == 'x'", extras=["all"])
    assert [finding.subject for finding in run(a)] == ["b"]


def test_a_distribution_in_two_places() -> None:
    (finding,) = unmet("api", {DEPS: [dist("numpy", "2.3")], IMAGES: [dist("numpy", "2.4")]}, LINUX, RUNTIME_NAMES)
    assert finding.severity is ERROR
    assert finding.text == "`numpy` is in layer `deps` (2.3) and layer `images` (2.4): a function may have it once"
    assert finding.hint == 'exclude = ["numpy"] in layer `images`'
    (finding,) = run(dist("numpy"), bundle=[dist("numpy")])
    assert finding.hint == "take `numpy` out of bundle"


def test_a_layer_may_bring_what_the_runtime_ships() -> None:
    assert run(dist("boto3", "1.40", "botocore"), dist("botocore", "1.40")) == ()


def test_the_runtimes_own_version_is_not_promised() -> None:
    (finding,) = run(dist("a", "1.0", "boto3>=1.34"))
    assert finding.severity is NOTE
    assert finding.text == "`a` 1.0 requires `boto3>=1.34`: it gets the runtime's own, whose version varies"
    assert run(dist("a", "1.0", "boto3")) == ()


def test_layers_that_cannot_be_looked_into_make_notes() -> None:
    found = unmet("api", {DEPS: [dist("a", "1.0", "b")]}, LINUX, RUNTIME_NAMES, foreign=["arn:aws:lambda:x"])
    assert [finding.severity for finding in found] == [NOTE]
    assert found[0].message.endswith("the runtime (`arn:aws:lambda:x` can't be looked into)")


def test_a_requirement_that_cannot_be_read_is_a_note() -> None:
    (finding,) = run(dist("a", "1.0", "b (>=1.*)"))
    assert finding.severity is NOTE
    assert finding.text == "`a` 1.0 has a requirement that can't be read: `b (>=1.*)`"


def test_an_extra_that_may_have_been_asked_for() -> None:
    web = Distribution("web", "1.0", ("speed; extra == 'fast'", "web[fast]; extra == 'all'"), perhaps=("all",))
    (finding,) = run(web)
    assert finding.severity is NOTE
    assert finding.text.startswith("`web` 1.0 (layer `deps`) requires `speed`: not in layer `deps`")
    assert "the lock doesn't tell" in finding.text
    (finding,) = run(Distribution("web", "1.0", web.requires, ("fast",), ("all",)))
    assert finding.severity is ERROR
