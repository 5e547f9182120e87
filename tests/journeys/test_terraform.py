"""The Terraform module and `lamella export terraform`, by the real terraform and AWS provider."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
from tests.build.projects import HANDLER, RUNTIME, Project, alone
from tests.cloud.strict import StrictServer
from tests.deployed.moto_server import zipped
from tests.journeys.terraform import Terraform

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("terraform")]

ROOT = Path(__file__).parents[2]
PROVIDER = 'provider "aws" {\n  region = "us-east-1"\n}\n'
CONFIGURATION = f"""
[tool.lamella]
runtime = "{RUNTIME}"

[tool.lamella.layers.numbers]
name = "shop-numbers"
packages = ["alpha"]
bytecode = "none"

[tool.lamella.layers.words]
name = "shop-words"
packages = ["beta"]
bytecode = "none"

[tool.lamella.functions.counter]
name = "shop-counter"
handler = "counter.handler"
include = ["counter.py"]
layers = ["FOREIGN", "numbers"]
memory = 512
timeout = 10
environment = {{ TABLE = "orders", PATTERN = "${{x}} %{{y}}" }}

[tool.lamella.functions.writer]
name = "shop-writer"
handler = "writer.handler"
include = ["writer.py"]
layers = ["words", "numbers"]
alias = "live"
"""


@pytest.fixture(scope="module")
def server() -> Iterator[StrictServer]:
    with StrictServer() as server:
        yield server


@pytest.fixture
def aws(server: StrictServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    server.forget()
    for name, value in {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    return boto3.client("lambda")


@pytest.fixture
def shop(tmp_path: Path, aws: Any, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Two functions with a layer of their own each, one with somebody else's besides; built."""
    made = alone(Project(tmp_path), monkeypatch)
    for name in ("alpha", "beta"):
        made.wheel(name)
    made.source("counter.py", f"import alpha\n\n{HANDLER}")
    made.source("writer.py", f"import alpha\nimport beta\n\n{HANDLER}")
    other = zipped({"python/gamma.py": ""})
    foreign = aws.publish_layer_version(LayerName="somebody-elses", Content={"ZipFile": other})["LayerVersionArn"]
    made.configure(CONFIGURATION.replace("FOREIGN", foreign), 'dependencies = ["alpha", "beta"]\n')
    made.lock()
    made.run("build", check=True)
    return made


def exported(shop: Project, tmp_path: Path, server: StrictServer) -> Terraform:
    """What `lamella export terraform` writes, initialized."""
    done = shop.run("export", "terraform")
    assert done.returncode == 0, done.stderr
    folder = shop.root / "terraform"
    (folder / "provider.tf").write_text(PROVIDER)
    terraform = Terraform(folder, tmp_path, server.url)
    terraform.run("init", "-backend=false")
    return terraform


def versions(aws: Any, name: str) -> list[int]:
    return sorted(row["Version"] for row in aws.list_layer_versions(LayerName=name)["LayerVersions"])


def test_the_module_is_formatted_and_valid(tmp_path: Path, server: StrictServer) -> None:
    module = Terraform(ROOT / "terraform" / "modules" / "lambda", tmp_path, server.url)
    module.run("fmt", "-check", "-recursive", "-diff")
    for file in (ROOT / "examples" / "terragrunt").rglob("*.hcl"):
        text = file.read_text()
        assert module.run("fmt", "-", stdin=text) == text, file


