# ruff: noqa: F811  fixtures of another folder
"""`deploy` to several places at once: regions of an account, and another account through a role.  A strict AWS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.build.projects import Project
from tests.cli.aws import ALIASED, FUNCTION, OLD, Lamella, built_with, code_of, enter, pointed, put_there
from tests.cloud.strict import Answered, Invocation, StrictServer, answered, logged
from tests.cloud.strict_fixtures import _strict, strict  # noqa: F401
from tests.deployed.conftest import nobody, somebody  # noqa: F401
from tests.deployed.moto_server import ACCOUNT, REGION, Deployer

OTHER_REGION = "eu-west-1"
OTHER_ACCOUNT = "210987654321"
ROLE = f"arn:aws:iam::{OTHER_ACCOUNT}:role/deploys"
SMOKE = ALIASED + '\n[[tool.lamella.functions.api.smoke]]\nname = "health"\nexpect = { status = 200 }\n'
DEPLOY = "\n[tool.lamella.deploy]\nrate = 1000\n"
REGIONS = f'{DEPLOY}regions = ["{REGION}", "{OTHER_REGION}"]\n'
ACCOUNTS = f'{DEPLOY}accounts = [{{ region = "{REGION}" }}, {{ role = "{ROLE}", region = "{REGION}" }}]\n'


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return built_with(tmp_path_factory.mktemp("built"), SMOKE)


@pytest.fixture
def lamella(capsys: pytest.CaptureFixture[str]) -> Lamella:
    return Lamella(capsys)


class Places:
    """Two places with the function as it was.  It is told where it is, as by Terraform."""

    def __init__(self, server: StrictServer, *places: tuple[str, str, str]) -> None:
        self.server = server
        self.deployers = {}
        for account, region, role in places:
            deployer = self.deployers[f"{account}-{region}"] = Deployer(server, region, role)
            put_there(deployer, OLD, Environment={"Variables": {"PLACE": f"{account}-{region}"}})
        server.clear()

    def pointed(self) -> list[str]:
        return [pointed(deployer) for deployer in self.deployers.values()]

    def codes(self) -> list[str]:
        return [code_of(deployer) for deployer in self.deployers.values()]

    def journals(self) -> dict[str, Any]:
        folder = Path(".lamella/rollout")
        return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}

    def breaks(self, place: str) -> None:
        """In this place the new version answers with 500."""

        def invoked(given: Invocation) -> Answered:
            if given.environment["PLACE"] == place:
                return Answered(b'{"statusCode": 500}', log=logged(given.version))
            return answered(given)

        self.server.invoked = invoked


@pytest.fixture
def project(built: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    enter(built, root, monkeypatch)
    return root / "pyproject.toml"


@pytest.fixture
def regions(strict: StrictServer, project: Path) -> Places:
    project.write_text(project.read_text() + REGIONS)
    return Places(strict, (ACCOUNT, REGION, ""), (ACCOUNT, OTHER_REGION, ""))


@pytest.fixture
def accounts(strict: StrictServer, project: Path) -> Places:
    project.write_text(project.read_text() + ACCOUNTS)
    return Places(strict, (ACCOUNT, REGION, ""), (OTHER_ACCOUNT, REGION, ROLE))


def test_both_regions_are_deployed(regions: Places, lamella: Lamella) -> None:
    (old,) = set(regions.codes())
    assert lamella("deploy", "--auto-approve") == 0
    assert regions.pointed() == ["2", "2"]
    (new,) = set(regions.codes())
    assert new != old
    for region in (REGION, OTHER_REGION):
        assert f"{ACCOUNT} {region}: alias `live` of `{FUNCTION}` points at version 2\n" in lamella.err
        assert f"The deploy to {ACCOUNT} {region} is done: 1 layer published, 1 function updated" in lamella.out
    journals = regions.journals()
    assert sorted(journals) == sorted(f"default-{ACCOUNT}-{region}" for region in (REGION, OTHER_REGION))
    assert [record["unfinished"] for record in journals.values()] == [None, None]

    regions.server.clear()
    assert lamella("deploy", "--auto-approve") == 0
    assert lamella.out.count("No changes: AWS has what was built.\n") == 2
    assert regions.server.writes == []
    assert lamella("rollback", "--region", OTHER_REGION, "--auto-approve") == 0
    assert regions.pointed() == ["2", "1"]
    assert regions.codes() == [new, old]


def test_what_fails_in_one_region_is_not_taken_back_in_the_other(regions: Places, lamella: Lamella) -> None:
    (old,) = set(regions.codes())
    fine, bad = REGION, OTHER_REGION
    regions.breaks(f"{ACCOUNT}-{bad}")
    assert lamella("deploy", "--auto-approve") == 1
    assert regions.pointed() == ["2", "1"]
    assert [code == old for code in regions.codes()] == [False, True]
    assert f"The deploy to {ACCOUNT} {fine} is done: 1 layer published, 1 function updated" in lamella.out
    assert f"The deploy to {ACCOUNT} {bad} is done" not in lamella.out
    assert f"{ACCOUNT} {bad}: put back: `{FUNCTION}` has its code and layers of before\n" in lamella.err
    assert f"error: the deploy to {ACCOUNT} {bad} failed; all that it changed was put back\n" in lamella.err
    assert f"{ACCOUNT} {fine} failed" not in lamella.err
    assert "`health`" in lamella.err
    journals = regions.journals()
    assert len(journals[f"default-{ACCOUNT}-{fine}"]["history"]) == 1
    assert not journals[f"default-{ACCOUNT}-{bad}"]["history"]
    assert [record["unfinished"] for record in journals.values()] == [None, None]

    assert lamella("deploy", "--auto-approve", "--json") == 1
    tree = json.loads(lamella.out)
    assert tree["ok"] is False
    told = {row["place"]["region"]: (row["ok"], len(row["failures"])) for row in tree["places"]}
    assert told == {fine: (True, 0), bad: (False, 1)}


def test_another_account_through_a_role(accounts: Places, lamella: Lamella) -> None:
    old = accounts.codes()
    accounts.breaks(f"{ACCOUNT}-{REGION}")
    assert lamella("deploy", "--auto-approve") == 1
    assert accounts.pointed() == ["1", "2"]
    assert [one == before for one, before in zip(accounts.codes(), old, strict=True)] == [True, False]
    assert f"The deploy to {OTHER_ACCOUNT} {REGION} is done: " in lamella.out
    assert f"the deploy to {ACCOUNT} {REGION} failed; all that it changed was put back" in lamella.err
    assert sorted(accounts.journals()) == [f"default-{ACCOUNT}-{REGION}", f"default-{OTHER_ACCOUNT}-{REGION}"]

    accounts.server.invoked = answered
    assert lamella("deploy", "--auto-approve") == 0
    assert accounts.pointed()[1] == "2"
    assert accounts.codes()[0] != old[0]
