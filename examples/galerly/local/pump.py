"""Carries the bucket's events from the queue to the function, as AWS does: `python -m examples.galerly.local.pump`.

    pump.py --endpoint URL --queue URL --function NAME --lambda URL

An event whose function fails comes back after its visibility timeout, twice; then it is reported and dropped, as S3's
asynchronous invocations are.  Runs until it is ended by SIGTERM or Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]

TRIES = 3


class Pump:
    """`hidden`: seconds until an event that failed comes again."""

    def __init__(self, sqs: Any, lambdas: Any, queue: str, function: str, hidden: int = 2) -> None:
        self._sqs, self._lambdas, self._queue, self._function, self._hidden = sqs, lambdas, queue, function, hidden

    def run(self) -> None:
        with ThreadPoolExecutor(4) as pool:
            while True:
                found = self._sqs.receive_message(
                    QueueUrl=self._queue,
                    MaxNumberOfMessages=4,
                    WaitTimeSeconds=1,
                    # Longer than the function may take: a second delivery meanwhile would be work done twice
                    VisibilityTimeout=120,
                    AttributeNames=["ApproximateReceiveCount"],
                )
                list(pool.map(self.deliver, found.get("Messages", ())))

    def deliver(self, message: dict[str, Any]) -> bool:
        """Whether the function took it."""
        event = json.loads(message["Body"])
        if "Records" not in event:  # s3:TestEvent, which S3 sends when notifications are set up
            self._done(message)
            return True
        answer = self._lambdas.invoke(FunctionName=self._function, Payload=message["Body"].encode())
        told = answer["Payload"].read().decode(errors="replace")
        keys = " ".join(record["s3"]["object"]["key"] for record in event["Records"])
        if "FunctionError" not in answer:
            self._done(message)
            print(f"pump: {keys}: {told}", flush=True)
            return True
        if int(message["Attributes"]["ApproximateReceiveCount"]) >= TRIES:
            self._done(message)
            print(f"pump: {keys}: given up after {TRIES} tries: {told}", file=sys.stderr, flush=True)
        else:
            self._sqs.change_message_visibility(
                QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=self._hidden
            )
            print(f"pump: {keys}: failed, comes again: {told}", file=sys.stderr, flush=True)
        return False

    def _done(self, message: dict[str, Any]) -> None:
        self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("endpoint", "queue", "function", "lambda"):
        parser.add_argument(f"--{name}", required=True)
    given = vars(parser.parse_args())
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    slow = Config(read_timeout=120, retries={"total_max_attempts": 1})
    sqs = boto3.client("sqs", endpoint_url=given["endpoint"])
    lambdas = boto3.client("lambda", endpoint_url=given["lambda"], config=slow)
    print("pump: listening", flush=True)
    try:
        Pump(sqs, lambdas, given["queue"], given["function"]).run()
    except KeyboardInterrupt:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
