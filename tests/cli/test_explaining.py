from __future__ import annotations

import pytest
from tests.build.projects import Project

from lamella.cli.explaining import keys
from lamella.config.read import read
from lamella.errors import UsageError
from lamella.manifest import LayerArtifact, Manifest, to_json


def part(key: str, whole: str) -> LayerArtifact:
    return LayerArtifact(key, key, f"{key}.zip", 1, 1, 1, "0", "0", "x86_64", ("python3.12",), whole, "", "", ())


def test_configured_keys(app: Project) -> None:
    settings = read(str(app.root))
    assert keys(settings, []) == ["layer", "api"]
    assert keys(settings, ["api"]) == ["api"]


def test_a_part_means_the_whole(app: Project) -> None:
    settings = read(str(app.root))
    with pytest.raises(UsageError, match="there is no artifact `layer-2`"):
        keys(settings, ["layer-2"])
    app.output.mkdir(parents=True)
    built = Manifest("spectra", (part("layer-1", "layer"), part("layer-2", "layer")), ())
    (app.output / "manifest.json").write_bytes(to_json(built))
    assert keys(settings, ["layer-2"]) == ["layer"]
    assert keys(settings, ["layer-1", "layer-2"]) == ["layer"]
