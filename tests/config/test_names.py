from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import InvalidName, canonicalize_name

from lamella.config.names import (
    is_aws_name,
    is_bucket,
    is_handler,
    is_key,
    is_layer_version_arn,
    is_region,
    is_role_arn,
    normalized,
)


def canonical(name: str) -> str | None:
    try:
        return canonicalize_name(name, validate=True)
    except InvalidName:
        return None


@given(st.text("abAB09-_.é \n", max_size=12) | st.text(max_size=12))
def test_normalized_is_what_packaging_says(name: str) -> None:
    assert normalized(name) == canonical(name)


@pytest.mark.parametrize("name", ["a\n", "a.", "", "-a", "ß", "K", "a..-_b"])
def test_normalized_at_the_edges(name: str) -> None:
    assert normalized(name) == canonical(name)


@pytest.mark.parametrize("key", ["a", "0", "api-handler", "api_handler", "a" * 100])
def test_keys(key: str) -> None:
    assert is_key(key)


@pytest.mark.parametrize("key", ["", "A", "-a", "_a", "a.b", "a/b", "..", "é", "a\n", "a" * 101])
def test_no_keys(key: str) -> None:
    assert not is_key(key)


@pytest.mark.parametrize("region", ["eu-central-1", "us-gov-west-1", "eusc-de-east-1", "ap-southeast-13"])
def test_regions(region: str) -> None:
    assert is_region(region)


@pytest.mark.parametrize("region", ["", "eu", "eu-1", "eu-central", "EU-central-1", "eu-central-", "eu--1", "eu-é-1"])
def test_no_regions(region: str) -> None:
    assert not is_region(region)


@pytest.mark.parametrize(
    "arn", ["arn:aws:iam::123456789012:role/a", "arn:aws-us-gov:iam::123456789012:role/ci/deploy/a+=,.@_-B1"]
)
def test_roles(arn: str) -> None:
    assert is_role_arn(arn)


@pytest.mark.parametrize(
    "arn",
    [
        *("", "a", "arn:aws:iam::123456789012:user/a", "arn:aws:iam:eu-west-1:123456789012:role/a"),
        *("arn:aws:iam::12345678901:role/a", "arn:aws:iam::123456789012:role/", "arn:aws:iam::123456789012:role"),
        *("arn:aws:iam::123456789012:role//a", "arn:aws:iam::123456789012:role/a b", "arn::iam::123456789012:role/a"),
        "arn:aws:sts::123456789012:assumed-role/a/b",
        "arn:aws:iam::123456789012:role/" + "a" * 2048,
    ],
)
def test_no_roles(arn: str) -> None:
    assert not is_role_arn(arn)


def test_buckets() -> None:
    assert all(map(is_bucket, ["abc", "my.bucket-1", "A_b", "a" * 63]))
    assert not any(map(is_bucket, ["", "ab", "-abc", "abc.", "a/b", "a b", "a" * 64, "äbc"]))


def test_aws_names() -> None:
    assert is_aws_name("Spectra_api-1", 64)
    assert is_aws_name("a" * 64, 64)
    assert not is_aws_name("a" * 65, 64)
    assert not is_aws_name("", 64)
    assert not is_aws_name("a.b", 64)
    assert not is_aws_name("é", 64)


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:lambda:eu-central-1:123456789012:layer:name:3",
        "arn:aws-cn:lambda:cn-north-1:123456789012:layer:AWSLambdaPowertoolsPythonV3-python312-x86_64:17",
    ],
)
def test_arns(arn: str) -> None:
    assert is_layer_version_arn(arn)


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:lambda:eu-central-1:123456789012:layer:name",
        "arn:aws:lambda:eu-central-1:123456789012:layer:name:",
        "arn:aws:lambda:eu-central-1:123456789012:layer:name:x",
        "arn:aws:lambda:eu-central-1:123456789012:layer:name:٣",
        "arn:aws:lambda:eu-central-1:12345678901:layer:name:1",
        "arn:aws:lambda::123456789012:layer:name:1",
        "arn:aws:s3:eu-central-1:123456789012:layer:name:1",
        "arn:aws:lambda:eu-central-1:123456789012:function:name:1",
        "arn:aws:lambda:eu-central-1:123456789012:layer:na me:1",
        "arn:aws:lambda:eu-central-1:123456789012:layer:name:1:2",
    ],
)
def test_no_arns(arn: str) -> None:
    assert not is_layer_version_arn(arn)


@pytest.mark.parametrize("handler", ["app.handler", "spectra.handlers.api.handler", "01-resize.main", "å.ä"])
def test_handlers(handler: str) -> None:
    assert is_handler(handler)


@pytest.mark.parametrize(
    "handler",
    ["", "handler", ".handler", "app.", "a..b", "a b.c", "a/b.c", "app:handler", "app.1x", "a." + "b" * 127, "a.b\n"],
)
def test_no_handlers(handler: str) -> None:
    assert not is_handler(handler)
