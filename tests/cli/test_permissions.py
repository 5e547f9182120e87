# ruff: noqa: F811  fixtures of another folder
"""`lamella permissions`: the policy of a configuration."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import pytest
from tests.deployed.conftest import nobody  # noqa: F401

from lamella.cli import permissions
from lamella.errors import UsageError

CONFIGURATION = """
runtime = "python3.12"

[layers.deps]
split = true

[functions.api]
handler = "app.handler"
layers = ["deps", "arn:aws:lambda:eu-central-1:999999999999:layer:tools:3"]
alias = "live"

[functions.cron]
handler = "app.handler"

[deploy]
region = "eu-central-1"
bucket = "zips-{region}-{account}"

[environments.prod]
suffix = "-prod"
regions = ["eu-central-1", "us-east-1"]
role = "arn:aws:iam::123456789012:role/deployer"
journal = "s3://state/shop"
"""
OFFLINE = ("--offline", "--account", "123456789012")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nobody: None) -> None:  # noqa: ARG001
    root = tmp_path / "shop"
    (root / "src").mkdir(parents=True)
    (root / "lamella.toml").write_text(CONFIGURATION)
    (root / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "1"\n')
    monkeypatch.chdir(root)


def asked(*words: str) -> int:
    parser = ArgumentParser()
    permissions.add_arguments(parser)
    return permissions.run(parser.parse_args(list(words)))


def made(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    """The statements by their Sid."""
    assert asked(*words) == 0
    tree = json.loads(capsys.readouterr().out)
    return {row["Sid"]: row for row in tree["Statement"]}


def test_a_deploy(capsys: pytest.CaptureFixture[str]) -> None:
    rows = made(capsys, *OFFLINE)
    here = "arn:aws:lambda:eu-central-1:123456789012"
    assert rows["UpdateFunctions"]["Resource"] == [f"{here}:function:shop-api", f"{here}:function:shop-cron"]
    assert rows["ShiftAliases"]["Resource"] == [f"{here}:function:shop-api", f"{here}:function:shop-api:*"]
    assert rows["PublishLayers"]["Resource"] == [f"{here}:layer:shop-deps*"]
    assert rows["AttachLayers"]["Resource"] == ["arn:aws:lambda:eu-central-1:999999999999:layer:tools:3"]
    assert rows["Upload"]["Resource"] == [
        "arn:aws:s3:::zips-eu-central-1-123456789012",
        "arn:aws:s3:::zips-eu-central-1-123456789012/lamella/*",
    ]
    assert rows["ListFunctions"]["Condition"] == {"StringEquals": {"aws:RequestedRegion": ["eu-central-1"]}}
    assert "Invoke" not in rows
    assert "WriteJournal" not in rows
    assert "WatchMetrics" not in rows


def test_an_environment(capsys: pytest.CaptureFixture[str]) -> None:
    rows = made(capsys, "--env", "prod", "--offline")
    assert rows["PublishVersions"]["Resource"] == [
        "arn:aws:lambda:eu-central-1:123456789012:function:shop-api-prod",
        "arn:aws:lambda:us-east-1:123456789012:function:shop-api-prod",
    ]
    assert rows["WriteJournal"]["Resource"] == ["arn:aws:s3:::state/shop/*"]
    assert rows["ListFunctions"]["Condition"]["StringEquals"]["aws:RequestedRegion"] == ["eu-central-1", "us-east-1"]
    one = made(capsys, "--env", "prod", "--offline", "--region", "us-east-1")
    assert one["PublishVersions"]["Resource"] == ["arn:aws:lambda:us-east-1:123456789012:function:shop-api-prod"]


def test_what_is_not_known_is_noted(capsys: pytest.CaptureFixture[str]) -> None:
    assert asked() == 0
    out, err = capsys.readouterr()
    assert "arn:aws:lambda:eu-central-1:*:function:shop-api" in out
    assert "note: `*` stands for the account: there are no AWS credentials" in err


def test_read_only_and_each_command(capsys: pytest.CaptureFixture[str]) -> None:
    rows = made(capsys, "--read-only", *OFFLINE)
    actions = {action for row in rows.values() for action in row["Action"]}
    assert all(action.split(":")[1].startswith(("Get", "List", "Simulate")) for action in actions)
    assert made(capsys, "--for", "share", *OFFLINE).keys() == {"ReadLayers", "ReadPolicies", "ShareLayers"}
    both = made(capsys, "--for", "share", "--for", "logs", *OFFLINE)
    assert {"ShareLayers", "ReadLogs"} <= both.keys()


def test_keys_and_other_peoples_layers(capsys: pytest.CaptureFixture[str]) -> None:
    key, layer = "arn:aws:kms:eu-central-1:123456789012:key/k", "arn:aws:lambda:eu-central-1:1:layer:agent:9"
    rows = made(capsys, "--kms-key", key, "--attach", layer, *OFFLINE)
    assert rows["ReadKeys"] | {"Sid": ""} == {
        "Sid": "", "Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": [key]
    }  # fmt: skip
    assert (rows["WriteKeys"]["Action"], rows["WriteKeys"]["Resource"]) == (["kms:GenerateDataKey"], [key])
    assert layer in rows["AttachLayers"]["Resource"]


def test_prune_reads_the_journals_of_environments_that_may_meet(capsys: pytest.CaptureFixture[str]) -> None:
    more = """
