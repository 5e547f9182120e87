"""Galerly's infrastructure by the real terraform against moto, then rolled out by lamella onto what it made."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.journeys.example_rollouts import Rollout, client, terraformed
from tests.journeys.terraform import Terraform


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rollout, Terraform]]:
    with terraformed("galerly", tmp_path_factory.mktemp("terraform")) as opened:
        yield opened


def test_it_is_formatted_and_valid(made: tuple[Rollout, Terraform]) -> None:
    terraform = made[1]
    terraform.run("fmt", "-check", "-recursive", "-diff")
    terraform.run("validate")


def test_from_nothing_to_a_rollout_and_nothing_taken_back(made: tuple[Rollout, Terraform]) -> None:
    rollout, terraform = made
    given = ["-var=bucket=photos", '-var=origins=["https://galerly.example"]']
    planned = terraform.plan(*given)
    assert {tuple(actions) for actions in planned.values()} == {("create",)}
    terraform.apply_plan()

    processor = client(rollout, "lambda").get_alias(FunctionName="galerly-image-processor", Name="live")["AliasArn"]
    (told,) = client(rollout, "s3").get_bucket_notification_configuration(Bucket="photos")[
        "LambdaFunctionConfigurations"
    ]
    assert told["LambdaFunctionArn"] == processor
    (rule,) = told["Filter"]["Key"]["FilterRules"]
    assert (rule["Name"].lower(), rule["Value"]) == ("prefix", "uploads/")
    table = client(rollout, "dynamodb").describe_table(TableName="galerly")["Table"]
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]
    states = client(rollout, "stepfunctions")
    (machine,) = states.list_state_machines()["stateMachines"]
    definition = json.loads(states.describe_state_machine(stateMachineArn=machine["stateMachineArn"])["definition"])
    task = definition["States"]["Photos"]["ItemProcessor"]["States"]["Render"]
    assert task["Arguments"]["FunctionName"] == processor

    rollout.lamella("deploy", "--auto-approve")
    live = rollout.live()
    assert live["image-processor"][2] == ("galerly-image-processing:1",)
    variables = client(rollout, "lambda").get_function_configuration(FunctionName="galerly-api-prod")["Environment"]
    page = terraform.run("output", "-raw", "page").strip()
    assert page.startswith("https://")
    assert variables["Variables"] == {"GALERLY_BUCKET": "photos", "GALERLY_TABLE": "galerly", "GALERLY_PAGE": page}

    # The page, what it asks, and that it may
    s3, own = client(rollout, "s3"), page.removesuffix("/index.html")
    kept = s3.get_object(Bucket="photos-page", Key="index.html")
    assert kept["ContentType"].startswith("text/html")
    assert kept["Body"].read() == (rollout.root / "web" / "index.html").read_bytes()
    config = json.load(s3.get_object(Bucket="photos-page", Key="config.json")["Body"])
    assert config == {"api": terraform.run("output", "-raw", "url").strip().rstrip("/")}
    (rule,) = s3.get_bucket_cors(Bucket="photos")["CORSRules"]
    assert sorted(rule["AllowedMethods"]) == ["GET", "POST"]
    (api,) = client(rollout, "apigatewayv2").get_apis()["Items"]
    for allowed in (rule["AllowedOrigins"], api["CorsConfiguration"]["AllowOrigins"]):
        assert set(allowed) == {own, "https://galerly.example"}
    (reader,) = json.loads(s3.get_bucket_policy(Bucket="photos-page")["Policy"])["Statement"]
    assert reader["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert reader["Condition"]["StringEquals"]["AWS:SourceArn"].startswith("arn:aws:cloudfront::")
    # What lamella deployed stays.  moto 5.2.5 forgets a distribution's origin access control, and says so of each plan
    forgotten = {"aws_cloudfront_distribution.page", "aws_s3_bucket_policy.page"}
    assert terraform.plan(*given).keys() <= forgotten
