# ruff: noqa: F811  fixtures of another folder
"""`plan`, `status` and `versions` against a strict AWS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.build.projects import Project
from tests.cli.aws import ALIASED, Lamella, built_with, enter, put_built, settled
from tests.cloud.strict import DENIED, StrictServer
from tests.cloud.strict_fixtures import _strict, strict  # noqa: F401
from tests.deployed.conftest import nobody, somebody  # noqa: F401
from tests.deployed.moto_server import REGION, Deployer, zipped

from lamella.rollout.journal.journal import LocalJournal
from lamella.rollout.model import Intent

TABLES = ALIASED + '\n[tool.lamella.environments.prod]\nsuffix = "-prod"\n'


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return built_with(tmp_path_factory.mktemp("built"), TABLES)


@pytest.fixture
def server(strict: StrictServer, built: Project, monkeypatch: pytest.MonkeyPatch) -> StrictServer:
    """An empty account, with the working directory in the project and no journal of it."""
    enter(built, built.root, monkeypatch)
    built.configure(TABLES)
    return strict


@pytest.fixture
def lamella(capsys: pytest.CaptureFixture[str]) -> Lamella:
    return Lamella(capsys)


def deploy(server: StrictServer, built: Project, suffix: str = "") -> Deployer:
    """What was built, by somebody else."""
    deployer = Deployer(server)
    put_built(deployer, built, suffix)
    server.clear()
    return deployer


def operations(server: StrictServer) -> list[str]:
    return sorted(call.operation for call in server.calls)


def test_an_empty_account(server: StrictServer, lamella: Lamella) -> None:
    assert lamella("plan") == 0
    head, _, layers, publish, *_ = lamella.out.splitlines()
    assert head == f"spectra in 123456789012 {REGION}"
    assert layers == "Layers"
    assert publish.startswith("  + spectra-layer:1  ")
    assert publish.endswith(": there is no version yet")
    assert "--zip-file fileb://dist/lambda/api.zip" in lamella.out
    assert lamella.out.splitlines()[-1].startswith("Plan: publish 1 layer, 1 function missing; ")
    assert lamella("plan", "--detailed-exitcode") == 2
    assert server.writes == []


def test_nothing_to_do(server: StrictServer, built: Project, lamella: Lamella) -> None:
    deploy(server, built)
    assert lamella("plan", "--detailed-exitcode") == 0
    assert lamella.out.endswith("No changes: AWS has what was built.\n")
    assert lamella.out.count("were") == lamella.out.count("`--refresh` reads them") == 1
    assert operations(server) == [
        "GetCallerIdentity", "GetFunctionConfiguration", "GetLayerVersion", "ListLayerVersions"
    ]  # fmt: skip
    assert lamella("plan", "--detailed-exitcode", "--refresh") == 0
    assert "note" not in lamella.out
    assert not (built.root / ".lamella").exists()


def test_what_somebody_changed(server: StrictServer, built: Project, lamella: Lamella) -> None:
    deployer = deploy(server, built)
    code = zipped({"app.py": "def handler(event, context):\n    return 'patched'\n"})
    deployer.lambdas.update_function_code(FunctionName="spectra-api", ZipFile=code)
    settled(deployer, "spectra-api")
    deployer.lambdas.update_function_configuration(FunctionName="spectra-api", Layers=[])
    settled(deployer, "spectra-api")
    assert lamella("plan", "--json", "--detailed-exitcode") == 2
    tree = json.loads(lamella.out)
    (place,) = tree["places"]
    assert (tree["changed"], place["changed"], place["publish"]) == (True, True, [])
    (api,) = place["functions"]
    assert [step["step"] for step in api["steps"]] == [
        "update_configuration", "update_code", "publish_version", "prove_version", "shift_alias"
    ]  # fmt: skip
    assert api["steps"][0]["why"] == ["attach `spectra-layer:1`"]
    assert [one["what"] for one in place["drift"]] == [
        "code was changed outside since version 1 was published",
        "layer `spectra-layer:1` was detached since version 1 was published",
    ]
    assert place["upload"] == os.path.getsize(built.output / "api.zip")


def test_an_environment_has_its_own_names(server: StrictServer, built: Project, lamella: Lamella) -> None:
    deploy(server, built, "-prod")
    assert lamella("plan", "--env", "prod", "--detailed-exitcode") == 0
    assert lamella.out.startswith(f"spectra in prod (123456789012 {REGION})\n")
    assert lamella("plan", "--detailed-exitcode") == 2
    assert lamella("plan", "--env", "prd") == 2
    assert lamella.err.startswith("error: there is no environment `prd`")
    assert "did you mean `prod`?" in lamella.err


def test_several_regions(server: StrictServer, built: Project, lamella: Lamella) -> None:
    deploy(server, built)
    built.configure(TABLES + f'\n[tool.lamella.deploy]\nregions = ["{REGION}", "eu-west-1"]\n')
    assert lamella("plan", "--detailed-exitcode") == 2
    heads = [line for line in lamella.out.splitlines() if line.startswith("spectra in")]
    assert heads == [f"spectra in 123456789012 {REGION}", "spectra in 123456789012 eu-west-1"]
    assert lamella.out.count("No changes") == 1
    assert lamella("plan", "--region", REGION, "--detailed-exitcode") == 0

    # Only the first region has a version to be looked at
    server.fault = lambda _, __, operation: DENIED if operation == "GetLayerVersion" else None
    assert lamella("plan", "--json") == 3
    one, other = json.loads(lamella.out)["places"]
    assert one["place"]["region"] == REGION
    assert one["error"]["what"].startswith("could not ")
    assert other["changed"] is True
    assert lamella.err.startswith(f"error: 123456789012 {REGION}: could not ")
    assert "lambda:GetLayerVersion" in lamella.err


def test_aliases_that_were_not_read(
    server: StrictServer, built: Project, lamella: Lamella, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lamella.rollout.journal.journal.FOLDER", str(tmp_path))  # one that is not kept
    deployer = deploy(server, built)
    code = zipped({"app.py": "1"})
    deployer.lambdas.update_function_code(FunctionName="spectra-api", ZipFile=code)
    settled(deployer, "spectra-api")
    assert lamella("deploy", "--auto-approve") == 0
    assert lamella("plan") == 0
    note = "note: aliases of functions that don't change were not read: `--refresh` reads them\n"
    assert lamella.out.endswith(f"{note}No changes: AWS has what was built.\n")
    assert lamella("plan", "--refresh") == 0
    assert "note" not in lamella.out


def test_what_is_no_region(server: StrictServer, lamella: Lamella, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in (["plan"], ["status"], ["versions", "layer"]):
        assert lamella(*command, "--region", "nonsense") == 2
        assert lamella.err.startswith("error: `nonsense` is no name of a region\n")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "nonsense")
    assert lamella("plan") == 2
    assert lamella.err.startswith("error: `nonsense` is no name of a region\n")
    assert "AWS_DEFAULT_REGION" in lamella.err
    assert server.calls == []


def test_what_changed_since_the_build(server: StrictServer, built: Project, lamella: Lamella) -> None:
    deploy(server, built)
    assert built.run("build").returncode == 0
    assert lamella("plan") == 0
    assert lamella.err == ""
    text = (built.root / "src" / "app.py").read_text()
    try:
        built.source("app.py", text + "# more\n")
        assert lamella("plan", "--json") == 0
        assert lamella.err == "note: `src/app.py` changed since the build: run `lamella build`\n"
        json.loads(lamella.out)
    finally:
        built.source("app.py", text)
    assert lamella("plan") == 0
    assert lamella.err == ""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["plan"], 0),
        (["plan", "--env", "prod", "--detailed-exitcode"], 2),
        (["versions", "layer"], 0),
        (["versions", "nothing"], 2),
        (["status"], 0),
        (["share", "layer", "--list"], 0),
    ],
)
def test_nobody_reads(server: StrictServer, built: Project, arguments: list[str], code: int) -> None:
    """What comes of it is the exit code, whoever reads along."""
    deploy(server, built)
    environment = {**built.environment, "AWS_ENDPOINT_URL": server.url}
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "lamella", *arguments], cwd=built.root, env=environment, stdout=writing, check=False
    )
    os.close(writing)
    assert done.returncode == code


def test_no_credentials(server: StrictServer, lamella: Lamella, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    assert lamella("plan") == 2
    assert lamella.err.startswith("error: there are no AWS credentials\n")
    assert server.calls == []


def test_what_was_built_is_not_what_is_configured(server: StrictServer, built: Project, lamella: Lamella) -> None:
    built.configure(TABLES.replace("app.handler", "app.other"))
    assert lamella("plan") == 2
    assert "hint: run `lamella build`" in lamella.err
    assert server.calls == []


def test_quiet_says_nothing(server: StrictServer, lamella: Lamella) -> None:
    assert lamella("plan", "-q", "--detailed-exitcode") == 2
    assert (lamella.out, lamella.err) == ("", "")
    assert server.writes == []


def test_status(server: StrictServer, built: Project, lamella: Lamella) -> None:
    deployer = deploy(server, built)
    deployer.layer("spectra-layer", zipped({"python/other.py": "1\n"}))
    assert lamella("status") == 0
    _, _, row = lamella.out.splitlines()
    assert row.split()[:6] == ["spectra-api", "live", "1", "spectra-layer:1", "(newest", "2)"]
    assert lamella("status", "api", "--json") == 0
    (place,) = json.loads(lamella.out)["places"]
    (api,) = place["functions"]
    assert (api["alias"]["version"], api["layers"][0]["newest"], api["drift"]) == ("1", 2, [])
    assert lamella("status", "apy") == 2
    assert "did you mean `api`?" in lamella.err


def test_status_needs_no_build(
    server: StrictServer, built: Project, lamella: Lamella, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(server, built)
    (tmp_path / "src").mkdir()
    (tmp_path / "pyproject.toml").write_text((built.root / "pyproject.toml").read_text())
    monkeypatch.chdir(tmp_path)
    assert lamella("status") == 0
    assert " live " in lamella.out
    assert lamella("versions", "layer") == 0
    assert "= this build" not in lamella.out


def test_status_while_somebody_deploys(
    server: StrictServer, built: Project, lamella: Lamella, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lamella.rollout.journal.journal.FOLDER", str(tmp_path))
    deploy(server, built)
    journal = LocalJournal(str(tmp_path), f"default-123456789012-{REGION}")
    with journal.locked():
        journal.begin(Intent("1", 1_795_132_800.0, (), (), ()))
        assert lamella("status") == 0
        assert "note: a deploy or rollback of 2026-11-20 00:00 UTC is under way" in lamella.err
        assert f"process {os.getpid()} of " in lamella.err
        assert "did not come to its end" not in lamella.err
        assert lamella("status", "--json") == 0
        assert f"process {os.getpid()} of " in json.loads(lamella.out)["places"][0]["unfinished"]["under_way"]
    assert lamella("status") == 0
    assert "did not come to its end" in lamella.err


def test_versions(server: StrictServer, built: Project, lamella: Lamella) -> None:
    deployer = deploy(server, built)
    deployer.layer("spectra-layer", zipped({"python/other.py": "1\n"}), Description="by hand")
    assert lamella("versions", "layer") == 0
    _, _, new, old = lamella.out.splitlines()
    assert new.startswith("2 ")
    assert new.endswith("by hand")
    assert old.startswith("1 = this build ")
    assert old.endswith("  spectra-api")
    arn = deployer.layer("tools", zipped({"python/tools.py": "1\n"}))
    assert lamella("versions", arn, "--json", "--limit", "1") == 0
    (place,) = json.loads(lamella.out)["places"]
    assert [row["arn"] for row in place["versions"]] == [arn]
    assert lamella("versions", arn, "--region", "eu-west-1") == 2
    assert lamella("versions", "nothing") == 2
    assert lamella.err.startswith("error: there is no layer `nothing` in 123456789012 ")
