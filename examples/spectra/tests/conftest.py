"""Spectra as it is assembled for this machine, built once; and an AWS in which its worker finds its parts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import boto3  # type: ignore[import-untyped]
import duckdb
import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer  # type: ignore[import-untyped]
from examples.spectra.local.stack import REGION, Stack, build
from tests.cloud.strict import StrictServer

EXAMPLE = Path(__file__).parents[1]
SCHEMA = EXAMPLE / "local/sample/sample/schema.sql"
TABLE, BUCKET = "worker-jobs", "worker-results"


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of local/assemble.py, built."""
    folder = tmp_path_factory.mktemp("spectra") / "project"
    build(folder)
    return folder


class Report(NamedTuple):
    """What came of an invocation of the worker: `failures` are the bodies whose messages went back."""

    failures: list[str]
    log: str
    peak: int  # megabytes
    error: str


class Account:
    """The table and the bucket in `aws`, as the worker of `project` meets them."""

    def __init__(self, aws: StrictServer, project: Path) -> None:
        self.aws, self.project = aws, project
        keys = {"region_name": REGION, "aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        self.dynamodb = boto3.client("dynamodb", endpoint_url=aws.url, **keys)
        self.s3 = boto3.client("s3", endpoint_url=aws.url, **keys)

    def queued(self, sql: str, formats: Sequence[str] = ("parquet",), **facts: Any) -> str:
        """A job of the tenant `acme`, as the API leaves it; its id."""
        job = {
            "tenant": "acme", "id": str(uuid4()), "state": "queued", "sql": sql, "parameters": "[]",
            "formats": list(formats), "created_at": "2026-11-22T10:00:00+00:00", "attempts": 0, **facts,
        }  # fmt: skip
        self.dynamodb.put_item(TableName=TABLE, Item=_typed(job))
        return str(job["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        key = _typed({"tenant": "acme", "id": job_id})
        item = self.dynamodb.get_item(TableName=TABLE, Key=key, ConsistentRead=True)["Item"]
        return {name: TypeDeserializer().deserialize(value) for name, value in item.items()}

    def change(self, job_id: str, **facts: Any) -> None:
        """As somebody else writes it."""
        self.dynamodb.put_item(TableName=TABLE, Item=_typed({**self.job(job_id), **facts}))

    def until(self, job_id: str, state: str, patience: float = 60) -> None:
        deadline = time.monotonic() + patience
        while self.job(job_id)["state"] != state:
            assert time.monotonic() < deadline, self.job(job_id)
            time.sleep(0.05)

    def objects(self, job_id: str) -> dict[str, bytes]:
        """The job's objects by the ends of their names."""
        listed = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"results/acme/{job_id}/").get("Contents", [])
        return {
            row["Key"].rpartition("/")[2]: self.s3.get_object(Bucket=BUCKET, Key=row["Key"])["Body"].read()
            for row in listed
        }

    def uploads(self) -> list[Any]:
        """Multipart uploads that nobody ended."""
        return list(self.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []))

    def start(self, *jobs: str, timeout: int = 60, variables: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """The worker, invoked by `lamella invoke` with one batch: of jobs' ids, or of bodies as they are."""
        records = [_record(job) for job in jobs]
        given = {
            "AWS_ENDPOINT_URL": self.aws.url,
            "SPECTRA_TABLE": TABLE,
            "SPECTRA_BUCKET": BUCKET,
            "SPECTRA_RENEW_SECONDS": "0.2",
            "SPECTRA_WAREHOUSE_KIND": "duckdb",
            **(variables or {}),
        }
        options = [word for name, value in given.items() for word in ("--env", f"{name}={value}")]
        process = subprocess.Popen(
            [sys.executable, "-m", "lamella", "invoke", "worker", "--event", "-", "--json",
             "--timeout", str(timeout), *options],
            cwd=self.project, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "NO_COLOR": "1"},
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(json.dumps({"Records": records}))
        process.stdin.close()
        process.stdin = None
        return process

    def finish(self, process: subprocess.Popen[str]) -> Report:
        out, err = process.communicate(timeout=120)
        assert out, err
        return _report(json.loads(out))

    def run(self, *jobs: str, **more: Any) -> Report:
        return self.finish(self.start(*jobs, **more))


def _record(job: str) -> dict[str, Any]:
    body = job if job.startswith(("{", "not")) else json.dumps({"tenant": "acme", "job": job})
    return {
        "messageId": body, "receiptHandle": "handle", "body": body, "attributes": {}, "messageAttributes": {},
        "md5OfBody": "", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:jobs",
        "awsRegion": "us-east-1",
    }  # fmt: skip


def _report(tree: Mapping[str, Any]) -> Report:
    (invocation,) = tree["invocations"]
    payload = invocation["payload"]
    failed = invocation["functionError"]
    failures = [] if failed else [row["itemIdentifier"] for row in payload["batchItemFailures"]]
    log = "\n".join(invocation["log"])
    return Report(failures, log, invocation["report"]["maxMemoryUsed"], str(payload) if failed else "")


def _typed(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {name: TypeSerializer().serialize(value) for name, value in tree.items()}


@pytest.fixture(scope="session")
def stack(project: Path) -> Iterator[Stack]:
    """All of Spectra, running."""
    with Stack(project) as running:
        yield running


def asked(stack: Stack, method: str, path: str, body: Any = None, tenant: str = "acme") -> tuple[int, Any]:
    """Status and body of the API's answer."""
    headers = {"x-api-key": stack.keys[tenant], "content-type": "application/json"}
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(stack.api_url + path, content, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.fixture(scope="module")  # another module's server may end what moto holds in this process
def account(project: Path) -> Iterator[Account]:
    with StrictServer() as aws:
        made = Account(aws, project)
        made.dynamodb.create_table(
            TableName=TABLE, BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "tenant", "KeyType": "HASH"}, {"AttributeName": "id", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("tenant", "id")],
        )  # fmt: skip
        made.s3.create_bucket(Bucket=BUCKET)
        yield made
        # moto keeps its tables for as long as the process lasts, whichever server answers
        made.dynamodb.delete_table(TableName=TABLE)


@pytest.fixture(scope="session")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """The sample data, to compare results with; it reads Parquet as well."""
    with duckdb.connect(":memory:") as connection:
        connection.execute(SCHEMA.read_text())
        yield connection
