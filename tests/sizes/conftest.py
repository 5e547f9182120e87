from __future__ import annotations

from pathlib import Path

import pytest
from tests.build.projects import Project


@pytest.fixture
def app(tmp_path: Path) -> Project:
    return Project(tmp_path)
