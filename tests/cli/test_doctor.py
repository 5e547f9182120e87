# ruff: noqa: F811  fixtures of another folder
"""`doctor` and `permissions` in a project, against a strict AWS."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pytest
from tests.build.projects import HANDLER, RUNNABLE, Project
from tests.checks.builds import RUNTIME
from tests.cli.aws import FUNCTION, LAYER, built_with, enter, put_built, settled
from tests.cloud.strict import DENIED, StrictServer
from tests.cloud.strict_fixtures import _strict, strict  # noqa: F401
from tests.deployed.conftest import nobody, somebody  # noqa: F401
from tests.deployed.moto_server import REGION, Deployer, zipped
from tests.doctor.running import Done, run

from lamella.cli import app
from lamella.cli.visiting import Patient, carried, simulated
from lamella.cloud.model import Place
from lamella.cloud.places import open_cloud
from lamella.doctor.judge import Meant
from lamella.doctor.model import Person
from lamella.rollout.upkeep.policy import CALLS

TABLES = RUNNABLE + 'alias = "live"\n\n[tool.lamella.environments.prod]\nsuffix = "-prod"\n'


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return built_with(tmp_path_factory.mktemp("built"), TABLES)


@pytest.fixture
def project(built: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    enter(built, built.root, monkeypatch)
    built.configure(TABLES)
    return built


@pytest.fixture
def server(strict: StrictServer, project: Project) -> StrictServer:  # noqa: ARG001
    """An empty account, with the working directory in the project."""
    return strict


@pytest.fixture
def deployed(server: StrictServer, project: Project) -> Deployer:
    """What was built, put there by somebody else: one version of each, and the alias."""
    deployer = Deployer(server)
    runtime = json.loads((project.output / "manifest.json").read_text())["functions"]["api"]["runtime"]
    put_built(deployer, project, Runtime=runtime)
    server.clear()
    return deployer


def checks(done: Done) -> list[str]:
    return [row["check"] for row in done.errors]


def test_what_was_built_and_deployed_is_fine(
    server: StrictServer, deployed: Deployer, capsys: pytest.CaptureFixture[str]  # noqa: ARG001
) -> None:  # fmt: skip
    done = run(capsys)
    assert (done.code, done.errors) == (0, [])
    assert [line.partition(":")[0] for line in done.tree["looked"]] == ["built", "AWS", FUNCTION]
    assert not server.writes
    assert len(server.calls) <= 7


def test_what_somebody_did_to_it(deployed: Deployer, capsys: pytest.CaptureFixture[str]) -> None:
    deployed.lambdas.update_function_configuration(FunctionName=FUNCTION, Layers=[], Handler="app.other")
    settled(deployed)
    done = run(capsys, "api")
    assert done.code == 1
    assert done.reasons("layers") == [f"layer `{LAYER}` is not attached"]
    assert done.of("layers")[0]["fix"] == ["lamella deploy"]
    assert checks(done) == ["handler", "layers"]
    assert done.reasons("alias") == ["its alias `live` points at version 1, and $LATEST has other layers, handler"]


def test_deep(deployed: Deployer, capsys: pytest.CaptureFixture[str]) -> None:
    """The zips that are deployed are looked at, not those that were built."""
    deployed.lambdas.update_function_code(
        FunctionName=FUNCTION, ZipFile=zipped({"app.py": f"import nowhere\n{HANDLER}"})
    )
    settled(deployed)
    deployed.lambdas.publish_version(FunctionName=FUNCTION)
    deployed.lambdas.update_alias(FunctionName=FUNCTION, Name="live", FunctionVersion="2")
    done = run(capsys, "api", "--deep")
    named = {row["artifact"] for row in done.errors}
    assert named == {f"{FUNCTION}:2"}
    assert "imports `nowhere`: not in layer" in done.reasons("closure")[0]
    assert done.of("closure")[0]["fix"] == ["lamella build", "lamella deploy"]


def test_commands_lead_to_the_place(
    deployed: Deployer, project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of several regions, the environment that was named, and memory that was configured and isn't there."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    regions = f'\n[tool.lamella.environments.wide]\nregions = ["{REGION}", "eu-west-1"]\n'
    project.configure(RUNNABLE + 'alias = "live"\nmemory = 1024\n' + regions)
    deployed.lambdas.update_function_configuration(FunctionName=FUNCTION, Layers=[], MemorySize=256)
    settled(deployed)
    done = run(capsys, "api", "--env", "wide")
    (layers,) = (row for row in done.of("layers") if REGION in row["artifact"])
    assert layers["fix"] == [f"lamella deploy --env wide --region {REGION}"]
    (memory,) = done.of("memory")
    assert memory["fix"][0].endswith(f"--memory-size 1024 --region {REGION}")
    one = run(capsys, "api", "--env", "wide", "--region", REGION)
    assert one.of("layers")[0]["fix"] == layers["fix"]


def test_no_such_function(server: StrictServer, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ARG001
    done = run(capsys, "api", "--env", "prod")
    assert done.code == 1
    assert done.errors[0]["fix"][0].startswith("aws lambda create-function --function-name spectra-api-prod")
    other = run(capsys, "somebody-elses")
    assert other.errors[0]["artifact"] == "somebody-elses"


def test_what_is_deployed_is_what_the_policy_allows(
    server: StrictServer, project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All calls of a real deploy, that of the permissions' own document, and nothing besides."""
    deployer = Deployer(server)
    runtime = json.loads((project.output / "manifest.json").read_text())["functions"]["api"]["runtime"]
    deployer.function(FUNCTION, zipped({"app.py": HANDLER}), Runtime=runtime)
    settled(deployer)
    server.clear()
    monkeypatch.setitem(app.COMMANDS, "deploy", "")
    monkeypatch.setitem(app.COMMANDS, "permissions", "")
    assert app.run(["deploy", "--auto-approve"]) == 0
    # What a signed link leads to needs no permission
    made = {f"{call.service}:{call.operation}" for call in server.calls} - {"s3:Download"}
    assert {"lambda:PublishLayerVersion", "lambda:UpdateFunctionCode", "lambda:CreateAlias"} <= made
    capsys.readouterr()
    assert app.run(["permissions", "--account", "123456789012", "--region", REGION]) == 0
    statements = json.loads(capsys.readouterr().out)["Statement"]
    allowed = {action for row in statements for action in row["Action"]}
    assert {action for call in made for action in CALLS[call] if not action.startswith("s3:")} <= allowed


