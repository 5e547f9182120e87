"""Spectra's infrastructure by the real terraform against moto, then rolled out by lamella onto what it made."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.journeys.example_rollouts import Rollout, client, terraformed
from tests.journeys.terraform import Terraform

WORKGROUP = "arn:aws:redshift-serverless:us-east-1:123456789012:workgroup/0"
GIVEN = (
    "-var=bucket=results",
    f'-var=warehouse={{workgroup="spectra",workgroup_arn="{WORKGROUP}",database="dev"}}',
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rollout, Terraform]]:
    with terraformed("spectra", tmp_path_factory.mktemp("terraform")) as opened:
        yield opened


def test_it_is_formatted_and_valid(made: tuple[Rollout, Terraform]) -> None:
    terraform = made[1]
    terraform.run("fmt", "-check", "-recursive", "-diff")
    terraform.run("validate")


def test_from_nothing_to_what_lamella_deploys_onto(made: tuple[Rollout, Terraform]) -> None:
    rollout, terraform = made
    planned = terraform.plan(*GIVEN)
    assert {tuple(actions) for actions in planned.values()} == {("create",)}
    terraform.apply_plan()  # a minute: the provider looks at queues and at a lifecycle for a while before it believes

    live = client(rollout, "lambda").get_alias(FunctionName="spectra-worker", Name="live")["AliasArn"]
    (mapping,) = client(rollout, "lambda").list_event_source_mappings()["EventSourceMappings"]
    assert mapping["FunctionArn"].startswith(live.rpartition(":")[0])
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    table = client(rollout, "dynamodb").describe_table(TableName="spectra-jobs")["Table"]
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["tenant", "id"]
    variables = client(rollout, "lambda").get_function_configuration(FunctionName="spectra-api-handler")["Environment"]
    assert set(variables["Variables"]) == {
        "SPECTRA_TABLE", "SPECTRA_BUCKET", "SPECTRA_QUEUE_URL", "SPECTRA_WAREHOUSE_KIND",
        "SPECTRA_WAREHOUSE_WORKGROUP", "SPECTRA_WAREHOUSE_DATABASE",
    }  # fmt: skip

    rollout.lamella("deploy", "--layers-only", "--auto-approve")
    # moto gives the mapping the ARN of a version for that of the alias, and a limit of the queue another type
    again = terraform.plan(*GIVEN)
    assert not [address for address in again if ".aws_lambda_" in address and "event_source" not in address], again
