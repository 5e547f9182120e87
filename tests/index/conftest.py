from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def partial(tmp_path: Path) -> Path:
    """Where a download goes."""
    return tmp_path / "partial"
