"""What the policy of an authorizer's answer says of a request.

Sources: API Gateway developer guide, "Output from an API Gateway Lambda authorizer", "Control access for invoking an
API"; IAM user guide, "Policy evaluation logic", "IAM JSON policy elements" (read on 2026-11-22).
"""

from __future__ import annotations

from typing import NamedTuple

INVOKE = "execute-api:Invoke"
ALLOW, DENY, NOTHING = "Allow", "Deny", ""


class PolicyError(Exception):
    """The answer holds no policy, or one that can't be evaluated."""


class Statement(NamedTuple):
    """`actions` and `resources` are patterns with `*` and `?`; with `not_…` the statement is about all others."""

    effect: str
    actions: tuple[str, ...]
    not_actions: bool
    resources: tuple[str, ...]
    not_resources: bool


def statements(document: object) -> tuple[Statement, ...]:
    """The statements of a policyDocument.  Raises PolicyError."""
    if not isinstance(document, dict):
        raise PolicyError("it has no `policyDocument`")
    given = document.get("Statement")
    listed = given if isinstance(given, list) else [given]
    return tuple(_statement(one) for one in listed)


def effect(policy: tuple[Statement, ...], arn: str) -> str:
    """`ALLOW`, or `DENY` where a statement denies it, which wins; `NOTHING` where none is about it: denied, too."""
    found = {statement.effect for statement in policy if _is_about(statement, arn)}
    return DENY if DENY in found else ALLOW if ALLOW in found else NOTHING


def _is_about(statement: Statement, arn: str) -> bool:
    action = any(_matches(pattern.lower(), INVOKE.lower()) for pattern in statement.actions)
    resource = any(_matches(pattern, arn) for pattern in statement.resources)
    return action != statement.not_actions and resource != statement.not_resources


def _statement(given: object) -> Statement:
    if not isinstance(given, dict):
        raise PolicyError("its `policyDocument` has no `Statement`")
    if given.get("Effect") not in (ALLOW, DENY):
        raise PolicyError("a statement's `Effect` is neither `Allow` nor `Deny`")
    if "Condition" in given:
        raise PolicyError("a statement has a `Condition`, and here none is evaluated")
    actions, not_actions = _patterns(given, "Action")
    resources, not_resources = _patterns(given, "Resource")
    return Statement(str(given["Effect"]), actions, not_actions, resources, not_resources)


def _patterns(given: dict[str, object], key: str) -> tuple[tuple[str, ...], bool]:
    other = f"Not{key}"
    value = given.get(key, given.get(other))
    listed = value if isinstance(value, list) else [value]
    texts = tuple(one for one in listed if isinstance(one, str))
    if not texts or len(texts) < len(listed):
        raise PolicyError(f"a statement's `{key}` is no string, and no list of them")
    return texts, key not in given


def _matches(pattern: str, text: str) -> bool:
    """`*` is any run of characters, slashes and colons, too; `?` is one.

    Where a star took too little it takes one more; only the last star ever does, so many of them take no time.
    """
    at = place = 0
    star, taken = -1, 0
    while place < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, taken = at, place
            at += 1
        elif at < len(pattern) and pattern[at] in (text[place], "?"):
            at += 1
            place += 1
        elif star >= 0:
            taken += 1
            at, place = star + 1, taken
        else:
            return False
    return not pattern[at:].strip("*")
