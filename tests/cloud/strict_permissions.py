"""Who may invoke a function: its resource policy, of each alias and version one of its own.

Moto keeps an alias's policy with the version that it points at, so that it is gone when the alias moves.
https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from tests.cloud.strict_facts import arn_of
from tests.cloud.strict_functions import Functions, named
from tests.cloud.strict_layers import Answer
from tests.cloud.strict_routes import Request
from tests.cloud.strict_rules import conflict, not_there

_CONDITIONS = {
    "SourceArn": ("ArnLike", "AWS:SourceArn"),
    "SourceAccount": ("StringEquals", "AWS:SourceAccount"),
    "PrincipalOrgID": ("StringEquals", "aws:PrincipalOrgID"),
}


class Permissions:
    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self.policies: dict[str, list[dict[str, Any]]] = {}

    def add_permission(self, request: Request) -> Answer:
        arn, asked = self._arn(request), request.parameters
        rows, sid, who = self.policies.setdefault(arn, []), asked["StatementId"], asked["Principal"]
        if any(row["Sid"] == sid for row in rows):
            raise conflict(
                f"The statement id ({sid}) provided already exists. "
                "Please provide a new statement id, or remove the existing statement."
            )
        service = who.endswith(".amazonaws.com")
        row: dict[str, Any] = {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": {"Service": who} if service else "*" if who == "*" else {"AWS": who},
            "Action": asked["Action"],
            "Resource": arn,
        }
        for name, (operator, key) in _CONDITIONS.items():
            if name in asked:
                row.setdefault("Condition", {}).setdefault(operator, {})[key] = asked[name]
        rows.append(row)
        return 201, {"Statement": json.dumps(row)}

    def get_policy(self, request: Request) -> Answer:
        rows = self.policies.get(self._arn(request))
        if not rows:
            raise not_there("The resource you requested does not exist.")
        text = json.dumps({"Version": "2012-10-17", "Id": "default", "Statement": rows})
        return 200, {"Policy": text, "RevisionId": str(uuid.uuid5(uuid.NAMESPACE_OID, text))}

    def remove_permission(self, request: Request) -> Answer:
        arn, sid = self._arn(request), request.parameters["StatementId"]
        rows = self.policies.get(arn, [])
        left = [row for row in rows if row["Sid"] != sid]
        if len(left) == len(rows):
            raise not_there(f"Statement {sid} is not found in resource policy.")
        self.policies[arn] = left
        return 204, None

    def _arn(self, request: Request) -> str:
        """Of the function, with the qualifier that was asked about.  Raises RefusedError where it is not there."""
        name, qualifier = named(request)
        self._functions.find(request, name, qualifier)
        bare = arn_of(self._functions.find(request, name, ""))
        return f"{bare}:{qualifier}" if qualifier else bare
