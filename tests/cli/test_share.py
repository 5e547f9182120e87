# ruff: noqa: F811  fixtures of another folder
"""`share` against a strict AWS."""

from __future__ import annotations

import json

import pytest
from tests.cli.aws import Lamella, _strict, lamella, nobody, owner, project, somebody, strict  # noqa: F401
from tests.cloud.strict import StrictServer
from tests.deployed.moto_server import REGION, Deployer, zipped


@pytest.fixture
def shared(owner: Deployer) -> Deployer:
    """Two versions of the layer `deps`."""
    for number in range(2):
        owner.layer("deps", zipped({"python/x.py": f"x = {number}\n"}))
    return owner


def test_shared_listed_and_taken_away(shared: Deployer, strict: StrictServer, lamella: Lamella) -> None:
    where = f"`deps` version 2 in 123456789012 {REGION}"
    assert lamella("share", "layer", "--list") == 0
    assert lamella.out == f"{where}: nobody else\n"
    assert lamella("share", "layer", "--org", "o-a1b2c3d4e5") == 0
    assert lamella.err == f"{where} is shared with the organization o-a1b2c3d4e5\n"
    assert lamella("share", "deps", "--account", "111122223333") == 0
    strict.clear()
    assert lamella("share", "deps:2", "--org", "o-a1b2c3d4e5") == 0
    assert lamella.err == f"{where} is shared with the organization o-a1b2c3d4e5 already\n"
    assert strict.writes == []
    policy = json.loads(shared.lambdas.get_layer_version_policy(LayerName="deps", VersionNumber=2)["Policy"])
    assert len(policy["Statement"]) == 2
    assert lamella("share", "deps", "--list") == 0
    assert lamella.out == f"{where}: the organization o-a1b2c3d4e5, the account 111122223333\n"
    assert lamella("share", "deps", "--org", "o-a1b2c3d4e5", "--remove") == 0
    assert lamella.err == f"{where} is no longer shared with the organization o-a1b2c3d4e5\n"
    assert lamella("share", "deps", "--org", "o-a1b2c3d4e5", "--remove") == 0
    assert lamella.err == f"{where} was not shared with the organization o-a1b2c3d4e5\n"


def test_json(shared: Deployer, lamella: Lamella) -> None:
    assert shared
    assert lamella("share", "deps:1", "--account", "111122223333", "--json") == 0
    (place,) = json.loads(lamella.out)["places"]
    assert (place["layer"], place["version"], place["changed"]) == ("deps", 1, True)
    assert [row["principal"] for row in place["permissions"]] == ["111122223333"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("deps", "--org", "o-1"), "`o-1` is no organization"),
        (("deps", "--account", "1"), "`1` is no account"),
        (("deps", "--list", "--remove"), "`--list` changes nothing"),
        (("deps:live", "--list"), "a layer has no version `live`"),
        (("arn:aws:lambda:us-east-1:123456789012:layer:deps", "--list"), "is an ARN"),
        (("never", "--list"), "there is no layer `never`"),
    ],
)
def test_mistakes(lamella: Lamella, arguments: tuple[str, ...], said: str) -> None:
    assert lamella("share", *arguments) == 2
    assert said in lamella.err
