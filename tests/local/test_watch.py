"""A watch answers with the build that belongs to the files as they are."""

from __future__ import annotations

import os
import time

import pytest
from tests.build.projects import HANDLER, WITHOUT_BYTECODE, Project

from lamella.build.model import Outcome
from lamella.errors import ClosureError, ConfigError
from lamella.local.functions import Built
from lamella.local.watch import Watch
from lamella.manifest import FunctionArtifact, LayerArtifact
from lamella.wheels.cache import Cache
from lamella.wheels.obtain import Silent


class Watched:
    """A watch on a project whose files look as if they were old, so that one look tells."""

    def __init__(self, project: Project, directory: str = "") -> None:
        project.configure(WITHOUT_BYTECODE)
        self.project = project
        self.heard: list[Outcome] = []
        self.watch = Watch(
            str(project.root / directory),
            None,
            Cache(str(project.cache)),
            Silent(),
            offline=True,
            told=self.heard.append,
        )
        self.built = self.newest(None)

    def newest(self, before: Built | None) -> Built:
        self.age()
        return self.watch.newest(before)

    def age(self) -> None:
        """The clock behind file times is coarse, and ctime can't be set: wait until it has moved on."""
        youngest = max(path.stat().st_ctime_ns for path in self.project.root.rglob("*"))
        while time.time_ns() < youngest + 60_000_000:
            os.sched_yield()

    def function(self) -> FunctionArtifact:
        return self.built.manifest.functions[0]

    def layer(self) -> LayerArtifact:
        return self.built.manifest.layers[0]


@pytest.fixture
def watched(project: Project) -> Watched:
    return Watched(project)


def test_nothing_changed(watched: Watched) -> None:
    assert [made.key for made in watched.heard[0].made] == ["layer", "api"]
    assert watched.newest(watched.built) is watched.built
    assert len(watched.heard) == 1


def test_a_change_of_a_source_changes_the_function_alone(watched: Watched) -> None:
    function, layer = watched.function(), watched.layer()
    watched.project.source("app.py", "import stem\nCHANGED = 1\n" + HANDLER)
    watched.built = watched.newest(watched.built)
    assert watched.function().sha256 != function.sha256
    assert watched.layer() == layer
    assert [made.key for made in watched.heard[-1].made if made.written] == ["api"]
    assert watched.newest(watched.built) is watched.built


def test_a_new_file_and_one_that_went(watched: Watched) -> None:
    first = watched.function().sha256
    more = watched.project.source("more/words.py", "WORDS = 1\n")
    watched.built = watched.newest(watched.built)
    assert watched.function().sha256 != first
    more.unlink()
    more.parent.rmdir()
    watched.built = watched.newest(watched.built)
    assert watched.function().sha256 == first


def test_a_change_of_the_lock_builds_the_layer(watched: Watched) -> None:
    layer = watched.layer()
    watched.project.wheels.clear()
    watched.project.wheel("stem", requires=["leaf"])
    watched.project.wheel("leaf", "2.0")
    watched.project.lock()
    watched.built = watched.newest(watched.built)
    assert watched.layer().sha256 != layer.sha256
    assert [row.version for row in watched.layer().distributions if row.name == "leaf"] == ["2.0"]


def test_a_change_of_the_configuration(watched: Watched) -> None:
    watched.project.configure(WITHOUT_BYTECODE + "memory = 256\n")
    watched.built = watched.newest(watched.built)
    assert watched.built.settings.functions[0].memory == 256


def test_what_can_not_be_built_is_said_until_it_can(watched: Watched) -> None:
    watched.project.source("app.py", "import nowhere\n" + HANDLER)
    for _ in range(2):
        with pytest.raises(ClosureError):
            watched.newest(watched.built)
    watched.project.configure("[tool.lamella]\nruntim = 1\n")
    with pytest.raises(ConfigError):
        watched.newest(watched.built)
    watched.project.configure(WITHOUT_BYTECODE)
    watched.project.source("app.py", "import stem\n\n" + HANDLER)
    assert watched.newest(watched.built) is watched.built, "as it was before"


def test_a_file_that_changed_just_now_is_looked_at_again(watched: Watched) -> None:
    # Whatever its time says: it may have changed while it was read
    watched.project.source("app.py", "import stem\nA = 1\n" + HANDLER)
    watched.built = watched.watch.newest(watched.built)
    changed = watched.function().sha256
    watched.project.source("app.py", "import stem\nA = 2\n" + HANDLER)
    watched.built = watched.watch.newest(watched.built)
    assert watched.function().sha256 != changed


def test_a_configuration_that_comes_nearer_and_one_too_many(project: Project) -> None:
    (project.root / "sub" / "src").mkdir(parents=True)
    (project.root / "sub" / "src" / "app.py").write_text(HANDLER)
    watched = Watched(project, "sub")
    own = '[functions.near]\nname = "near"\nhandler = "app.handler"\n'
    (project.root / "sub" / "lamella.toml").write_text('runtime = "python3.12"\n' + own)
    (project.root / "sub" / "requirements.txt").write_text("")
    watched.built = watched.newest(watched.built)
    assert [function.key for function in watched.built.settings.functions] == ["near"]
    (project.root / "sub" / "pyproject.toml").write_text("[tool.lamella]\n")
    with pytest.raises(ConfigError, match="two configurations"):
        watched.newest(watched.built)