[environments.test]
suffix = "-test"
journal = "s3://test-state/{account}"

[environments.far]
region = "ap-south-1"
journal = "s3://far-state"

[environments.other]
role = "arn:aws:iam::210987654321:role/deployer"
journal = "s3://other-state"
"""
    Path("lamella.toml").write_text(CONFIGURATION + more)
    rows = made(capsys, "--env", "prod", "--for", "prune", "--offline")
    assert rows["WriteJournal"]["Resource"] == ["arn:aws:s3:::state/shop/*"]
    assert rows["ReadJournals"]["Action"] == ["s3:GetObject", "s3:ListBucket"]
    assert rows["ReadJournals"]["Resource"] == ["arn:aws:s3:::test-state", "arn:aws:s3:::test-state/123456789012/*"]
    assert "ReadJournals" not in made(capsys, "--env", "prod", "--offline")


def test_a_log_group_that_is_shared(capsys: pytest.CaptureFixture[str]) -> None:
    logs = "arn:aws:logs:eu-central-1:123456789012:log-group"
    rows = made(capsys, "--for", "logs", "--log-group", "/shop/all", *OFFLINE)
    own = [f"{logs}:/aws/lambda/shop-{name}:*" for name in ("api", "cron")]
    assert rows["ReadLogs"]["Resource"] == [*own, f"{logs}:/shop/all:*"]


def test_many_functions_take_a_prefix(capsys: pytest.CaptureFixture[str]) -> None:
    tables = "".join(f'[functions.worker-{number}]\nhandler = "app.handler"\n' for number in range(60))
    Path("lamella.toml").write_text(f'runtime = "python3.12"\n{tables}')
    assert asked("--region", "eu-central-1", *OFFLINE) == 0
    assert "IAM takes 6144" in capsys.readouterr().err
    rows = made(capsys, "--prefix", "shop-", "--region", "eu-central-1", *OFFLINE)
    assert rows["UpdateFunctions"]["Resource"] == ["arn:aws:lambda:eu-central-1:123456789012:function:shop-*"]
    with pytest.raises(UsageError, match="not all names begin"):
        asked("--prefix", "other", *OFFLINE)


@pytest.mark.parametrize("words", [("--account", "12"), ("--env", "none", "--offline")])
def test_mistakes(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        asked(*words)


def test_the_shared_cache_that_the_environment_names(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="nothing to be allowed"):
        asked(*OFFLINE, "--for", "build")
    monkeypatch.setenv("LAMELLA_SHARED_CACHE", "s3://wheels/lam")
    rows = made(capsys, *OFFLINE, "--for", "build")
    assert any("arn:aws:s3:::wheels/lam" in str(row["Resource"]) for row in rows.values())
