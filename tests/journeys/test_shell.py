"""`lamella shell` with AWS's runtime client of the index, at a terminal and away from one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.build.projects import CONFIGURATION, HANDLER, Project
from tests.journeys.lambdas import lamella
from tests.sandbox.terminal import Terminal

from lamella.errors import UsageError
from lamella.sandbox.model import KINDS, PATH_ONLY
from lamella.sandbox.run import Sandbox

pytestmark = pytest.mark.journey
RUNTIME = "python{}.{}".format(*sys.version_info[:2])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Project(tmp_path_factory.mktemp("shell"))
    made.wheel("stem")
    made.source("app.py", f"import stem\n{HANDLER}")
    made.configure(CONFIGURATION.replace("python3.12", RUNTIME) + 'environment = { TABLE = "jobs" }\n')
    made.lock()
    done = lamella("build", "-q", cwd=made.root)
    assert done.returncode == 0, done.stderr
    return made.root


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    made = Sandbox(sys.executable, sys.version_info[:2], request.param)
    try:
        return made.isolation
    except UsageError as error:
        pytest.skip(str(error).replace("\n", " "))


def test_arguments_are_pythons(project: Path, kind: str) -> None:
    code = "import app, awslambdaric, os, stem, sys; print(os.environ['TABLE'], os.environ['X'], sys.argv); sys.exit(5)"
    done = lamella(
        "shell", "api", "--isolation", kind, "--env", "X=1", "--", "-c", code, "--env", "--", "a b", cwd=project
    )
    assert (done.returncode, done.stdout) == (5, "jobs 1 ['-c', '--env', '--', 'a b']\n")
    assert "(" + kind + ")" not in done.stderr, "only a prompt is introduced"


def test_a_script_on_stdin(project: Path, kind: str) -> None:
    script = "import os, app, sys; print(app.handler(7, None), os.getcwd(), 'TERM' in os.environ)\n"
    command = [sys.executable, "-m", "lamella", "shell", "api", "--isolation", kind]
    done = subprocess.run(command, cwd=project, input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer, folder, term = done.stdout.split()
    assert (answer, term) == ("7", "False")
    assert (folder == "/var/task") == (kind != PATH_ONLY)


def test_a_prompt(project: Path, kind: str) -> None:
    command = [sys.executable, "-m", "lamella", "shell", "api", "--isolation", kind]
    with Terminal(command, os.environ, str(project)) as terminal:
        introduced = terminal.until(">>> ")
        assert f"api ({kind}): layers at " in introduced
        if kind != PATH_ONLY:
            assert "layers at /opt, code at /var/task" in introduced
        # Many short ones: a signal that comes just before a sleep's system call is noticed at its end alone
        terminal.type("import time; print('be' + 'gun', flush=True); [time.sleep(0.05) for _ in range(10_000)]\r")
        terminal.until("begun\r\n")
        terminal.type("\x03")
        terminal.until("KeyboardInterrupt")
        terminal.until(">>> ")
        terminal.type("import app; print('still', app.handler('he' + 're', None))\r")
        terminal.until("still here")
        terminal.until(">>> ")
        terminal.type("\x04")
        assert terminal.code() == 0
