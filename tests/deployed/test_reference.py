from __future__ import annotations

import pytest

from lamella.config.model import FunctionSettings, LayerSettings, Settings
from lamella.deployed.model import FUNCTION, LAYER, Reference
from lamella.deployed.reference import read_reference
from lamella.errors import UsageError

LAYER_ARN = "arn:aws:lambda:eu-west-1:123456789012:layer:tools"
FUNCTION_ARN = "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:api"

SETTINGS = Settings(
    root="/app", file="/app/pyproject.toml", project="shop", architecture="x86_64", runtimes=("python3.12",),
    lock=None, output="/app/dist",
    layers=(LayerSettings("layer", "shop-layer", ("python3.12",)), LayerSettings("twice", "shop-twice", ())),
    functions=(
        FunctionSettings("api-handler", "shop-api", "python3.12", "app.handler", alias="live"),
        FunctionSettings("worker", "shop-worker", "python3.12", "app.handler"),
        FunctionSettings("other", "shop-layer", "python3.12", "app.handler"),
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("api", Reference("", "api")),
        ("api:7", Reference("", "api", "7")),
        ("api:live", Reference("", "api", "live")),
        ("api:$LATEST", Reference("", "api", "$LATEST")),
        (LAYER_ARN, Reference(LAYER, LAYER_ARN)),
        (f"{LAYER_ARN}:12", Reference(LAYER, LAYER_ARN, "12")),
        (FUNCTION_ARN, Reference(FUNCTION, FUNCTION_ARN)),
        (f"{FUNCTION_ARN}:live", Reference(FUNCTION, FUNCTION_ARN, "live")),
        ("123456789012:function:api:3", Reference(FUNCTION, "123456789012:function:api", "3")),
    ],
)
def test_the_forms(text: str, expected: Reference) -> None:
    assert read_reference(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("layer", Reference(LAYER, "shop-layer")),
        ("layer:4", Reference(LAYER, "shop-layer", "4")),
        ("shop-twice", Reference(LAYER, "shop-twice")),
        ("worker", Reference(FUNCTION, "shop-worker")),
        ("shop-worker:9", Reference(FUNCTION, "shop-worker", "9")),
        ("elsewhere", Reference("", "elsewhere")),
    ],
)
def test_the_configuration_goes_first(text: str, expected: Reference) -> None:
    assert read_reference(text, SETTINGS) == expected


def test_a_configured_alias_is_what_is_pulled_unless_another_is_named() -> None:
    assert read_reference("api-handler", SETTINGS) == Reference(FUNCTION, "shop-api", "live")
    assert read_reference("api-handler:$LATEST", SETTINGS) == Reference(FUNCTION, "shop-api", "$LATEST")


def test_two_of_one_name_are_refused_unless_one_is_forced() -> None:
    with pytest.raises(UsageError, match="both a layer and a function") as caught:
        read_reference("shop-layer", SETTINGS)
    assert caught.value.hint == "say which one with `--layer` or `--function`"
    assert read_reference("shop-layer", SETTINGS, kind=LAYER) == Reference(LAYER, "shop-layer")
    assert read_reference("shop-layer", SETTINGS, kind=FUNCTION) == Reference(FUNCTION, "shop-layer")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", ""),
        ("a b", ""),
        ("../api", ""),
        ("api:", ""),
        ("api:1:2", ""),
        ("arn:aws:s3:::bucket", ""),
        ("arn:aws:lambda:eu-west-1:123456789012:layer:", ""),
        (f"{LAYER_ARN}:live", ""),
        (f"{LAYER_ARN}:0", ""),
        ("layer:$LATEST", LAYER),
        (LAYER_ARN, FUNCTION),
        (FUNCTION_ARN, LAYER),
    ],
)
def test_what_is_refused(text: str, kind: str) -> None:
    with pytest.raises(UsageError):
        read_reference(text, kind=kind)
