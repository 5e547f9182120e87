# ruff: noqa: F811  fixtures of another folder
"""Every target that `lamella export make` writes, run by make, from an empty folder to functions that answer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.build.projects import RUNNABLE, RUNTIME, with_one_function
from tests.cloud.strict import Answered, StrictServer, logged
from tests.cloud.strict_fixtures import _strict, owner, strict  # noqa: F401
from tests.deployed.conftest import nobody, somebody  # noqa: F401
from tests.deployed.moto_server import Deployer, zipped

TABLES = """alias = "live"
smoke = [{ event = "health.json", expect = { status = 200 } }]

[tool.lamella.deploy]
rate = 1000

[tool.lamella.environments.dev]
suffix = "-dev"
"""


@pytest.mark.journey
@pytest.mark.skipif(shutil.which("make") is None, reason="no make on PATH")
def test_every_target_in_the_order_of_a_rollout(strict: StrictServer, owner: Deployer, tmp_path: Path) -> None:
    strict.invoked = lambda met: Answered(b'{"statusCode": 200}', "", logged(met.version, "fine"))
    project = with_one_function(tmp_path)
    project.configure(RUNNABLE + TABLES)
    (project.root / "health.json").write_text("{}")
    owner.function("spectra-api-dev", zipped({"app.py": "# nothing yet\n"}), Runtime=RUNTIME)
    assert project.run("export", "make", "--env", "dev").returncode == 0
    (project.root / "Makefile").write_text("include lamella.mk\n\n.PHONY: greet\ngreet:\n\t@echo hello\n")
    names = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}

    def make(*words: str) -> subprocess.CompletedProcess[str]:
        command = ["make", "--no-print-directory", "-C", str(project.root), f"LAMELLA={sys.executable} -m lamella"]
        return subprocess.run(
            [*command, *words], env={**project.environment, **names}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    def made(*words: str) -> str:
        done = make(*words)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    refused = make("publish-layer", "DEPLOY=--auto-approve")
    assert refused.returncode != 0
    assert "nothing was built there" in refused.stderr
    made("package-layer", "BUILD=--locked")
    assert project.listing().count("layer.zip") == 1
    assert "api.zip" not in project.listing()
    assert "layer" in made("validate-layer")
    assert "published layer `spectra-layer-dev` version 1" in made("publish-layer", "DEPLOY=--auto-approve")
    before = project.digest_of("layer.zip")
    made("package-layer-docker")  # every distribution has a wheel: no engine is asked, and the bytes are the same
    assert project.digest_of("layer.zip") == before
    made("package-lambda")
    assert "api.zip" in project.listing()
    asked = make("deploy")
    assert asked.returncode != 0
    assert "there is nobody to ask" in asked.stderr
    said = made("deploy", "DEPLOY=--auto-approve")
    assert "published layer" not in said
    assert "alias `live` of `spectra-api-dev` points at version 1" in said
    assert "= spectra-api-dev  version 1, as it was built, 1 smoke event passed" in made("verify")
    strict.invoked = lambda met: Answered(b'{"statusCode": 500}', "", logged(met.version, "no"))
    broken = make("verify")
    assert broken.returncode != 0
    assert "`health.json` failed on version 1" in broken.stderr
    assert made("greet").strip() == "hello"
