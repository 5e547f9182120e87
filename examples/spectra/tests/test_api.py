"""The API under `lamella start-api`: what it answers, to whom, and that each refusal is a problem (RFC 9457)."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from examples.spectra.local.stack import Stack
from examples.spectra.tests.conftest import asked

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("spectra")]


def sent(stack: Stack, method: str, path: str, body: bytes | None, **headers: str) -> tuple[int, str, Any]:
    """Status, media type and body of the answer to exactly this."""
    given = {"x-api-key": stack.keys["acme"], **{name.replace("_", "-"): value for name, value in headers.items()}}
    request = urllib.request.Request(stack.api_url + path, body, given, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers["Content-Type"], json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], json.load(error)


def test_a_query_answers_with_its_rows(stack: Stack) -> None:
    ask = {"sql": "SELECT * FROM orders WHERE order_id = :id", "parameters": {"id": 13}}
    assert asked(stack, "POST", "/v1/queries", ask) == (
        200,
        {
            "columns": [
                "order_id", "customer_id", "amount", "gift", "weight", "ordered_on", "ordered_at", "note",
            ],
            "rows": [
                {
                    "order_id": 13, "customer_id": 448, "amount": "73.81", "gift": True, "weight": 0.221,
                    "ordered_on": "2026-01-14", "ordered_at": "2026-01-01T08:13:13", "note": "Note 1313",
                }
            ],
        },
    )  # fmt: skip
    empty = {"sql": "SELECT order_id FROM orders WHERE order_id < 0"}
    assert asked(stack, "POST", "/v1/queries", empty) == (200, {"columns": ["order_id"], "rows": []})


def test_a_query_has_so_many_rows_and_no_more(stack: Stack) -> None:
    ask: dict[str, Any] = {"sql": "SELECT order_id FROM orders LIMIT 500"}
    assert len(asked(stack, "POST", "/v1/queries", {**ask, "limit": 500})[1]["rows"]) == 500
    status, problem = asked(stack, "POST", "/v1/queries", {**ask, "limit": 499})
    assert status == 413
    assert "/v1/jobs" in problem["detail"]
    # SPECTRA_ROW_LIMIT, whatever a client asks for
    ask = {"sql": "SELECT order_id FROM orders LIMIT 1001", "limit": 10_000}
    assert asked(stack, "POST", "/v1/queries", ask)[0] == 413


def test_a_query_that_takes_too_long_is_stopped_in_the_warehouse(project: Path) -> None:
    endless = "SELECT COUNT(*) AS n FROM orders a, orders b, orders c WHERE a.note || b.note || c.note > ''"
    event = json.loads((project / "events/query.json").read_text())
    event["body"] = json.dumps({"sql": endless})
    done = subprocess.run(
        [sys.executable, "-m", "lamella", "invoke", "api-handler", "--event", "-", "--quiet", "--timeout", "6",
         "--env", "SPECTRA_WAREHOUSE_KIND=duckdb"],
        cwd=project, input=json.dumps(event), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert answer["statusCode"] == 504
    assert "/v1/jobs" in json.loads(answer["body"])["detail"]


JSON = {"content_type": "application/json"}


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("POST", "/v1/queries", b'{"sql": ""}', JSON, 422),
        ("POST", "/v1/queries", b'{"sql": "SELECT 1", "limit": 0}', JSON, 422),
        ("POST", "/v1/queries", b'{"sql": "SELECT 1", "more": 1}', JSON, 422),
        ("POST", "/v1/queries", b'{"sql": ["SELECT 1"]}', JSON, 422),
        ("POST", "/v1/queries", b"{", JSON, 422),
        ("POST", "/v1/queries", b"[]", JSON, 422),
        ("POST", "/v1/queries", b"\xff\xfe", JSON, 400),
        ("POST", "/v1/queries", b"sql=SELECT+1", {"content_type": "application/x-www-form-urlencoded"}, 415),
        ("POST", "/v1/jobs", b'{"sql": "SELECT 1", "formats": []}', JSON, 422),
        ("POST", "/v1/jobs", b'{"sql": "SELECT 1", "formats": ["xlsx"]}', JSON, 422),
        ("GET", "/v1/jobs/unknown", None, {}, 404),
        ("DELETE", "/v1/jobs/unknown", None, {}, 404),
        ("GET", "/v1/jobs/unknown/results", None, {}, 404),
        ("GET", "/v1/jobs/unknown/results?limit=0", None, {}, 422),
        ("GET", "/v1/jobs/unknown/results?cursor=-1", None, {}, 422),
        ("GET", "/v1/jobs/unknown/results?format=xlsx", None, {}, 422),
        ("GET", "/v1/jobs/key%23" + "0" * 64, None, {}, 404),
        ("GET", "/", None, {}, 404),
        ("GET", "/v1/jobs/a/b", None, {}, 404),
        ("GET", "/v1/queries", None, {}, 405),
        ("PUT", "/v1/jobs/a", None, {}, 405),
    ],
)
def test_each_refusal_is_a_problem(
    stack: Stack, method: str, path: str, body: bytes | None, headers: dict[str, str], status: int
) -> None:
    code, media_type, problem = sent(stack, method, path, body, **headers)
    assert (code, media_type) == (status, "application/problem+json"), problem
    assert problem["status"] == status
    assert problem["type"] == "about:blank"
    assert problem["title"]
    assert problem["detail"]


def test_a_method_that_a_path_lacks_is_told_which_it_has(stack: Stack) -> None:
    for method, path, allowed in (
        ("PATCH", "/v1/jobs/a", "DELETE, GET"), ("GET", "/v1/jobs", "POST"), ("POST", "/health", "GET"),
    ):  # fmt: skip
        request = urllib.request.Request(stack.api_url + path, headers={"x-api-key": stack.keys["acme"]}, method=method)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=60)
        with refused.value as error:
            assert (error.code, error.headers["Allow"]) == (405, allowed)


def test_jobs_are_their_tenants_alone(stack: Stack) -> None:
    _, job = asked(stack, "POST", "/v1/jobs", {"sql": "SELECT 1 AS one"})
    assert "tenant" not in job
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/results"), ("GET", "/results?format=parquet")):
        status, problem = asked(stack, method, f"/v1/jobs/{job['id']}{path}", tenant="globex")
        assert status == 404
        assert problem == asked(stack, method, f"/v1/jobs/unknown{path}", tenant="globex")[1], "nor can it be guessed"
    # What a request says of tenants is not listened to
    code, _, _ = sent(
        stack, "GET", f"/v1/jobs/{job['id']}?tenant=acme", None, x_api_key=stack.keys["globex"], tenant="acme"
    )
    assert code == 404


def test_the_same_key_of_two_tenants_is_two_jobs(stack: Stack) -> None:
    body = b'{"sql": "SELECT 5 AS five"}'
    jobs = [
        sent(stack, "POST", "/v1/jobs", body, content_type="application/json", idempotency_key="mine", x_api_key=key)[2]
        for key in stack.keys.values()
    ]
    assert jobs[0]["id"] != jobs[1]["id"]


def test_without_a_key_nobody_is_let_in(stack: Stack) -> None:
    assert sent(stack, "GET", "/health", None, x_api_key="guessed")[0] == 403
    request = urllib.request.Request(f"{stack.api_url}/v1/jobs/1")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=60)
    with refused.value as error:
        assert error.code in (401, 403)
