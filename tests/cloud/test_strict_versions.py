"""The rules of the strict server for versions and aliases, and its answers, each with boto3 as the client."""

from __future__ import annotations

import base64

import pytest
from tests.cloud.refusals import invalid, refusal, settled
from tests.cloud.strict import Answered, Invocation, StrictServer, logged
from tests.deployed.moto_server import ACCOUNT, Deployer, zipped

CODE = zipped({"app.py": "def handler(event, context): ..."})
OTHER = zipped({"app.py": "x = 1"})


class TestVersions:
    @pytest.mark.usefixtures("strict")
    def test_none_is_made_where_nothing_changed(self, owner: Deployer) -> None:
        owner.function("api", CODE)
        client = owner.lambdas
        made = [client.publish_version(FunctionName="api", Description="one")["Version"] for _ in range(2)]
        client.update_function_configuration(FunctionName="api", Handler="x.y")
        settled(owner)
        made += [client.publish_version(FunctionName="api")["Version"] for _ in range(2)]
        assert made == ["1", "1", "2", "2"]
        rows = client.list_versions_by_function(FunctionName="api")["Versions"]
        assert [row["Version"] for row in rows] == ["$LATEST", "1", "2"]
        assert [row["FunctionArn"].rpartition(":")[2] for row in rows] == ["$LATEST", "1", "2"]

    @pytest.mark.usefixtures("strict")
    def test_the_digest_must_be_latest_s(self, owner: Deployer) -> None:
        owner.function("api", CODE)
        message = invalid(owner.lambdas.publish_version, FunctionName="api", CodeSha256="another")
        assert message.startswith("CodeSHA256 (another) is different from current CodeSHA256 in $LATEST")

    @pytest.mark.usefixtures("strict")
    def test_numbers_are_not_used_twice_and_aliases_hold_versions(self, owner: Deployer) -> None:
        owner.function("api", CODE)
        client = owner.lambdas
        client.publish_version(FunctionName="api")
        client.create_alias(FunctionName="api", Name="live", FunctionVersion="1")
        message = refusal(409, "ResourceConflictException", client.delete_function, FunctionName="api", Qualifier="1")
        assert message.endswith("because the following aliases reference it: ['live']")
        client.delete_alias(FunctionName="api", Name="live")
        client.delete_function(FunctionName="api", Qualifier="1")
        assert client.publish_version(FunctionName="api")["Version"] == "2"

    @pytest.mark.usefixtures("strict")
    def test_a_pending_one_can_t_be_invoked(self, owner: Deployer) -> None:
        owner.function("api", CODE)
        owner.lambdas.publish_version(FunctionName="api")
        message = refusal(409, "ResourceConflictException", owner.lambdas.invoke, FunctionName="api", Qualifier="1")
        assert message.endswith("in the following state: Pending")


class TestAliases:
    @pytest.mark.usefixtures("strict")
    def test_two_versions_that_exist(self, owner: Deployer) -> None:
        owner.function("api", CODE)
        client, alias = owner.lambdas, {"FunctionName": "api", "Name": "live"}
        client.publish_version(FunctionName="api")
        client.create_alias(**alias, FunctionVersion="1")
        refusal(409, "ResourceConflictException", client.create_alias, **alias, FunctionVersion="1")
        refusal(404, "ResourceNotFoundException", client.update_alias, **alias, FunctionVersion="7")
        same = {"AdditionalVersionWeights": {"1": 0.5}}
        assert "already included" in invalid(client.update_alias, **alias, RoutingConfig=same)
        latest = {"AdditionalVersionWeights": {"$LATEST": 0.5}}
        assert "$LATEST is not supported" in invalid(client.update_alias, **alias, RoutingConfig=latest)
        refusal(404, "ResourceNotFoundException", client.get_alias, FunctionName="api", Name="none")

    def test_weights_decide_who_answers_and_stay_until_they_are_taken_away(
        self, strict: StrictServer, owner: Deployer
    ) -> None:
        owner.function("api", CODE)
        client, alias = owner.lambdas, {"FunctionName": "api", "Name": "live"}
        client.publish_version(FunctionName="api")
        client.update_function_code(FunctionName="api", ZipFile=OTHER)
        settled(owner)
        client.publish_version(FunctionName="api")
        strict.functions.settle_polls = 0
        for version in ("1", "2", "1", "2"):
            client.get_function_configuration(FunctionName="api", Qualifier=version)
        weights = {"AdditionalVersionWeights": {"2": 0.25}}
        client.create_alias(**alias, FunctionVersion="1", RoutingConfig=weights)
        answers = [client.invoke(FunctionName="api", Qualifier="live")["ExecutedVersion"] for _ in range(8)]
        assert answers == ["1", "1", "1", "2"] * 2
        assert client.update_alias(**alias, Description="still")["RoutingConfig"] == weights
        assert "RoutingConfig" not in client.update_alias(**alias, RoutingConfig={"AdditionalVersionWeights": {}})
        listed = client.list_aliases(FunctionName="api", FunctionVersion="1")["Aliases"]
        assert [row["Name"] for row in listed] == ["live"]


