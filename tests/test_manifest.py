from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lamella.errors import LamellaError
from lamella.manifest import Distribution, FunctionArtifact, LayerArtifact, Manifest, from_json, read, to_json

ROW = Distribution(
    "größe", "1.0", "g-1.0-py3-none-any.whl", "ab" * 32, ("python3.11", "python3.12"), ("größe",), 10, 20
)
LAYER = LayerArtifact(
    key="layer", name="spectra-layer", file="layer.zip", zipped=100, unzipped=200, members=3, sha256="cd" * 32,
    code_sha256="zc0=", architecture="arm64", runtimes=("python3.11", "python3.12"), part_of="",
    description="spectra: größe 1.0", licence="MIT", distributions=(ROW,),
)  # fmt: skip
FUNCTION = FunctionArtifact(
    key="api", name="spectra-api", file="api.zip", zipped=1, unzipped=2, members=1, sha256="ef" * 32, code_sha256="",
    architecture="arm64", runtime="python3.12", handler="app.handler", layers=("layer",),
    needs=(("layer", ("größe",)),), distributions=(),
)  # fmt: skip
MANIFEST = Manifest("spectra", (LAYER,), (FUNCTION,))


def test_there_and_back() -> None:
    data = to_json(MANIFEST)
    assert from_json(data, "manifest.json") == MANIFEST
    assert to_json(from_json(data, "manifest.json")) == data
    assert data.endswith(b"}\n")
    assert "größe" in data.decode()


def test_what_stands_in_it() -> None:
    tree = json.loads(to_json(MANIFEST))
    assert list(tree) == ["schema", "project", "layers", "functions"]
    assert tree["schema"] == 2
    assert set(tree["layers"]["layer"]) == {
        "name", "file", "zipped", "unzipped", "members", "sha256", "code_sha256", "architecture", "runtimes",
        "part_of", "description", "licence",
        "distributions",
    }  # fmt: skip
    assert tree["functions"]["api"]["needs"] == {"layer": ["größe"]}
    assert tree["layers"]["layer"]["distributions"][0]["sha256"] == "ab" * 32


def test_read_from_a_folder(tmp_path: Path) -> None:
    assert read(str(tmp_path)) is None
    assert read(str(tmp_path / "none")) is None
    (tmp_path / "manifest.json").write_bytes(to_json(MANIFEST))
    assert read(str(tmp_path)) == MANIFEST


def broken(**changes: Any) -> bytes:
    tree = json.loads(to_json(MANIFEST))
    tree["layers"]["layer"].update(changes)
    return json.dumps(tree).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"null", b"1", b'"text"', b"\xff\xfe", b"{}", b'{"schema": 2}',
        b'{"schema": 2, "project": "p", "layers": [], "functions": {}}',
        b'{"schema": 2, "project": "p", "layers": {"a": 1}, "functions": {}}',
        b'{"schema": 2, "project": "p", "layers": {"a": {}}, "functions": {}}',
        broken(more=1), broken(distributions=None), broken(distributions=[1]), broken(distributions=[{"name": "x"}]),
        broken(zipped="many"), broken(unzipped=None), broken(file=7), broken(file="../../elsewhere.zip"),
        broken(file="/etc/passwd"), broken(members=[1]), broken(sha256=None), broken(zipped=True),
        broken(description=None), broken(licence=["MIT"]),
        broken(runtimes=["python3.12", 3]),
    ],
)  # fmt: skip
def test_something_else(data: bytes) -> None:
    with pytest.raises(LamellaError) as caught:
        from_json(data, "dist/manifest.json")
    assert caught.value.what == "`dist/manifest.json` is no manifest of lamella"
    assert caught.value.hint == "run `lamella build` again"


def test_another_version() -> None:
    with pytest.raises(LamellaError, match="has the format 1, this lamella reads 2") as caught:
        from_json(to_json(MANIFEST).replace(b'"schema": 2', b'"schema": 1'), "manifest.json")
    assert caught.value.hint == "run `lamella build` again"
