"""Spectra with all its parts on this machine: no AWS, no Docker, free ports on loopback.

aws.py                 stands for DynamoDB, S3 and SQS
lamella start-api      serves the API, by the zips that lamella built
lamella start-lambda   runs the worker
pump.py                carries messages from the queue to the worker

with Stack(folder) as stack:
    print(stack.api_url)
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
from examples.spectra.local.assemble import assemble
from examples.spectra.local.processes import Process

HERE = Path(__file__).parent
REGION = "us-east-1"
TABLE, BUCKET, QUEUE, DEAD = "spectra-jobs", "spectra-results", "spectra-jobs", "spectra-jobs-dead"
# Seconds until a message comes again that the worker put back
VISIBILITY = 2
LAMELLA = [sys.executable, "-m", "lamella"]


class Stack:
    """As a context, all of it runs.  The project is assembled and built in `folder`.

    `keys` are the API keys of two tenants by their names.  `variables` are the functions', besides those that say
    where things are; `echo` shows what the programs write.
    """

    def __init__(self, folder: Path, variables: Mapping[str, str] | None = None, *, echo: bool = False) -> None:
        self.folder, self._variables, self._echo = folder, dict(variables or {}), echo
        self._open = ExitStack()
        self.api_url = self.lambda_url = self.aws_url = self.queue_url = ""
        self.processes: dict[str, Process] = {}
        # Of two tenants, as `openssl rand` would make them
        self.keys = {name: secrets.token_urlsafe(32) for name in ("acme", "globex")}

    def __enter__(self) -> Stack:
        with ExitStack() as opening:
            self._open = opening
            self._start()
            self._open = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def client(self, service: str, **more: Any) -> Any:
        """boto3's client of a service here; Lambda's is `lamella start-lambda`."""
        url = self.lambda_url if service == "lambda" else self.aws_url
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        return boto3.client(service, endpoint_url=url, region_name=REGION, **keys, **more)

    @property
    def environment(self) -> dict[str, str]:
        """Of the programs here: nothing of an AWS that whoever starts this may have configured."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BOTO"))}
        local = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_DEFAULT_REGION": REGION}
        return {**own, **local, "AWS_ENDPOINT_URL": self.aws_url, "NO_PROXY": "*", "NO_COLOR": "1"}

    @property
    def variables(self) -> dict[str, str]:
        """Of the functions."""
        return {
            "AWS_ENDPOINT_URL": self.aws_url,
            "SPECTRA_TABLE": TABLE,
            "SPECTRA_BUCKET": BUCKET,
            "SPECTRA_QUEUE_URL": self.queue_url,
            "SPECTRA_WAREHOUSE_KIND": "duckdb",
            "SPECTRA_RENEW_SECONDS": "0.5",
            "SPECTRA_API_KEYS": json.dumps({name: digest(key) for name, key in self.keys.items()}),
            **self._variables,
        }

    def start(self, name: str, command: list[str]) -> Process:
        """One more program, which ends with the others."""
        process = Process(name, command, self.environment, self.folder, echo=self._echo)
        self._open.callback(process.end)
        self.processes[name] = process
        return process

    def _start(self) -> None:
        build(self.folder)
        moto = self.start("aws", [sys.executable, str(HERE / "aws.py")])
        self.aws_url = moto.line(r"Running on (http://127\.0\.0\.1:\d+)")[1]
        self._make()
        env_file = self.folder / "local.env"
        env_file.write_text("".join(f"{name}='{value}'\n" for name, value in self.variables.items()))
        serving = ["--port", "0", "--env-file", str(env_file)]
        # Both at once: each takes its time to unpack the layers
        lambdas = self.start("worker", [*LAMELLA, "start-lambda", *serving])
        api = self.start("api", [*LAMELLA, "start-api", *serving])
        self.lambda_url = lambdas.line(r"on (http://127\.0\.0\.1:\d+)")[1]
        self.api_url = api.line(r"on (http://127\.0\.0\.1:\d+)")[1]
        pump = [sys.executable, str(HERE / "pump.py"), "--queue", self.queue_url]
        self.start("pump", [*pump, "--function", "worker", "--lambda-url", self.lambda_url]).line("^Carrying ")

    def _make(self) -> None:
        """What terraform/ makes in AWS."""
        keys = [{"AttributeName": name, "KeyType": kind} for name, kind in (("tenant", "HASH"), ("id", "RANGE"))]
        self.client("dynamodb").create_table(
            TableName=TABLE, KeySchema=keys, BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("tenant", "id")],
        )  # fmt: skip
        self.client("s3").create_bucket(Bucket=BUCKET)
        queues = self.client("sqs")
        dead = queues.create_queue(QueueName=DEAD)["QueueUrl"]
        arn = queues.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        redrive = f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": "5"}}'
        attributes = {"VisibilityTimeout": str(VISIBILITY), "RedrivePolicy": redrive}
        self.queue_url = queues.create_queue(QueueName=QUEUE, Attributes=attributes)["QueueUrl"]


def digest(key: str) -> str:
    """What the authorizer knows of an API key."""
    return hashlib.sha256(key.encode()).hexdigest()


def build(folder: Path) -> None:
    """Assemble the project in `folder` and build it: quick where nothing changed."""
    assemble(folder)
    subprocess.run([*LAMELLA, "build", "--quiet"], cwd=folder, check=True)
