"""Events are JSON that Lambda takes, and the context says what was asked for."""

from __future__ import annotations

import json

import pytest

from lamella.errors import UsageError
from lamella.facts.tables import limits
from lamella.local.asking import asked, event_of


@pytest.mark.parametrize("data", [b"{}", b"null", b'"\xc3\xa4"', b" [1, 2.5e3]\n", b'{"a": "\\ud83d"}'])
def test_json_is_taken_as_it_is(data: bytes) -> None:
    assert event_of(data, "`e.json`") == data


@pytest.mark.parametrize(
    ("data", "what", "why"),
    [
        (b"", "the event in `e.json` is no JSON", "Expecting value: line 1 column 1 (char 0)"),
        (b"{id: 1}", "the event in `e.json` is no JSON", "Expecting property name enclosed in double quotes"),
        (b'{"a": NaN}', "the event in `e.json` is no JSON", "`NaN` is Python's, and no number in JSON"),
        (b'"\xff"', "the event in `e.json` is no UTF-8", "byte 1 is not"),
    ],
)
def test_what_is_no_json(data: bytes, what: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        event_of(data, "`e.json`")
    assert caught.value.what == what
    assert caught.value.why[0].startswith(why)


def test_nested_too_deeply() -> None:
    with pytest.raises(UsageError, match="nested too deeply"):
        event_of(b"[" * 200_000 + b"]" * 200_000, "stdin")


def test_an_event_as_large_as_lambda_takes() -> None:
    most = limits().request_bytes
    assert event_of(b'"' + b"x" * (most - 2) + b'"', "stdin")
    with pytest.raises(UsageError, match="the event in stdin is too large") as caught:
        event_of(b'"' + b"x" * (most - 1) + b'"', "stdin")
    assert caught.value.why == ("it has 6,291,457 bytes, and Lambda takes 6,291,456 in a request",)


def test_the_context_of_a_call() -> None:
    made = asked(
        b"{}",
        "id-1",
        [
            ("invoked_function_arn", "arn:aws:lambda:eu-west-1:1:function:f:live"),
            ("client_context.client.app_title", "shop"),
            ("client_context.custom.a.b", "1=2"),
            ("client_context.env.locale", "de"),
            ("identity.cognito_identity_id", "who"),
        ],
    )
    assert (made.request_id, made.arn) == ("id-1", "arn:aws:lambda:eu-west-1:1:function:f:live")
    assert json.loads(made.client_context) == {
        "client": {"app_title": "shop"},
        "custom": {"a.b": "1=2"},
        "env": {"locale": "de"},
    }
    assert json.loads(made.identity) == {"cognitoIdentityId": "who"}


def test_a_request_id_of_ones_own() -> None:
    assert asked(b"{}", "id-1", [("aws_request_id", "mine")]).request_id == "mine"
    assert asked(b"{}", "id-1") == asked(b"{}", "id-1", [])


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("aws_requestid", "did you mean `aws_request_id`?"),
        ("client_context.custom", "did you mean `client_context.custom.KEY`?"),
        ("deadline", None),
    ],
)
def test_what_a_context_has_not(name: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        asked(b"{}", "id", [(name, "x")])
    assert caught.value.what == f"the context has no `{name}` that can be set"
    assert caught.value.hint == hint


@pytest.mark.parametrize("value", ["", "a b", "a/b", "a\r\nX: 1", "é", "x" * 257])
def test_what_can_be_no_request_id(value: str) -> None:
    with pytest.raises(UsageError, match="can't be an `aws_request_id`"):
        asked(b"{}", "id", [("aws_request_id", value)])
