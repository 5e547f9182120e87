from __future__ import annotations

from lamella.sandbox.variables import variables


def test_a_function_by_its_name() -> None:
    found = variables("orders", "app.handler")
    assert (found["AWS_LAMBDA_FUNCTION_NAME"], found["_HANDLER"]) == ("orders", "app.handler")
    assert found["AWS_LAMBDA_LOG_GROUP_NAME"] == "/aws/lambda/orders"
    assert found["AWS_REGION"] == found["AWS_DEFAULT_REGION"]


def test_a_layer_alone_has_no_name() -> None:
    named = set(variables("orders", "app.handler")) - set(variables())
    assert named == {"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "_HANDLER"}
