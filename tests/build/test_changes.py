from __future__ import annotations

from lamella.build.changes import changes
from lamella.manifest import Distribution, FunctionArtifact, LayerArtifact


def row(name: str, version: str, zipped: int = 10) -> Distribution:
    return Distribution(name, version, f"{name}.whl", "", ("python3.12",), (name,), zipped, zipped)


def layer(sha256: str, *rows: Distribution, architecture: str = "x86_64") -> LayerArtifact:
    return LayerArtifact(
        key="layer", name="n", file="layer.zip", zipped=100, unzipped=100, members=1, sha256=sha256, code_sha256="",
        architecture=architecture, runtimes=("python3.12",), part_of="", description="", licence="",
        distributions=rows,
    )  # fmt: skip


def function(sha256: str, own: int, *rows: Distribution) -> FunctionArtifact:
    return FunctionArtifact(
        key="api", name="n", file="api.zip", zipped=own + sum(r.zipped for r in rows),
        unzipped=own + sum(r.unzipped for r in rows), members=1, sha256=sha256, code_sha256="", architecture="x86_64",
        runtime="python3.12", handler="a.b", layers=(), needs=(), distributions=rows,
    )  # fmt: skip


def test_new_and_equal() -> None:
    assert changes(None, layer("1")) == ("new",)
    assert changes(layer("1", row("a", "1")), layer("1", row("a", "2"))) == ()


def test_distributions() -> None:
    old = layer("1", row("gone", "1"), row("kept", "1"), row("up", "1.9"))
    new = layer("2", row("come", "3"), row("kept", "1"), row("up", "1.10"))
    assert changes(old, new) == ("+ come 3", "− gone 1", "up 1.9 → 1.10")


def test_one_version_for_each_runtime() -> None:
    old = layer("1", row("a", "1"), row("a", "2"))
    assert changes(old, layer("2", row("a", "2"))) == ("a 1 and 2 → 2",)


def test_architecture() -> None:
    assert changes(layer("1"), layer("2", architecture="arm64")) == ("x86_64 → arm64",)


def test_other_bytes_of_the_same() -> None:
    assert changes(layer("1", row("a", "1")), layer("2", row("a", "1"))) == ("contents",)


def test_own_code() -> None:
    assert changes(function("1", 5), function("2", 6)) == ("code",)
    assert changes(function("1", 5), function("2", 5)) == ("contents",)
    assert changes(function("1", 5, row("a", "1", 10)), function("2", 5, row("a", "2", 12))) == ("a 1 → 2",)


def test_a_layer_that_became_a_function() -> None:
    assert changes(layer("1"), function("2", 6)) == ("code",)
