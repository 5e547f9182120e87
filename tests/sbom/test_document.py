from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from tests.sbom.artifacts import function, layer, metadata, row

from lamella.manifest import LayerArtifact
from lamella.sbom.document import document
from lamella.sbom.inventory import inventory

SHA = "ab" * 32
WHEEL_SBOM = {
    "bomFormat": "CycloneDX",
    "metadata": {"component": {"bom-ref": "root", "name": "leaf"}},
    "components": [
        {"bom-ref": "c", "name": "crate", "version": "3", "purl": "pkg:cargo/crate@3", "type": "library",
         "hashes": [{"alg": "SHA-256", "content": SHA}], "licenses": [{"expression": "MIT OR Apache-2.0"}]},
        {"bom-ref": "d", "name": "bell\x07", "purl": "no purl", "type": "device",
         "licenses": [{"license": {"id": "IJG"}}, {"license": {"name": "Terms & <more>"}}]},
    ],
    "dependencies": [{"ref": "root", "dependsOn": ["c"]}, {"ref": "c", "dependsOn": ["d"]}],
}  # fmt: skip
FILES: dict[str, str | bytes] = {
    "python/stem-1.0.dist-info/METADATA": metadata("stem", "1.0", "License-Expression: MIT", "Requires-Dist: leaf"),
    "python/stem-1.0.dist-info/licenses/LICENSE": "…",
    "python/leaf-2.0.dist-info/METADATA": metadata("leaf", "2.0", "License-Expression: MIT AND (Zlib OR 0BSD)"),
    "python/leaf-2.0.dist-info/sboms/leaf.cdx.json": json.dumps(WHEEL_SBOM),
    "python/leaf.libs/libx.so.1": b"\x7fELF",
    "python/bare-1.0.dist-info/METADATA": metadata("bare", "1.0", "License: Dual"),
}


@pytest.fixture
def artifact(tmp_path: Path) -> LayerArtifact:
    return layer(tmp_path, (row("stem"), row("leaf", "2.0"), row("bare"), row("none")), FILES)


def tree(artifact: LayerArtifact, folder: Path, when: datetime | None = None) -> dict[str, Any]:
    text = document(inventory(artifact, str(folder)), "json", when)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    found: dict[str, Any] = json.loads(text)
    return found


def refs(components: list[dict[str, Any]]) -> list[str]:
    return [ref for one in components for ref in (one["bom-ref"], *refs(one.get("components", [])))]


def test_a_valid_document_of_all_that_is_there(artifact: LayerArtifact, tmp_path: Path) -> None:
    found = tree(artifact, tmp_path)
    subject = found["metadata"]["component"]
    assert (subject["name"], subject["type"]) == ("spectra-layer", "library")
    assert subject["hashes"] == [{"alg": "SHA-256", "content": artifact.sha256}]
    assert [one["purl"] for one in found["components"]] == [
        "pkg:pypi/bare@1.0",
        "pkg:pypi/leaf@2.0",
        "pkg:pypi/none@1.0",
        "pkg:pypi/stem@1.0",
    ]
    bare, leaf, none, stem = found["components"]
    assert leaf["hashes"] == [{"alg": "SHA-256", "content": row("leaf", "2.0").sha256}]
    assert bare["licenses"] == [{"license": {"name": "Dual", "acknowledgement": "declared"}}]
    assert leaf["licenses"] == [{"expression": "MIT AND (Zlib OR 0BSD)", "acknowledgement": "declared"}]
    assert stem["licenses"] == [{"license": {"id": "MIT", "acknowledgement": "declared"}}]
    assert "licenses" not in none
    assert {"name": "lamella:licence-file", "value": "python/stem-1.0.dist-info/licenses/LICENSE"} in stem["properties"]


def test_what_lies_inside_of_a_distribution(artifact: LayerArtifact, tmp_path: Path) -> None:
    leaf = tree(artifact, tmp_path)["components"][1]
    library, bell, crate = leaf["components"]
    assert (library["type"], library["name"]) == ("file", "libx.so.1")
    assert (crate["name"], crate["purl"], crate["hashes"][0]["content"]) == ("crate", "pkg:cargo/crate@3", SHA)
    assert crate["licenses"][0]["expression"] == "MIT OR Apache-2.0"
    assert (bell["name"], bell["type"], "purl" in bell) == ("bell\\x07", "library", False)
    assert [one["license"].get("id") or one["license"]["name"] for one in bell["licenses"]] == ["IJG", "Terms & <more>"]


