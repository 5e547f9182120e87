"""What the strict server does wrong when it is told to, and how its state is kept; boto3 is the client."""

from __future__ import annotations

import boto3  # type: ignore[import-untyped]
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError  # type: ignore[import-untyped]
from tests.cloud.strict import (
    BROKEN,
    CONFLICT,
    CUT_AFTER,
    CUT_BEFORE,
    DENIED,
    THROTTLED,
    UNAVAILABLE,
    Fault,
    StrictServer,
)
from tests.deployed.moto_server import Deployer, zipped

CODE = zipped({"app.py": "def handler(event, context): ..."})
OTHER = zipped({"app.py": "x = 1"})


@pytest.fixture(autouse=True)
def _api(strict: StrictServer, owner: Deployer) -> None:
    """A function, and calls that are counted from here on."""
    owner.function("api", CODE)
    strict.clear()


def digest(owner: Deployer) -> str:
    return str(owner.lambdas.get_function_configuration(FunctionName="api")["CodeSha256"])


class TestFaults:
    @pytest.mark.parametrize(
        ("fault", "status", "code"),
        [
            (THROTTLED, 429, "TooManyRequestsException"),
            (BROKEN, 500, "ServiceException"),
            (UNAVAILABLE, 503, "ServiceUnavailableException"),
            (CONFLICT, 409, "ResourceConflictException"),
        ],
    )
    def test_an_answer_in_place_of_the_effect(
        self, strict: StrictServer, owner: Deployer, fault: Fault, status: int, code: str
    ) -> None:
        before = digest(owner)
        strict.fault = lambda number, _, operation: fault if (number, operation) == (2, "UpdateFunctionCode") else None
        with pytest.raises(ClientError) as caught:
            owner.lambdas.update_function_code(FunctionName="api", ZipFile=OTHER)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
        assert caught.value.response["Error"]["Code"] == code
        assert digest(owner) == before
        assert strict.calls[1] == ("lambda", "UpdateFunctionCode", "api")

    def test_a_denial_names_the_action_and_the_resource(self, strict: StrictServer, owner: Deployer) -> None:
        strict.fault = lambda *_: DENIED
        with pytest.raises(ClientError, match=r"lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:.*:api"):
            owner.lambdas.invoke(FunctionName="api")
        with pytest.raises(ClientError) as caught:
            boto3.client("s3").put_object(Bucket="deploys", Key="k", Body=b"x")
        assert caught.value.response["Error"]["Code"] == "AccessDenied"
        with pytest.raises(ClientError, match="sts:GetCallerIdentity"):
            boto3.client("sts").get_caller_identity()

    @pytest.mark.parametrize(("fault", "took_effect"), [(CUT_BEFORE, False), (CUT_AFTER, True)])
    def test_a_connection_that_is_cut(
        self, strict: StrictServer, owner: Deployer, fault: Fault, took_effect: bool
    ) -> None:
        before = digest(owner)
        strict.fault = lambda _, __, operation: fault if operation == "UpdateFunctionCode" else None
        with pytest.raises(ConnectionClosedError):
            owner.lambdas.update_function_code(FunctionName="api", ZipFile=OTHER)
        assert (digest(owner) != before) == took_effect

    def test_somebody_else_acts_just_then(self, strict: StrictServer, owner: Deployer) -> None:
        done: list[str] = []
        strict.fault = lambda number, *_: Fault(-1, act=lambda: done.append("acted")) if number == 1 else None
        digest(owner)
        assert done == ["acted"]


class TestRate:
    def test_more_calls_in_a_second_are_refused(self, strict: StrictServer, owner: Deployer) -> None:
        strict.rate = 5
        for _ in range(5):
            digest(owner)
        with pytest.raises(ClientError, match="Rate exceeded"):
            digest(owner)
        owner.lambdas.invoke(FunctionName="api")
        assert strict.busiest == 6

    def test_reads_are_no_writes(self, strict: StrictServer, owner: Deployer) -> None:
        digest(owner)
        owner.lambdas.list_functions()
        owner.lambdas.invoke(FunctionName="api")
        owner.layer("deps", CODE)
        assert strict.writes == [("lambda", "PublishLayerVersion", "deps")]


class TestState:
    def test_everything_is_again_as_it_was(self, strict: StrictServer, owner: Deployer) -> None:
        client = owner.lambdas
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="deploys")
        s3.put_object(Bucket="deploys", Key="journal", Body=b"first")
        layer = owner.layer("deps", CODE)
        client.publish_version(FunctionName="api")
        client.create_alias(FunctionName="api", Name="live", FunctionVersion="1")
        strict.functions.settle_polls = 0

        def told() -> list[object]:
            facts = [client.get_function_configuration(FunctionName="api", Qualifier=of) for of in ("1", "live")]
            facts += [client.list_functions(), client.list_versions_by_function(FunctionName="api")]
            facts += [client.list_aliases(FunctionName="api"), client.list_layer_versions(LayerName="deps")]
            return [{name: value for name, value in each.items() if name != "ResponseMetadata"} for each in facts]

        told()
        before, state = told(), strict.snapshot()
        for content in (b"second", b"third"):
            s3.put_object(Bucket="deploys", Key="journal", Body=content)
            s3.put_object(Bucket="deploys", Key="more", Body=content)
            client.update_function_configuration(FunctionName="api", Layers=[layer])
            client.get_function_configuration(FunctionName="api")
            client.update_function_code(FunctionName="api", ZipFile=OTHER)
            client.get_function_configuration(FunctionName="api")
            assert client.publish_version(FunctionName="api")["Version"] == "2"
            client.update_alias(FunctionName="api", Name="live", FunctionVersion="2")
            assert owner.layer("deps", OTHER).endswith(":2")
            client.delete_layer_version(LayerName="deps", VersionNumber=1)
            assert told() != before
            strict.restore(state)
            assert told() == before
            assert [row["Key"] for row in s3.list_objects_v2(Bucket="deploys")["Contents"]] == ["journal"]
            assert s3.get_object(Bucket="deploys", Key="journal")["Body"].read() == b"first"
