from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.build.projects import Project
from tests.sbom.artifacts import function, layer

from lamella.cli.artifacts import choose, open_built
from lamella.errors import UsageError
from lamella.manifest import NAME, Manifest, to_json


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with `layer` and `api`, as if built."""
    project = Project(tmp_path)
    project.source("app.py")
    project.configure()
    write(project.output)
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("LAMELLA_CACHE_DIR", str(project.cache))
    return project


def write(folder: Path, *, parts: int = 0) -> Manifest:
    folder.mkdir(parents=True, exist_ok=True)
    layers = [layer(folder, (), {"python/a.py": ""})]
    if parts:
        split = [layer(folder, (), {"python/a.py": f"{number}"}, key=f"layer-{number}") for number in range(parts)]
        layers = [part._replace(part_of="layer") for part in split]
    manifest = Manifest("spectra", tuple(layers), (function(folder, (), {"app.py": ""}),))
    (folder / NAME).write_bytes(to_json(manifest))
    return manifest


def test_settings_and_manifest(built: Project) -> None:
    settings, manifest = open_built(None)
    assert os.path.samefile(settings.output, built.output)
    assert [artifact.key for artifact in manifest.artifacts] == ["layer", "api"]


def test_another_folder(built: Project) -> None:
    write(built.root / "elsewhere", parts=2)
    settings, manifest = open_built("elsewhere")
    assert os.path.samefile(settings.output, built.root / "elsewhere")
    assert [artifact.key for artifact in manifest.artifacts] == ["layer-0", "layer-1", "api"]
    assert [artifact.key for artifact in choose(manifest, ["layer"])] == ["layer-0", "layer-1"]
    assert [artifact.key for artifact in choose(manifest, ["layer-1"])] == ["layer-1"]


@pytest.mark.parametrize("how", ["no manifest", "gone", "a folder", "another size", "the same size", "not built"])
def test_not_what_was_built(built: Project, how: str) -> None:
    match how:
        case "no manifest":
            (built.output / NAME).unlink()
        case "gone":
            (built.output / "api.zip").unlink()
        case "another size":
            (built.output / "api.zip").write_bytes(b"")
        case "the same size":
            open_built(None)
            (built.output / "api.zip").write_bytes(b"\0" * (built.output / "api.zip").stat().st_size)
        case "a folder":
            (built.output / "api.zip").unlink()
            (built.output / "api.zip").mkdir()
        case "not built":
            text = (built.root / "pyproject.toml").read_text()
            (built.root / "pyproject.toml").write_text(f"{text}\n[tool.lamella.layers.second]\n")
    with pytest.raises(UsageError) as caught:
        open_built(None)
    assert caught.value.hint == "run `lamella build`"


def test_names(built: Project) -> None:  # noqa: ARG001
    _, manifest = open_built(None)
    assert choose(manifest, []) == manifest.artifacts
    assert [artifact.key for artifact in choose(manifest, ["api", "layer", "api"])] == ["layer", "api"]


@pytest.mark.parametrize(
    ("name", "hint"), [("layr", "did you mean `layer`?"), ("x", "name one of these, or none for all")]
)
def test_an_unknown_name(built: Project, name: str, hint: str) -> None:  # noqa: ARG001
    _, manifest = open_built(None)
    with pytest.raises(UsageError) as caught:
        choose(manifest, ["api", name])
    assert caught.value.what == f"there is no layer or function `{name}`"
    assert caught.value.why == ("what was built is `api`, `layer`",)
    assert caught.value.hint == hint
