from __future__ import annotations

from lamella.checks.size import sizes
from lamella.facts.tables import limits
from lamella.manifest import Distribution, FunctionArtifact, LayerArtifact, Manifest

ARN = "arn:aws:lambda:eu-west-1:123456789012:layer:theirs:3"


def row(name: str, zipped: int, unzipped: int) -> Distribution:
    return Distribution(
        name, "1.0", f"{name}-1.0-py3-none-any.whl", "0" * 64, ("python3.12",), (name,), zipped, unzipped
    )


def layer(key: str, zipped: int, unzipped: int, *rows: Distribution) -> LayerArtifact:
    return LayerArtifact(
        key=key, name=f"spectra-{key}", file=f"{key}.zip", zipped=zipped, unzipped=unzipped, members=1, sha256="0" * 64,
        code_sha256="", architecture="x86_64", runtimes=("python3.12",), part_of="", description="", licence="",
        distributions=rows,
    )  # fmt: skip


def function(key: str, unzipped: int, *layers: str, rows: tuple[Distribution, ...] = ()) -> FunctionArtifact:
    return FunctionArtifact(
        key=key, name=f"spectra-{key}", file=f"{key}.zip", zipped=10, unzipped=unzipped, members=1, sha256="0" * 64,
        code_sha256="", architecture="x86_64", runtime="python3.12", handler="app.handler", layers=layers, needs=(),
        distributions=rows,
    )  # fmt: skip


def test_the_limits_are_lambdas() -> None:
    (one, other) = sizes(Manifest("p", (layer("a", 1, 1),), (function("f", 1),)))
    assert (one.limit, one.unit) == (52_428_800, "zipped")
    assert (other.limit, other.unit) == (262_144_000, "unzipped")


def test_at_the_limit_is_fine_and_one_more_is_not() -> None:
    most = limits().layer_zipped
    (at, above) = sizes(Manifest("p", (layer("a", most, 1), layer("b", most + 1, 1)), ()))
    assert (at.passed, above.passed) == (True, False)


def test_a_function_counts_its_code_and_every_layer_unzipped() -> None:
    layers = (layer("a", 1, 100_000_000), layer("b", 1, 150_000_000), layer("c", 1, 7))
    *_, verdict = sizes(Manifest("p", layers, (function("f", 12_144_000, "a", "b"),)))
    assert verdict.measured == 262_144_000
    assert verdict.passed
    assert verdict.parts == (("code", 12_144_000), ("a", 100_000_000), ("b", 150_000_000))
    *_, verdict = sizes(Manifest("p", layers, (function("f", 12_144_001, "a", "b"),)))
    assert not verdict.passed


def test_a_foreign_layer_is_named_and_not_counted() -> None:
    (verdict,) = sizes(Manifest("p", (), (function("f", 5, ARN),)))
    assert (verdict.measured, verdict.unknown) == (5, (ARN,))


def test_the_ten_largest_largest_first() -> None:
    rows = [row(f"d{number:02}", number % 7, number) for number in range(14)]
    (verdict,) = sizes(Manifest("p", (layer("a", 10**9, 10**9, *rows),), ()))
    assert len(verdict.contributors) == 10
    assert [one.bytes for one in verdict.contributors] == sorted((n % 7 for n in range(14)), reverse=True)[:10]
    assert verdict.contributors[0].name == "d06 1.0", "equal ones by name"


def test_a_functions_own_code_is_a_contributor() -> None:
    layers = (layer("a", 1, 50, row("big", 1, 50)),)
    *_, verdict = sizes(Manifest("p", layers, (function("f", 30, "a", rows=(row("small", 1, 10),)),)))
    assert [(one.name, one.where, one.bytes) for one in verdict.contributors] == [
        ("big 1.0", "a", 50),
        ("own code", "f", 20),
        ("small 1.0", "f", 10),
    ]
