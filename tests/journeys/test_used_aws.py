"""boto3 from a layer with some of its services: the others are unknown to it; these work."""

from __future__ import annotations

import pytest
from tests.journeys.layers import SERVICES, Layer

# One worker, for all tests share what is built first
pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("used")]


def test_a_client_for_each_service_that_was_kept(warehouse: Layer) -> None:
    answer = warehouse.run(f"""
import boto3, botocore.exceptions
answer = [boto3.client(name).meta.service_model.service_name for name in {SERVICES!r}]
answer.append([boto3.resource(name).meta.service_name for name in ("s3", "dynamodb", "sqs")])
answer.append(sorted(boto3.session.Session().get_available_services()))
s3 = boto3.client("s3")
answer.append([s3.can_paginate("list_objects_v2"), s3.waiter_names])
""")
    assert answer[:5] == SERVICES
    resources, available, (paginates, waiters) = answer[5:]
    assert resources == ["s3", "dynamodb", "sqs"]
    assert set(SERVICES) <= set(available)
    assert "ec2" not in available
    assert paginates
    assert "bucket_exists" in waiters


def test_a_service_that_was_left_out_is_unknown(warehouse: Layer) -> None:
    answer = warehouse.run("""
import boto3, botocore.exceptions
try:
    boto3.client("ec2")
except botocore.exceptions.UnknownServiceError as error:
    answer = str(error)
""")
    assert answer.startswith("Unknown service: 'ec2'. Valid service names are: ")


def test_boto3_signs(warehouse: Layer) -> None:
    answer = warehouse.run("""
import boto3, botocore.auth, botocore.awsrequest, botocore.credentials
request = botocore.awsrequest.AWSRequest("GET", "https://shop.example/")
request.context["timestamp"] = "20261122T000000Z"
keys = botocore.credentials.Credentials("AKID", "secret")
botocore.auth.SigV4Auth(keys, "execute-api", "eu-central-1").add_auth(request)
s3 = boto3.client("s3")
answer = [request.headers["Authorization"],
          s3.generate_presigned_url("get_object", {"Bucket": "photos", "Key": "k"}, ExpiresIn=60),
          s3.generate_presigned_post("photos", "k")["url"]]
""")
    header, url, post = answer
    assert header.startswith("AWS4-HMAC-SHA256 Credential=AKID/")
    assert "Signature=" in header
    assert url.startswith("https://photos.s3.")
    assert "Signature=" in url
    assert post.startswith("https://photos.s3.")


def test_boto3_asks_and_understands(warehouse: Layer) -> None:
    """Validation, retries, types and documentation; botocore's stub makes up the answers."""
    answer = warehouse.run("""
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError
from botocore.stub import Stubber
sqs = boto3.client("sqs", config=Config(retries={"mode": "adaptive"}))
with Stubber(sqs) as stub:
    stub.add_response("send_message", {"MessageId": "m"}, {"QueueUrl": "q", "MessageBody": "b"})
    stub.add_client_error("receive_message", "Broken")
    sent = sqs.send_message(QueueUrl="q", MessageBody="b")["MessageId"]
    try:
        sqs.receive_message(QueueUrl="q")
    except ClientError as error:
        code = error.response["Error"]["Code"]
try:
    sqs.send_message(QueueUrl=1)
except ParamValidationError as error:
    wrong = str(error)
table = boto3.resource("dynamodb").Table("t")
with Stubber(table.meta.client) as stub:
    stub.add_response("get_item", {"Item": {"n": {"N": "3"}}})
    item = int(table.get_item(Key={"id": "1"})["Item"]["n"])
answer = [sent, code, "MessageBody" in wrong, item, "Delivers a message" in str(sqs.send_message.__doc__)]
""")
    assert answer == ["m", "Broken", True, 3, True]
