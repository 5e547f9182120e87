"""The whole of it on this machine: `make demo`'s session, and what the queue does when a job does not go well."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from examples.spectra.local.stack import BUCKET, TABLE, Stack
from examples.spectra.tests.conftest import asked

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("spectra")]

LOCAL = Path(__file__).parents[1] / "local"


def ended(stack: Stack, job: str) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while True:
        _, seen = asked(stack, "GET", f"/v1/jobs/{job}")
        if seen["state"] not in ("queued", "running"):
            return dict(seen)
        assert time.monotonic() < deadline, seen
        time.sleep(0.05)


def test_the_session_that_the_demo_shows(stack: Stack) -> None:
    environment = {
        **os.environ, "API": stack.api_url, "KEY": stack.keys["acme"], "OTHER_KEY": stack.keys["globex"],
        "PYTHON": sys.executable, "NO_PROXY": "*",
    }  # fmt: skip
    done = subprocess.run(
        ["bash", str(LOCAL / "session.sh")], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    for said in (
        '{"country":"DE","orders":800,"total":"360066.30"}',
        "WITH may hold SELECTs only",
        "send the statement to /v1/jobs",
        '"state":"succeeded"',
        '"order_id":10001',
        '1,420,313.37,false,0.017,2026-01-02,2026-01-01 08:01:01.000000,"Note 101"',
        "there is no such job",
        '{"message":"Forbidden"}',
        "the results were deleted",
    ):
        assert said in done.stdout, done.stdout


def test_pages_hold_each_row_once(stack: Stack) -> None:
    _, job = asked(stack, "POST", "/v1/jobs", {"sql": "SELECT order_id FROM orders ORDER BY order_id"})
    assert ended(stack, job["id"])["rows"] == 20000
    rows: list[int] = []
    cursor = "0"
    while cursor is not None:
        status, page = asked(stack, "GET", f"/v1/jobs/{job['id']}/results?limit=6000&cursor={cursor}")
        assert status == 200
        rows += [row["order_id"] for row in page["rows"]]
        cursor = page["next"]
    assert rows == list(range(1, 20001))


def test_a_statement_that_the_warehouse_refuses(stack: Stack) -> None:
    assert asked(stack, "POST", "/v1/queries", {"sql": "SELECT nothing FROM orders"})[0] == 422
    _, job = asked(stack, "POST", "/v1/jobs", {"sql": "SELECT nothing FROM orders"})
    seen = ended(stack, job["id"])
    assert seen["state"] == "failed"
    assert "nothing" in seen["error"]
    status, problem = asked(stack, "GET", f"/v1/jobs/{job['id']}/results")
    assert (status, problem["status"]) == (409, 409)


def test_a_job_that_is_cancelled_while_it_runs_leaves_nothing(stack: Stack) -> None:
    endless = "SELECT COUNT(*) AS n FROM orders a, orders b, orders c WHERE a.note || b.note || c.note > ''"
    _, job = asked(stack, "POST", "/v1/jobs", {"sql": endless})
    deadline = time.monotonic() + 60
    while asked(stack, "GET", f"/v1/jobs/{job['id']}")[1]["state"] != "running":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert asked(stack, "DELETE", f"/v1/jobs/{job['id']}", tenant="globex")[0] == 404, "it is not theirs"
    assert asked(stack, "DELETE", f"/v1/jobs/{job['id']}")[1]["state"] == "cancelled"
    # The worker is free again: the next job is done
    _, after = asked(stack, "POST", "/v1/jobs", {"sql": "SELECT 1 AS one"})
    assert ended(stack, after["id"])["state"] == "succeeded"
    assert asked(stack, "GET", f"/v1/jobs/{job['id']}")[1]["state"] == "cancelled"
    listed = stack.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"results/acme/{job['id']}/")
    assert listed["KeyCount"] == 0


def test_a_message_that_fails_comes_again_and_then_its_job_is_done(stack: Stack) -> None:
    _, job = asked(stack, "POST", "/v1/jobs", {"sql": "SELECT 2 AS two"})
    ended(stack, job["id"])
    # As a worker leaves it that was killed a moment ago: the lease runs for three more seconds
    stack.client("dynamodb").update_item(
        TableName=TABLE, Key={"tenant": {"S": "acme"}, "id": {"S": job["id"]}},
        UpdateExpression="SET #state = :running, #lease = :until",
        ExpressionAttributeNames={"#state": "state", "#lease": "lease"},
        ExpressionAttributeValues={":running": {"S": "running"}, ":until": {"N": str(int(time.time()) + 3)}},
    )  # fmt: skip
    body = json.dumps({"tenant": "acme", "job": job["id"]})
    stack.client("sqs").send_message(QueueUrl=stack.queue_url, MessageBody=body)
    stack.processes["pump"].line("1 back in the queue")
    assert ended(stack, job["id"])["state"] == "succeeded"


def test_two_who_use_a_key_at_once_get_one_job(stack: Stack) -> None:
    body = json.dumps({"sql": "SELECT 3 AS three"}).encode()
    headers = {"x-api-key": stack.keys["acme"], "content-type": "application/json", "idempotency-key": "together"}

    def send() -> str:
        request = urllib.request.Request(f"{stack.api_url}/v1/jobs", body, headers, method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.status == 202
            job = json.load(answer)["id"]
            assert answer.headers["Location"] == f"/v1/jobs/{job}"
            return str(job)

    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as several:
        jobs = {future.result() for future in [several.submit(send) for _ in range(4)]}
    assert len(jobs) == 1
    other = urllib.request.Request(
        f"{stack.api_url}/v1/jobs", json.dumps({"sql": "SELECT 4 AS four"}).encode(), headers, method="POST"
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(other, timeout=60)
    with refused.value as error:
        assert error.code == 422
        assert error.headers["Content-Type"] == "application/problem+json"
