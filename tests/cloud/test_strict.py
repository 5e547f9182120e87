"""The rules of the strict server, each with boto3 as the client."""

from __future__ import annotations

import struct
import urllib.request

import pytest
from tests.cloud.refusals import invalid, refusal, settled
from tests.cloud.strict import Answered, Invocation, StrictServer
from tests.deployed.moto_server import ACCOUNT, REGION, Deployer, zipped

CODE = zipped({"app.py": "def handler(event, context): ..."})
OTHER = zipped({"app.py": "x = 1"})


def huge(size: int) -> bytes:
    """A zip whose directory says that it holds so many bytes."""
    content = zipped({"app.py": "x"})
    at = content.index(b"PK\x01\x02") + 24
    return content[:at] + struct.pack("<I", size) + content[at + 4 :]


class TestRevisions:
    def test_every_change_has_its_own_and_one_more_when_it_is_done(self, strict: StrictServer, owner: Deployer) -> None:
        owner.function("api", CODE)
        revisions = [owner.lambdas.list_functions()["Functions"][0]["RevisionId"]]
        assert settled(owner) == revisions[0]
        answer = owner.lambdas.update_function_code(FunctionName="api", ZipFile=OTHER, RevisionId=revisions[0])
        revisions += [answer["RevisionId"], settled(owner)]
        answer = owner.lambdas.update_function_configuration(
            FunctionName="api", Handler="other.handler", RevisionId=revisions[-1]
        )
        revisions += [answer["RevisionId"], settled(owner)]
        assert len(set(revisions)) == 5
        assert settled(owner) == revisions[-1]
        assert strict.calls[0] == ("iam", "GetRole", "")

    @pytest.mark.usefixtures("strict")
    def test_a_stale_one_is_refused_everywhere(self, owner: Deployer) -> None:
        owner.function("api", CODE)
        client, stale = owner.lambdas, {"FunctionName": "api", "RevisionId": "stale"}
        client.publish_version(FunctionName="api")
        client.create_alias(FunctionName="api", Name="live", FunctionVersion="1")
        for verb, rest in (
            (client.update_function_code, {"ZipFile": OTHER}),
            (client.update_function_configuration, {"Handler": "x.y"}),
            (client.publish_version, {}),
            (client.update_alias, {"Name": "live", "FunctionVersion": "1"}),
        ):
            message = refusal(412, "PreconditionFailedException", verb, **stale, **rest)
            assert message.startswith("The Revision Id provided does not match the latest Revision Id")

    @pytest.mark.usefixtures("strict")
    def test_publishing_changes_latest_and_an_active_version_stays(self, owner: Deployer) -> None:
        owner.function("api", CODE)
        before = settled(owner)
        made = owner.lambdas.publish_version(FunctionName="api", RevisionId=before)
        latest = settled(owner)
        assert len({before, made["RevisionId"], latest}) == 3
        facts = [owner.lambdas.get_function_configuration(FunctionName="api", Qualifier="1") for _ in range(2)]
        assert [each["State"] for each in facts] == ["Pending", "Active"]
        assert {each["RevisionId"] for each in facts} == {made["RevisionId"]}
        alias = owner.lambdas.create_alias(FunctionName="api", Name="live", FunctionVersion="1")
        moved = owner.lambdas.update_alias(
            FunctionName="api", Name="live", FunctionVersion="1", RevisionId=alias["RevisionId"]
        )
        assert moved["RevisionId"] != alias["RevisionId"]
        assert settled(owner) == latest


