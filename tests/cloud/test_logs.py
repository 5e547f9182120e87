from __future__ import annotations

import time
from typing import Any

import pytest
from tests.deployed.moto_server import AwsServer

from lamella import aws
from lamella.cloud.logs import CloudWatchLogs

GROUP = "/aws/lambda/api"
NOW = int(time.time() * 1000)  # moto takes no old events


@pytest.fixture
def logs(aws_server: AwsServer) -> Any:  # noqa: ARG001
    from moto.backends import get_backend

    get_backend("logs").reset()
    client = aws.client("logs")
    client.create_log_group(logGroupName=GROUP)
    return client


def write(logs: Any, stream: str, *events: tuple[int, str]) -> None:
    logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
    rows = [{"timestamp": time, "message": message} for time, message in events]
    logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=rows)


def test_events_of_all_streams_in_order_of_time(logs: Any) -> None:
    write(logs, "2026/11/22/[7]a", (NOW, "one"), (NOW + 20, "three"))
    write(logs, "2026/11/22/[8]b", (NOW + 10, "two"))
    found = list(CloudWatchLogs(aws.Access()).events(GROUP, NOW))
    assert [(row.message, row.stream) for row in found] == [
        ("one", "2026/11/22/[7]a"),
        ("two", "2026/11/22/[8]b"),
        ("three", "2026/11/22/[7]a"),
    ]
    assert [row.time for row in found] == [NOW, NOW + 10, NOW + 20]
    assert len({row.id for row in found}) == 3


def test_a_span_of_time_and_words(logs: Any) -> None:
    write(logs, "s", (NOW, "REPORT 1"), (NOW + 10, "other"), (NOW + 20, "REPORT 2"), (NOW + 30, "REPORT 3"))
    port = CloudWatchLogs(aws.Access())
    assert [row.message for row in port.events(GROUP, NOW + 1, NOW + 20, "REPORT")] == ["REPORT 2"]


def test_no_such_group(logs: Any) -> None:  # noqa: ARG001
    with pytest.raises(aws.NotThereError) as caught:
        list(CloudWatchLogs(aws.Access()).events("/aws/lambda/none", 0))
    assert "could not read the log `/aws/lambda/none`" in str(caught.value)
