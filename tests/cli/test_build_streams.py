"""`lamella build` where readers go away and streams are closed."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from tests.build.projects import HANDLER, Project


def into_a_closed_pipe(app: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return subprocess.run(
            [sys.executable, "-m", "lamella", *arguments], cwd=app.root, env=app.environment, stdout=writing,
            stderr=subprocess.PIPE, text=True, check=False, timeout=60,
        )  # fmt: skip
    finally:
        os.close(writing)


@pytest.mark.parametrize("runs_before", [0, 1, 3])
def test_nobody_reads(app: Project, runs_before: int) -> None:
    for _ in range(runs_before):
        app.run("build", "--json", check=True)
    done = into_a_closed_pipe(app, "build", "--json")
    assert done.stderr == ""
    assert done.returncode == 0
    assert app.listing() == ["api.zip", "layer.zip", "manifest.json"]


@pytest.mark.parametrize("arguments", [["size"], ["size", "--json"], ["--help"], ["size", "--help"]])
def test_who_goes_away_has_no_say_in_the_exit_code(app: Project, arguments: list[str]) -> None:
    app.run("build", check=True)
    assert into_a_closed_pipe(app, *arguments).returncode == 0


def test_findings_are_findings_with_nobody_reading(app: Project) -> None:
    app.run("build", check=True)
    old = app.output.rename(app.root / "old")
    app.source("app.py", "import stem, leaf\n" + HANDLER)
    app.run("build", check=True)
    assert into_a_closed_pipe(app, "diff", str(old), "dist/lambda", "--exit-code").returncode == 1
    assert into_a_closed_pipe(app, "diff", str(old), "dist/lambda").returncode == 0


def test_the_head_of_it(app: Project) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -m lamella build --json | head -1'],
        cwd=app.root, env=app.environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("{\n", "")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
@pytest.mark.parametrize("runs_before", [0, 3])
def test_closed_streams(app: Project, closed: str, runs_before: int) -> None:
    for _ in range(runs_before):
        app.run("build", check=True)
    command = f'"{sys.executable}" -m lamella build {closed}'
    done = subprocess.run(
        ["sh", "-c", command], cwd=app.root, env=app.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert app.listing() == ["api.zip", "layer.zip", "manifest.json"]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "ascii:strict"])
def test_characters_that_a_stream_lacks(app: Project, encoding: str) -> None:
    """The table's arrow, and names of files: escaped, on the idle way, too."""
    environment = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    app.run("build", "--output", "日本", check=True)
    app.wheels.clear()
    app.wheel("stem", "2.0", requires=["leaf"])
    app.wheel("leaf")
    app.lock()
    done = app.run("build", "--output", "日本", environment=environment)
    assert done.returncode == 0, done.stderr
    assert "stem 1.0 \\u2192 2.0" in done.stdout
    assert "`\\u65e5\\u672c`" in done.stderr
    for _ in range(3):
        idle = app.run("build", "--output", "日本", environment=environment)
        assert (idle.returncode, idle.stderr) == (
            0,
            "Nothing changed: `\\u65e5\\u672c` is up to date (2 zips)\n",
        )
    for _ in range(2):
        tree = json.loads(app.run("build", "--output", "größe", "--json", environment=environment, check=True).stdout)
        assert os.path.basename(tree["output"]) == "größe"
