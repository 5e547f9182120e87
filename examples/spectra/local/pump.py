"""Carries messages of a queue to a function, as Lambda's event source mapping does.

Batches of up to ten; what the function says it could not do stays in the queue, and comes again after the queue's
visibility timeout; what came too often goes to the dead letters, which SQS sees to.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from typing import Any

import boto3  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

BATCH = 10
REGION = "us-east-1"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queue", required=True, help="the queue's URL")
    parser.add_argument("--function", required=True, help="its key")
    parser.add_argument("--lambda-url", required=True, help="where `lamella start-lambda` serves")
    given = parser.parse_args()
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: ended.append(number))
    queues = boto3.client("sqs", region_name=REGION)
    # As long as Lambda lets a function run, and no second try: the queue has that
    patient = Config(read_timeout=900, retries={"total_max_attempts": 1})
    lambdas = boto3.client("lambda", region_name=REGION, endpoint_url=given.lambda_url, config=patient)
    print(f"Carrying {given.queue} to {given.function}", flush=True)
    while not ended:
        try:
            carry(queues, lambdas, given.queue, given.function)
        except (ClientError, BotoCoreError) as error:
            if not ended:
                print(f"{type(error).__name__}: {error}", file=sys.stderr)
                return 1
    return 0


def carry(queues: Any, lambdas: Any, queue: str, function: str) -> None:
    """One batch, waited for for a second at most."""
    answer = queues.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=BATCH, WaitTimeSeconds=1, MessageSystemAttributeNames=["All"]
    )
    messages = answer.get("Messages", [])
    if not messages:
        return
    event = {"Records": [record(message) for message in messages]}
    response = lambdas.invoke(FunctionName=function, Payload=json.dumps(event).encode())
    outcome = json.loads(response["Payload"].read())
    left = kept(outcome, {message["MessageId"] for message in messages}, "FunctionError" in response)
    done = [
        {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
        for index, message in enumerate(messages)
        if message["MessageId"] not in left
    ]
    if done:
        queues.delete_message_batch(QueueUrl=queue, Entries=done)
    print(f"{len(messages)} delivered, {len(left)} back in the queue", flush=True)


def record(message: dict[str, Any]) -> dict[str, Any]:
    """A message as a function meets it."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:123456789012:jobs",
        "awsRegion": REGION,
    }


def kept(outcome: Any, sent: set[str], failed: bool) -> set[str]:
    """What stays in the queue.  As with Lambda: all of it after an error, or where an answer makes no sense."""
    if failed:
        return sent
    if not outcome or not outcome.get("batchItemFailures"):
        return set()
    named = {failure.get("itemIdentifier") for failure in outcome["batchItemFailures"]}
    return named if named <= sent else sent


if __name__ == "__main__":
    sys.exit(main())