def test_what_a_deploy_would_be_denied(
    server: StrictServer, deployed: Deployer, capsys: pytest.CaptureFixture[str]  # noqa: ARG001
) -> None:  # fmt: skip
    class Simulated:
        asked: ClassVar[list[tuple[Sequence[str], Sequence[str]]]] = []

        def person(self) -> Person:
            return Person("123456789012", "arn:aws:iam::123456789012:user/anna")

        def refused(
            self, person: Person, actions: Sequence[str], resources: Sequence[str], region: str  # noqa: ARG002
        ) -> tuple[tuple[str, str], ...]:  # fmt: skip
            self.asked.append((actions, resources))
            return tuple((one, resources[0]) for one in actions if one == "lambda:UpdateAlias")

    place = Place(region=REGION, account="123456789012", bucket="zips", journal="s3://state/shop")
    patient = Patient(FUNCTION, "live", Meant())
    (one,) = simulated(open_cloud(place), Simulated(), [patient], [LAYER])
    assert one.finding.reason == "`arn:aws:iam::123456789012:user/anna` lacks `lambda:UpdateAlias`"
    assert one.fix[0].startswith("aws iam put-user-policy --user-name anna")
    listed = [resources for actions, resources in Simulated.asked if "s3:ListBucket" in actions]
    assert sorted(map(list, listed)) == [["arn:aws:s3:::state"], ["arn:aws:s3:::zips"]]
    # A resource is simulated as text, so that no wildcard stands in it but the one for all
    assert all("*" not in text[:-1] for _, resources in Simulated.asked for text in resources)


