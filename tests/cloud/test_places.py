from __future__ import annotations

from pathlib import Path

import pytest
from tests.cloud.strict import StrictServer
from tests.deployed.moto_server import ACCOUNT, REGION, AwsServer

from lamella import aws
from lamella.cloud.model import Place
from lamella.cloud.places import beside, open_cloud, places
from lamella.config.model import Account, Environment
from lamella.errors import ConfigError, LamellaError, UsageError

OTHER = "210987654321"
ROLE = f"arn:aws:iam::{OTHER}:role/deploys"


@pytest.fixture
def profiles(aws_server: AwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AwsServer:
    """The profiles `shop`, with a region, and `lab`, without one."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    (tmp_path / "aws-config").write_text("[profile shop]\nregion = eu-west-2\n[profile lab]\n")
    keys = "aws_access_key_id = k\naws_secret_access_key = s\n"
    (tmp_path / "aws-credentials").write_text(f"[shop]\n{keys}[lab]\n{keys}")
    return aws_server


def test_what_aws_says_where_nothing_is_said(aws_server: AwsServer) -> None:  # noqa: ARG001
    (place,) = places(Environment())
    assert (place.account, place.region, place.profile, place.role, place.rate) == (ACCOUNT, REGION, "", "", 10.0)
    assert str(place) == f"{ACCOUNT} {REGION}"


def test_each_region_is_a_place_and_placeholders_are_filled(aws_server: AwsServer) -> None:  # noqa: ARG001
    environment = Environment(
        name="prod",
        accounts=(Account(regions=("eu-west-1", "us-east-1")),),
        bucket="code-{account}-{region}",
        journal="s3://journal-{account}/{region}",
        rate=3,
    )
    west, east = places(environment)
    assert west.bucket == f"code-{ACCOUNT}-eu-west-1"
    assert east.journal == f"s3://journal-{ACCOUNT}/us-east-1"
    assert (east.environment, east.rate) == ("prod", 3)
    assert str(east) == f"prod ({ACCOUNT} us-east-1)"


def test_a_role_is_assumed_from_the_environments_credentials(aws_server: AwsServer) -> None:  # noqa: ARG001
    environment = Environment(accounts=(Account(regions=("eu-west-1",)), Account(role=ROLE, regions=("eu-west-1",))))
    own, other = places(environment)
    assert (own.account, other.account) == (ACCOUNT, OTHER)
    assert other.role == ROLE


def test_each_way_into_aws_is_asked_once_whose_it_is(strict: StrictServer) -> None:
    regions = ("eu-west-1", "us-east-1")
    accounts = (Account(regions=regions), Account(role=ROLE, regions=regions), Account(regions=("ap-south-1",)))
    found = places(Environment(accounts=accounts))
    assert [place.account for place in found] == [ACCOUNT] * 2 + [OTHER] * 2 + [ACCOUNT]
    assert [call.operation for call in strict.calls].count("GetCallerIdentity") == 2


HERE = Place("dev", region="eu-west-1", account=ACCOUNT, bucket="b", journal="s3://dev/here")


def test_another_environment_beside_a_place(strict: StrictServer) -> None:
    own = Environment("dev")
    local = Environment("prod", accounts=(Account(profile="none", regions=("eu-west-1",)),))
    assert beside(HERE, own, local) == HERE._replace(environment="prod", journal="")
    assert beside(HERE, own, local._replace(journal="s3://dev/{account}")) == HERE._replace(
        environment="prod", journal=f"s3://dev/{ACCOUNT}"
    )
    afar = local._replace(accounts=(Account(regions=("us-east-1",)),))
    assert beside(HERE, own, afar) is None
    assert strict.calls == []


def test_another_environment_with_a_bucket_of_its_own(strict: StrictServer) -> None:
    own, prod = Environment("dev"), Environment("prod", journal="s3://prod-{region}")
    there = HERE._replace(environment="prod", journal="s3://prod-eu-west-1")
    assert beside(HERE, own, prod) == there
    same, other = f"arn:aws:iam::{ACCOUNT}:role/deploys", ROLE
    assert beside(HERE, own, prod._replace(accounts=(Account(role=same),))) == there._replace(role=same)
    assert beside(HERE, own, prod._replace(accounts=(Account(role=other),))) is None
    both = (Account(role=other), Account(role=same))
    assert beside(HERE, own, prod._replace(accounts=both)) == there._replace(role=same)
    assert strict.calls == []
    # The way of the place itself, whose role an ARN does not tell of: STS is asked
    assert beside(HERE._replace(role=same), own, prod) == there
    assert [call.operation for call in strict.calls] == ["GetCallerIdentity"]
    assert beside(HERE._replace(account=OTHER), own, prod._replace(accounts=(Account(role=same),))) is None


def test_a_profile_of_the_command_line_stands_for_the_environments_own(strict: StrictServer) -> None:
    own = Environment("dev", accounts=(Account(profile="shop"),))
    prod = Environment("prod", accounts=own.accounts, journal="s3://prod")
    found = beside(HERE._replace(profile="mine"), own, prod)
    assert found is not None
    assert found.profile == "mine"
    assert strict.calls == []
    with pytest.raises(LamellaError) as caught:
        beside(HERE._replace(profile="shop"), own, prod._replace(accounts=(Account(profile="lab"),)))
    assert caught.value.what == "the environment `prod` may need what is here"
    assert f"whether the environment `prod` is in the account {ACCOUNT} can't be told" in caught.value.why


def test_a_role_is_assumed_from_a_profile(profiles: AwsServer) -> None:  # noqa: ARG001
    (place,) = places(Environment(accounts=(Account(profile="shop", role=ROLE),)))
    assert (place.account, place.region, place.profile) == (OTHER, "eu-west-2", "shop")


def test_what_is_asked_of_a_place_is_asked_as_its_role(aws_server: AwsServer) -> None:  # noqa: ARG001
    (place,) = places(Environment(accounts=(Account(role=ROLE, regions=("eu-west-1",)),)))
    answer = aws.client("sts", None, place.region, role=place.role).get_caller_identity()
    assert answer["Arn"] == f"arn:aws:sts::{OTHER}:assumed-role/deploys/lamella"


def test_the_same_place_twice(aws_server: AwsServer) -> None:  # noqa: ARG001
    role = f"arn:aws:iam::{ACCOUNT}:role/deploys"
    environment = Environment(name="prod", accounts=(Account(), Account(role=role, regions=(REGION,))))
    with pytest.raises(ConfigError) as caught:
        places(environment)
    assert f"names the region `{REGION}` of the account {ACCOUNT} twice" in caught.value.what


def test_no_region_anywhere(profiles: AwsServer) -> None:  # noqa: ARG001
    with pytest.raises(LamellaError) as caught:
        places(Environment(accounts=(Account(profile="lab"),)))
    assert caught.value.what == "there is no AWS region"
    assert "[tool.lamella.deploy]" in str(caught.value.hint)
    (place,) = places(Environment(accounts=(Account(profile="lab"),)), region="eu-west-1")
    assert place.region == "eu-west-1"


def test_the_command_lines_region_is_one_of_the_environments(aws_server: AwsServer) -> None:  # noqa: ARG001
    accounts = (Account(regions=("eu-west-1", "us-east-1")), Account(role=ROLE, regions=("eu-west-1",)))
    environment = Environment(name="prod", accounts=accounts)
    assert [place.account for place in places(environment, region="eu-west-1")] == [ACCOUNT, OTHER]
    assert [place.account for place in places(environment, region="us-east-1")] == [ACCOUNT]
    with pytest.raises(UsageError) as caught:
        places(environment, region="ap-south-1")
    assert caught.value.what == "the environment `prod` is not in the region `ap-south-1`"
    assert caught.value.hint == "it names `eu-west-1`, `us-east-1`"


def test_the_command_lines_profile(profiles: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    one = Environment(accounts=(Account(profile="shop", regions=("eu-west-1",)),))
    assert places(one, profile="lab")[0].profile == "lab"
    two = Environment(accounts=(*one.accounts, Account(profile="lab", regions=("us-east-1",))))
    assert [place.region for place in places(two, profile="lab")] == ["us-east-1"]
    with pytest.raises(UsageError) as caught:
        places(two, profile="other")
    assert caught.value.hint == "it names `lab`, `shop`"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "k")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    assert places(one, profile="")[0].profile == ""  # CI has keys, and no profiles


def test_no_credentials(nobody: None) -> None:  # noqa: ARG001
    with pytest.raises(LamellaError) as caught:
        places(Environment(accounts=(Account(regions=("eu-west-1",)),)))
    assert caught.value.what == "there are no AWS credentials"
    with pytest.raises(LamellaError) as caught:
        places(Environment(accounts=(Account(role=ROLE, regions=("eu-west-1",)),)))
    assert caught.value.what == "there are no AWS credentials"


def test_ports_share_a_rate_and_ask_nothing_before_they_are_used(aws_server: AwsServer) -> None:
    (place,) = places(Environment(bucket="code"))
    cloud = open_cloud(place)
    assert cloud.place == place
    assert cloud.bucket is not None
    assert (cloud.bucket.name, cloud.bucket.prefix) == ("code", "")
    assert open_cloud(place._replace(bucket="")).bucket is None
    assert aws_server.asked == []
    assert list(cloud.lambdas.functions()) == []
