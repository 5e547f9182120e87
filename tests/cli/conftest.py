from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.build.projects import Project, with_one_function
from tests.cli.processes import Slow


@pytest.fixture
def app(tmp_path: Path) -> Project:
    """A project with one function, whose layer holds `stem` and `leaf`, which it needs; locked by path."""
    return with_one_function(tmp_path)


@pytest.fixture
def slow(app: Project) -> Iterator[Slow]:
    server = Slow()
    with server:
        for number in range(3):
            app.wheel(f"big{number}", files={f"big{number}.bin": os.urandom(300_000)})
        for filename, content in app.wheels.items():
            server.add(filename, content)
        app.lock(url=f"{server.url}/files")
        yield server
        server.go.set()
