"""CloudWatch's metrics and alarms, as the port of this room sees them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from lamella import aws
from lamella.cloud.model import AlarmState

_AT_ONCE = 100  # CloudWatch API reference, DescribeAlarms: AlarmNames
_PERIOD = 60  # seconds: the finest that Lambda's metrics have


class CloudWatch:
    """`model.Alarms`, answered by AWS.  Threads may share it."""

    def __init__(self, access: aws.Access) -> None:
        self._access = access

    def alarms(self, names: Sequence[str]) -> Sequence[AlarmState]:
        """Alarms of metrics and composite ones, in the order of `names`."""
        found: dict[str, AlarmState] = {}
        wanted = list(dict.fromkeys(names))
        for start in range(0, len(wanted), _AT_ONCE):
            asked = wanted[start : start + _AT_ONCE]
            with aws.told("read the alarms", service="cloudwatch"):
                # Without AlarmTypes, composite alarms are left out
                pages = self._client.get_paginator("describe_alarms").paginate(
                    AlarmNames=asked, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
                )
                for page in pages:
                    for facts in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ())):
                        name = str(facts["AlarmName"])
                        found[name] = AlarmState(name, str(facts["StateValue"]), str(facts.get("StateReason", "")))
        return tuple(found[name] for name in wanted if name in found)

    def errors(self, function: str, alias: str, version: str, start: float, end: float) -> tuple[int, int]:
        """Whole minutes, those of `start` and `end` included; CloudWatch has them a minute or two late."""
        # AWS Lambda developer guide, "Viewing metrics for Lambda functions": dimensions of an alias with weights
        dimensions = [
            {"Name": "FunctionName", "Value": function},
            {"Name": "Resource", "Value": f"{function}:{alias}"},
            {"Name": "ExecutedVersion", "Value": version},
        ]
        queries = [_query("errors", "Errors", dimensions), _query("invocations", "Invocations", dimensions)]
        counts = {"errors": 0.0, "invocations": 0.0}
        with aws.told(f"read the errors of `{function}:{version}`", service="cloudwatch"):
            pages = self._client.get_paginator("get_metric_data").paginate(
                MetricDataQueries=queries,
                StartTime=datetime.fromtimestamp(start // _PERIOD * _PERIOD, UTC),
                EndTime=datetime.fromtimestamp(math.ceil(end / _PERIOD) * _PERIOD, UTC),
            )
            for page in pages:
                for row in page["MetricDataResults"]:
                    counts[row["Id"]] += sum(row.get("Values", ()))
        return round(counts["errors"]), round(counts["invocations"])

    @property
    def _client(self) -> Any:
        return self._access.client("cloudwatch")


def _query(name: str, metric: str, dimensions: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {"Namespace": "AWS/Lambda", "MetricName": metric, "Dimensions": dimensions},
            "Period": _PERIOD,
            "Stat": "Sum",
        },
    }