class TestUpdates:
    @pytest.mark.usefixtures("strict")
    def test_are_under_way_and_further_ones_are_refused(self, owner: Deployer) -> None:
        owner.function("api", CODE)
        client = owner.lambdas
        told = client.update_function_code(FunctionName="api", ZipFile=OTHER)
        assert (told["State"], told["LastUpdateStatus"]) == ("Active", "InProgress")
        message = refusal(
            409, "ResourceConflictException", client.update_function_configuration, FunctionName="api", Handler="x.y"
        )
        assert "An update is in progress for resource: arn:" in message
        assert settled(owner)
        client.update_function_configuration(FunctionName="api", Handler="x.y")
        refusal(409, "ResourceConflictException", client.publish_version, FunctionName="api")

    def test_can_be_timed(self, strict: StrictServer, owner: Deployer) -> None:
        owner.function("api", CODE)
        now = 100.0
        strict.clock = lambda: now
        strict.functions.settle_polls, strict.functions.settle_seconds = 0, 2.0
        owner.lambdas.update_function_code(FunctionName="api", ZipFile=OTHER)
        for _ in range(3):
            facts = owner.lambdas.get_function_configuration(FunctionName="api")
            assert facts["LastUpdateStatus"] == "InProgress"
        now = 102.0
        assert owner.lambdas.get_function(FunctionName="api")["Configuration"]["LastUpdateStatus"] == "Successful"

    def test_can_fail(self, strict: StrictServer, owner: Deployer) -> None:
        owner.function("api", CODE)
        strict.functions.failing["api"] = "the role can't be assumed"
        owner.lambdas.update_function_configuration(FunctionName="api", Handler="x.y")
        assert settled(owner)
        facts = owner.lambdas.get_function_configuration(FunctionName="api")
        assert (facts["LastUpdateStatus"], facts["LastUpdateStatusReason"]) == ("Failed", "the role can't be assumed")

    def test_the_old_code_answers_meanwhile(self, strict: StrictServer, owner: Deployer) -> None:
        owner.function("api", CODE)
        strict.invoked = lambda met: Answered(met.code)
        owner.lambdas.update_function_code(FunctionName="api", ZipFile=OTHER)
        answers = [owner.lambdas.invoke(FunctionName="api")["Payload"].read()]
        settled(owner)
        answers.append(owner.lambdas.invoke(FunctionName="api")["Payload"].read())
        assert answers == [CODE, OTHER]

    def test_a_dry_run_changes_nothing(self, strict: StrictServer, owner: Deployer) -> None:
        owner.function("api", CODE)
        before = strict.snapshot()
        owner.lambdas.update_function_code(FunctionName="api", ZipFile=OTHER, DryRun=True)
        assert strict.snapshot().facts == before.facts


class TestZips:
    @pytest.mark.usefixtures("strict")
    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"junk", "Could not unzip uploaded file. Please check your file, then try to upload again."),
            (zipped({}), "Uploaded file must be a non-empty zip"),
            (huge(262_144_001), "Unzipped size must be smaller than 262144000 bytes"),
        ],
    )
    def test_bad_ones_are_refused(self, owner: Deployer, content: bytes, said: str) -> None:
        owner.function("api", CODE)
        assert invalid(owner.lambdas.update_function_code, FunctionName="api", ZipFile=content) == said
        assert invalid(owner.layer, name="deps", content=content) == said

    def test_large_ones_go_through_s3(self, strict: StrictServer, owner: Deployer) -> None:
        import boto3  # type: ignore[import-untyped]

        owner.function("api", CODE)
        message = refusal(
            413,
            "RequestEntityTooLargeException",
            owner.lambdas.update_function_code,
            FunctionName="api",
            ZipFile=bytes(52_428_801),
        )
        assert message == "Request must be smaller than 70167211 bytes for the UpdateFunctionCode operation"
        s3 = boto3.client("s3", endpoint_url=strict.url, region_name=REGION)
        s3.create_bucket(Bucket="deploys")
        s3.put_object(Bucket="deploys", Key="code.zip", Body=OTHER)
        told = owner.lambdas.update_function_code(FunctionName="api", S3Bucket="deploys", S3Key="code.zip")
        assert told["CodeSize"] == len(OTHER)
        settled(owner)
        message = invalid(owner.lambdas.update_function_code, FunctionName="api", S3Bucket="deploys", S3Key="none")
        assert "NoSuchKey" in message

    @pytest.mark.usefixtures("strict")
    def test_layers_count(self, owner: Deployer) -> None:
        owner.function("api", huge(200_000_000))
        layer = owner.layer("deps", huge(62_144_001))
        message = invalid(owner.lambdas.update_function_configuration, FunctionName="api", Layers=[layer])
        assert message.endswith("size of 262144000 bytes. The actual size is 262144001 bytes.")


