"""`lamella build` gives the same bytes everywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.build.projects import Project


def built_with(app: Project, into: Path, *command: str, **environment: str) -> dict[str, str]:
    done = subprocess.run(
        [*command, "-m", "lamella", "build", "--output", str(into)], cwd=app.root,
        env={**app.environment, "LAMELLA_CACHE_DIR": f"{into}-cache", **environment},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {path.name: app.digest(path) for path in sorted(into.iterdir())}


@pytest.fixture
def varied(app: Project) -> Project:
    app.wheel(
        "tool",
        files={"tool.py": "x = 1\n" * 500, "tool-1.0.data/scripts/run": "#!python\nprint(1)\n", "größe.txt": "ü"},
        entry_points={"console_scripts": ["one = tool:x", "two = tool:y"]},
    )
    app.lock()
    app.source("deep/er/code.py", "y = 2\n" * 200)
    app.source("run.sh", "#!/bin/sh\n").chmod(0o755)
    return app


def test_the_same_bytes_everywhere(varied: Project, tmp_path: Path) -> None:
    wanted = built_with(varied, tmp_path / "one", sys.executable)
    shell = ["sh", "-c", 'umask 077; exec "$@"', "sh", sys.executable]
    assert built_with(varied, tmp_path / "umask", *shell) == wanted
    assert (
        built_with(varied, tmp_path / "zone", sys.executable, TZ="Asia/Kolkata", LC_ALL="C", LANG="tr_TR.UTF-8")
        == wanted
    )
    for seed in ("0", "1", "4242"):
        assert built_with(varied, tmp_path / f"seed{seed}", sys.executable, PYTHONHASHSEED=seed) == wanted
    assert built_with(varied, tmp_path / "fast", sys.executable, "-O", PYTHONUTF8="0") == wanted


def test_the_same_bytes_from_another_place(varied: Project, tmp_path: Path) -> None:
    wanted = built_with(varied, tmp_path / "one", sys.executable)
    moved = varied.root.with_name("elsewhere")
    varied.root.rename(moved)
    varied.root = moved
    # Copied by another system: other times, another order of the folders
    for path in sorted(moved.rglob("*"), reverse=True):
        os.utime(path, (10**9, 10**9))
    assert built_with(varied, tmp_path / "two", sys.executable) == wanted
