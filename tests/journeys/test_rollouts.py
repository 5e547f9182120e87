# ruff: noqa: F811  fixtures of another folder
"""Deploys that meet: twice the same, two at once, and the AWS CLI as a second client."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import pytest
from tests.build.projects import RUNNABLE, RUNTIME, clean_environment, with_one_function
from tests.cloud.strict import Answered, Fault, StrictServer, logged
from tests.cloud.strict_fixtures import _strict, owner, strict  # noqa: F401
from tests.deployed.conftest import nobody, somebody  # noqa: F401
from tests.deployed.moto_server import Deployer, zipped
from tests.journeys.rollouts import deploy, found_shop, seen, shop, start_deploy, twins, way
from tests.journeys.test_start_lambda import aws  # noqa: F401

from lamella.rollout.model import Outcome


@pytest.fixture
def shelf(strict: StrictServer, owner: Deployer, tmp_path: Path) -> Path:
    """A shop of which the first edition is deployed; the folder of its journal."""
    found_shop(owner)
    folder = tmp_path / "project"
    folder.mkdir()
    outcome = deploy(shop(tmp_path / "zips", 1), str(folder), way(strict.url))
    assert isinstance(outcome, Outcome)
    assert not outcome.failures
    strict.clear()
    return folder


def test_a_deploy_that_changes_nothing_writes_nothing(shelf: Path, strict: StrictServer, tmp_path: Path) -> None:
    before, journal = strict.snapshot(), {path: path.read_bytes() for path in shelf.rglob("*") if path.is_file()}
    outcome = deploy(shop(tmp_path / "zips", 1), str(shelf), way(strict.url))
    assert isinstance(outcome, Outcome)
    assert not outcome.failures
    assert strict.writes == []
    assert not [call for call in strict.calls if call.operation == "Invoke"]
    assert strict.snapshot().facts == before.facts
    assert {path: path.read_bytes() for path in shelf.rglob("*") if path.is_file()} == journal


@pytest.mark.slow
@pytest.mark.parametrize("journals", ["one journal", "a journal each"])
def test_of_two_at_once_one_wins_and_one_says_why_not(
    shelf: Path, strict: StrictServer, tmp_path: Path, journals: str
) -> None:
    """Two machines with different builds, which both have planned before either changes a function."""
    other = shelf
    if journals == "a journal each":
        other = tmp_path / "other"
        shutil.copytree(shelf, other)
    both, started = threading.Barrier(2), threading.Event()
    processes: dict[int, Any] = {}

    def meet() -> None:
        if other != shelf:
            both.wait(60)
        elif started.wait(60):  # the other one was refused before it came so far
            wait([process.sentinel for process in processes.values()], 60)

    met: list[str] = []

    def fault(_number: int, _service: str, operation: str) -> Fault | None:
        if operation != "UpdateFunctionConfiguration" or len(met) == 2:
            return None
        met.append(operation)
        return Fault(-1, act=meet)

    strict.fault = fault
    editions = {2: shelf, 3: other}
    wishes = {edition: shop(tmp_path / "zips", edition) for edition in editions}
    for edition, folder in editions.items():
        processes[edition] = start_deploy(wishes[edition], str(folder), strict.url, f"{edition}.txt")
    started.set()
    for process in processes.values():
        process.join(60)
    codes = {edition: process.exitcode for edition, process in processes.items()}
    assert sorted(codes.values()) == [0, 1]
    winner = next(edition for edition, code in codes.items() if code == 0)
    loser = 5 - winner
    said = (editions[loser] / f"{loser}.txt").read_text()
    if other == shelf:
        assert "another deploy to this place is under way here" in said
    else:
        assert met == ["UpdateFunctionConfiguration"] * 2
        assert "was changed by somebody else meanwhile" in said
        assert "remains=()" in said
    there = seen(strict)
    assert {made.latest[3] for made in there.values()} == {f"app{winner}.handler"}
    assert {made.alias[3] for made in there.values() if made.alias} == {f"app{winner}.handler"}
    assert twins() == []
    for name, one in there.items():
        wanted = next(each for each in wishes[winner].functions if each.name == name)
        assert one.latest[0] == wanted.content.code_sha256
        assert one.alias is None or one.alias == one.latest


@pytest.mark.journey
@pytest.mark.xdist_group("rollouts")
def test_the_aws_cli_reads_back_what_lamella_deployed(
    strict: StrictServer, owner: Deployer, aws: list[str], tmp_path: Path
) -> None:
    project = with_one_function(tmp_path / "project")
    project.configure(RUNNABLE + 'alias = "live"\nsmoke = [{ event = "health.json", expect = { status = 200 } }]\n')
    (project.root / "health.json").write_text('{"path": "/health"}')
    project.run("build", check=True)
    owner.function("spectra-api", zipped({"app.py": "# nothing yet\n"}), Runtime=RUNTIME)
    strict.invoked = lambda met: Answered(b'{"statusCode": 200}', "", logged(met.version, str(met.payload)))
    own = {name: project.environment[name] for name in ("LAMELLA_CACHE_DIR", "HOME", "NO_COLOR")}

    def lamella(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "lamella", *arguments],
            cwd=project.root, env={**os.environ, **own}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    assert lamella("plan", "--detailed-exitcode", "-q").returncode == 2
    done = lamella("deploy", "--auto-approve")
    assert done.returncode == 0, done.stderr
    assert lamella("plan", "--detailed-exitcode", "-q").returncode == 0

    manifest = json.loads((project.root / "dist/lambda/manifest.json").read_text())
    layer, function = manifest["layers"]["layer"], manifest["functions"]["api"]

    def cli(*arguments: str) -> Any:
        done = subprocess.run(
            [*aws, "lambda", *arguments, "--output", "json"],
            env=clean_environment(
                os.environ, AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none", AWS_DEFAULT_REGION="us-east-1",
                AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull, AWS_ENDPOINT_URL_LAMBDA=strict.url,
                AWS_MAX_ATTEMPTS="1", AWS_PAGER="",
            ),
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout else None

    cli("wait", "function-updated-v2", "--function-name", "spectra-api")
    cli("wait", "function-updated", "--function-name", "spectra-api")
    told = cli("get-function-configuration", "--function-name", "spectra-api", "--qualifier", "live")
    assert (told["Version"], told["CodeSha256"], told["State"]) == ("1", function["code_sha256"], "Active")
    versions = cli("list-layer-versions", "--layer-name", layer["name"])["LayerVersions"]
    assert [row["LayerVersionArn"] for row in versions] == [row["Arn"] for row in told["Layers"]]
    assert versions[0]["CompatibleRuntimes"] == [RUNTIME]
    held = cli("get-layer-version", "--layer-name", layer["name"], "--version-number", "1")
    assert held["Content"]["CodeSha256"] == layer["code_sha256"]
    assert cli("get-alias", "--function-name", "spectra-api", "--name", "live")["FunctionVersion"] == "1"