def test_the_graph_names_every_component_and_reaches_it(artifact: LayerArtifact, tmp_path: Path) -> None:
    found = tree(artifact, tmp_path)
    graph = {one["ref"]: one.get("dependsOn", []) for one in found["dependencies"]}
    everything = ["layer:layer", *refs(found["components"])]
    assert len(set(everything)) == len(everything)
    assert sorted(graph) == sorted(everything)
    waiting, reached = ["layer:layer"], set()
    while waiting:
        at = waiting.pop()
        reached.add(at)
        waiting += graph[at]
    assert reached == set(everything)
    assert graph["layer:layer"] == ["pkg:pypi/bare@1.0", "pkg:pypi/none@1.0", "pkg:pypi/stem@1.0"]
    assert graph["pkg:pypi/stem@1.0"] == ["pkg:pypi/leaf@2.0"]


def test_the_time_is_the_callers(artifact: LayerArtifact, tmp_path: Path) -> None:
    assert "timestamp" not in tree(artifact, tmp_path)["metadata"]
    when = datetime.fromtimestamp(1_700_000_000, UTC)
    assert tree(artifact, tmp_path, when)["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"


def test_the_serial_number_is_the_zips(artifact: LayerArtifact, tmp_path: Path) -> None:
    one = tree(artifact, tmp_path)["serialNumber"]
    assert one == tree(artifact, tmp_path)["serialNumber"]
    other = layer(tmp_path, artifact.distributions, {**FILES, "python/more.py": ""}, key="other")
    assert one != tree(other, tmp_path)["serialNumber"]


def test_twins_of_several_runtimes(tmp_path: Path) -> None:
    both = ("python3.11", "python3.12")
    rows = tuple(row("fast", tag=f"cp3{name[-2:]}-cp3{name[-2:]}-linux_x86_64", runtimes=(name,)) for name in both)
    found = tree(layer(tmp_path, rows, {"python/x.py": ""}, runtimes=both), tmp_path)
    assert [one["purl"] for one in found["components"]] == ["pkg:pypi/fast@1.0"] * 2
    assert len(set(refs(found["components"]))) == 2


def test_a_function_is_an_application(tmp_path: Path) -> None:
    text = document(inventory(function(tmp_path, (), {"app.py": ""}), str(tmp_path)), "json")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    subject = json.loads(text)["metadata"]["component"]
    assert (subject["type"], subject["name"], subject["bom-ref"]) == ("application", "spectra-api", "function:api")


def test_xml_says_the_same(artifact: LayerArtifact, tmp_path: Path) -> None:
    root = ElementTree.fromstring(document(inventory(artifact, str(tmp_path)), "xml"))
    space = {"": "http://cyclonedx.org/schema/bom/1.6"}
    found = tree(artifact, tmp_path)
    assert root.get("serialNumber") == found["serialNumber"]
    purls = [one.text for one in root.findall("components/component/purl", space)]
    assert purls == [one["purl"] for one in found["components"]]
    inside = [one.text for one in root.findall("components/component/components/component/name", space)]
    assert inside == ["libx.so.1", "bell\\x07", "crate"]


SCRIPT = """
import sys
from lamella import manifest
from lamella.sbom.document import document
from lamella.sbom.inventory import inventory
(artifact,) = manifest.read(sys.argv[1]).layers
print(document(inventory(artifact, sys.argv[1]), sys.argv[2]))
"""


@pytest.mark.parametrize("form", ["json", "xml"])
def test_the_same_bytes_in_every_process(artifact: LayerArtifact, tmp_path: Path, form: str) -> None:
    from lamella.manifest import NAME, Manifest, to_json

    (tmp_path / NAME).write_bytes(to_json(Manifest("p", (artifact,), ())))
    texts = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(tmp_path), form],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(texts) == 1
