# ruff: noqa: F811  fixtures of another folder
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.deployed.conftest import _moto, aws_server, nobody, somebody  # noqa: F401
from tests.deployed.moto_server import AwsServer

from lamella import aws
from lamella.errors import LamellaError, OutsideError, UsageError


def ask(profile: str | None = None, region: str | None = None) -> None:
    client = aws.client("lambda", profile, region)
    with aws.told("read the function `api`"):
        client.get_function(FunctionName="api")


def told(profile: str | None = None, region: str | None = None) -> LamellaError:
    with pytest.raises(LamellaError) as caught:
        ask(profile, region)
    return caught.value


def test_without_boto3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    error = told()
    assert error.what == "`boto3`, which speaks to AWS, is not installed"
    assert error.hint == "install `lamella[aws]`"
    assert error.exit_code == 2


def test_nothing_of_boto3_is_imported_before_it_is_needed() -> None:
    asked = "import sys, lamella.aws, lamella.deployed.lambdas; lamella.deployed.lambdas.Lambdas()"
    heavy = "print([name for name in sys.modules if name.partition('.')[0] in ('boto3', 'botocore', 'urllib3')])"
    done = subprocess.run([sys.executable, "-c", f"{asked}; {heavy}"], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_no_credentials(nobody: None) -> None:  # noqa: ARG001
    error = told(region="us-east-1")
    assert error.what == "there are no AWS credentials"
    assert error.why == ("they are needed to read the function `api`",)
    assert "--profile" in str(error.hint)


def test_no_region(nobody: None) -> None:  # noqa: ARG001
    error = told()
    assert error.what == "there is no AWS region"
    assert "--region" in str(error.hint)


def test_the_region_as_lambda_and_other_programs_name_it(nobody: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    assert aws.client("lambda").meta.region_name == "eu-north-1"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    assert aws.client("lambda").meta.region_name == "eu-west-3"
    assert aws.client("lambda", region="ap-south-1").meta.region_name == "ap-south-1"


def test_a_profile_gives_region_and_credentials(
    aws_server: AwsServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:  # fmt: skip
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    (tmp_path / "aws-config").write_text("[profile shop]\nregion = eu-west-2\n")
    (tmp_path / "aws-credentials").write_text("[shop]\naws_access_key_id = k\naws_secret_access_key = s\n")
    assert aws.client("lambda", "shop").meta.region_name == "eu-west-2"
    assert isinstance(told("shop"), aws.NotThereError)
    assert aws_server.asked == ["GET /2015-03-31/functions/api"]


def test_no_such_profile(nobody: None) -> None:  # noqa: ARG001
    error = told("nope")
    assert isinstance(error, UsageError)
    assert error.what == "there is no such AWS profile"
    assert "nope" in error.why[0]


def test_a_configuration_that_is_none(nobody: None, tmp_path: Path) -> None:  # noqa: ARG001
    (tmp_path / "aws-config").write_text("this is no configuration\n")
    error = told("shop")
    assert type(error) is LamellaError
    assert "aws-config" in error.why[0]


@pytest.mark.parametrize(
    ("name", "value"), [("AWS_ENDPOINT_URL", "nonsense"), ("AWS_MAX_ATTEMPTS", "many"), ("AWS_RETRY_MODE", "never")]
)
def test_a_variable_that_says_nothing(
    somebody: None,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
) -> None:
    monkeypatch.setenv(name, value)
    error = told()
    assert error.what == "could not reach AWS's `lambda`"
    assert value in error.why[0]
    assert error.exit_code == 2


def test_half_of_the_credentials(nobody: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "k")
    error = told(region="us-east-1")
    assert error.what == "the AWS credentials can't be had"
    assert "AWS_SECRET_ACCESS_KEY" in error.why[0]


def test_an_expired_login(nobody: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "aws-config").write_text(
        "[profile shop]\nregion = us-east-1\nsso_start_url = https://login.example/start\nsso_region = us-east-1\n"
        "sso_account_id = 123456789012\nsso_role_name = dev\n"
    )
    error = told("shop")
    assert error.what == "the login to AWS has expired"
    assert "aws sso login" in str(error.hint)


def test_nobody_answers(somebody: None) -> None:  # noqa: ARG001
    error = told()
    assert isinstance(error, aws.UnreachableError)
    assert error.what == "could not read the function `api`"
    assert "127.0.0.1:9" in error.why[0]
    assert "AWS_ENDPOINT_URL" in str(error.hint)
    assert error.exit_code == 3


def test_a_name_that_aws_would_not_take(somebody: None) -> None:  # noqa: ARG001
    client = aws.client("lambda")
    with pytest.raises(UsageError) as caught, aws.told("read the function ``"):
        client.get_function(FunctionName="")
    assert "FunctionName" in str(caught.value)


DENIED = (
    "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: lambda:GetFunction on resource: "
    "arn:aws:lambda:us-east-1:123456789012:function:api because no identity-based policy allows it"
)


@pytest.mark.parametrize(
    ("status", "code", "message", "kind", "shown"),
    [
        (403, "AccessDeniedException", DENIED, aws.DeniedError, "let a policy allow `lambda:GetFunction` on `arn:aws:"),
        (403, "AccessDeniedException", "no", aws.DeniedError, "let a policy allow `lambda:GetFunction`, or"),
        (403, "ExpiredTokenException", "The token has expired", OutsideError, "the AWS credentials have expired"),
        (403, "UnrecognizedClientException", "invalid", OutsideError, "AWS does not accept the credentials"),
        (403, "InvalidSignatureException", "clock", OutsideError, "AWS does not accept the credentials"),
        (404, "ResourceNotFoundException", "Function not found", aws.NotThereError, "Function not found"),
        (429, "TooManyRequestsException", "Rate exceeded", aws.ThrottledError, "AWS_RETRY_MODE=adaptive"),
        # What the function itself lacks: no permission of who asks, and no name that is wrong
        (502, "KMSAccessDeniedException", "Lambda was unable", OutsideError, "look at its role, its KMS key"),
        (502, "KMSNotFoundException", "Lambda was unable", OutsideError, "look at its role, its KMS key"),
        (502, "EC2AccessDeniedException", "Lambda was unable", OutsideError, "its VPC"),
        (502, "SubnetIPAddressLimitReachedException", "Lambda was not able", OutsideError, "its VPC"),
        (409, "SnapStartNotReadyException", "Lambda is initializing", aws.BusyError, "once it is ready"),
        (502, "ResourceNotReadyException", "The function is inactive", aws.BusyError, "once it is ready"),
        (502, "ENINotReadyException", "not ready", aws.BusyError, "once it is ready"),
        (409, "ResourceConflictException", "in progress", aws.BusyError, "once the other change is done"),
        (502, "EC2ThrottledException", "throttled", aws.ThrottledError, "AWS_RETRY_MODE=adaptive"),
        (500, "ServiceException", "oh", aws.UnreachableError, "try again later"),
        (
            400,
            "InvalidParameterValueException",
            "bad\n value",
            OutsideError,
            "InvalidParameterValueException: bad value",
        ),
    ],
)
def test_what_aws_answers(
    aws_server: AwsServer, status: int, code: str, message: str, kind: type[LamellaError], shown: str
) -> None:  # fmt: skip
    aws_server.faults = [("api", status, code, message)]
    error = told()
    assert type(error) is kind
    assert shown in str(error)
    assert code in str(error)
    assert error.hint


def test_throttling_is_tried_again(aws_server: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    aws_server.faults = [("api", 429, "TooManyRequestsException", "Rate exceeded")]
    assert isinstance(told(), aws.NotThereError)
    aws_server.faults = [("api", 429, "TooManyRequestsException", "Rate exceeded")] * 2
    error = told()
    assert "it was tried 2 times" in error.why
    assert len(aws_server.asked) == 4


def test_a_call_that_is_made_once_whatever_the_environment_says(
    aws_server: AwsServer, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
    monkeypatch.setenv("AWS_RETRY_MODE", "adaptive")
    aws_server.faults = [("api", 429, "TooManyRequestsException", "Rate exceeded")] * 5
    sent: list[None] = []
    client = aws.client("lambda", attempts=1, before_send=lambda: sent.append(None))
    with pytest.raises(aws.ThrottledError) as caught, aws.told("read the function `api`"):
        client.get_function(FunctionName="api")
    assert "it was tried 1 time" in caught.value.why
    assert len(sent) == len(aws_server.asked) == 1


def test_clients_are_made_once(somebody: None) -> None:  # noqa: ARG001
    access = aws.Access()
    assert access.client("lambda") is access.client("lambda")
    assert access.client("lambda") is not access.client("lambda", attempts=1)
    assert access.region == "us-east-1"
    assert aws.Access(region="eu-west-1").region == "eu-west-1"


def test_a_role_that_may_not_be_assumed() -> None:
    from botocore.exceptions import ClientError  # type: ignore[import-untyped]

    refusal = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "AssumeRole")
    with pytest.raises(aws.DeniedError) as caught, aws.told("list the functions"):
        raise refusal
    assert caught.value.action == "sts:AssumeRole"


def test_no_room_for_code(aws_server: AwsServer) -> None:
    aws_server.faults = [("api", 400, "CodeStorageExceededException", "Code storage limit exceeded.")]
    assert "lamella prune" in str(told().hint)
