"""Things that happen while a build runs."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
from tests.build.projects import HANDLER, Project

from lamella.build import artifacts, run
from lamella.errors import LamellaError


class Editing:
    """Stands before `artifacts.own_entries` and edits a source just before it is packed."""

    def __init__(self, file: Path, texts: list[str]) -> None:
        self.file = file
        self.texts = texts
        self.real = artifacts.own_entries

    def __call__(self, *arguments: object) -> object:
        if self.texts:
            self.file.write_text(self.texts.pop(0))
        return self.real(*arguments)  # type: ignore[arg-type]


def test_a_source_edited_between_planning_and_packing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    file = project.source("app.py", "V = 1\n" + HANDLER)
    monkeypatch.setattr(artifacts, "own_entries", Editing(file, ["V = 2\n" + HANDLER]))
    project.build()
    assert project.members("api")["app.py"].startswith(b"V = 2\n")
    file.write_text("V = 1\n" + HANDLER)
    project.build()
    assert project.members("api")["app.py"].startswith(b"V = 1\n")


def test_a_source_that_never_rests(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    file = project.source("app.py", "V = 0\n" + HANDLER)
    texts = [f"V = {number}\n" + HANDLER for number in range(1, 20)]
    monkeypatch.setattr(artifacts, "own_entries", Editing(file, texts))
    with pytest.raises(LamellaError, match="keep changing"):
        project.build()
    assert not [name for name in project.listing() if name.endswith(".zip")]


def test_the_output_is_one_builds_at_a_time(project: Project) -> None:
    project.build()
    descriptor = os.open(project.output, os.O_RDONLY)
    try:
        with run._staging(str(project.output)), pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(descriptor)
