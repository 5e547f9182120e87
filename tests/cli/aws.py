"""Commands that ask AWS, run in this process against a strict server."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cloud.strict import StrictServer
from tests.cloud.strict_fixtures import _strict, owner, strict
from tests.deployed.conftest import nobody, somebody

from lamella.cli import app

__all__ = ["Lamella", "_strict", "lamella", "nobody", "owner", "project", "somebody", "strict"]

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
