"""botocore's services."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.pruning.deciding import fates, gone, made

from lamella.config.model import Slimming
from lamella.errors import ConfigError
from lamella.pruning.model import Fate, File

BOTOCORE: dict[str, str | bytes] = {
    "botocore/__init__.py": "",
    "botocore/data/endpoints.json": "{}",
    "botocore/data/partitions.json": "{}",
    "botocore/data/_retry.json": "{}",
    "botocore/data/sdk-default-configuration.json": "{}",
    "botocore/data/s3/2006-03-01/service-2.json.gz": b"x",
    "botocore/data/sqs/2012-11-05/service-2.json.gz": b"x",
    "botocore/data/sts/2011-06-15/service-2.json.gz": b"x",
}
BOTO3: dict[str, str | bytes] = {
    "boto3/__init__.py": "",
    "boto3/data/s3/2006-03-01/resources-1.json": "{}",
    "boto3/data/sqs/2012-11-05/resources-1.json": "{}",
}


@pytest.fixture
def sdk(tmp_path: Path) -> list[File]:
    return made(tmp_path, "botocore", BOTOCORE) + made(tmp_path, "boto3", BOTO3)


def test_only_the_services_that_are_asked_for_stay(sdk: list[File]) -> None:
    dropped = gone(sdk, Slimming(profile="none", services=("s3",)))
    assert dropped == {
        "botocore/data/sqs/2012-11-05/service-2.json.gz": "services",
        "botocore/data/sts/2011-06-15/service-2.json.gz": "services",
        "boto3/data/sqs/2012-11-05/resources-1.json": "services",
    }
    fate = fates(sdk, Slimming(services=("s3",)))["botocore/data/sqs/2012-11-05/service-2.json.gz"]
    assert fate == Fate(False, "services", "`sqs` is not in `services`")


def test_all_stay_when_nothing_is_said_and_none_for_an_empty_list(sdk: list[File]) -> None:
    assert gone(sdk, Slimming(profile="none")) == {}
    left = fates(sdk, Slimming(profile="none", services=()))
    assert {path for path, fate in left.items() if fate.kept and "/data/" in path} == {
        path for path in BOTOCORE if path.endswith(".json")
    }


def test_keep_wins_over_services(sdk: list[File]) -> None:
    slimming = Slimming(profile="none", services=("s3",), keep=("botocore/data/sts/",))
    assert "botocore/data/sts/2011-06-15/service-2.json.gz" not in gone(sdk, slimming)


def test_an_unknown_service_is_refused(sdk: list[File]) -> None:
    with pytest.raises(ConfigError) as refusal:
        fates(sdk, Slimming(services=("sqss",)))
    assert refusal.value.what == "botocore has no service `sqss`"
    assert refusal.value.hint == "did you mean `sqs`?"
    with pytest.raises(ConfigError) as refusal:
        fates(sdk, Slimming(services=("endpoints.json",)))
    assert refusal.value.what == "botocore has no service `endpoints.json`"


@pytest.mark.parametrize(
    ("asked", "meant"), [("s4", "s3"), ("S3", "s3"), ("dynamo-db", "dynamodb"), ("Redshift_Data", "redshift-data")]
)
def test_any_spelling_of_a_service_is_understood_but_not_taken(asked: str, meant: str, tmp_path: Path) -> None:
    more = {f"botocore/data/{name}/1/service-2.json.gz": b"x" for name in ("dynamodb", "redshift", "redshift-data")}
    with pytest.raises(ConfigError) as refusal:
        fates(made(tmp_path, "botocore", {**BOTOCORE, **more}), Slimming(services=(asked,)))
    assert refusal.value.what == f"botocore has no service `{asked}`"
    assert refusal.value.hint == f"did you mean `{meant}`?"


def test_all_unknown_services_are_named_at_once(sdk: list[File]) -> None:
    with pytest.raises(ConfigError) as refusal:
        fates(sdk, Slimming(services=("s4", "s3", "SQS", "mainframe", "s4")))
    assert refusal.value.what == "botocore has no services `s4`, `SQS`, `mainframe`"
    assert refusal.value.hint == "did you mean `s3` for `s4`, `sqs` for `SQS`?"
    with pytest.raises(ConfigError) as refusal:
        fates(sdk, Slimming(services=("mainframe", "toaster")))
    assert refusal.value.hint == "use the names that boto3.client() takes"


def test_services_without_botocore_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`services` is about botocore, which is not in this artifact"):
        fates(made(tmp_path, "pkg", {"pkg.py": ""}), Slimming(services=("s3",)))
