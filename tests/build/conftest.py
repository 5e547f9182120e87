from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.build.projects import HANDLER, Project, clean_environment


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with one function, whose layer holds `stem` and `leaf`, which it needs; locked by path."""
    made = Project(tmp_path)
    for name in os.environ:
        if name not in clean_environment(os.environ):
            monkeypatch.delenv(name)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    made.wheel("stem", requires=["leaf"])
    made.wheel("leaf")
    made.source("app.py", "import stem\n\n" + HANDLER)
    made.configure()
    made.lock()
    return made