def test_from_nothing_to_a_changed_layer_and_back(
    shop: Project, tmp_path: Path, server: StrictServer, aws: Any
) -> None:
    terraform = exported(shop, tmp_path, server)
    terraform.run("validate")
    terraform.run("fmt", "-check", "-recursive", "-diff")
    made = terraform.plan()
    assert {tuple(actions) for actions in made.values()} == {("create",)}
    kinds = [address.split(".")[2] for address in made]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "aws_lambda_layer_version": 2,
        "aws_lambda_function": 2,
        "aws_lambda_alias": 1,
        "aws_cloudwatch_log_group": 2,
        "aws_iam_role": 2,
        "aws_iam_role_policy": 2,
    }
    terraform.apply_plan()
    assert terraform.plan("-detailed-exitcode") == {}

    manifest = shop.manifest()
    counter = aws.get_function_configuration(FunctionName="shop-counter")
    assert [layer["Arn"].split(":")[-2:] for layer in counter["Layers"]] == [
        ["somebody-elses", "1"],
        ["shop-numbers", "1"],
    ]
    assert (counter["MemorySize"], counter["Timeout"]) == (512, 10)
    assert counter["Environment"]["Variables"] == {"TABLE": "orders", "PATTERN": "${x} %{y}"}
    assert counter["CodeSha256"] == manifest["functions"]["counter"]["code_sha256"]
    live = aws.get_function_configuration(FunctionName="shop-writer", Qualifier="live")
    assert (live["Version"], live["CodeSha256"]) == ("1", manifest["functions"]["writer"]["code_sha256"])
    layer = aws.get_layer_version(LayerName="shop-words", VersionNumber=1)
    assert layer["Content"]["CodeSha256"] == manifest["layers"]["words"]["code_sha256"]
    assert (layer["CompatibleRuntimes"], layer["CompatibleArchitectures"]) == ([RUNTIME], ["x86_64"])

    shop.wheel("beta", files={"beta/__init__.py": "edition = 2\n"})
    shop.lock()
    shop.run("build", check=True)
    assert terraform.plan() == {
        'module.lambda.aws_lambda_layer_version.this["words"]': ["delete", "create"],
        'module.lambda.aws_lambda_function.this["writer"]': ["update"],
        'module.lambda.aws_lambda_alias.this["writer"]': ["update"],
    }
    terraform.apply_plan()
    assert versions(aws, "shop-words") == [1, 2], "the older version stays"
    live = aws.get_function_configuration(FunctionName="shop-writer", Qualifier="live")
    assert live["Version"] == "2"
    assert [layer["Arn"].split(":")[-1] for layer in live["Layers"]] == ["2", "1"]
    assert terraform.plan("-detailed-exitcode") == {}

    terraform.run("destroy", "-auto-approve")
    assert aws.list_functions()["Functions"] == []
    assert (versions(aws, "shop-words"), versions(aws, "shop-numbers")) == ([1, 2], [1])


def test_lamella_deploys_what_terraform_made(shop: Project, tmp_path: Path, server: StrictServer, aws: Any) -> None:
    terraform = exported(shop, tmp_path, server)
    root = terraform.folder / "lamella.tf"
    root.write_text(root.read_text().replace("manifest =", "deployed_by_lamella = true\n  manifest =", 1))
    terraform.plan()
    terraform.apply_plan()
    assert aws.get_function_configuration(FunctionName="shop-writer").get("Layers", []) == []
    done = shop.run("deploy", "--auto-approve")
    assert done.returncode == 0, done.stderr
    live = aws.get_function_configuration(FunctionName="shop-writer", Qualifier="live")
    assert len(live["Layers"]) == 2
    assert terraform.plan("-detailed-exitcode") == {}, "nothing of it is taken back"
    assert shop.run("plan", "--detailed-exitcode").returncode == 0


def test_a_large_zip_goes_through_s3(shop: Project, tmp_path: Path, server: StrictServer, aws: Any) -> None:
    """What is large is told by the manifest alone: here it says so of a small one."""
    path = shop.output / "manifest.json"
    tree = json.loads(path.read_bytes())
    tree["layers"]["words"]["zipped"] = 52_428_801
    path.write_text(json.dumps(tree))
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "provider.tf").write_text(PROVIDER)
    text = f'module "lambda" {{\n  source = {json.dumps(str(ROOT / "terraform/modules/lambda"))}\n'
    text += f'  manifest = {json.dumps(str(path))}\n  only = ["writer"]\n'
    terraform = Terraform(folder, tmp_path, server.url)
    (folder / "main.tf").write_text(text + "}\n")
    terraform.run("init", "-backend=false")
    refused = terraform.run("plan", "-no-color", status=1)
    assert "words.zip has 52428801 bytes, and a request takes 52428800: give `bucket`." in " ".join(
        re.sub(r"[│╷╵]", " ", refused).split()
    )
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="artifacts")
    (folder / "main.tf").write_text(text + '  bucket = "artifacts"\n  bucket_prefix = "shop/"\n}\n')
    layer = 'module.lambda.aws_lambda_layer_version.this["words"]'
    assert set(terraform.plan(f"-target={layer}")) == {layer, 'module.lambda.aws_s3_object.this["layer-words"]'}
    terraform.apply_plan()
    sha256 = tree["layers"]["words"]["sha256"]
    body = s3.get_object(Bucket="artifacts", Key=f"shop/lamella/{sha256}.zip")["Body"].read()
    assert shop.digest(shop.output / "words.zip") == sha256 == hashlib.sha256(body).hexdigest()
    published = aws.get_layer_version(LayerName="shop-words", VersionNumber=1)
    assert published["Content"]["CodeSha256"] == tree["layers"]["words"]["code_sha256"]


OTHERS = """
resource "aws_sns_topic" "failed" {
  name = "failed"
}

resource "aws_iam_role" "ours" {
  name               = "ours"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })
}

data "aws_iam_policy_document" "tell" {
  statement {
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.failed.arn]
  }
}

module "lambda" {
  source   = "MODULE"
  manifest = "manifest.json"
  alias    = "live"
  functions = {
    one = {
      policies    = { tell = data.aws_iam_policy_document.tell.json }
      policy_arns = { more = aws_sns_topic.failed.arn }
    }
    two   = { role = { arn = aws_iam_role.ours.arn } }
    three = { dead_letter_arn = aws_sns_topic.failed.arn, kms_key_arn = aws_sns_topic.failed.arn }
  }
}
"""


