from __future__ import annotations

from urllib.parse import quote

import pytest
from tests.endpoint.making import API, BASE, WORKER

from lamella.endpoint.model import RefusedError
from lamella.endpoint.names import Names


def find(name: str, qualifier: str = "") -> tuple[str, str]:
    found = Names([API, WORKER]).find(quote(name, safe="").encode(), qualifier)
    return found.named.key, found.arn


@pytest.mark.parametrize(
    "name",
    [
        "api",
        "spectra-api",
        "123456789012:function:spectra-api",
        "123456789012:spectra-api",
        "us-east-1:123456789012:function:spectra-api",
        "function:spectra-api",
    ],
)
def test_a_function_is_known_by_key_and_name_and_partial_arn(name: str) -> None:
    assert find(name) == ("api", "")
    assert find(f"{name}:live") == find(name, "live") == find(f"{name}:live", "live") == ("api", f"{API.arn}:live")
    assert find(name, "$LATEST") == ("api", f"{API.arn}:$LATEST")


@pytest.mark.parametrize("arn", [API.arn, "arn:aws-cn:lambda:cn-north-1:999999999999:function:spectra-api"])
def test_a_whole_arn_is_the_one_that_the_function_is_told(arn: str) -> None:
    assert find(arn) == ("api", arn)
    assert find(arn, "live") == find(f"{arn}:live") == ("api", f"{arn}:live")


def test_a_name_goes_before_a_key() -> None:
    other = API._replace(key="spectra-worker", name="x", arn=f"{BASE}x")
    assert Names([other, WORKER]).find(b"spectra-worker", "").named is WORKER


@pytest.mark.parametrize(
    ("name", "qualifier", "missing"),
    [
        ("nope", "", "nope"),
        ("nope", "live", "nope:live"),
        ("api", "1", "spectra-api:1"),
        ("api:LIVE", "", "spectra-api:LIVE"),
        ("worker", "live", "spectra-worker:live"),
        ("$LATEST", "", None),
        ("api", "$LATEST.PUBLISHED", "spectra-api:$LATEST.PUBLISHED"),
    ],
)
def test_what_is_not_there_is_named_as_aws_names_it(name: str, qualifier: str, missing: str | None) -> None:
    with pytest.raises(RefusedError) as caught:
        find(name, qualifier)
    if missing is None:
        assert caught.value.kind == "ValidationException"
        return
    assert (caught.value.status, caught.value.kind) == (404, "ResourceNotFoundException")
    assert caught.value.message == f"Function not found: {BASE}{missing}"


def test_two_qualifiers_have_to_agree() -> None:
    with pytest.raises(RefusedError) as caught:
        find("api:live", "$LATEST")
    assert caught.value.kind == "InvalidParameterValueException"
    assert str(caught.value) == "The derived qualifier from the function name does not match the specified qualifier."


@pytest.mark.parametrize(
    ("name", "qualifier", "member"),
    [
        ("a b", "", "functionName"),
        ("", "", "functionName"),
        ("api\n", "", "functionName"),
        ("ä", "", "functionName"),
        ("../api", "", "functionName"),
        ("a" * 300, "", "functionName"),
        ("api", "a b", "qualifier"),
        ("api", "a" * 129, "qualifier"),
    ],
)
def test_what_is_no_name_is_refused_by_the_pattern(name: str, qualifier: str, member: str) -> None:
    with pytest.raises(RefusedError) as caught:
        find(name, qualifier)
    assert (caught.value.status, caught.value.kind, caught.value.type) == (400, "ValidationException", "")
    assert f"at '{member}' failed to satisfy constraint: Member must satisfy regular expression" in str(caught.value)
    assert len(str(caught.value)) < 700


def test_what_was_found_is_not_looked_for_again_and_not_kept_for_ever() -> None:
    names = Names([API])
    first = names.find(b"api", "")
    assert names.find(b"api", "") is first
    for number in range(3000):
        names.find(f"arn:aws:lambda:us-east-1:{number:012}:function:spectra-api".encode(), "")
    assert names.find(b"api", "") == first
