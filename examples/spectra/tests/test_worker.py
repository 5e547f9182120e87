"""The worker, as it is built, on DuckDB and on a stand-in for Redshift: what comes of its jobs, whatever goes wrong."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from examples.spectra.tests.conftest import SCHEMA, Account
from examples.spectra.tests.redshift import RedshiftStandIn
from tests.cloud.strict import BROKEN

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("spectra")]

# 20,000 orders, each fifty times: ten parts of an upload in CSV, and some seconds of work
LARGE = "SELECT o.* FROM orders o, (SELECT customer_id FROM customers ORDER BY 1 LIMIT 50) c"
# Never ends: 20,000 cubed
ENDLESS = "SELECT COUNT(*) AS n FROM orders a, orders b, orders c WHERE a.note || b.note || c.note > ''"


def rows_of(content: bytes, folder: Path) -> list[dict[str, Any]]:
    """A Parquet file, by a reader that is not its writer."""
    path = folder / "result.parquet"
    path.write_bytes(content)
    with duckdb.connect(":memory:") as reader:
        relation = reader.sql(f"SELECT * FROM read_parquet('{path}')")
        return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def test_a_result_in_each_format(account: Account, database: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    job = account.queued("SELECT * FROM orders ORDER BY order_id", ["parquet", "csv", "jsonl"])
    assert account.run(job).failures == []
    there = account.job(job)
    assert (there["state"], there["rows"], there["attempts"]) == ("succeeded", 20000, 1)
    files = account.objects(job)
    assert {f"1.{format}": size for format, size in there["sizes"].items()} == {
        name: len(content) for name, content in files.items()
    }
    relation = database.sql("SELECT * FROM orders ORDER BY order_id")
    wanted = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
    assert there["columns"] == relation.columns
    assert rows_of(files["1.parquet"], tmp_path) == wanted
    lines = [json.loads(line) for line in io.BytesIO(files["1.jsonl"])]
    assert len(lines) == 20000
    assert lines[12] == {
        "order_id": 13, "customer_id": 448, "amount": "73.81", "gift": True, "weight": 0.221,
        "ordered_on": "2026-01-14", "ordered_at": "2026-01-01T08:13:13", "note": "Note 1313",
    }  # fmt: skip
    head, first = files["1.csv"].decode().splitlines()[:2]
    assert head.replace('"', "").split(",") == relation.columns
    assert first.startswith("1,")


# Per statement: its parameters, and what it gives.  Both adapters must agree with it.
CONTRACT: list[tuple[str, list[dict[str, Any]], list[dict[str, Any]]]] = [
    (
        "SELECT order_id, amount, gift, ordered_on, ordered_at, note, weight FROM orders WHERE order_id IN (10, 13)"
        " ORDER BY 1 DESC",
        [],
        [
            {
                "order_id": 13,
                "amount": Decimal("73.81"),
                "gift": True,
                "ordered_on": date(2026, 1, 14),
                "ordered_at": datetime(2026, 1, 1, 8, 13, 13),
                "note": "Note 1313",
                "weight": 0.221,
            },
            {
                "order_id": 10,
                "amount": Decimal("133.70"),
                "gift": False,
                "ordered_on": date(2026, 1, 11),
                "ordered_at": datetime(2026, 1, 1, 8, 10, 10),
                "note": None,
                "weight": 0.17,
            },
        ],
    ),
    ("SELECT customer_id, name FROM customers WHERE customer_id < 0", [], []),
    (
        "SELECT TOP 2 c.customer_id, o.customer_id, LEN(c.name) AS letters FROM customers c"
        " JOIN orders o ON o.customer_id = c.customer_id GROUP BY 1, 2, 3 ORDER BY 1",
        [],
        [
            {"customer_id": 1, "customer_id_2": 1, "letters": 10},
            {"customer_id": 2, "customer_id_2": 2, "letters": 10},
        ],
    ),
    (
        "SELECT order_id FROM orders WHERE amount > :least AND gift = :gift AND note = :note AND NVL(:no, 'x') = 'x'",
        [
            {"name": "least", "value": 73.5, "type": "double precision"},
            {"name": "gift", "value": True, "type": "boolean"},
            {"name": "note", "value": "Note 1313", "type": "varchar"},
            {"name": "no", "value": None, "type": "varchar"},
        ],
        [{"order_id": 13}],
    ),
    (
        # Bound, not pasted: a value is never SQL
        "SELECT :text AS text, :number + 1 AS number FROM customers WHERE customer_id = :number",
        [
            {"name": "text", "value": "'; DROP TABLE orders; --", "type": "varchar"},
            {"name": "number", "value": 7, "type": "bigint"},
        ],
        [{"text": "'; DROP TABLE orders; --", "number": 8}],
    ),
]


@pytest.fixture(scope="module")
def redshift() -> Iterator[RedshiftStandIn]:
    with RedshiftStandIn(SCHEMA) as server:
        yield server


@pytest.fixture(params=["duckdb", "redshift"])
def warehouse(request: pytest.FixtureRequest, redshift: RedshiftStandIn) -> dict[str, str]:
    """The variables by which the worker has this warehouse."""
    redshift.holding = False
    redshift.statements.clear()
    if request.param == "duckdb":
        return {}
    return {
        "SPECTRA_WAREHOUSE_KIND": "redshift",
        "SPECTRA_WAREHOUSE_WORKGROUP": "spectra",
        "AWS_ENDPOINT_URL_REDSHIFT_DATA": redshift.url,
    }


def test_both_warehouses_keep_the_contract(account: Account, warehouse: dict[str, str], tmp_path: Path) -> None:
    jobs = [account.queued(sql, parameters=json.dumps(parameters)) for sql, parameters, _ in CONTRACT]
    large = account.queued("SELECT order_id, note FROM orders ORDER BY order_id")
    missing = account.queued("SELECT nothing FROM orders")
    assert account.run(*jobs, large, missing, variables=warehouse).failures == [], "a bad statement is done with, too"
    for job, (sql, _, wanted) in zip(jobs, CONTRACT, strict=True):
        there = account.job(job)
        assert there["state"] == "succeeded", (sql, there)
        assert rows_of(account.objects(job)["1.parquet"], tmp_path) == wanted, sql
    assert account.job(jobs[1])["columns"] == ["customer_id", "name"], "an empty result has its columns"
    assert account.job(large)["rows"] == 20000
    there = account.job(missing)
    assert there["state"] == "failed"
    assert "nothing" in there["error"]
    assert account.objects(missing) == {}


def test_cancelled_while_it_runs(account: Account, warehouse: dict[str, str], redshift: RedshiftStandIn) -> None:
    redshift.holding = True
    job = account.queued(ENDLESS)
    worker = account.start(job, variables=warehouse)
    account.until(job, "running")
    account.change(job, state="cancelled")
    assert account.finish(worker).failures == []
    assert account.job(job)["state"] == "cancelled"
    assert account.objects(job) == {}
    assert {statement.status for statement in redshift.statements.values()} <= {"ABORTED"}, "the warehouse stops too"


def test_a_job_that_takes_too_long_is_failed_before_the_function_ends(account: Account) -> None:
    job = account.queued(ENDLESS)
    began = time.monotonic()
    report = account.run(job, timeout=8)
    assert (report.failures, report.error) == ([], "")
    assert time.monotonic() - began < 30
    assert account.job(job)["state"] == "failed"
    assert account.job(job)["error"] == "took longer than the worker may run"


def test_delivered_twice_it_runs_once(account: Account) -> None:
    job = account.queued(ENDLESS)
    first = account.start(job)
    account.until(job, "running")
    second = account.run(job)
    assert len(second.failures) == 1, "it comes again, in case the first one dies"
    assert account.job(job)["attempts"] == 1
    account.change(job, state="cancelled")
    assert account.finish(first).failures == []
    done = account.queued("SELECT 1 AS one")
    assert account.run(done, done).failures == []
    assert account.run(done).failures == []
    assert account.job(done)["attempts"] == 1
    assert list(account.objects(done)) == ["1.parquet"]


def test_a_killed_workers_job_is_taken_up_once_its_lease_has_run_out(account: Account) -> None:
    job = account.queued("SELECT 1 AS one")
    account.change(job, state="running", owner="gone", attempts=1, lease=int(time.time()) + 600)
    assert len(account.run(job).failures) == 1
    account.change(job, lease=int(time.time()) - 1)
    assert account.run(job).failures == []
    there = account.job(job)
    assert (there["state"], there["attempts"]) == ("succeeded", 2)
    assert list(account.objects(job)) == ["2.parquet"]


def test_a_job_that_kills_each_worker_is_given_up(account: Account) -> None:
    job = account.queued("SELECT 1 AS one")
    account.change(job, state="running", owner="gone", attempts=3, lease=int(time.time()) - 1)
    assert account.run(job).failures == []
    assert account.job(job)["state"] == "failed"
    assert account.job(job)["error"].startswith("given up after 3 attempts")


def test_of_a_batch_only_what_failed_comes_back(account: Account) -> None:
    good, busy = account.queued("SELECT 1 AS one"), account.queued("SELECT 1 AS one")
    account.change(busy, state="running", owner="another", attempts=1, lease=int(time.time()) + 600)
    unknown = json.dumps({"tenant": "acme", "job": "of-no-table"})
    report = account.run(good, "not json", busy, unknown)
    assert report.failures == ["not json", json.dumps({"tenant": "acme", "job": busy})]
    assert account.job(good)["state"] == "succeeded"


def test_an_upload_that_breaks_is_taken_back_and_tried_again(account: Account) -> None:
    job = account.queued(LARGE, ["parquet", "csv"])
    parts = []

    def fault(_number: int, _service: str, operation: str) -> Any:
        parts.extend([operation] if operation == "UploadPart" else [])
        return BROKEN if operation == "UploadPart" and len(parts) > 2 else None

    account.aws.fault = fault
    try:
        report = account.run(job)
    finally:
        account.aws.fault = None
    assert len(report.failures) == 1
    assert account.uploads() == [], "parts that nobody sees cost money"
    assert account.objects(job) == {}, "not the Parquet file either, which was complete"
    assert account.job(job)["state"] == "running"
    assert account.run(job).failures == []
    there = account.job(job)
    assert (there["state"], there["attempts"], there["rows"]) == ("succeeded", 2, 1_000_000)
    assert there["sizes"]["csv"] > 60_000_000
    assert account.uploads() == []


def test_memory_does_not_grow_with_the_result(account: Account) -> None:
    small = account.run(account.queued("SELECT * FROM orders"))
    job = account.queued(LARGE.replace("LIMIT 50", "LIMIT 500"))
    large = account.run(job)
    assert (small.failures, large.failures) == ([], [])
    assert account.job(job)["rows"] == 10_000_000
    # In Arrow it is 750 MB
    assert large.peak < small.peak + 150, (small.peak, large.peak)
