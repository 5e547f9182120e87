# ruff: noqa: F811  fixtures of another folder
"""`prune` against a strict AWS."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import boto3  # type: ignore[import-untyped]
import pytest
from tests.cli import journals
from tests.cli.aws import Lamella, _strict, lamella, nobody, owner, project, somebody, strict  # noqa: F401
from tests.cli.journals import attached, content, remember
from tests.cloud.strict import DENIED, StrictServer
from tests.deployed.moto_server import ACCOUNT, REGION, Deployer, zipped

from lamella.cloud.model import Cloud, Place
from lamella.rollout.journal.journal import open_journal


@pytest.fixture
def arns(owner: Deployer, strict: StrictServer) -> list[str]:
    """Four versions of the layer `deps`, of which a function has the second."""
    found = [owner.layer("deps", zipped({"python/x.py": f"x = {number}\n"})) for number in range(4)]
    owner.function("elsewhere", zipped({"app.py": "def handler(event, context): ...\n"}), Layers=[found[1]])
    strict.clear()
    return found


def _numbers(owner: Deployer) -> list[int]:
    rows = owner.lambdas.list_layer_versions(LayerName="deps")["LayerVersions"]
    return sorted(row["Version"] for row in rows)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_shown_asked_and_done(
    arns: list[str], owner: Deployer, strict: StrictServer, lamella: Lamella, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert arns
    monkeypatch.setattr("sys.stdin", Terminal("no\n"))
    assert lamella("prune", "--keep", "1") == 1
    head, *rows = lamella.out.splitlines()
    assert head == f"Layer `deps` in 123456789012 {REGION}"
    assert rows[0] == "    4  the newest"
    assert rows[1].startswith("  - 3  nothing needs it; made 20")
    assert rows[2] == "    2  `elsewhere` has it"
    assert rows[3].startswith("  - 1  nothing needs it")
    assert lamella.err.endswith("Delete 2 versions? [y/N] Nothing was deleted\n")
    assert strict.writes == []
    monkeypatch.setattr("sys.stdin", Terminal("yes\n"))
    assert lamella("prune", "layer", "--keep", "1") == 0
    assert lamella.err.endswith(f"Deleted 2 versions in 123456789012 {REGION}\n")
    assert _numbers(owner) == [2, 4]
    assert lamella("prune", "deps", "--keep", "1") == 0
    assert lamella.err.endswith("Nothing to delete\n")


def test_without_anybody_to_ask_nothing_is_done(arns: list[str], owner: Deployer, lamella: Lamella) -> None:
    assert arns
    assert lamella("prune", "--keep", "1") == 2
    assert "error: nothing was changed: there is nobody to ask" in lamella.err
    assert "- 1  nothing needs it" in lamella.out
    assert _numbers(owner) == [1, 2, 3, 4]


def test_json(arns: list[str], owner: Deployer, lamella: Lamella) -> None:
    assert lamella("prune", "--keep", "2", "--json") == 0
    assert json.loads(lamella.out)["places"][0]["deleted"] is None
    assert _numbers(owner) == [1, 2, 3, 4]
    assert lamella("prune", "--keep", "2", "--auto-approve", "--json") == 0
    tree = json.loads(lamella.out)
    (place,) = tree["places"]
    (layer,) = place["layers"]
    assert [one["version"] for one in layer["delete"]] == [1]
    assert {one["version"]: one["reasons"] for one in layer["keep"]} == {
        4: ["one of the newest 2"], 3: ["one of the newest 2"], 2: ["`elsewhere` has it"]
    }  # fmt: skip
    assert place["deleted"] == [arns[0]]
    assert _numbers(owner) == [2, 3, 4]


def test_what_can_not_be_read_keeps_all_and_is_a_finding(
    arns: list[str], owner: Deployer, strict: StrictServer, lamella: Lamella
) -> None:
    assert arns
    strict.fault = lambda _, __, operation: DENIED if operation == "ListVersionsByFunction" else None
    assert lamella("prune", "--keep", "1", "--auto-approve") == 1
    assert "warning: `elsewhere`: its versions and aliases could not be read" in lamella.err
    assert "lambda:ListVersionsByFunction" in lamella.err
    assert "note: nothing is deleted while 1 thing can't be read" in lamella.err
    strict.fault = None
    assert _numbers(owner) == [1, 2, 3, 4]


def test_what_can_not_be_deleted_is_a_failure(
    arns: list[str], owner: Deployer, strict: StrictServer, lamella: Lamella
) -> None:
    assert arns
    strict.fault = lambda _, __, operation: DENIED if operation == "DeleteLayerVersion" else None
    assert lamella("prune", "--keep", "1", "--auto-approve") == 1
    assert "warning: `deps`: version 1 could not be deleted" in lamella.err
    strict.fault = None
    assert _numbers(owner) == [1, 2, 3, 4]


def _configure(project: Path, text: str) -> None:
    path = project / "lamella.toml"
    path.write_text(f"{path.read_text()}\n{text}\n")


# The layer `deps` was named so in it once, or is one that was split from another, or from a function
@pytest.mark.parametrize("layers", ["", 'suffix = "-prod"'])
def test_what_another_environment_goes_back_to_stays(
    arns: list[str], owner: Deployer, project: Path, lamella: Lamella, layers: str
) -> None:
    _configure(project, f"[environments.prod]\n{layers}\n")
    remember(project, attached(arns[0]), environment="prod")
    assert lamella("prune", "deps", "--keep", "1", "--auto-approve") == 0
    assert "    1  a deploy in the journal attached it" in lamella.out
    assert _numbers(owner) == [1, 2, 4]


@pytest.mark.parametrize("region", ["eu-west-1", REGION])
def test_another_environment_counts_where_it_is(
    arns: list[str], owner: Deployer, project: Path, lamella: Lamella, region: str
) -> None:
    _configure(project, f'[environments.prod]\nregion = "{region}"\n')
    remember(project, attached(arns[0]), environment="prod")
    assert lamella("prune", "--keep", "1", "--auto-approve") == 0
    assert _numbers(owner) == ([1, 2, 4] if region == REGION else [2, 4])


def test_an_environment_in_another_account_needs_nothing_here(
    arns: list[str], owner: Deployer, project: Path, lamella: Lamella
) -> None:
    """Its bucket can't be read from here."""
    assert arns
    role = "arn:aws:iam::210987654321:role/deployer"
    _configure(project, f'[environments.prod]\nrole = "{role}"\njournal = "s3://prod-journals"\n')
    assert lamella("prune", "--keep", "1", "--auto-approve") == 0, lamella.err
    assert _numbers(owner) == [2, 4]


