from __future__ import annotations

from pathlib import Path

import pytest
from tests.build.projects import Project, alone, with_one_function


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with one function, whose layer holds `stem` and `leaf`, which it needs; locked by path."""
    return alone(with_one_function(tmp_path), monkeypatch)