def test_a_simulation_that_is_denied_costs_nothing_else(
    server: StrictServer, deployed: Deployer, capsys: pytest.CaptureFixture[str]  # noqa: ARG001
) -> None:  # fmt: skip
    denied = ("GetAlias", "SimulatePrincipalPolicy")
    server.fault = lambda _number, _service, operation: DENIED if operation in denied else None
    done = run(capsys, "--permissions")
    assert done.code == 1
    assert [line.partition(":")[0] for line in done.tree["looked"]] == ["built", "AWS", FUNCTION]
    lacks, unsimulated = done.of("permissions")
    assert "lacks `lambda:GetAlias`" in lacks["reason"]
    assert (unsimulated["severity"], unsimulated["tried"]) == ("warning", False)
    assert unsimulated["reason"].startswith("a deploy was not simulated: ")
    policy = json.loads(shlex.split(unsimulated["fix"][0])[-1])
    assert policy["Statement"][0]["Action"] == ["iam:SimulatePrincipalPolicy"]
    assert "SimulatePrincipalPolicy" in {call.operation for call in server.calls}
    server.clear()
    run(capsys)
    assert "SimulatePrincipalPolicy" not in {call.operation for call in server.calls}


def test_what_is_denied_comes_with_the_statement(
    server: StrictServer, deployed: Deployer, capsys: pytest.CaptureFixture[str]  # noqa: ARG001
) -> None:  # fmt: skip
    server.fault = lambda _number, _service, operation: DENIED if operation == "GetAlias" else None
    done = run(capsys, "api")
    (row,) = done.errors
    assert row["check"] == "permissions"
    assert "`lambda:GetAlias`" in row["reason"]
    policy = json.loads(shlex.split(row["fix"][0])[-1])
    assert policy["Statement"][0]["Action"] == ["lambda:GetAlias"]
    assert FUNCTION in policy["Statement"][0]["Resource"][0]


def test_aws_is_out_of_reach(project: Project, somebody: None, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ARG001
    done = run(capsys)
    assert done.code == 3
    assert checks(done) == ["credentials"]
    assert done.tree["looked"][0].startswith("built: ")
    assert done.tree["unreachable"]
    assert run(capsys, "--offline").code == 0


def test_no_credentials_and_no_region(
    project: Project, nobody: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]  # noqa: ARG001
) -> None:  # fmt: skip
    done = run(capsys)
    assert (done.code, done.errors[0]["fix"]) == (3, ["aws configure set region REGION"])
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    done = run(capsys)
    assert (done.code, done.errors[0]["fix"]) == (3, ["aws sso login"])


def test_a_layer_of_the_project_brings_what_a_zip_lacks(
    project: Project,  # noqa: ARG001
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "some.zip").write_bytes(zipped({"app.py": f"import stem\n{HANDLER}"}))
    done = run(capsys, str(tmp_path / "some.zip"), "--runtime", RUNTIME)
    lacking = [*done.of("closure"), *done.of("imports")]
    assert {row["hint"] for row in lacking} == {f"layer `{LAYER}` brings it: attach it to the function"}


def test_without_a_project(
    server: StrictServer,  # noqa: ARG001
    deployed: Deployer,  # noqa: ARG001
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(capsys, FUNCTION)
    assert (done.code, done.errors) == (0, [])
    monkeypatch.setitem(app.COMMANDS, "doctor", "")
    assert app.run(["doctor"]) == 2
    assert app.run(["doctor", "--offline", FUNCTION]) == 2


def test_nothing_was_built(
    project: Project, somebody: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]  # noqa: ARG001
) -> None:  # fmt: skip
    done = run(capsys, "--offline", "--output", str(tmp_path / "none"))
    (row,) = done.tree["findings"]
    built = shlex.join(["lamella", "build", "--output", str(tmp_path / "none")])
    assert (row["check"], row["severity"], row["fix"]) == ("build", "warning", [built])


def test_what_leads_to_a_place() -> None:
    place = Place(region=REGION, profile="shop")
    assert carried(place, profile=None, region=None, several=False) == ()
    assert carried(place, profile="", region=REGION, several=False) == ("--profile", "", "--region", REGION)
    assert carried(place, profile=None, region=None, several=True) == ("--profile", "shop", "--region", REGION)
