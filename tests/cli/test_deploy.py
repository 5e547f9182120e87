# ruff: noqa: F811  fixtures of another folder
"""`deploy` and `rollback` against a strict AWS."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.build.projects import Project
from tests.cli.aws import ALIASED, OLD, Lamella, built_with, code_of, enter, pointed, put_there
from tests.cli.processes import HEEDING_INTERRUPTS
from tests.cloud.strict import DENIED, StrictServer
from tests.cloud.strict_fixtures import _strict, strict  # noqa: F401
from tests.deployed.conftest import nobody, somebody  # noqa: F401
from tests.deployed.moto_server import REGION, Deployer

from lamella import aws


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return built_with(tmp_path_factory.mktemp("built"), ALIASED)


@pytest.fixture
def server(strict: StrictServer, built: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StrictServer:
    """An account with the project's function as it was, in a copy of the project without a journal."""
    enter(built, tmp_path / "project", monkeypatch)
    put_there(Deployer(strict), OLD)
    strict.clear()
    return strict


@pytest.fixture
def lamella(capsys: pytest.CaptureFixture[str]) -> Lamella:
    return Lamella(capsys)


class Person(io.StringIO):
    """Somebody at a terminal."""

    def isatty(self) -> bool:
        return True


def test_nobody_to_ask(server: StrictServer, lamella: Lamella) -> None:
    assert lamella("deploy") == 2
    assert "Plan: publish 1 layer, change 1 function (code of 1), shift 1 alias" in lamella.out
    assert "error: nothing was changed: there is nobody to ask" in lamella.err
    assert server.writes == []


@pytest.mark.parametrize(("said", "done"), [("y\n", True), ("\n", False), ("n\n", False), ("", False)])
def test_asks_first(
    said: str, done: bool, server: StrictServer, lamella: Lamella, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Person(said))
    assert lamella("deploy") == int(not done)  # as `terraform apply`: what comes behind `&&` is not to believe in it
    assert "Do it? [y/N] " in lamella.err
    assert bool(server.writes) == done
    assert pointed(Deployer(server)) == ("2" if done else "1")
    assert ("Nothing was changed" in lamella.err) != done


def test_deploys_and_goes_back_and_forth(server: StrictServer, lamella: Lamella) -> None:
    old = code_of(Deployer(server))
    assert lamella("deploy", "--auto-approve") == 0
    assert "published layer `spectra-layer` version 1\n" in lamella.err
    assert "alias `live` of `spectra-api` points at version 2\n" in lamella.err
    assert lamella.out.splitlines()[-1] == (
        f"The deploy to 123456789012 {REGION} is done: 1 layer published, 1 function updated, 1 version published, "
        "1 alias shifted."
    )
    assert pointed(Deployer(server)) == "2"
    journal = Path(".lamella/rollout") / f"default-123456789012-{REGION}.json"
    assert json.loads(journal.read_text())["unfinished"] is None
    assert Path(".lamella/.gitignore").read_text() == "*\n"

    server.clear()
    assert lamella("deploy", "--auto-approve") == 0
    assert server.writes == []
    assert lamella.out.endswith("No changes: AWS has what was built.\n")

    assert lamella("rollback", "--auto-approve") == 0
    assert "alias `live` from version 2 to 1" in lamella.out
    assert (pointed(Deployer(server)), code_of(Deployer(server))) == ("1", old)
    assert lamella("rollback", "--auto-approve") == 2
    assert "there is no deployment to go back over" in lamella.err

    assert lamella("rollback", "api", "--to", "2", "--auto-approve", "--json") == 0
    (place,) = json.loads(lamella.out)["places"]
    assert (place["ok"], place["shifted"]) == (True, {"spectra-api": "2"})
    assert pointed(Deployer(server)) == "2"
    assert lamella("plan", "--refresh", "--detailed-exitcode") == 0


def test_what_fails_is_taken_back_and_reported(server: StrictServer, lamella: Lamella) -> None:
    old = code_of(Deployer(server))
    server.fault = lambda _, __, operation: DENIED if operation == "PublishVersion" else None
    assert lamella("deploy", "--auto-approve") == 1
    assert "`spectra-api` failed: what was changed is put back\n" in lamella.err
    assert "error: could not publish a version of `spectra-api`" in lamella.err
    assert "lambda:PublishVersion" in lamella.err
    assert "put back: `spectra-api` has its code and layers of before\n" in lamella.err
    assert lamella.err.rstrip().endswith("failed; all that it changed was put back")
    assert (pointed(Deployer(server)), code_of(Deployer(server))) == ("1", old)
    assert lamella("deploy", "--auto-approve", "--json") == 1
    tree = json.loads(lamella.out)
    assert tree["ok"] is False
    assert [one["function"] for one in tree["places"][0]["failures"]] == ["spectra-api"]
    assert tree["places"][0]["remains"] == []


