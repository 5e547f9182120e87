from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lamella.config.model import Settings
from lamella.config.read import read
from lamella.errors import ConfigError

PROJECT = """\
[project]
name = "Spectra"
version = "1"
requires-python = ">=3.12"
dependencies = ["pydantic"]
[project.optional-dependencies]
images = ["pillow"]
[dependency-groups]
worker = ["numpy"]

"""


@pytest.fixture
def settings(tmp_path: Path) -> Callable[[str], Settings]:
    """Reads a project with `src/` and the given tables of lamella in pyproject.toml."""
    (tmp_path / "src").mkdir()

    def make(tables: str) -> Settings:
        (tmp_path / "pyproject.toml").write_text(PROJECT + tables)
        return read(str(tmp_path))

    return make


@pytest.fixture
def refusal(settings: Callable[[str], Settings]) -> Callable[[str], str]:
    """The text with which the given tables are refused."""

    def make(tables: str) -> str:
        with pytest.raises(ConfigError) as caught:
            settings(tables)
        return str(caught.value)

    return make
