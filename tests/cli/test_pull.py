# ruff: noqa: F811  fixtures of another folder
from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.deployed.conftest import _moto, aws_server, deployer, nobody, somebody  # noqa: F401
from tests.deployed.faking import layer_arn
from tests.deployed.moto_server import SIGNATURE, AwsServer, Deployer, zipped

TOOLS = zipped({"python/tools.py": "answer = 42\n"})
CODE = zipped({"app.py": "def handler(event, context):\n    return event\n"})

PYPROJECT = """\
[project]
name = "shop"
version = "1"
requires-python = ">=3.12"

[tool.lamella.layers.layer]
name = "shop-tools"

[tool.lamella.functions.api]
name = "shop-api"
handler = "app.handler"
layers = ["layer"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/app.py").write_text("def handler(event, context):\n    return {}\n")
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    return tmp_path


def lamella(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "lamella", "pull", *arguments], cwd=project, capture_output=True, text=True, check=False,
        env={**os.environ, "LAMELLA_CACHE_DIR": str(project / "cache")},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert SIGNATURE not in done.stdout + done.stderr
    return done


def deploy(deployer: Deployer) -> str:
    arn = deployer.layer("shop-tools", TOOLS, CompatibleRuntimes=["python3.12"])
    deployer.function("shop-api", CODE, Layers=[arn], Environment={"Variables": {"TOKEN": "s3cret-value"}})
    return arn


def test_a_function_by_its_key_with_its_layer(project: Path, deployer: Deployer) -> None:
    arn = deploy(deployer)
    done = lamella(project, "api")
    assert (done.returncode, done.stdout) == (0, "")
    lines = done.stderr.splitlines()
    assert lines[0] == (
        "Function `shop-api` version $LATEST: python3.12 (x86_64), app.handler, 128 MB, 3 s"
    )  # fmt: skip
    assert "Layer `shop-tools` version 1" in lines
    assert f"  {arn}" in lines
    assert sum("verified, downloaded" in line for line in lines) == 2
    zips = [line.strip() for line in lines if line.endswith(".zip")]
    assert [Path(path).read_bytes() for path in zips] == [CODE, TOOLS]
    assert "s3cret-value" not in done.stderr
    again = lamella(project, "api")
    assert again.stderr == done.stderr.replace("verified, downloaded", "verified, already here")


def test_json_and_offline(project: Path, aws_server: AwsServer, deployer: Deployer) -> None:
    arn = deploy(deployer)
    done = lamella(project, "api", "layer", "--json", "-q")
    assert (done.returncode, done.stderr) == (0, "")
    function, layer = json.loads(done.stdout)
    assert (function["kind"], function["name"], function["fetched"]) == ("function", "shop-api", True)
    assert (function["variables"], function["layers"][0]["arn"]) == (["TOKEN"], arn)
    assert (layer["kind"], layer["arn"], layer["version"], layer["fetched"]) == ("layer", arn, 1, False)
    assert "s3cret-value" not in done.stdout
    asked = len(aws_server.asked)
    offline = lamella(project, "api", "layer", "--json", "--offline")
    assert len(aws_server.asked) == asked
    assert json.loads(offline.stdout) == json.loads(done.stdout.replace('"fetched": true', '"fetched": false'))


def test_what_was_never_pulled_is_not_there_offline(project: Path, somebody: None) -> None:  # noqa: ARG001
    done = lamella(project, "api", "--offline")
    assert done.returncode == 3
    assert "`shop-api` is not in the cache, and `--offline` was given" in done.stderr


def test_arns_need_no_project(tmp_path: Path, deployer: Deployer) -> None:
    arn = deploy(deployer)
    done = lamella(tmp_path, arn)
    assert done.returncode == 0
    assert done.stderr.startswith("Layer `shop-tools` version 1: for python3.12\n")


def test_names_outside_of_a_project_are_awss(tmp_path: Path, deployer: Deployer) -> None:
    deploy(deployer)
    done = lamella(tmp_path, "shop-api")
    assert done.returncode == 0
    assert done.stderr.startswith("note: names are taken as AWS's: no configuration in ")
    assert "Function `shop-api` version $LATEST" in done.stderr


def test_the_kind_can_be_forced(project: Path, deployer: Deployer) -> None:
    deployer.layer("both", TOOLS)
    deployer.function("both", CODE)
    assert lamella(project, "both").stderr.startswith("Function `both`")
    assert lamella(project, "--layer", "both").stderr.startswith("Layer `both`")
    refused = lamella(project, "--function", layer_arn("both"))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "is a layer" in refused.stderr


def test_a_changed_function_is_downloaded_anew(project: Path, deployer: Deployer) -> None:
    deploy(deployer)
    lamella(project, "api")
    newer = zipped({"app.py": "def handler(event, context):\n    return 2\n"})
    deployer.lambdas.update_function_code(FunctionName="shop-api", ZipFile=newer)
    (function,) = json.loads(lamella(project, "api", "--json").stdout)
    assert Path(function["path"]).read_bytes() == newer
    assert (function["fetched"], function["layers"][0]["fetched"]) == (True, False)


@pytest.mark.parametrize(
    ("faults", "code", "shown"),
    [
        ([("other", b"PK" * 50)] * 2, 3, "its CodeSha256 is "),
        ([("expired",)] * 2, 3, "is refused"),
        ([("status", 404)], 3, "HTTP 404"),
        ([("api", 403, "AccessDeniedException", "no")], 3, "let a policy allow `lambda:ListLayerVersions`"),
    ],
)
def test_what_goes_wrong_is_told_and_nothing_is_kept(
    project: Path, aws_server: AwsServer, deployer: Deployer, faults: list[tuple[object, ...]], code: int, shown: str
) -> None:
    deploy(deployer)
    aws_server.faults = list(faults)
    done = lamella(project, "layer")
    assert done.returncode == code
    assert done.stderr.startswith("error: ")
    assert shown in done.stderr
    assert list((project / "cache").rglob("*.*")) == []


def test_a_link_that_has_expired_and_a_cut_off_are_got_over(
    project: Path, aws_server: AwsServer, deployer: Deployer
) -> None:
    deploy(deployer)
    aws_server.faults = [("expired",), ("cut", 40)]
    done = lamella(project, "layer")
    assert done.returncode == 0
    assert aws_server.downloads == ["", "", "bytes=40-"]


@pytest.mark.parametrize("name", ["nope", "nope:3", "api:3"])
def test_what_is_not_there(project: Path, deployer: Deployer, name: str) -> None:
    deploy(deployer)
    done = lamella(project, name)
    assert done.returncode == 2
    assert "hint: look at its name, `--region` and `--profile`" in done.stderr


def test_no_credentials(project: Path, nobody: None) -> None:  # noqa: ARG001
    done = lamella(project, "api", "--region", "us-east-1")
    assert done.returncode == 2
    assert done.stderr.startswith("error: there are no AWS credentials\n")
