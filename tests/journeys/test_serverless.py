"""examples/serverless, deployed by the real framework (osls, the maintained fork of version 3) from a small project."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3  # type: ignore[import-untyped]
import pytest
from tests.build.projects import Project
from tests.deployed.moto_server import REGION
from tests.journeys.packaged import ONE_LAYER, node, packaged, with_modules, with_other_more, without_aws
from tests.journeys.stacks import StackServer
from tests.tools import node_modules

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("serverless")]

Tree = dict[str, Any]
BUCKET = "deployments"


class Deployment(NamedTuple):
    """The template that CloudFormation was given, and the objects that were in the bucket then."""

    resources: Tree
    objects: dict[str, bytes]

    def of_type(self, name: str) -> dict[str, Tree]:
        return {key: one for key, one in self.resources.items() if one["Type"] == f"AWS::Lambda::{name}"}

    @property
    def layer(self) -> Tree:
        (layer,) = self.of_type("LayerVersion").values()
        return layer

    def functions(self) -> dict[str, Tree]:
        return {one["Properties"]["FunctionName"]: one["Properties"] for one in self.of_type("Function").values()}


class Shop(NamedTuple):
    example: Path
    project: Project
    server: StackServer

    def deploy(self) -> Deployment:
        program = self.example / "node_modules" / ".bin" / "osls"
        environment = {
            **without_aws(),
            "AWS_ENDPOINT_URL": self.server.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "HOME": str(self.example),
            "NODE_NO_WARNINGS": "1",
            "SLS_AWS_MONITORING_FREQUENCY": "20",
        }
        done = subprocess.run(
            [node(), str(program), "deploy", "--param", f"built={self.project.output}"],
            cwd=self.example,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return Deployment(self.server.templates["spectra-dev"][-1]["Resources"], self.server.uploaded(BUCKET))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    node()
    example = with_modules("serverless", tmp_path_factory.mktemp("serverless") / "example", node_modules("serverless"))
    # A bucket of its own, as CloudFormation makes none here
    file = example / "serverless.yml"
    file.write_text(file.read_text().replace("  name: aws\n", f"  name: aws\n  deploymentBucket: {BUCKET}\n", 1))
    with StackServer() as server:
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        boto3.client("s3", endpoint_url=server.url, region_name=REGION, **keys).create_bucket(Bucket=BUCKET)
        yield Shop(example, packaged(tmp_path_factory.mktemp("packaged"), ONE_LAYER), server)


@pytest.fixture(scope="module")
def first(shop: Shop) -> Deployment:
    return shop.deploy()


def test_the_versions_of_the_example_are_those_that_are_tested(shop: Shop) -> None:
    tested = Path(node_modules("serverless")) / "package.json"
    assert json.loads((shop.example / "package.json").read_text()) == json.loads(tested.read_text())


def test_the_very_bytes_are_uploaded(first: Deployment, shop: Shop) -> None:
    manifest = shop.project.manifest()
    layer, functions = first.layer["Properties"], first.functions()
    content = layer["Content"]
    assert content["S3Bucket"] == BUCKET
    assert first.objects[content["S3Key"]] == (shop.project.output / "layer.zip").read_bytes()
    assert len(functions) == 3
    for artifact in manifest["functions"].values():
        code = functions[artifact["name"]]["Code"]
        assert first.objects[code["S3Key"]] == (shop.project.output / artifact["file"]).read_bytes()
    digests = [one["Properties"]["CodeSha256"] for one in first.of_type("Version").values()]
    assert sorted(digests) == sorted(one["code_sha256"] for one in manifest["functions"].values())


def test_resources_say_what_the_manifest_says(first: Deployment, shop: Shop) -> None:
    said = shop.project.manifest()["layers"]["layer"]
    layer = first.layer["Properties"]
    assert (layer["LayerName"], layer["Description"]) == ("spectra-dependencies", said["description"])
    assert (layer["CompatibleRuntimes"], layer["CompatibleArchitectures"]) == (["python3.12"], ["x86_64"])
    assert (first.layer["DeletionPolicy"], first.layer["UpdateReplacePolicy"]) == ("Retain", "Retain")
    for name, handler, memory in (
        ("api-handler", "app", 512),
        ("worker", "worker", 1024),
        ("authorizer",) * 2 + (256,),
    ):
        function = first.functions()[f"spectra-{name}"]
        assert function["Layers"] == [{"Ref": "LayerLambdaLayer"}]
        assert (function["Handler"], function["Runtime"]) == (f"{handler}.handler", "python3.12")
        assert (function["Architectures"], function["MemorySize"]) == (["x86_64"], memory)


def test_an_unchanged_build_makes_no_version_and_a_new_layer_makes_one_of_each(first: Deployment, shop: Shop) -> None:
    again = shop.deploy()
    assert again.layer == first.layer
    assert again.of_type("Version") == first.of_type("Version")

    with_other_more(shop.project)
    other = shop.deploy()
    assert other.resources["LayerLambdaLayer"] == other.layer
    assert other.layer["Properties"]["Content"] != first.layer["Properties"]["Content"]
    assert other.objects[other.layer["Properties"]["Content"]["S3Key"]] == (
        (shop.project.output / "layer.zip").read_bytes()
    )
    assert not other.of_type("Version").keys() & first.of_type("Version").keys()


def test_retain_of_the_framework_would_leave_the_reference_without_a_layer(shop: Shop) -> None:
    """Why the example says it in another place: of this, AWS says that the template has unresolved references."""
    file = shop.example / "serverless.yml"
    text = file.read_text()
    file.write_text(text.partition("\nresources:")[0].replace("    package:", "    retain: true\n    package:", 1))
    try:
        deployed = shop.deploy()
    finally:
        file.write_text(text)
    (name,) = deployed.of_type("LayerVersion")
    assert name.startswith("LayerLambdaLayer")
    assert name != "LayerLambdaLayer"
    assert deployed.functions()["spectra-worker"]["Layers"] == [{"Ref": "LayerLambdaLayer"}]