class TestLayers:
    @pytest.mark.usefixtures("strict")
    def test_at_most_five_of_one_version_each_that_are_there(self, owner: Deployer) -> None:
        owner.function("api", CODE)
        arns = [owner.layer(f"layer{number}", CODE) for number in range(6)]
        second = owner.layer("layer0", OTHER)
        update = owner.lambdas.update_function_configuration
        assert invalid(update, FunctionName="api", Layers=arns) == "Cannot reference more than 5 layers."
        assert invalid(update, FunctionName="api", Layers=[arns[0], second]).startswith("Two different versions of the")
        unknown = arns[0].replace("layer0", "none")
        assert invalid(update, FunctionName="api", Layers=[unknown]) == f"Layer version {unknown} does not exist."
        elsewhere = arns[0].replace(REGION, "eu-west-1")
        assert "not in the same region" in invalid(update, FunctionName="api", Layers=[elsewhere])
        foreign = arns[0].replace(ACCOUNT, "210987654321")
        assert "lambda:GetLayerVersion" in refusal(
            403, "AccessDeniedException", update, FunctionName="api", Layers=[foreign]
        )
        told = update(FunctionName="api", Layers=[second, *arns[1:5]])
        assert [row["Arn"] for row in told["Layers"]] == [second, *arns[1:5]]

    @pytest.mark.usefixtures("strict")
    def test_lists_are_newest_first_in_pages_and_filtered(self, owner: Deployer) -> None:
        for number in range(3):
            runtime = "python3.12" if number != 1 else "python3.11"
            owner.layer("deps", CODE, CompatibleRuntimes=[runtime], CompatibleArchitectures=["x86_64"])
        pages = owner.lambdas.get_paginator("list_layer_versions").paginate(
            LayerName="deps", PaginationConfig={"PageSize": 2}
        )
        assert [[row["Version"] for row in page["LayerVersions"]] for page in pages] == [[3, 2], [1]]
        listed = owner.lambdas.list_layer_versions
        assert [
            row["Version"] for row in listed(LayerName="deps", CompatibleRuntime="python3.11")["LayerVersions"]
        ] == [2]
        assert not listed(LayerName="deps", CompatibleArchitecture="arm64")["LayerVersions"]
        newest = listed(LayerName="deps", MaxItems=1)
        assert newest["LayerVersions"][0]["Version"] == 3
        assert "Content" not in newest["LayerVersions"][0]
        assert not listed(LayerName="none")["LayerVersions"]

    @pytest.mark.usefixtures("strict")
    def test_a_version_can_be_downloaded(self, owner: Deployer) -> None:
        arn = owner.layer("deps", CODE, Description="what api needs", LicenseInfo="MIT")
        told = owner.lambdas.get_layer_version(LayerName="deps", VersionNumber=1)
        with urllib.request.urlopen(told["Content"]["Location"]) as answer:
            assert answer.read() == CODE
        assert (told["LayerVersionArn"], told["LicenseInfo"]) == (arn, "MIT")
        by_arn = owner.lambdas.get_layer_version_by_arn(Arn=arn)
        assert by_arn["Content"]["CodeSha256"] == told["Content"]["CodeSha256"]
        refusal(404, "ResourceNotFoundException", owner.lambdas.get_layer_version, LayerName="deps", VersionNumber=9)

    def test_a_deleted_version_stays_where_it_is_and_goes_nowhere_else(
        self, strict: StrictServer, owner: Deployer
    ) -> None:
        arn = owner.layer("deps", CODE)
        owner.function("api", CODE, Layers=[arn])
        owner.function("worker", CODE)
        for _ in range(2):
            owner.lambdas.delete_layer_version(LayerName="deps", VersionNumber=1)
        met: list[Invocation] = []
        strict.invoked = lambda given: met.append(given) or Answered()  # type: ignore[func-returns-value]
        owner.lambdas.invoke(FunctionName="api")
        assert met[0].layers == (CODE,)
        owner.lambdas.update_function_configuration(FunctionName="api", Layers=[arn], Handler="x.y")
        assert "does not exist" in invalid(
            owner.lambdas.update_function_configuration, FunctionName="worker", Layers=[arn]
        )
        assert owner.layer("deps", CODE).endswith(":2")

    @pytest.mark.usefixtures("strict")
    def test_statements_of_a_policy(self, owner: Deployer) -> None:
        owner.layer("deps", CODE)
        client, version = owner.lambdas, {"LayerName": "deps", "VersionNumber": 1}
        statement = {"StatementId": "all", "Action": "lambda:GetLayerVersion", "Principal": "*"}
        refusal(404, "ResourceNotFoundException", client.get_layer_version_policy, **version)
        client.add_layer_version_permission(**version, **statement, OrganizationId="o-a1b2c3d4e5")
        refusal(409, "ResourceConflictException", client.add_layer_version_permission, **version, **statement)
        policy = client.get_layer_version_policy(**version)
        assert '"aws:PrincipalOrgID": "o-a1b2c3d4e5"' in policy["Policy"]
        client.remove_layer_version_permission(**version, StatementId="all", RevisionId=policy["RevisionId"])
        refusal(404, "ResourceNotFoundException", client.remove_layer_version_permission, **version, StatementId="all")
