from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.build.projects import Project, clean_environment, with_one_function


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with one function, whose layer holds `stem` and `leaf`, which it needs; locked by path."""
    made = with_one_function(tmp_path)
    for name in os.environ:
        if name not in clean_environment(os.environ):
            monkeypatch.delenv(name)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made