def test_another_environments_journal_is_read_as_that_environment(
    arns: list[str],
    owner: Deployer,
    project: Path,
    lamella: Lamella,
    strict: StrictServer,
    tmp_path: Path,
) -> None:
    _configure(project, '[environments.prod]\nprofile = "production"\njournal = "s3://prod-journals/{region}"\n')
    s3 = boto3.client("s3", region_name=REGION)
    s3.create_bucket(Bucket="prod-journals")
    s3.put_object(Bucket="prod-journals", Key=f"{REGION}/{journals.name('prod')}", Body=content(attached(arns[0])))
    assert lamella("prune", "--keep", "1", "--auto-approve") == 2
    assert "error: the environment `prod` may need what is here" in lamella.err
    assert "production" in lamella.err
    assert _numbers(owner) == [1, 2, 3, 4]
    keys = "[production]\naws_access_key_id = produces\naws_secret_access_key = k\n"
    Path(tmp_path / "aws-credentials").write_text(keys)
    strict.clear()
    assert lamella("prune", "--keep", "1", "--auto-approve") == 0, lamella.err
    assert _numbers(owner) == [1, 2, 4]
    assert sum(call.operation == "GetCallerIdentity" for call in strict.calls) == 3  # its own, and that one's twice


def test_a_journal_in_the_same_bucket_takes_no_other_credentials(
    arns: list[str], owner: Deployer, project: Path, lamella: Lamella
) -> None:
    text = '[deploy]\njournal = "s3://journals/own"\n'
    _configure(project, f'{text}[environments.prod]\nprofile = "production"\njournal = "s3://journals/prod"\n')
    s3 = boto3.client("s3", region_name=REGION)
    s3.create_bucket(Bucket="journals")
    s3.put_object(Bucket="journals", Key=f"prod/{journals.name('prod')}", Body=content(attached(arns[0])))
    assert lamella("prune", "--keep", "1", "--auto-approve") == 0, lamella.err
    assert _numbers(owner) == [1, 2, 4]


class Meanwhile(Terminal):
    """Something happens while it is asked."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self._act = act

    def readline(self, *_: object) -> str:  # type: ignore[override]
        self._act()
        return "y\n"


@pytest.mark.parametrize("who", ["", "prod", "somebody"])
def test_what_is_needed_since_it_was_looked_at_stays(
    arns: list[str], owner: Deployer, project: Path, lamella: Lamella, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    _configure(project, "[environments.prod]")

    def act() -> None:
        if who == "somebody":
            code = zipped({"app.py": "def handler(event, context): ...\n"})
            owner.function("late", code, Layers=[arns[0]])
        else:
            remember(project, attached(arns[0]), environment=who)

    monkeypatch.setattr("sys.stdin", Meanwhile(act))
    assert lamella("prune", "--keep", "1") == 3
    assert "error: what is needed has changed since it was looked at: nothing was deleted" in lamella.err
    why = "`late` has it" if who == "somebody" else "a deploy in the journal attached it"
    assert f"`deps` version 1: {why}" in lamella.err
    assert _numbers(owner) == [1, 2, 3, 4]


def test_a_deploy_that_needs_nothing_of_it_stops_nothing(
    arns: list[str], owner: Deployer, project: Path, lamella: Lamella, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Meanwhile(lambda: remember(project, attached(arns[3]))))
    assert lamella("prune", "--keep", "1") == 0
    assert _numbers(owner) == [2, 4]


def test_nothing_is_deleted_while_a_deploy_is_under_way(
    arns: list[str], owner: Deployer, project: Path, lamella: Lamella
) -> None:
    assert arns
    cloud = Cloud(Place(region=REGION, account=ACCOUNT), *[None] * 5)  # type: ignore[arg-type]
    with open_journal(cloud, str(project)).locked():
        assert lamella("prune", "--keep", "1", "--auto-approve") == 3
    assert "error: another deploy to this place is under way" in lamella.err
    assert _numbers(owner) == [1, 2, 3, 4]


@pytest.mark.parametrize("word", ["deps:3", "arn:aws:lambda:us-east-1:123456789012:layer:deps"])
def test_what_is_no_layer_of_ones_own(lamella: Lamella, word: str) -> None:
    assert lamella("prune", word) == 2
    assert f"error: `{word}` is no layer's key or name" in lamella.err
