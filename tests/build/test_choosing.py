"""Pins that only name a version: the index is asked, and a refusal says what would work."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.build.projects import CONFIGURATION, HANDLER, Project
from tests.wheels.index_server import Answer, IndexServer
from tests.wheels.wheelmaker import make_wheel, sha256, wheel_filename

from lamella.errors import IncompatibleError, LockError, OfflineError, OutsideError

NATIVE = "cp312-cp312-manylinux_2_28_x86_64"


@pytest.fixture
def index(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[IndexServer]:
    """An index with the project's wheels, which a requirements file names by version."""
    (project.root / "pylock.toml").unlink()
    with IndexServer() as server:
        monkeypatch.setenv("UV_DEFAULT_INDEX", server.simple)
        for filename, content in project.wheels.items():
            server.add(filename, content)
        project.requirements("stem==1.0", "leaf==1.0")
        yield server


def add(
    index: IndexServer, name: str, version: str = "1.0", tag: str = "py3-none-any", *, yanked: str | None = None
) -> str:
    content = make_wheel(name, version, {f"{name}.py": ""}, tag=tag)
    index.add(wheel_filename(name, version, tag=tag), content, yanked=yanked)
    return sha256(content)


def test_versions_alone(project: Project, index: IndexServer) -> None:
    outcome = project.build()
    assert project.packages("layer") == ["leaf", "stem"]
    assert outcome.fetched == sum(map(len, project.wheels.values()))
    asked = len(index.seen)
    assert not project.build().written
    assert not project.build(offline=True).written
    assert len(index.seen) == asked, "what it came to is remembered"


def test_hashes_choose_among_the_files(project: Project, index: IndexServer) -> None:
    index.add(wheel_filename("bud", "1.0", tag=NATIVE), make_wheel("bud", "1.0", {"bud.py": "native"}, tag=NATIVE))
    allowed = add(index, "bud")
    project.requirements("stem==1.0", "leaf==1.0", f"bud==1.0 --hash=sha256:{allowed}")
    project.build()
    (row,) = (row for row in project.manifest()["layers"]["layer"]["distributions"] if row["name"] == "bud")
    assert (row["sha256"], row["file"]) == (allowed, "bud-1.0-py3-none-any.whl")


def test_files_that_were_exchanged(project: Project, index: IndexServer) -> None:
    add(index, "bud")
    project.requirements("stem==1.0", "leaf==1.0", f"bud==1.0 --hash=sha256:{'0' * 64}")
    with pytest.raises(
        LockError, match=r"no file of `bud==1.0` on the index has a hash that `requirements.txt:3` allows"
    ):
        project.build()


def test_a_version_that_the_index_does_not_have(project: Project, index: IndexServer) -> None:
    add(index, "bud")
    project.requirements("bud==2.0")
    with pytest.raises(OutsideError, match=r"the index has no files of `bud==2.0`"):
        project.build()


def test_an_older_version_that_would_work(project: Project, index: IndexServer) -> None:
    add(index, "bud", "3.0", tag="cp312-cp312-manylinux_2_39_x86_64")
    add(index, "bud", "2.0", tag="cp312-cp312-manylinux_2_28_x86_64")
    add(index, "bud", "1.0")
    project.requirements("bud==3.0")
    with pytest.raises(IncompatibleError) as caught:
        project.build()
    text = str(caught.value)
    assert "`bud==3.0`" in text
    assert "2.39" in text
    assert "2.0" in text


def test_who_asks_for_it(project: Project) -> None:
    project.wheel("stem", requires=["bud"])
    project.wheel("bud", tag="cp311-cp311-manylinux_2_17_x86_64")
    project.lock()
    with pytest.raises(IncompatibleError) as caught:
        project.build()
    assert "stem" in str(caught.value)


def test_a_yanked_file_is_noted(project: Project, index: IndexServer) -> None:
    add(index, "bud", yanked="broken on Tuesdays")
    project.requirements("stem==1.0", "leaf==1.0", "bud==1.0")
    outcome = project.build()
    assert any("broken on Tuesdays" in note for note in outcome.notes)
    assert project.build().notes == outcome.notes


def test_an_index_that_is_away(project: Project, index: IndexServer) -> None:
    index.always("/simple/stem/", Answer(403))
    with pytest.raises(OutsideError) as caught:
        project.build()
    assert caught.value.exit_code == 3
    assert not project.output.exists()


def test_options_of_the_requirements_file(
    project: Project, index: IndexServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    project.requirements(f"--index-url {index.simple}", "stem==1.0", "leaf==1.0")
    monkeypatch.delenv("UV_DEFAULT_INDEX")
    project.build()
    assert project.packages("layer") == ["leaf", "stem"]


def test_offline_another_runtime_is_not_in_the_cache(project: Project, index: IndexServer) -> None:
    """What is there for one runtime says nothing of what the index has for another."""
    hashes = [add(index, "bud", tag=f"{tag}-{tag}-manylinux2014_x86_64") for tag in ("cp311", "cp312")]
    project.requirements(f"bud==1.0 --hash=sha256:{hashes[0]} --hash=sha256:{hashes[1]}")
    project.source("app.py", HANDLER)
    project.build()
    project.configure(CONFIGURATION.replace("3.12", "3.11"))
    with pytest.raises(OfflineError):
        project.build(offline=True)
    project.build()
