# ruff: noqa: F811  fixtures of another folder
"""What is deployed runs here: `pull`, `invoke --from aws`, and other people's layers in a build."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.build.projects import RUNNABLE, RUNTIME, Project, with_one_function
from tests.deployed.conftest import _moto, aws_server, deployer, nobody, somebody  # noqa: F401
from tests.deployed.moto_server import AwsServer, Deployer, zipped

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("invoke")]

CONFIGURATION = RUNNABLE
DEPLOYED = """
import os, stem

def handler(event, context):
    return {"deployed": True, "token": os.environ.get("TOKEN"), "memory": context.memory_limit_in_mb,
            "version": context.function_version, "arn": context.invoked_function_arn, "stem": stem.WHERE}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = with_one_function(tmp_path)
    made.configure(CONFIGURATION)
    made.run("build", check=True)
    return made


def lamella(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "lamella", *arguments], cwd=project.root, capture_output=True, text=True, check=False,
        env={**os.environ, **{name: project.environment[name] for name in ("LAMELLA_CACHE_DIR", "HOME", "NO_COLOR")}},
    )  # fmt: skip
    assert "src/lamella" not in done.stderr, "a traceback of our own"
    return done


def deploy(deployer: Deployer) -> str:
    layer = deployer.layer("spectra-layer", zipped({"python/stem.py": "WHERE = 'AWS'\n"}))
    deployer.function(
        "spectra-api", zipped({"app.py": DEPLOYED}), Runtime=RUNTIME, Handler="app.handler", Layers=[layer],
        MemorySize=256, Timeout=5, Environment={"Variables": {"TOKEN": "s3cret-value"}},
    )  # fmt: skip
    return layer


def test_what_is_deployed_and_not_what_was_built(project: Project, deployer: Deployer) -> None:
    deploy(deployer)
    assert lamella(project, "invoke", "api", "-q").stdout == "{}\n"
    done = lamella(project, "invoke", "api", "--from", "aws", "-q")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer.pop("arn").endswith(":123456789012:function:spectra-api")
    assert answer == {"deployed": True, "token": "s3cret-value", "memory": "256", "version": "$LATEST", "stem": "AWS"}
    assert not [path for path in project.cache.rglob("*") if path.is_file() and b"s3cret-value" in path.read_bytes()]


def test_without_aws_as_it_was_last_pulled(project: Project, deployer: Deployer, aws_server: AwsServer) -> None:
    deploy(deployer)
    assert lamella(project, "pull", "api").returncode == 0
    aws_server.forget()
    assert lamella(project, "invoke", "api", "-q").returncode == 0  # the runtime client comes to the cache
    done = lamella(project, "invoke", "api", "--from", "aws", "--offline")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["token"] is None
    assert "note: without the 1 variable `TOKEN`: their values are never kept; give them with `--env`" in done.stderr
    given = lamella(project, "invoke", "api", "--from", "aws", "--offline", "-q", "--env", "TOKEN=mine")
    assert json.loads(given.stdout)["token"] == "mine"
    gone = lamella(project, "invoke", "api", "--from", "aws")
    assert gone.returncode == 2
    assert "spectra-api" in gone.stderr


def test_where_there_is_no_project(project: Project, deployer: Deployer) -> None:
    deploy(deployer)
    (project.root / "pyproject.toml").unlink()
    done = lamella(project, "invoke", "spectra-api", "--from", "aws", "-q")
    assert (done.returncode, json.loads(done.stdout)["stem"]) == (0, "AWS")


def test_somebody_elses_layer(project: Project, deployer: Deployer) -> None:
    arn = deployer.layer("tools", zipped({"python/tools.py": "answer = 42\n"}))
    project.source("app.py", "import importlib\n\ndef handler(event, context):\n"
                   "    return importlib.import_module('tools').answer\n")  # fmt: skip
    project.configure(CONFIGURATION.replace('["layer"]', f'["layer", "{arn}"]'))
    assert lamella(project, "build").returncode == 0
    without = lamella(project, "invoke", "api")
    assert without.returncode == 1
    assert f"note: without `{arn}`, which is only in AWS: `lamella pull {arn}` brings it here" in without.stderr
    assert lamella(project, "pull", arn).returncode == 0
    done = lamella(project, "invoke", "api")
    assert (done.returncode, done.stdout) == (0, "42\n"), done.stderr
    assert "note: without" not in done.stderr
