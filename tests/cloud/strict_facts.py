"""What is known of functions and versions beside moto: revisions, and what is under way.

https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

LATEST = "$LATEST"


class Pending(NamedTuple):
    """What is under way for `polls` more looks at it, and until `until`.  `before` answers invocations till then."""

    polls: int
    until: float
    before: Any = None


class Facts(NamedTuple):
    """What the front knows of a function or version beside moto.  `failed` is why its last update failed."""

    revision: str
    pending: Pending | None = None
    failed: str = ""


class Configurations:
    """`facts` are by the function's ARN and version; `last` are the highest numbers of versions, by ARN.

    An update is done after `settle_polls` looks at it and `settle_seconds` of the clock; a version is Active as late.
    `failing` says of functions why their updates fail.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.settle_polls = 1
        self.settle_seconds = 0.0
        self.failing: dict[str, str] = {}
        self.facts: dict[tuple[str, str], Facts] = {}
        self.last: dict[str, int] = {}

    def looked(self, function: Any, polled: bool) -> Facts:
        key = key_of(function)
        facts = self.facts.setdefault(key, Facts(revision()))
        if (pending := facts.pending) is None:
            return facts
        if pending.polls <= 0 and self._clock() >= pending.until:
            if function.version == LATEST:
                facts = Facts(revision(), None, self.failing.get(function.function_name, ""))
            else:
                facts = facts._replace(pending=None)
        elif polled:
            facts = facts._replace(pending=pending._replace(polls=pending.polls - 1))
        self.facts[key] = facts
        return facts

    def told(self, function: Any, qualifier: str = "", polled: bool = False) -> dict[str, Any]:
        facts = self.looked(function, polled)
        tree = self.row(function, qualifier)
        tree["State"], tree["LastUpdateStatus"] = "Active", "Successful"
        if facts.pending and function.version == LATEST:
            tree.update(LastUpdateStatus="InProgress", LastUpdateStatusReasonCode="Creating")
            tree["LastUpdateStatusReason"] = "The function is being created."
        elif facts.pending:
            tree.update(State="Pending", StateReasonCode="Creating", StateReason="The function is being created.")
        elif facts.failed:
            tree.update(LastUpdateStatus="Failed", LastUpdateStatusReasonCode="InternalError")
            tree["LastUpdateStatusReason"] = facts.failed
        return tree

    def row(self, function: Any, qualifier: str = "") -> dict[str, Any]:
        """As lists have it: without states."""
        facts = self.looked(function, polled=False)
        tree = {name: value for name, value in function.get_configuration().items() if value not in (None, "", [])}
        del tree["State"], tree["LastUpdateStatus"]
        if function.version == LATEST and qualifier:
            tree["FunctionArn"] += f":{qualifier}"
        elif function.version != LATEST and qualifier and not qualifier.isdecimal() and qualifier != LATEST:
            tree["FunctionArn"] = f"{arn_of(function)}:{qualifier}"
        tree["RevisionId"] = facts.revision
        tree["LoggingConfig"] = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function.function_name}"}
        return tree

    def begun(self, function: Any, before: Any) -> dict[str, Any]:
        """An update of $LATEST is under way; `before` is a copy of what it was."""
        function.last_modified = now()
        self.facts[key_of(function)] = Facts(revision(), self._pending(before))
        return self.told(function)

    def made(self, version: Any, latest: Any) -> None:
        """A version was published of $LATEST."""
        self.facts[key_of(version)] = Facts(revision(), self._pending(None))
        self.facts[key_of(latest)] = self.looked(latest, polled=False)._replace(revision=revision())

    def _pending(self, before: Any) -> Pending:
        return Pending(self.settle_polls, self._clock() + self.settle_seconds, before)


def key_of(function: Any) -> tuple[str, str]:
    return arn_of(function), str(function.version)


def arn_of(function: Any) -> str:
    """Without a qualifier."""
    return f"arn:aws:lambda:{function.region}:{function.account_id}:function:{function.function_name}"


def revision() -> str:
    return str(uuid.uuid4())


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
