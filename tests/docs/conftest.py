from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from docs.pages import ROOT, write
from tests.tools import python_tools


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all pages, those of commands included."""
    folder = tmp_path_factory.mktemp("pages")
    write(folder)
    return folder / "docs"


@pytest.fixture(scope="session")
def site(pages: Path) -> Path:
    """The site, built strictly: by mkdocs-material of requirements/docs.txt."""
    out = pages.parent / "site"
    done = subprocess.run(
        [os.path.join(python_tools("docs"), "mkdocs"), "build", "--strict", "--quiet", "--site-dir", str(out)],
        cwd=ROOT,
        env={**os.environ, "LAMELLA_PAGES": str(pages), "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out