class TestListing:
    def test_pages_of_fifty_without_states(self, strict: StrictServer, owner: Deployer) -> None:
        for number in range(120):
            owner.function(f"api{number:03}", CODE)
        strict.clear()
        pages = list(owner.lambdas.get_paginator("list_functions").paginate())
        assert [len(page["Functions"]) for page in pages] == [50, 50, 20]
        rows = [row for page in pages for row in page["Functions"]]
        assert [row["FunctionName"] for row in rows] == [f"api{number:03}" for number in range(120)]
        assert not {"State", "LastUpdateStatus"} & rows[0].keys()
        assert {"RevisionId", "CodeSha256", "CodeSize", "LoggingConfig"} <= rows[0].keys()
        assert [call.operation for call in strict.calls] == ["ListFunctions"] * 3


class TestInvoking:
    def test_a_scripted_answer(self, strict: StrictServer, owner: Deployer) -> None:
        layer = owner.layer("deps", OTHER)
        owner.function("api", CODE, Layers=[layer], Environment={"Variables": {"STAGE": "test"}})
        met: list[Invocation] = []

        def answer(given: Invocation) -> Answered:
            met.append(given)
            return Answered(b'{"errorMessage": "no"}', "Unhandled", logged(given.version, "x" * 5000, init=812.5))

        strict.invoked = answer
        told = owner.lambdas.invoke(FunctionName="api", Payload=b'{"a": 1}', LogType="Tail")
        assert met == [
            Invocation(
                "api", "", "$LATEST", b'{"a": 1}', CODE, (OTHER,), "app.handler", "python3.12", {"STAGE": "test"}
            )
        ]  # fmt: skip
        assert (told["FunctionError"], told["ExecutedVersion"]) == ("Unhandled", "$LATEST")
        log = base64.b64decode(told["LogResult"])
        assert len(log) == 4096
        assert b"Init Duration: 812.50 ms" in log


class TestOtherServices:
    def test_are_moto_s_at_the_same_address(self, strict: StrictServer) -> None:
        import boto3  # type: ignore[import-untyped]

        clients = {name: boto3.client(name) for name in ("sts", "s3", "cloudwatch", "logs", "iam")}
        assert clients["sts"].get_caller_identity()["Account"] == ACCOUNT
        clients["s3"].create_bucket(Bucket="deploys")
        clients["cloudwatch"].put_metric_alarm(
            AlarmName="errors", ComparisonOperator="GreaterThanThreshold", EvaluationPeriods=1, Threshold=1,
            Namespace="AWS/Lambda", MetricName="Errors", Period=60, Statistic="Sum",
        )  # fmt: skip
        alarms = clients["cloudwatch"].describe_alarms(AlarmNames=["errors", "none"])["MetricAlarms"]
        assert [alarm["AlarmName"] for alarm in alarms] == ["errors"]
        clients["logs"].create_log_group(logGroupName="/aws/lambda/api")
        assert [(call.service, call.operation) for call in strict.calls] == [
            ("sts", "GetCallerIdentity"),
            ("s3", "CreateBucket"),
            ("monitoring", "PutMetricAlarm"),
            ("monitoring", "DescribeAlarms"),
            ("logs", "CreateLogGroup"),
        ]
