from __future__ import annotations

import base64
import json

import pytest

from lamella.endpoint.model import RefusedError
from lamella.endpoint.requests import checked, wanted
from lamella.facts.tables import limits


def context(text: str) -> bytes:
    return base64.b64encode(text.encode())


def of(**headers: bytes) -> tuple[str, bool, str]:
    want = wanted([(name.replace("_", "-").encode(), value) for name, value in headers.items()], 3583)
    return want.type, want.tail, want.context


def test_nothing_said_is_a_request_that_waits_for_its_response() -> None:
    assert of() == ("RequestResponse", False, "")


def test_headers_say_how() -> None:
    assert of(x_amz_invocation_type=b"Event") == ("Event", False, "")
    assert of(x_amz_invocation_type=b"DryRun", x_amz_log_type=b"Tail") == ("DryRun", True, "")
    assert of(x_amz_log_type=b"None") == ("RequestResponse", False, "")


def test_a_context_is_json_and_events_have_none() -> None:
    text = '{"custom": {"name": "Ü"}}'
    assert of(x_amz_client_context=context(text))[2] == text
    assert of(x_amz_client_context=b"")[2] == ""
    assert of(x_amz_client_context=b"no base64", x_amz_invocation_type=b"Event") == ("Event", False, "")


@pytest.mark.parametrize(
    "value",
    [b"string", b"{}", b"====", context("[]"), context("{"), context("{}") + b"!", base64.b64encode(b"\xff"), b"\xff"],
)
def test_a_context_that_is_none_is_refused(value: bytes) -> None:
    with pytest.raises(RefusedError) as caught:
        of(x_amz_client_context=value)
    assert caught.value.kind == "InvalidRequestContentException"
    assert str(caught.value) == "Client context must be a valid Base64-encoded JSON object."


def test_a_context_may_be_as_long_as_aws_says() -> None:
    longest = limits().client_context_bytes
    around = len('{"custom": {"a": ""}}')
    fitting = context(json.dumps({"custom": {"a": "x" * (longest // 4 * 3 - around)}}))
    assert longest - 4 < len(fitting) <= longest
    assert of(x_amz_client_context=fitting)
    with pytest.raises(RefusedError, match="Member must have length less than or equal to 3583"):
        of(x_amz_client_context=fitting + b"    ")


@pytest.mark.parametrize(
    ("header", "value", "said"),
    [
        ("x_amz_invocation_type", b"event", "'event' at 'invocationType'"),
        ("x_amz_invocation_type", b"", "'' at 'invocationType'"),
        ("x_amz_log_type", b"All", "'All' at 'logType'"),
    ],
)
def test_a_type_that_there_is_not_is_refused(header: str, value: bytes, said: str) -> None:
    with pytest.raises(RefusedError) as caught:
        of(**{header: value})
    assert (caught.value.status, caught.value.kind) == (400, "ValidationException")
    assert str(caught.value).startswith(f"1 validation error detected: Value {said} failed to satisfy constraint: ")


def test_no_payload_is_an_empty_object() -> None:
    assert checked(b"") == b"{}"


@pytest.mark.parametrize(
    "body",
    [b"{}", b" [1, 2]\n", b'"text"', b"null", b"1e999", b"1" * 5000, b"-0.0", "[ß]".replace("ß", '"ß"').encode()],
)
def test_any_json_is_taken_as_it_is(body: bytes) -> None:
    assert checked(body) is body


@pytest.mark.parametrize(
    "body",
    [
        *(b"{", b"{'a': 1}", b"NaN", b"[Infinity]", b"-Infinity", b" ", b"{} {}"),
        *(b"\xff", b"\xef\xbb\xbf{}", b'"\n"', b"[" * 200_000),
    ],
)
def test_what_is_no_json_is_refused_in_awss_words(body: bytes) -> None:
    with pytest.raises(RefusedError) as caught:
        checked(body)
    assert (caught.value.status, caught.value.kind) == (400, "InvalidRequestContentException")
    assert str(caught.value).startswith("Could not parse request body into json: Could not parse payload into json: ")
