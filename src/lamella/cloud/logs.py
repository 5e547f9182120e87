"""CloudWatch Logs, as the port of this room sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lamella import aws
from lamella.cloud.model import LogEvent


class CloudWatchLogs:
    """`model.Logs`, answered by AWS.  Threads may share it."""

    def __init__(self, access: aws.Access) -> None:
        self._access = access

    def events(self, group: str, start: int, end: int | None = None, words: str = "") -> Iterator[LogEvent]:
        wanted: dict[str, Any] = {"logGroupName": group, "startTime": max(0, start)}
        if end is not None:
            wanted["endTime"] = max(0, end)
        if words:
            wanted["filterPattern"] = words
        client = self._access.client("logs")
        with aws.told(f"read the log `{group}`", service="logs"):
            # A page may be empty and not the last one
            for page in client.get_paginator("filter_log_events").paginate(**wanted):
                # Pages follow in order of time, streams mixed; others than AWS go by stream within one
                for facts in sorted(page.get("events", ()), key=lambda row: int(row.get("timestamp", 0))):
                    yield LogEvent(
                        time=int(facts.get("timestamp", 0)),
                        message=str(facts.get("message", "")),
                        stream=str(facts.get("logStreamName", "")),
                        id=str(facts.get("eventId", "")),
                    )
