"""A stand-in of DynamoDB, S3 and SQS on loopback: moto's server, with Galerly's table, bucket and queue in it.

moto takes any upload form; S3 takes one as its policy says.  So a front looks at the policy first.  moto's state is its
process's: this one is of its own, `python -m examples.galerly.local.aws`, which says where it listens.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import signal
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import boto3  # type: ignore[import-untyped]
from tests.deployed.moto_server import ACCOUNT, REGION, AwsServer, Environ, Start
from werkzeug.formparser import parse_form_data

BUCKET, TABLE, QUEUE = "galerly-photos", "galerly", "galerly-uploads"
# What moto is asked with; it believes anybody
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": REGION}


class Aws(NamedTuple):
    """`url` is the endpoint; `queue` is where the bucket's events come out, as they come to the function in AWS."""

    url: str
    queue: str

    def client(self, service: str) -> Any:
        return client(service, self.url)


def client(service: str, url: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
    )


def furnished(url: str) -> Aws:
    """What Terraform makes in AWS: table, bucket, and where the bucket's events go."""
    dynamodb, s3 = client("dynamodb", url), client("s3", url)
    dynamodb.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )
    expires = {"Enabled": True, "AttributeName": "expires"}
    dynamodb.update_time_to_live(TableName=TABLE, TimeToLiveSpecification=expires)
    queue = str(client("sqs", url).create_queue(QueueName=QUEUE)["QueueUrl"])
    s3.create_bucket(Bucket=BUCKET)
    to_queue = {
        "QueueArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{QUEUE}",
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "uploads/"}]}},
    }
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [to_queue]}
    )
    return Aws(url, queue)


class Server(AwsServer):
    """moto behind the front."""

    def _application(self, environ: Environ, start: Start) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "POST" or "multipart/form-data" not in str(environ.get("CONTENT_TYPE")):
            return super()._application(environ, start)
        body = environ["wsgi.input"].read(int(str(environ["CONTENT_LENGTH"])))
        _, form, files = parse_form_data({**environ, "wsgi.input": io.BytesIO(body)})
        size = len(files["file"].read()) if "file" in files else 0
        bucket = str(environ["PATH_INFO"]).strip("/")
        refused = refusal({"bucket": bucket, **{name.lower(): value for name, value in form.items()}}, size)
        if refused:
            told = f"<Error><Code>{refused}</Code><Message>{refused}</Message></Error>".encode()
            status = "400 Bad Request" if refused.startswith("Entity") else "403 Forbidden"
            # The page is on another origin, and may read why
            start(status, [("Content-Length", str(len(told))), ("Access-Control-Allow-Origin", "*")])
            return [told]
        return super()._application({**environ, "wsgi.input": io.BytesIO(body)}, start)


def refusal(form: Mapping[str, str], size: int) -> str:
    """S3's code for a form that it does not take, "" for one that it takes.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
    """
    try:
        policy = json.loads(base64.b64decode(form["policy"]))
        until = datetime.fromisoformat(policy["expiration"])
        if not hmac.compare_digest(_signature(form["policy"], form["x-amz-credential"]), form["x-amz-signature"]):
            return "SignatureDoesNotMatch"
    except (KeyError, ValueError):
        return "AccessDenied"
    if until < datetime.now(UTC):
        return "AccessDenied"
    known = {"policy", "x-amz-signature", "bucket"}
    for condition in policy["conditions"]:
        if isinstance(condition, dict):
            condition = ["eq", *(f"${name}" for name in condition), *condition.values()]
        match condition:
            case ["content-length-range", least, most]:
                if size < least:
                    return "EntityTooSmall"
                if size > most:
                    return "EntityTooLarge"
            case ["eq" | "starts-with" as how, name, value]:
                given = form.get(name[1:].lower(), "")
                known.add(name[1:].lower())
                if given != value if how == "eq" else not given.startswith(value):
                    return "AccessDenied"
            case _:
                return "InvalidPolicyDocument"
    return "" if form.keys() <= known else "AccessDenied"


def _signature(policy: str, credential: str) -> str:
    _, *scope = credential.split("/")
    key = f"AWS4{KEYS['AWS_SECRET_ACCESS_KEY']}".encode()
    for part in (*scope, policy):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return key.hex()


def main(ended: set[signal.Signals]) -> int:
    with Server() as server:
        print(f"aws: {server.url} {furnished(server.url).queue}", flush=True)
        signal.sigwait(ended)
    return 0


if __name__ == "__main__":
    # Before any thread is there: those that come are to leave the signals alone, too
    ended = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ended)
    sys.exit(main(ended))
