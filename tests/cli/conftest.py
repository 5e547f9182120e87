from __future__ import annotations

from pathlib import Path

import pytest
from tests.build.projects import HANDLER, Project


@pytest.fixture
def app(tmp_path: Path) -> Project:
    """A project with one function, whose layer holds `stem` and `leaf`, which it needs; locked by path."""
    made = Project(tmp_path)
    made.wheel("stem", requires=["leaf"])
    made.wheel("leaf")
    made.source("app.py", "import stem\n\n" + HANDLER)
    made.configure()
    made.lock()
    return made