class Halted:
    """A deploy in a process of its own, which meets an AWS that does not answer before it is let go."""

    def __init__(self, server: StrictServer, operation: str) -> None:
        self._asked, self._go = threading.Event(), threading.Event()
        server.fault = self._wait
        self._operation = operation
        self._process = subprocess.Popen(
            [sys.executable, "-c", HEEDING_INTERRUPTS, "deploy", "--auto-approve"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.said = ""

    def __enter__(self) -> Halted:
        assert self._asked.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._go.set()
        self._process.kill()
        self._process.communicate()

    def interrupt(self, until: str) -> None:
        """Press Ctrl-C, and read until this is said."""
        assert self._process.stderr
        self._process.send_signal(signal.SIGINT)
        while until not in self.said:
            line = self._process.stderr.readline()
            assert line, self.said
            self.said += line

    def ended(self) -> int:
        """AWS answers.  The exit code."""
        self._go.set()
        self.said += self._process.communicate(timeout=60)[1]
        return self._process.returncode

    def _wait(self, number: int, service: str, operation: str) -> None:  # noqa: ARG002
        if operation == self._operation and not self._go.is_set():
            self._asked.set()
            assert self._go.wait(60)


def test_ctrl_c_once_puts_back(server: StrictServer) -> None:
    old = code_of(Deployer(server))
    with Halted(server, "UpdateFunctionCode") as halted:
        halted.interrupt("stopping: what is under way ends")
        assert halted.ended() == 1
    assert "put back: `spectra-api` has its code" in halted.said
    assert (pointed(Deployer(server)), code_of(Deployer(server))) == ("1", old)


def test_ctrl_c_twice_leaves_it_to_the_next(server: StrictServer, lamella: Lamella) -> None:
    old = code_of(Deployer(server))
    with Halted(server, "UpdateFunctionCode") as halted:
        halted.interrupt("stopping: what is under way ends")
        halted.interrupt("stopping amid a change")
        assert halted.ended() == 1
    assert "\nput back: " not in halted.said
    assert "not all was put back: `lamella deploy --region us-east-1` goes on from here" in halted.said
    assert "Traceback" not in halted.said
    assert (pointed(Deployer(server)), code_of(Deployer(server)) == old) == ("1", False)
    journal = Path(".lamella/rollout") / f"default-123456789012-{REGION}.json"
    assert json.loads(journal.read_text())["unfinished"]
    assert lamella("rollback", "--auto-approve") == 0
    assert (pointed(Deployer(server)), code_of(Deployer(server))) == ("1", old)


def test_a_function_that_is_not_there(server: StrictServer, lamella: Lamella) -> None:
    Deployer(server).lambdas.delete_function(FunctionName="spectra-api")
    server.clear()
    assert lamella("deploy", "--auto-approve") == 2
    assert "aws lambda create-function" in lamella.out
    assert "error: 1 function is not in AWS: `spectra-api`" in lamella.err
    assert server.writes == []


def test_a_lock_that_a_killed_run_left(server: StrictServer, lamella: Lamella) -> None:
    objects = aws.Access().client("s3")
    objects.create_bucket(Bucket="journals")
    tables = ALIASED + '\n[tool.lamella.deploy]\njournal = "s3://journals/shop"\n'
    project = Path("pyproject.toml")
    project.write_text(project.read_text().replace(ALIASED, tables))
    key = f"shop/default-123456789012-{REGION}.lock"
    objects.put_object(
        Bucket="journals", Key=key,
        Body=b'{"token": "1", "user": "ci", "machine": "runner", "process": 7, "since": "2026-11-22 17:20:03 UTC"}',
    )  # fmt: skip
    server.clear()
    assert lamella("deploy", "--auto-approve") == 3
    assert "process 7 of ci on runner, since 2026-11-22 17:20:03 UTC, holds the lock" in lamella.err
    assert "`lamella deploy --unlock`" in lamella.err
    assert lamella("deploy", "--unlock") == 0
    assert "the lock of process 7 of ci on runner" in lamella.err
    assert lamella("deploy", "--auto-approve") == 0
    assert pointed(Deployer(server)) == "2"


@pytest.mark.parametrize("command", ["deploy", "rollback"])
def test_json_does_not_ask(command: str, server: StrictServer, lamella: Lamella) -> None:
    assert lamella(command, "--json") == 2
    assert "give `--auto-approve`, too" in lamella.err
    assert server.calls == []


def test_rollback_of_what_is_not_there(server: StrictServer, lamella: Lamella) -> None:  # noqa: ARG001
    assert lamella("rollback", "apy") == 2
    assert "did you mean `api`?" in lamella.err
    assert lamella("rollback", "api", "--to", "live") == 2
    assert "`--to live` names no published version" in lamella.err
    assert lamella("rollback", "api", "--to", "9") == 2
    assert "`spectra-api` has no version 9" in lamella.err
    assert lamella("rollback", "--auto-approve") == 2
    assert "`spectra-api` has no version before 1" in lamella.err


def test_quiet_shows_nothing_to_agree_to(
    server: StrictServer, lamella: Lamella, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Person("y\n"))
    server.clear()
    assert lamella("deploy", "-q") == 2
    assert "`-q` shows nothing to agree to" in lamella.err
    assert not server.writes
