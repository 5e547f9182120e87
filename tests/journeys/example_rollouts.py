"""An example of this repository, rolled out by the command to a stand-in of AWS that really runs its functions."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
from moto.backends import get_backend
from tests.cloud.running import Running
from tests.cloud.strict import StrictServer
from tests.deployed.moto_server import REGION, Deployer
from tests.journeys.rollouts import packed
from tests.journeys.terraform import Terraform

from lamella.cachedir import cache_dir

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
# What stands in the folder of somebody who works there, and is none of its source
_LEFT_OUT = shutil.ignore_patterns("dist", ".lamella", "__pycache__", ".pytest_cache", ".terraform*", "*.tfstate*")


class Rollout:
    """A copy of an example in `root`, which may be broken, and the AWS that it goes to."""

    def __init__(self, root: Path, aws: StrictServer) -> None:
        self.root, self.aws = root, aws
        foreign = ("AWS_", "BOTO")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": aws.url,
            "NO_COLOR": "1",
            "NO_PROXY": "*",
        }

    def lamella(self, *arguments: str, status: int = 0) -> str:
        """What it says, both streams, where it ends with `status`."""
        done = subprocess.run(
            [sys.executable, "-m", "lamella", *arguments],
            cwd=self.root, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False, timeout=240,
        )  # fmt: skip
        assert done.returncode == status, f"lamella {' '.join(arguments)}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def edit(self, path: str, old: str, new: str) -> None:
        """`old`, which must be there, becomes `new`: once."""
        file = self.root / path
        text = file.read_text()
        assert text.count(old) >= 1, f"{path} has no {old!r}"
        file.write_text(text.replace(old, new, 1))

    def event(self, path: str) -> Any:
        return json.loads((self.root / path).read_text())

    @property
    def manifest(self) -> dict[str, Any]:
        tree: dict[str, Any] = json.loads((self.root / "dist/lambda/manifest.json").read_text())
        return tree

    def found(self, environments: Mapping[str, Mapping[str, str]]) -> None:
        """Functions that somebody made, with old code, by what was built; their variables by the manifest's keys."""
        owner = Deployer(self.aws)
        for key, function in self.manifest["functions"].items():
            module, _, name = function["handler"].rpartition(".")
            old = packed(f"{module.replace('.', '/')}.py", f"def {name}(event, context):\n    return {{}}\n")
            owner.function(
                function["name"], old, Handler=function["handler"], Runtime=function["runtime"],
                Environment={"Variables": dict(environments.get(key, {}))},
            )  # fmt: skip

    def live(self) -> dict[str, tuple[str, str, tuple[str, ...]]]:
        """What users meet behind each alias `live`: version, CodeSha256 and layers; of those that have one."""
        there = {}
        for key, function in self.manifest["functions"].items():
            lambdas = Deployer(self.aws).lambdas
            try:
                seen = lambdas.get_function_configuration(FunctionName=function["name"], Qualifier="live")
            except lambdas.exceptions.ResourceNotFoundException:
                continue
            layers = tuple(layer["Arn"].split(":layer:")[1] for layer in seen.get("Layers", []))
            there[key] = (seen["Version"], seen["CodeSha256"], layers)
        return there

    def invoke(self, key: str, event: object) -> Any:
        """What the deployed function answers behind its alias; it must not fail."""
        name = self.manifest["functions"][key]["name"]
        answer = Deployer(self.aws).lambdas.invoke(
            FunctionName=name, Qualifier="live", Payload=json.dumps(event).encode(), LogType="Tail"
        )
        payload = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, payload
        return payload


@contextmanager
def rolled_out(example: str, folder: Path) -> Iterator[Rollout]:
    """A copy of examples/`example` below `folder`, and an account with nothing in it.  Whatever is invoked is run."""
    root = folder / example
    shutil.copytree(EXAMPLES / example, root, ignore=_LEFT_OUT)
    zips = folder / "zips"
    zips.mkdir()
    for service in ("lambda", "s3", "iam", "logs", "dynamodb", "sqs", "apigatewayv2", "stepfunctions", "events", "sns"):
        get_backend(service).reset()  # moto's state is its process's
    with StrictServer() as aws, Running(zips, cache_dir(os.environ), root) as aws.invoked:
        yield Rollout(root, aws)


def exported(example: str, kind: str, file: str) -> None:
    """`file` of the example is what `lamella export KIND` would write now."""
    arguments = ["export", kind, "--output", file, "--check"]
    done = subprocess.run(
        [sys.executable, "-m", "lamella", *arguments],
        cwd=EXAMPLES / example, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def digests(manifest: Mapping[str, Any], keys: Iterable[str]) -> dict[str, str]:
    """CodeSha256 of what was built, by the functions' keys."""
    return {key: manifest["functions"][key]["code_sha256"] for key in keys}


@contextmanager
def terraformed(example: str, folder: Path) -> Iterator[tuple[Rollout, Terraform]]:
    """The example as it lies in the repository, with the module beside it; built, initialized."""
    (folder / "examples").mkdir()
    shutil.copytree(ROOT / "terraform", folder / "terraform", ignore=shutil.ignore_patterns(".terraform*"))
    with rolled_out(example, folder / "examples") as rollout:
        terraform = Terraform(rollout.root / "terraform", folder, rollout.aws.url)
        rollout.lamella("build")
        terraform.run("init", "-backend=false")
        yield rollout, terraform


def client(rollout: Rollout, service: str) -> Any:
    return boto3.client(
        service, endpoint_url=rollout.aws.url, region_name="us-east-1",
        aws_access_key_id="testing", aws_secret_access_key="testing",
    )  # fmt: skip
