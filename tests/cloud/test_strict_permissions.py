from __future__ import annotations

import json

import pytest
from tests.cloud.strict import StrictServer
from tests.deployed.moto_server import Deployer, zipped


def test_an_alias_has_a_policy_of_its_own_that_stays_when_it_moves(strict: StrictServer, owner: Deployer) -> None:  # noqa: ARG001
    owner.function("api", zipped({"app.py": ""}))
    lambdas = owner.lambdas
    asked = {
        "FunctionName": "api", "StatementId": "s3", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com",
        "SourceArn": "arn:aws:s3:::photos",
    }  # fmt: skip
    with pytest.raises(lambdas.exceptions.ResourceNotFoundException):
        lambdas.add_permission(**asked, Qualifier="live")
    version = lambdas.publish_version(FunctionName="api")["Version"]
    lambdas.create_alias(FunctionName="api", Name="live", FunctionVersion=version)
    lambdas.add_permission(**asked, Qualifier="live")
    with pytest.raises(lambdas.exceptions.ResourceConflictException):
        lambdas.add_permission(**asked, Qualifier="live")
    with pytest.raises(lambdas.exceptions.ResourceNotFoundException):
        lambdas.get_policy(FunctionName="api")
    lambdas.update_function_code(FunctionName="api", ZipFile=zipped({"app.py": "# new"}))
    lambdas.get_function(FunctionName="api")
    version = lambdas.publish_version(FunctionName="api")["Version"]
    lambdas.update_alias(FunctionName="api", Name="live", FunctionVersion=version)
    (row,) = json.loads(lambdas.get_policy(FunctionName="api", Qualifier="live")["Policy"])["Statement"]
    assert row["Resource"].endswith(":function:api:live")
    assert row["Condition"] == {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::photos"}}
    lambdas.remove_permission(FunctionName="api", StatementId="s3", Qualifier="live")
    with pytest.raises(lambdas.exceptions.ResourceNotFoundException):
        lambdas.get_policy(FunctionName="api", Qualifier="live")
