"""Schemathesis against the API's own document, through `lamella start-api`: nothing that it thinks of is a 500."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from examples.spectra.local.stack import Stack
from examples.spectra.tests.conftest import asked
from tests.tools import python_tools

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("spectra")]

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


def test_the_document_has_every_operation_with_its_problems(stack: Stack) -> None:
    status, document = asked(stack, "GET", "/openapi.json")
    assert status == 200
    operations = {
        f"{method.upper()} {path}": operation["responses"]
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert set(operations) == {
        "GET /health", "GET /openapi.json", "POST /v1/queries", "POST /v1/jobs", "GET /v1/jobs/{job_id}",
        "DELETE /v1/jobs/{job_id}", "GET /v1/jobs/{job_id}/results",
    }  # fmt: skip
    for name, responses in operations.items():
        if "/v1/" in name:
            assert {"400", "401", "403", "404", "409", "413", "415", "422", "504"} <= set(responses), name
            for code in set(responses) - {"200", "202"}:
                assert "application/problem+json" in responses[code]["content"], (name, code)


def test_whatever_a_client_sends_the_answer_is_a_documented_one(stack: Stack, tmp_path: Path) -> None:
    program = os.path.join(python_tools("schemathesis"), "schemathesis")
    done = subprocess.run(
        [program, "run", f"{stack.api_url}/openapi.json", "-H", f"x-api-key: {stack.keys['acme']}",
         "--phases", "coverage,fuzzing", "--checks", ",".join(CHECKS), "--max-examples", "40", "--no-color",
         "--suppress-health-check", "all", "--generation-deterministic"],
        cwd=tmp_path, env={**os.environ, "NO_PROXY": "*"}, capture_output=True, text=True, check=False, timeout=150,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
