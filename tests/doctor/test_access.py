"""What is denied, and the command that allows it."""

from __future__ import annotations

import json
import shlex

import pytest

from lamella.doctor.access import granting, lacking, principal
from lamella.doctor.model import Person
from lamella.rollout.upkeep.policy import Statement

STATEMENT = Statement("Read", ("lambda:GetFunction",), ("*",))


@pytest.mark.parametrize(
    ("arn", "words"),
    [
        ("arn:aws:sts::123456789012:assumed-role/deployer/one", ["iam", "put-role-policy", "--role-name", "deployer"]),
        ("arn:aws:iam::123456789012:user/people/anna", ["iam", "put-user-policy", "--user-name", "anna"]),
        ("arn:aws:iam::123456789012:root", ["iam", "create-policy"]),
        (
            "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Dev_0123/anna",
            ["sso-admin", "put-inline-policy-to-permission-set"],
        ),
    ],
)  # fmt: skip
def test_who_gets_it(arn: str, words: list[str]) -> None:
    (command,) = granting(Person("123456789012", arn), [STATEMENT])
    split = shlex.split(command)
    assert split[1 : 1 + len(words)] == words
    assert json.loads(split[-1])["Statement"][0]["Action"] == ["lambda:GetFunction"]


def test_what_policies_are_attached_to() -> None:
    assert principal("arn:aws-cn:sts::123456789012:assumed-role/x/y") == "arn:aws-cn:iam::123456789012:role/x"
    assert principal("arn:aws:iam::123456789012:user/anna") == "arn:aws:iam::123456789012:user/anna"


def test_all_that_lacks_is_one_finding() -> None:
    denied = [("lambda:GetFunction", "arn:b"), ("lambda:GetFunction", "arn:a"), ("lambda:ListFunctions", "")]
    (one,) = lacking(None, [*denied, *denied])
    assert one.finding.reason == "whose the credentials are lacks `lambda:GetFunction`, `lambda:ListFunctions`"
    statements = json.loads(shlex.split(one.fix[0])[-1])["Statement"]
    assert [(row["Action"], row["Resource"]) for row in statements] == [
        (["lambda:GetFunction"], ["arn:a", "arn:b"]),
        (["lambda:ListFunctions"], ["*"]),
    ]
    assert lacking(None, []) == ()
