# ruff: noqa: F811  fixtures of another folder
"""A deploy whose smoke events are really run: deployed zips, AWS's runtime client, this machine's Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.build.projects import RUNNABLE, RUNTIME, Project, with_one_function
from tests.cloud.running import Running
from tests.cloud.strict import StrictServer
from tests.cloud.strict_fixtures import _strict, owner, strict  # noqa: F401
from tests.deployed.conftest import nobody, somebody  # noqa: F401
from tests.deployed.moto_server import Deployer, zipped

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("proof")]

CONFIGURATION = (
    RUNNABLE
    + """timeout = 20
alias = "live"

[[tool.lamella.functions.api.smoke]]
name = "health"
payload = { path = "/health" }
expect = { status = 200, json = { "body.raw" = true } }
log = ["stem imported successfully"]
no-log = ["not installed"]
max-init = 10
"""
)
SOUND = """
import json, stem
print("stem imported successfully")

def handler(event, context):
    return {"statusCode": 200, "body": json.dumps({"raw": True, "path": event["path"]})}
"""
# What happens to people: the import is guarded, so nothing fails but the function's purpose
SHAKY = """
import json
try:
    import stem, stem.raw
    print("stem imported successfully")
except ImportError:
    stem = None
    print("stem not installed: RAW format support is off")

def handler(event, context):
    return {"statusCode": 200, "body": json.dumps({"raw": stem is not None})}
"""


@pytest.fixture
def project(tmp_path: Path, strict: StrictServer, owner: Deployer) -> Project:
    made = with_one_function(tmp_path / "project")
    made.configure(CONFIGURATION)
    owner.function("spectra-api", zipped({"app.py": "# nothing yet\n"}), Runtime=RUNTIME)
    strict.functions.settle_polls = 1
    return made


def deployed(project: Project, source: str) -> subprocess.CompletedProcess[str]:
    project.source("app.py", source)
    project.run("build", check=True)
    own = {name: project.environment[name] for name in ("LAMELLA_CACHE_DIR", "HOME", "NO_COLOR")}
    return subprocess.run(
        [sys.executable, "-m", "lamella", "deploy", "--auto-approve"],
        cwd=project.root, env={**os.environ, **own}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_release_that_lost_its_library_never_reaches_users(
    project: Project, strict: StrictServer, owner: Deployer, tmp_path: Path
) -> None:
    with Running(tmp_path, project.environment["LAMELLA_CACHE_DIR"]) as strict.invoked:
        done = deployed(project, SOUND)
        assert done.returncode == 0, done.stderr
        behind = owner.lambdas.get_function_configuration(FunctionName="spectra-api", Qualifier="live")
        assert (behind["Version"], len(behind["Layers"])) == ("1", 1)

        done = deployed(project, SHAKY)
        assert done.returncode == 1
        assert "`health` failed on version 2" in done.stderr
        assert "stem not installed: RAW format support is off" in done.stderr, done.stderr
        assert "`body.raw` is false, not true" in done.stderr

    after = owner.lambdas.get_function_configuration(FunctionName="spectra-api", Qualifier="live")
    latest = owner.lambdas.get_function_configuration(FunctionName="spectra-api")
    assert after == behind
    assert (latest["CodeSha256"], latest["Layers"]) == (behind["CodeSha256"], behind["Layers"])
