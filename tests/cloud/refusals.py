"""What AWS says to boto3 where it refuses, and how boto3 waits."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]
from tests.deployed.moto_server import Deployer


def refusal(status: int, code: str, verb: Any, **asked: Any) -> str:
    """The message that AWS refuses it with."""
    with pytest.raises(ClientError) as caught:
        verb(**asked)
    answer = caught.value.response
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]) == (status, code)
    return str(answer["Error"]["Message"])


def invalid(verb: Any, **asked: Any) -> str:
    return refusal(400, "InvalidParameterValueException", verb, **asked)


def settled(owner: Deployer, name: str = "api") -> str:
    """Wait for the update; the revision then."""
    for _ in range(5):
        facts = owner.lambdas.get_function_configuration(FunctionName=name)
        if facts["LastUpdateStatus"] != "InProgress":
            return str(facts["RevisionId"])
    raise AssertionError("it is never done")
