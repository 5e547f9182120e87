from __future__ import annotations

from tests.rollout.wishes import function

from lamella.cloud.model import Place
from lamella.rollout.planning.missing import create_command


def test_the_command_is_fit_for_a_shell() -> None:
    one = function("api", architecture="arm64")
    one = one._replace(content=one.content._replace(path="/project/my dist/api.zip"))
    assert create_command(one, Place(region="eu-west-1", profile="prod"), "/project") == (
        "aws lambda create-function --function-name api --runtime python3.12 --handler app.handler "
        "--architectures arm64 --role ROLE_ARN --zip-file 'fileb://my dist/api.zip' --region eu-west-1 --profile prod"
    )


def test_a_large_zip_comes_from_a_bucket() -> None:
    one = function("api")
    one = one._replace(content=one.content._replace(size=60_000_000))
    assert "--code S3Bucket=deploys,S3Key=KEY" in create_command(one, Place(bucket="deploys"), "/project")
    assert "--code S3Bucket=BUCKET,S3Key=KEY" in create_command(one, Place(), "/project")
