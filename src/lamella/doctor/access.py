"""Whose credentials these are, what they lack, and the statement that gives it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Sequence
from typing import Any

from lamella import aws
from lamella.checks.model import Finding, Severity
from lamella.doctor.model import Diagnosis, Person
from lamella.rollout.upkeep.policy import Statement, document

NAME = "permissions"
_POLICY = "lamella"
_SSO = "AWSReservedSSO_"


class Credentials:
    """`model.Identity`, answered by AWS."""

    def __init__(self, access: aws.Access) -> None:
        self._access = access

    def person(self) -> Person:
        with aws.told("ask whose the credentials are", service="sts"):
            answer = self._access.client("sts").get_caller_identity()
            return Person(str(answer["Account"]), str(answer["Arn"]))

    def refused(
        self, person: Person, actions: Sequence[str], resources: Sequence[str], region: str
    ) -> tuple[tuple[str, str], ...]:
        context = {"ContextKeyName": "aws:RequestedRegion", "ContextKeyType": "string", "ContextKeyValues": [region]}
        wanted: dict[str, Any] = {
            "PolicySourceArn": principal(person.arn),
            "ActionNames": list(actions),
            "ResourceArns": list(resources),
            "ContextEntries": [context],
        }
        with aws.told("simulate the policies of the credentials", service="iam"):
            client = self._access.client("iam")
            rows = [
                row
                for page in client.get_paginator("simulate_principal_policy").paginate(**wanted)
                for row in page["EvaluationResults"]
            ]
        return tuple(
            (str(row["EvalActionName"]), str(row.get("EvalResourceName", "*")))
            for row in rows
            if row["EvalDecision"] != "allowed"
        )


def principal(arn: str) -> str:
    """What policies are attached to: of a session of a role, the role (IAM User Guide, "IAM identifiers")."""
    parts = arn.split(":", 5)
    if len(parts) == 6 and parts[2] == "sts" and parts[5].startswith("assumed-role/"):
        return f"arn:{parts[1]}:iam::{parts[4]}:role/{parts[5].split('/')[1]}"
    return arn


def granting(person: Person | None, statements: Iterable[Statement]) -> tuple[str, ...]:
    """The command that gives whom the credentials are of these statements; the policy alone where it isn't known."""
    policy = json.dumps(document(statements), separators=(",", ":"))
    kind, _, rest = (person.arn if person else "").rpartition(":")[2].partition("/")
    command = ["aws", "iam"]
    if kind == "assumed-role" and rest.startswith(_SSO):
        command = ["aws", "sso-admin", "put-inline-policy-to-permission-set", "--instance-arn", "INSTANCE_ARN"]
        return (shlex.join([*command, "--permission-set-arn", "PERMISSION_SET_ARN", "--inline-policy", policy]),)
    if kind == "assumed-role" or kind == "role":
        role = rest.split("/")[0] if kind == "assumed-role" else rest.rpartition("/")[2]
        command += ["put-role-policy", "--role-name", role]
    elif kind == "user":
        command += ["put-user-policy", "--user-name", rest.rpartition("/")[2]]
    else:
        command += ["create-policy"]
    return (shlex.join([*command, "--policy-name", _POLICY, "--policy-document", policy]),)


def lacking(person: Person | None, denied: Iterable[tuple[str, str]], where: str = "AWS") -> tuple[Diagnosis, ...]:
    """One finding for all (action, resource) that are denied, with the statements that allow them.

    A resource is "" where AWS named none.
    """
    rows = sorted(dict.fromkeys((action, resource or "*") for action, resource in denied))
    if not rows:
        return ()
    actions = sorted({action for action, _ in rows})
    statements = []
    for at, action in enumerate(actions):
        resources = tuple(resource for one, resource in rows if one == action)
        statements.append(Statement(f"Lacking{at + 1}", (action,), resources))
    who = f"`{person.arn}`" if person else "whose the credentials are"
    reason = f"{who} lacks {', '.join(f'`{action}`' for action in actions)}"
    hint = "a policy must allow it, and no other policy, boundary or organization deny it"
    finding = Finding(NAME, Severity.ERROR, where, "", reason, hint)
    return (Diagnosis(finding, granting(person, statements)),)
