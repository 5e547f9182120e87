from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lamella.cachedir import cache_dir


def test_the_variable_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cache_dir({"LAMELLA_CACHE_DIR": "/somewhere/else"}) == "/somewhere/else"
    assert cache_dir({"LAMELLA_CACHE_DIR": "here"}) == os.path.join(os.getcwd(), "here")


@pytest.mark.parametrize("environ", [{}, {"LAMELLA_CACHE_DIR": ""}])
def test_the_platforms_folder(environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "linux":
        pytest.skip("the path is that of Linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_dir(environ) == str(tmp_path / "lamella")


def test_it_costs_no_import() -> None:
    asked = "import lamella.cachedir, sys; print('platformdirs' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout == "False\n"
