# ruff: noqa: F811  fixtures of another folder
"""`prune` against a strict AWS."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from tests.cli.aws import Lamella, _strict, lamella, nobody, owner, project, somebody, strict  # noqa: F401
from tests.cloud.strict import DENIED, StrictServer
from tests.deployed.moto_server import REGION, Deployer, zipped

from lamella.cloud.model import Cloud, Place
from lamella.rollout.journal.journal import open_journal
from lamella.rollout.model import Deployment


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
    assert lamella("prune", "--keep", "1") == 0
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


def test_other_environments_with_the_same_layer_are_asked(
    arns: list[str], owner: Deployer, project: Path, lamella: Lamella
) -> None:
    text = (project / "lamella.toml").read_text()
    (project / "lamella.toml").write_text(text + "\n[environments.prod]\n")
    place = Place("prod", region=REGION, account="123456789012")
    cloud = Cloud(place, None, None, None, None, None)  # type: ignore[arg-type]
    open_journal(cloud, str(project)).finish(Deployment("d", 0.0, (), (), (arns[0],)))
    assert lamella("prune", "--keep", "1", "--auto-approve") == 0
    assert "    1  a deploy in the journal attached it" in lamella.out
    assert _numbers(owner) == [1, 2, 4]


def test_a_deploy_in_between_stops_it(
    arns: list[str], owner: Deployer, project: Path, lamella: Lamella, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(Terminal):
        """Somebody deploys while it is asked."""

        def readline(self, *_: object) -> str:  # type: ignore[override]
            cloud = Cloud(Place(region=REGION, account="123456789012"), *[None] * 5)  # type: ignore[arg-type]
            open_journal(cloud, str(project)).finish(Deployment("d", 0.0, (), (), (arns[0],)))
            return "y\n"

    monkeypatch.setattr("sys.stdin", Slow())
    assert lamella("prune", "--keep", "1") == 3
    assert "error: a deploy went through since" in lamella.err
    assert _numbers(owner) == [1, 2, 3, 4]


@pytest.mark.parametrize("word", ["deps:3", "arn:aws:lambda:us-east-1:123456789012:layer:deps"])
def test_what_is_no_layer_of_ones_own(lamella: Lamella, word: str) -> None:
    assert lamella("prune", word) == 2
    assert f"error: `{word}` is no layer's key or name" in lamella.err
