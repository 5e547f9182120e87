from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from tests.build.projects import CONFIGURATION, Project, cached_wheels
from tests.wheels.index_server import IndexServer

from lamella.build.standin import UNPINNED, StandIns
from lamella.config.read import read
from lamella.interpreter import Interpreter
from lamella.sandbox.model import StandIn
from lamella.target import Target
from lamella.wheels.cache import Cache
from lamella.wheels.obtain import Silent

RUNTIME = "python{}.{}".format(*sys.version_info[:2])
HERE = Interpreter(sys.executable, "{}.{}.{}".format(*sys.version_info[:3]))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.wheel("boto3", "1.44.5", requires=["botocore>=1.44", "jmespath"])
    made.wheel("botocore", "1.44.6", requires=["jmespath", "awscrt; extra == 'crt'"])
    made.wheel("jmespath")
    made.wheel("numpy")
    made.source("app.py")
    made.configure(CONFIGURATION.replace("python3.12", RUNTIME))
    made.lock()
    return made


def asked(project: Project, *held: str, offline: bool = False) -> StandIn:
    settings = read(str(project.root), output=None)
    cache = str(project.cache)
    standins = StandIns(settings, Cache(cache), cache, Silent(), offline=offline)
    made = standins.of(Target(RUNTIME, "x86_64"), HERE, frozenset(held))
    assert standins.of(Target(RUNTIME, "x86_64"), HERE, frozenset(held)) is made
    return made


def test_what_is_locked_of_the_runtimes_own_and_nothing_else(project: Project) -> None:
    made = asked(project)
    assert made.folder is not None
    folder = Path(made.folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "boto3", "boto3-1.44.5.dist-info", "botocore", "botocore-1.44.6.dist-info", "jmespath",
        "jmespath-1.0.dist-info",
    ]  # fmt: skip
    assert [(row.name, row.version, row.modules) for row in made.distributions] == [
        ("boto3", "1.44.5", ("boto3",)),
        ("botocore", "1.44.6", ("botocore",)),
        ("jmespath", "1.0", ("jmespath",)),
    ]
    assert list(folder.glob("boto3/__pycache__/*.pyc")), "as Lambda has them"
    assert (folder / "boto3" / "__init__.py").stat().st_mode & 0o777 == 0o444
    assert made.words == "boto3 1.44.5 of the lock stands in for the runtime's"
    assert made.why == UNPINNED, "of the others that the runtime brings"
    assert asked(project).folder == made.folder


def test_what_the_artifacts_have_is_left_out(project: Project) -> None:
    made = asked(project, "boto3", "numpy")
    assert [row.name for row in made.distributions] == ["botocore", "jmespath"]
    assert made.words == "botocore 1.44.6 of the lock stands in for the runtime's"
    assert asked(project, "boto3", "botocore", "jmespath") == StandIn(why=UNPINNED)


def test_several_stand_in_for_themselves(project: Project) -> None:
    project.wheel("six", "1.17")
    project.lock()
    assert asked(project).words == "boto3 1.44.5 and six 1.17 of the lock stand in for the runtime's"


def test_nothing_is_locked(project: Project) -> None:
    project.wheels = {name: content for name, content in project.wheels.items() if name.startswith("numpy")}
    project.lock()
    assert asked(project) == StandIn(why=UNPINNED)


def test_no_lock_and_none_is_made(project: Project) -> None:
    (project.root / "pylock.toml").unlink()
    made = asked(project)
    assert made.folder is None
    assert made.why
    assert not (project.root / "uv.lock").exists()


def test_from_the_cache_alone(project: Project, index: IndexServer) -> None:
    for filename, content in project.wheels.items():
        index.add(filename, content)
    project.lock(url=f"{index.url}/files")
    before = asked(project, offline=True)
    assert before.folder is None
    assert "`--offline` was given" in before.why
    made = asked(project)
    assert made.folder is not None
    assert len(cached_wheels(project.cache)) == 3
    assert asked(project, offline=True) == made


def test_a_cached_wheel_that_is_damaged_goes(project: Project) -> None:
    made = asked(project)
    assert made.folder is not None
    for kind in ("unpacked", "derived"):
        for path in (project.cache / "v1" / kind).rglob("*"):
            if path.is_dir():
                path.chmod(0o755)
        shutil.rmtree(project.cache / "v1" / kind)
    shutil.rmtree(project.cache / "v1" / "memos" / "entries")
    for path in cached_wheels(project.cache):
        path.write_bytes(b"\0" * path.stat().st_size)
    assert "is damaged" in asked(project).why
    for _ in range(3):  # one after the other is found, and then fetched anew
        again = asked(project)
    assert again.folder == made.folder
