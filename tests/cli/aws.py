"""Commands that ask AWS, run in this process against a strict server."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.build.projects import WITHOUT_BYTECODE, Project, alone, with_one_function
from tests.cloud.strict import StrictServer
from tests.cloud.strict_fixtures import _strict, owner, strict
from tests.deployed.conftest import nobody, somebody
from tests.deployed.moto_server import Deployer, zipped

from lamella.cli import app

__all__ = ["Lamella", "_strict", "lamella", "nobody", "owner", "project", "somebody", "strict"]

# Of a project that is built; what is in AWS before it
ALIASED = WITHOUT_BYTECODE + 'alias = "live"\n'
OLD = zipped({"app.py": "def handler(event, context):\n    return {'statusCode': 200, 'body': 'old'}\n"})
FUNCTION, LAYER = "spectra-api", "spectra-layer"

CONFIGURATION = """
runtime = "python3.12"

[layers.layer]
name = "deps"

[functions.api]
name = "the-api"
handler = "app.handler"
layers = ["layer"]
alias = "live"

[functions.plain]
name = "plain"
handler = "app.handler"
"""


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


def built_with(folder: Path, tables: str) -> Project:
    """A project of one layer and one function, built."""
    made = with_one_function(folder)
    made.configure(tables)
    with pytest.MonkeyPatch.context() as patch:
        alone(made, patch).build()
    return made


def enter(built: Project, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `root`, the project's folder or a copy of it that is made, the working directory of what was built."""
    if root != built.root:
        shutil.copytree(built.root, root)
    monkeypatch.setenv("LAMELLA_CACHE_DIR", str(built.cache))
    monkeypatch.chdir(root)


def put_there(deployer: Deployer, code: bytes, name: str = FUNCTION, **facts: Any) -> None:
    """The function as somebody else deployed it: one version, and the alias."""
    deployer.function(name, code, **facts)
    settled(deployer, name)
    deployer.lambdas.publish_version(FunctionName=name)
    deployer.lambdas.create_alias(FunctionName=name, Name="live", FunctionVersion="1")


def put_built(deployer: Deployer, built: Project, suffix: str = "", **facts: Any) -> None:
    """What was built, as somebody else deployed it."""
    arn = deployer.layer(LAYER + suffix, (built.output / "layer.zip").read_bytes())
    put_there(deployer, (built.output / "api.zip").read_bytes(), FUNCTION + suffix, Layers=[arn], **facts)


def settled(deployer: Deployer, name: str = FUNCTION) -> None:
    """Its state and its last update are no longer pending."""
    for waiter in ("function_active_v2", "function_updated_v2"):
        deployer.lambdas.get_waiter(waiter).wait(FunctionName=name, WaiterConfig={"Delay": 0})


def pointed(deployer: Deployer, name: str = FUNCTION) -> str:
    """The version that the alias points at."""
    return str(deployer.lambdas.get_alias(FunctionName=name, Name="live")["FunctionVersion"])


def code_of(deployer: Deployer, name: str = FUNCTION) -> str:
    return str(deployer.lambdas.get_function_configuration(FunctionName=name)["CodeSha256"])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration, and nothing that was built."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "src").mkdir()
    (root / "lamella.toml").write_text(CONFIGURATION)
    monkeypatch.chdir(root)
    for name in ("logs", "prune", "share"):
        monkeypatch.setitem(app.COMMANDS, name, "")
    return root


@pytest.fixture
def lamella(project: Path, strict: StrictServer, capsys: pytest.CaptureFixture[str]) -> Lamella:  # noqa: ARG001
    """The working directory is the project's."""
    return Lamella(capsys)
