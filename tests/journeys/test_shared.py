"""Spectra on two machines with nothing but one bucket between them: the second has no way to the index."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from tests.build.projects import Project
from tests.journeys.test_spectra import copied, run
from tests.shared.s3 import Front, front, s3_server

__all__ = ["front", "s3_server"]  # fixtures
pytestmark = [pytest.mark.journey]


def test_spectra_is_built_once(tmp_path: Path, front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = copied(tmp_path, "spectra")
    output = folder / "dist" / "lambda"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("LAMELLA_SHARED_CACHE", "s3://built/ci")
    monkeypatch.setenv("LAMELLA_SHARED_CACHE_MODE", "write")
    done = run(folder, tmp_path / "first", "build")
    assert done.returncode == 0, done.stderr
    assert "shared cache" not in done.stderr
    before = {name: Project.digest(output / name) for name in sorted(os.listdir(output))}
    wheels = len(list((tmp_path / "first").glob("v1/wheels/*/*.whl")))
    assert wheels > 10
    shutil.rmtree(output)
    front.asked.clear()
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # a port where nobody is
        monkeypatch.setenv(name.lower(), "http://127.0.0.1:9")
    done = run(folder, tmp_path / "second", "build")
    assert done.returncode == 0, done.stderr
    assert {name: Project.digest(output / name) for name in sorted(os.listdir(output))} == before
    assert list((tmp_path / "second").glob("v1/wheels/*/*.whl")) == []
    # What is known of each wheel and of the layer, and the layer
    assert len(front.asked) == wheels + 2
    assert all(line.startswith("GET ") for line in front.lines())