def test_what_other_resources_are_known_by_after_apply_only(
    tmp_path: Path,
    server: StrictServer,
    aws: Any,  # noqa: ARG001
) -> None:
    """Which roles and policies there will be does not depend on ARNs that a plan can't know."""
    root = tmp_path / "root"
    root.mkdir()
    text = PROVIDER + OTHERS.replace("MODULE", str(ROOT / "terraform/modules/lambda"))
    (root / "main.tf").write_text(text)
    (root / "manifest.json").write_text(json.dumps(manifest_of(("one", "two", "three"))))
    for name in ("layer", "one", "two", "three"):
        (root / f"{name}.zip").write_bytes(b"PK\5\6" + bytes(18))
    terraform = Terraform(root, tmp_path, server.url)
    terraform.run("init", "-backend=false")
    made = terraform.plan()
    roles = {address for address in made if address.startswith("module.lambda.aws_iam")}
    assert roles == {
        f"module.lambda.{rest}"
        for rest in (
            'aws_iam_role.this["one"]',
            'aws_iam_role.this["three"]',
            'aws_iam_role_policy.own["one"]',
            'aws_iam_role_policy.own["three"]',
            'aws_iam_role_policy.given["one/tell"]',
            'aws_iam_role_policy_attachment.this["one/more"]',
        )
    }
    (root / "main.tf").write_text(text.replace("three =", "treee ="))
    assert "has keys that the manifest has not: treee." in terraform.run("plan", "-no-color", status=1)
    (root / "main.tf").write_text(text)
    (root / "three.zip").unlink()
    assert "three.zip is missing: run `lamella build`." in terraform.run("plan", "-no-color", status=1)


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_inputs_of_the_terragrunt_example(
    environment: str,
    tmp_path: Path,
    server: StrictServer,
    aws: Any,  # noqa: ARG001
) -> None:
    """Terragrunt hands `inputs` to the module as variables; so does this, with the values by terraform's console."""
    folder = ROOT / "examples" / "terragrunt"
    texts = [(folder / name).read_text() for name in ("root.hcl", f"{environment}/terragrunt.hcl")]
    inputs = [re.search(r"^inputs = (\{.*?^\})", text, re.DOTALL | re.MULTILINE) for text in texts]
    values = tmp_path / "values"
    values.mkdir()
    joined = ", ".join(found.group(1) for found in inputs if found)
    (values / "values.tf").write_text(
        f'locals {{\n  environment = "{environment}"\n  built = ""\n  inputs = merge({joined})\n}}\n'
    )
    console = Terraform(values, tmp_path, server.url)
    printed = console.run("console", stdin="jsonencode(local.inputs)\n")
    given = json.loads(json.loads(printed))
    keys = ("api-handler", "worker", "authorizer")
    assert set(given["functions"]) == set(keys)
    root = tmp_path / "root"
    root.mkdir()
    for file in (ROOT / "terraform/modules/lambda").glob("*.tf"):
        (root / file.name).write_text(file.read_text())
    (root / "provider.tf").write_text(PROVIDER)
    (root / "manifest.json").write_text(json.dumps(manifest_of(keys)))
    for name in ("layer", *keys):
        (root / f"{name}.zip").write_bytes(b"PK\5\6" + bytes(18))
    (root / "inputs.auto.tfvars.json").write_text(json.dumps({**given, "manifest": "manifest.json"}))
    terraform = Terraform(root, tmp_path, server.url)
    terraform.run("init", "-backend=false")
    made = terraform.plan()
    assert sum("aws_lambda_function" in address for address in made) == 3
    assert any("provisioned_concurrency" in address for address in made) == (environment == "prod")
    assert any("aws_lambda_layer_version" in address for address in made) == (environment == "dev")


def manifest_of(keys: tuple[str, ...]) -> dict[str, Any]:
    """As much of a manifest as the module reads."""
    shared = {"zipped": 22, "sha256": "0" * 64, "code_sha256": "A" * 43 + "=", "architecture": "x86_64"}
    layer = {
        **shared,
        "name": "l",
        "file": "layer.zip",
        "runtimes": ["python3.12"],
        "description": "d",
        "licence": "MIT",
    }
    function = {**shared, "runtime": "python3.12", "handler": "app.handler", "layers": ["layer"]}
    functions = {key: {**function, "name": key, "file": f"{key}.zip"} for key in keys}
    return {"schema": 2, "project": "spectra", "layers": {"layer": layer}, "functions": functions}
