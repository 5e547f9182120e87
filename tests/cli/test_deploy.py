# ruff: noqa: F811  fixtures of another folder
"""`deploy` and `rollback` against a strict AWS."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.build.projects import WITHOUT_BYTECODE, Project, alone, with_one_function
from tests.cloud.strict import DENIED, StrictServer
from tests.deployed.conftest import nobody, somebody  # noqa: F401
from tests.deployed.moto_server import REGION, Deployer, zipped

from lamella import aws
from lamella.cli import app

TABLES = WITHOUT_BYTECODE + 'alias = "live"\n'
OLD = zipped({"app.py": "def handler(event, context):\n    return {'statusCode': 200, 'body': 'old'}\n"})


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project of one layer and one function, built."""
    made = with_one_function(tmp_path_factory.mktemp("built"))
    made.configure(TABLES)
    with pytest.MonkeyPatch.context() as patch:
        alone(made, patch).build()
    return made


@pytest.fixture(scope="module")
def _strict() -> Iterator[StrictServer]:
    with StrictServer() as server:
        yield server


@pytest.fixture
def server(
    _strict: StrictServer, built: Project, somebody: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch  # noqa: ARG001
) -> StrictServer:  # fmt: skip
    """An account with the project's function as it was, in a copy of the project without a journal."""
    import shutil

    _strict.forget()
    monkeypatch.setenv("AWS_ENDPOINT_URL", _strict.url)
    monkeypatch.setenv("LAMELLA_CACHE_DIR", str(built.cache))
    root = tmp_path / "project"
    shutil.copytree(built.root, root)
    monkeypatch.chdir(root)
    deployer = Deployer(_strict)
    deployer.function("spectra-api", OLD)
    deployer.lambdas.get_waiter("function_active_v2").wait(FunctionName="spectra-api", WaiterConfig={"Delay": 0})
    deployer.lambdas.publish_version(FunctionName="spectra-api")
    deployer.lambdas.create_alias(FunctionName="spectra-api", Name="live", FunctionVersion="1")
    _strict.clear()
    return _strict


class Lamella:
    """The command line in this process.  After a call `out` and `err` are what it wrote."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.out = self.err = ""

    def __call__(self, *arguments: str) -> int:
        self._capsys.readouterr()
        code = app.run(arguments)
        self.out, self.err = self._capsys.readouterr()
        return code


@pytest.fixture
def lamella(capsys: pytest.CaptureFixture[str]) -> Lamella:
    return Lamella(capsys)


class Person(io.StringIO):
    """Somebody at a terminal."""

    def isatty(self) -> bool:
        return True


def pointed(server: StrictServer) -> str:
    return str(Deployer(server).lambdas.get_alias(FunctionName="spectra-api", Name="live")["FunctionVersion"])


def code_of(server: StrictServer) -> str:
    return str(Deployer(server).lambdas.get_function_configuration(FunctionName="spectra-api")["CodeSha256"])


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
    assert lamella("deploy") == 0
    assert "Do it? [y/N] " in lamella.err
    assert bool(server.writes) == done
    assert pointed(server) == ("2" if done else "1")
    assert ("Nothing was changed" in lamella.err) != done


def test_deploys_and_goes_back_and_forth(server: StrictServer, lamella: Lamella) -> None:
    old = code_of(server)
    assert lamella("deploy", "--auto-approve") == 0
    assert "published layer `spectra-layer` version 1\n" in lamella.err
    assert "alias `live` of `spectra-api` points at version 2\n" in lamella.err
    assert lamella.out.splitlines()[-1] == (
        f"The deploy to 123456789012 {REGION} is done: 1 layer published, 1 function updated, 1 version published, "
        "1 alias shifted."
    )
    assert pointed(server) == "2"
    journal = Path(".lamella/rollout") / f"default-123456789012-{REGION}.json"
    assert json.loads(journal.read_text())["unfinished"] is None
    assert Path(".lamella/.gitignore").read_text() == "*\n"

    server.clear()
    assert lamella("deploy", "--auto-approve") == 0
    assert server.writes == []
    assert lamella.out.endswith("No changes: AWS has what was built.\n")

    assert lamella("rollback", "--auto-approve") == 0
    assert "alias `live` from version 2 to 1" in lamella.out
    assert (pointed(server), code_of(server)) == ("1", old)
    assert lamella("rollback", "--auto-approve") == 2
    assert "there is no deployment to go back over" in lamella.err

    assert lamella("rollback", "api", "--to", "2", "--auto-approve", "--json") == 0
    (place,) = json.loads(lamella.out)["places"]
    assert (place["ok"], place["shifted"]) == (True, {"spectra-api": "2"})
    assert pointed(server) == "2"
    assert lamella("plan", "--refresh", "--detailed-exitcode") == 0


def test_what_fails_is_taken_back_and_reported(server: StrictServer, lamella: Lamella) -> None:
    old = code_of(server)
    server.fault = lambda _, __, operation: DENIED if operation == "PublishVersion" else None
    assert lamella("deploy", "--auto-approve") == 1
    assert "`spectra-api` failed: what was changed is put back\n" in lamella.err
    assert "error: could not publish a version of `spectra-api`" in lamella.err
    assert "lambda:PublishVersion" in lamella.err
    assert "put back: `spectra-api` has its code and layers of before\n" in lamella.err
    assert lamella.err.rstrip().endswith("failed; all that it changed was put back")
    assert (pointed(server), code_of(server)) == ("1", old)
    assert lamella("deploy", "--auto-approve", "--json") == 1
    tree = json.loads(lamella.out)
    assert tree["ok"] is False
    assert [one["function"] for one in tree["places"][0]["failures"]] == ["spectra-api"]
    assert tree["places"][0]["remains"] == []


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
    tables = TABLES + '\n[tool.lamella.deploy]\njournal = "s3://journals/shop"\n'
    project = Path("pyproject.toml")
    project.write_text(project.read_text().replace(TABLES, tables))
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
    assert pointed(server) == "2"


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
