"""examples/cdk, synthesized by the real aws-cdk-lib from a small project that was built."""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.build.projects import Project
from tests.journeys.packaged import FOREIGN, TWO_LAYERS, node, packaged, with_modules, with_other_more, without_aws
from tests.tools import node_modules

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("cdk")]

Tree = dict[str, Any]


class Synthesized(NamedTuple):
    out: Path
    template: Tree
    assets: Tree

    def of_type(self, name: str) -> dict[str, Tree]:
        found: Tree = self.template["Resources"]
        return {key: resource for key, resource in found.items() if resource["Type"] == f"AWS::Lambda::{name}"}

    def layer(self, name: str) -> str:
        """The logical ID of the layer of this name."""
        (found,) = (k for k, r in self.of_type("LayerVersion").items() if r["Properties"]["LayerName"] == name)
        return found

    def versions(self, function: str) -> set[str]:
        """The logical IDs of the function's versions."""
        (found,) = (k for k, r in self.of_type("Function").items() if r["Properties"]["FunctionName"] == function)
        versions = self.of_type("Version").items()
        return {key for key, one in versions if one["Properties"]["FunctionName"] == {"Ref": found}}


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    node()
    return with_modules("cdk", tmp_path_factory.mktemp("cdk") / "example", node_modules("cdk"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return packaged(tmp_path_factory.mktemp("packaged"), TWO_LAYERS)


@pytest.fixture(scope="module")
def first(example: Path, project: Project, tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    return synthesized(example, project.output, tmp_path_factory.mktemp("out"))


def synthesize(example: Path, output: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """Run the app as `cdk synth` does."""
    command = shlex.split(json.loads((example / "cdk.json").read_text())["app"])
    context = json.dumps({"manifest": str(output / "manifest.json")})
    environment = {**without_aws(), "CDK_OUTDIR": str(out), "CDK_CONTEXT_JSON": context}
    return subprocess.run(command, cwd=example, env=environment, capture_output=True, text=True, check=False)


def synthesized(example: Path, output: Path, out: Path) -> Synthesized:
    done = synthesize(example, output, out)
    assert done.returncode == 0, done.stderr
    names = ("spectra.template.json", "spectra.assets.json")
    return Synthesized(out, *(json.loads((out / name).read_text()) for name in names))


def asset(sha256: str) -> str:
    """What CDK makes of an `assetHash`: the SHA-256 of its text."""
    return hashlib.sha256(sha256.encode()).hexdigest()


def test_the_versions_of_the_example_are_those_that_are_tested(example: Path) -> None:
    tested = Path(node_modules("cdk")) / "package.json"
    assert json.loads((example / "package.json").read_text()) == json.loads(tested.read_text())


def test_the_very_bytes_are_uploaded_under_keys_of_their_digests(first: Synthesized, project: Project) -> None:
    manifest = project.manifest()
    artifacts = {**manifest["layers"], **manifest["functions"]}.values()
    files = first.assets["files"]
    for artifact in artifacts:
        key = asset(artifact["sha256"])
        assert files[key]["source"] == {"path": f"asset.{key}.zip", "packaging": "file"}
        assert (first.out / f"asset.{key}.zip").read_bytes() == (project.output / artifact["file"]).read_bytes()
    made = {
        **{r["Properties"]["LayerName"]: r["Properties"]["Content"] for r in first.of_type("LayerVersion").values()},
        **{r["Properties"]["FunctionName"]: r["Properties"]["Code"] for r in first.of_type("Function").values()},
    }
    assert {name: code["S3Key"] for name, code in made.items()} == {
        artifact["name"]: f"{asset(artifact['sha256'])}.zip" for artifact in artifacts
    }


def test_layers_are_kept_and_say_what_the_manifest_says(first: Synthesized, project: Project) -> None:
    manifest = project.manifest()["layers"]
    layers = first.of_type("LayerVersion")
    assert len(layers) == 2
    for layer in layers.values():
        assert (layer["DeletionPolicy"], layer["UpdateReplacePolicy"]) == ("Retain", "Retain")
        (said,) = (one for one in manifest.values() if one["name"] == layer["Properties"]["LayerName"])
        assert layer["Properties"]["CompatibleRuntimes"] == said["runtimes"] == ["python3.12"]
        assert layer["Properties"]["CompatibleArchitectures"] == [said["architecture"]]
        assert layer["Properties"]["Description"] == said["description"]


def test_functions_have_their_layers_in_order(first: Synthesized) -> None:
    base, second = first.layer("spectra-dependencies"), first.layer("spectra-second")
    functions = {r["Properties"]["FunctionName"]: r["Properties"] for r in first.of_type("Function").values()}
    assert {name: one["Layers"] for name, one in functions.items()} == {
        "spectra-api-handler": [{"Ref": second}, {"Ref": base}, FOREIGN],
        "spectra-worker": [{"Ref": base}],
        "spectra-authorizer": [{"Ref": second}],
    }
    api = functions["spectra-api-handler"]
    assert (api["Handler"], api["Runtime"], api["Architectures"]) == ("app.handler", "python3.12", ["x86_64"])
    assert (api["MemorySize"], api["Timeout"]) == (512, 10)


def test_an_alias_is_of_a_version_that_can_have_no_other_bytes(first: Synthesized, project: Project) -> None:
    versions = first.of_type("Version")
    digests = [one["code_sha256"] for one in project.manifest()["functions"].values()]
    assert sorted(one["Properties"]["CodeSha256"] for one in versions.values()) == sorted(digests)
    assert {one["DeletionPolicy"] for one in versions.values()} == {"Retain"}
    aliases = [one["Properties"] for one in first.of_type("Alias").values()]
    assert [one["Name"] for one in aliases] == ["live"] * 3
    assert {one["FunctionVersion"]["Fn::GetAtt"][0] for one in aliases} == set(versions)


def test_a_function_of_the_stack_keeps_its_logical_id(first: Synthesized) -> None:
    """One that was there before is taken over, not made anew."""
    (name,) = (key for key in first.of_type("Function") if key.startswith("Authorizer"))
    assert first.template["Resources"][name]["Properties"]["MemorySize"] == 256
    assert len(first.versions("spectra-authorizer")) == 1


def test_the_same_build_gives_the_same_template_and_a_new_layer_changes_what_has_it(
    example: Path, first: Synthesized, tmp_path: Path
) -> None:
    # Built elsewhere, at another time
    there = packaged(tmp_path / "there", TWO_LAYERS)
    same = synthesized(example, there.output, tmp_path / "same")
    assert (same.template, same.assets) == (first.template, first.assets)

    with_other_more(there)
    other = synthesized(example, there.output, tmp_path / "other")
    assert other.template["Resources"].keys() - first.template["Resources"].keys() == (
        other.versions("spectra-api-handler") | other.versions("spectra-authorizer")
    )
    assert other.versions("spectra-worker") == first.versions("spectra-worker")
    (layer,) = set(map(str, other.of_type("LayerVersion").values())) - set(
        map(str, first.of_type("LayerVersion").values())
    )
    assert asset(there.manifest()["layers"]["second"]["sha256"]) in layer
    # A new zip of the one layer; the template is an asset, too
    assert len(other.assets["files"].keys() - first.assets["files"].keys()) == 2


def test_what_does_not_fit_is_refused(example: Path, project: Project, tmp_path: Path) -> None:
    output = tmp_path / "lambda"
    assert "run `lamella build` first" in synthesize(example, output, tmp_path / "none").stderr
    shutil.copytree(project.output, output)
    (output / "layer.zip").write_bytes((output / "second.zip").read_bytes())
    assert "is not what the manifest beside it says" in synthesize(example, output, tmp_path / "out").stderr
    manifest = project.manifest()
    del manifest["functions"]["worker"]
    shutil.copy(project.output / "layer.zip", output)
    (output / "manifest.json").write_text(json.dumps(manifest))
    assert "has no function worker: it has api-handler,authorizer" in (
        synthesize(example, output, tmp_path / "less").stderr
    )
