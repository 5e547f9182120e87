"""How a place is reached: connections that are cut, roles, the rate.  Against the strict server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.cloud.strict import CUT_AFTER, CUT_BEFORE, DENIED, StrictServer
from tests.deployed.moto_server import ACCOUNT, Deployer, zipped

from lamella import aws
from lamella.cloud.lambdas import Lambdas
from lamella.cloud.model import Place
from lamella.cloud.places import open_cloud, places
from lamella.config.model import Account, Environment

ONE = zipped({"app.py": "x = 1"})
ROLE = f"arn:aws:iam::{ACCOUNT}:role/deploys"


@pytest.mark.parametrize("after", [False, True])
def test_nobody_knows_whether_a_cut_call_took_effect(
    strict: StrictServer, owner: Deployer, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:  # fmt: skip
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    owner.function("api", ONE)
    port = Lambdas(aws.Access())
    held = owner.lambdas.get_function_configuration(FunctionName="api")
    strict.clear()
    fault = CUT_AFTER if after else CUT_BEFORE
    strict.fault = lambda _, __, operation: fault if operation == "PublishVersion" else None
    with pytest.raises(aws.UnreachableError) as caught:
        port.publish_version("api", revision=held["RevisionId"], code_sha256="", description="")
    assert type(caught.value) is aws.UnreachableError
    assert [call.operation for call in strict.calls] == ["PublishVersion"]
    assert len(list(port.versions("api"))) == after


def test_a_read_that_is_cut_is_made_again(
    strict: StrictServer, owner: Deployer, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    owner.function("api", ONE)
    strict.clear()
    strict.fault = lambda number, *_: CUT_BEFORE if number == 1 else None
    assert Lambdas(aws.Access()).function("api").name == "api"
    assert [call.operation for call in strict.calls] == ["GetFunctionConfiguration"] * 2


def test_whose_credentials_they_are_is_asked_once_for_each_way(strict: StrictServer) -> None:
    regions = tuple(f"eu-west-{number}" for number in (1, 2, 3))
    accounts = (Account(regions=regions), Account(regions=("us-east-1",)))
    assert len(places(Environment(accounts=accounts))) == 4
    assert [call.operation for call in strict.calls] == ["GetCallerIdentity"]


def test_a_role_is_assumed_once_for_all_calls(strict: StrictServer, owner: Deployer) -> None:
    owner.function("api", ONE)
    strict.clear()
    cloud = open_cloud(Place(region="us-east-1", role=ROLE))
    with ThreadPoolExecutor(4) as pool:
        names = list(pool.map(lambda _: cloud.lambdas.function("api").name, range(8)))
    assert names == ["api"] * 8
    assert [call.operation for call in strict.calls].count("AssumeRole") == 1


def test_a_role_that_may_not_be_assumed(strict: StrictServer) -> None:
    strict.fault = lambda _, __, operation: DENIED if operation == "AssumeRole" else None
    with pytest.raises(aws.DeniedError) as caught:
        places(Environment(accounts=(Account(role=ROLE, regions=("eu-west-1",)),)))
    assert caught.value.action == "sts:AssumeRole"
    assert ROLE in caught.value.what


def test_calls_come_no_faster_than_the_rate(strict: StrictServer, owner: Deployer) -> None:
    owner.function("api", ONE)
    strict.clear()
    cloud = open_cloud(Place(region="us-east-1", rate=40))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: cloud.lambdas.function("api"), range(60)))
    assert len(strict.calls) == 60
    assert strict.busiest <= 40
