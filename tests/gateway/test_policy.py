from __future__ import annotations

from typing import Any

import pytest

from lamella.gateway.policy import ALLOW, DENY, NOTHING, PolicyError, effect, statements

ARN = "arn:aws:execute-api:us-east-1:123456789012:lamella000/prod/GET/v1/jobs/7"
BASE = "arn:aws:execute-api:us-east-1:123456789012:lamella000"


def said(*given: dict[str, Any], arn: str = ARN) -> str:
    return effect(statements({"Version": "2012-10-17", "Statement": list(given)}), arn)


def allow(resource: Any, action: Any = "execute-api:Invoke", effect: str = "Allow") -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource}


RESOURCES = [
    (ARN, ALLOW),
    ("*", ALLOW),
    (f"{BASE}/*", ALLOW),
    (f"{BASE}/prod/*/v1/jobs/*", ALLOW),
    (f"{BASE}/prod/GET/*", ALLOW),
    (f"{BASE}/prod/GET/v1/jobs/?", ALLOW),
    ("arn:aws:execute-api:*:*:*/prod/GET/*", ALLOW),
    ("arn:aws:execute-api:*:*:**/GET/***", ALLOW),
    ([f"{BASE}/prod/POST/*", f"{BASE}/prod/GET/*"], ALLOW),
    (f"{BASE}/prod/POST/*", NOTHING),
    (f"{BASE}/test/*", NOTHING),
    (f"{BASE}/prod/GET/v1/jobs", NOTHING),
    (f"{BASE}/prod/GET/v1/jobs/??", NOTHING),
    (ARN.upper(), NOTHING),
    (ARN.replace(".", "x") + ".", NOTHING),
]


@pytest.mark.parametrize(("resource", "expected"), RESOURCES)
def test_resources(resource: Any, expected: str) -> None:
    assert said(allow(resource)) == expected


ACTIONS = [
    ("execute-api:Invoke", ALLOW),
    ("execute-api:*", ALLOW),
    ("Execute-API:invoke", ALLOW),
    ("*", ALLOW),
    (["execute-api:ManageConnections", "execute-api:Inv*"], ALLOW),
    ("execute-api:InvalidateCache", NOTHING),
    ("lambda:*", NOTHING),
]


@pytest.mark.parametrize(("action", "expected"), ACTIONS)
def test_actions(action: Any, expected: str) -> None:
    assert said(allow("*", action)) == expected


def test_a_denial_wins_wherever_it_stands() -> None:
    assert said(allow("*"), allow(f"{BASE}/prod/GET/*", effect="Deny")) == DENY
    assert said(allow(f"{BASE}/prod/GET/*", effect="Deny"), allow("*")) == DENY
    assert said(allow("*"), allow(f"{BASE}/prod/POST/*", effect="Deny")) == ALLOW


def test_all_others() -> None:
    assert said({"Effect": "Allow", "Action": "*", "NotResource": f"{BASE}/prod/POST/*"}) == ALLOW
    assert said({"Effect": "Allow", "Action": "*", "NotResource": ARN}) == NOTHING
    assert said({"Effect": "Deny", "NotAction": "execute-api:Manage*", "Resource": "*"}) == DENY


def test_one_statement_needs_no_list() -> None:
    assert effect(statements({"Statement": allow("*")}), ARN) == ALLOW


def test_many_stars_take_no_time() -> None:
    assert said(allow("arn:" + "*a" * 12 + "*" * 100 + "?z"), arn="arn:" + "a" * 200) == NOTHING


WRONG = [
    (None, "it has no `policyDocument`"),
    ({}, "its `policyDocument` has no `Statement`"),
    ({"Statement": ["x"]}, "its `policyDocument` has no `Statement`"),
    ({"Statement": [allow("*", effect="allow")]}, "a statement's `Effect` is neither `Allow` nor `Deny`"),
    ({"Statement": [{"Effect": "Allow", "Action": "*"}]}, "a statement's `Resource` is no string, and no list of them"),
    ({"Statement": [allow(["*", 7])]}, "a statement's `Resource` is no string, and no list of them"),
    ({"Statement": [allow([])]}, "a statement's `Resource` is no string, and no list of them"),
    ({"Statement": [{"Effect": "Deny", "Resource": "*"}]}, "a statement's `Action` is no string, and no list of them"),
    (
        {"Statement": [{**allow("*"), "Condition": {"IpAddress": {}}}]},
        "a statement has a `Condition`, and here none is evaluated",
    ),
]


@pytest.mark.parametrize(("document", "reason"), WRONG)
def test_what_is_no_policy(document: Any, reason: str) -> None:
    with pytest.raises(PolicyError) as caught:
        statements(document)
    assert str(caught.value) == reason
