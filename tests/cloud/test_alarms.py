from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.deployed.moto_server import ACCOUNT, REGION, AwsServer

from lamella import aws
from lamella.cloud.alarms import CloudWatch

NOON = 1_790_000_040.0


@pytest.fixture
def watch(aws_server: AwsServer) -> Any:  # noqa: ARG001
    from moto.backends import get_backend

    get_backend("cloudwatch").reset()
    return aws.client("cloudwatch")


def alarm(watch: Any, name: str, state: str) -> None:
    watch.put_metric_alarm(
        AlarmName=name, ComparisonOperator="GreaterThanThreshold", EvaluationPeriods=1, Threshold=1.0,
        MetricName="Errors", Namespace="AWS/Lambda", Period=60, Statistic="Sum",
    )  # fmt: skip
    watch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="it was said")


def composite(watch: Any, name: str) -> None:
    """moto fails at the call, for want of what only alarms of metrics have."""
    from moto.backends import get_backend

    alarm(watch, name, "INSUFFICIENT_DATA")
    get_backend("cloudwatch")[ACCOUNT][REGION].alarms[name].rule = "ALARM(errors)"


def test_alarms_by_name_composite_ones_too(watch: Any) -> None:
    alarm(watch, "errors", "ALARM")
    alarm(watch, "slow", "OK")
    composite(watch, "both")
    found = CloudWatch(aws.Access()).alarms(["slow", "missing", "errors", "both", "slow"])
    assert [(row.name, row.state) for row in found] == [
        ("slow", "OK"),
        ("errors", "ALARM"),
        ("both", "INSUFFICIENT_DATA"),
    ]
    assert found[1].reason == "it was said"


def test_more_names_than_one_call_takes(watch: Any) -> None:
    alarm(watch, "n130", "OK")
    assert [row.name for row in CloudWatch(aws.Access()).alarms([f"n{number}" for number in range(150)])] == ["n130"]
    assert CloudWatch(aws.Access()).alarms([]) == ()


def counted(watch: Any, metric: str, version: str, value: float, second: float) -> None:
    dimensions = [("FunctionName", "api"), ("Resource", "api:live"), ("ExecutedVersion", version)]
    row = {
        "MetricName": metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions],
        "Timestamp": datetime.fromtimestamp(second, UTC),
        "Value": value,
    }
    watch.put_metric_data(Namespace="AWS/Lambda", MetricData=[row])


def test_errors_of_one_version_behind_an_alias(watch: Any) -> None:
    for second in (NOON, NOON + 61):
        counted(watch, "Invocations", "8", 10, second)
        counted(watch, "Errors", "8", 2, second)
    counted(watch, "Errors", "7", 100, NOON)
    counted(watch, "Errors", "8", 50, NOON - 600)
    assert CloudWatch(aws.Access()).errors("api", "live", "8", NOON, NOON + 130) == (4, 20)
    assert CloudWatch(aws.Access()).errors("api", "live", "9", NOON, NOON + 130) == (0, 0)


def test_what_is_refused(somebody: None) -> None:  # noqa: ARG001
    with pytest.raises(aws.UnreachableError):
        CloudWatch(aws.Access()).alarms(["x"])
    with pytest.raises(aws.UnreachableError):
        CloudWatch(aws.Access()).errors("api", "live", "8", NOON, NOON + 1)
