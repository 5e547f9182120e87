"""What a file is held to, whatever an index or a cache says of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from tests.build.projects import Project
from tests.wheels.index_server import IndexServer
from tests.wheels.wheelmaker import make_wheel, sha256, wheel_filename

from lamella.errors import ArchiveError, LamellaError, LockError, OfflineError

GOOD = make_wheel("bud", "1.0", {"bud.py": "evil = 0\n"})
EVIL = make_wheel("bud", "1.0", {"bud.py": "evil = 1\n"})
NAME = wheel_filename("bud", "1.0")


@pytest.fixture
def index(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[IndexServer]:
    (project.root / "pylock.toml").unlink()
    with IndexServer() as server:
        monkeypatch.setenv("UV_DEFAULT_INDEX", server.simple)
        for filename, content in project.wheels.items():
            server.add(filename, content)
        yield server


def pinned(project: Project, option: str) -> None:
    project.requirements("stem==1.0", "leaf==1.0", f"bud==1.0 --hash={option}")


def test_a_hash_of_the_index_does_not_stand_in_for_the_locks(project: Project, index: IndexServer) -> None:
    good = hashlib.sha512(GOOD).hexdigest()
    index.add(NAME, EVIL, hashes={"sha512": good, "sha256": sha256(EVIL)})
    pinned(project, f"sha512:{good}")
    with pytest.raises(ArchiveError, match="sha512"):
        project.build()
    assert not project.output.exists()


def test_a_hash_of_the_index_that_contradicts_the_locks_rules_the_file_out(
    project: Project, index: IndexServer
) -> None:
    index.add(NAME, EVIL)
    pinned(project, f"sha256:{sha256(GOOD)}")
    with pytest.raises(LockError, match="has a hash that"):
        project.build()


@pytest.mark.parametrize("offered", [{}, {"md5": "0" * 32}])
def test_an_index_that_tells_no_hash_of_the_locks_kind(
    project: Project, index: IndexServer, offered: dict[str, str]
) -> None:
    index.add(NAME, GOOD, hashes=offered)
    pinned(project, f"sha256:{sha256(GOOD)}")
    project.build()
    assert project.members("layer")["python/bud.py"] == b"evil = 0\n"


def test_a_cached_wheel_is_no_other_distribution(project: Project) -> None:
    """The lock gives `other` the hash of a wheel of `leaf` that the cache has."""
    project.build()
    filename = wheel_filename("leaf", "1.0")
    text = project.pylock() + (
        '[[packages]]\nname = "leaf-two"\nversion = "9.9"\n'
        f'wheels = [{{name = "leaf_two-9.9-py3-none-any.whl", path = "{project.wheelhouse / filename}", '
        f'hashes = {{sha256 = "{sha256(project.wheels[filename])}"}}}}]\n'
    )
    (project.root / "pylock.toml").write_text(text)
    with pytest.raises(LamellaError, match="leaf"):
        project.build()


def test_a_name_that_leaves_its_folder(project: Project, index: IndexServer) -> None:
    """`..%2F` in the address of an sdist is part of a file's name once it is decoded."""
    victim = project.cache / "v1" / "mine-1.0.tar.gz"
    victim.parent.mkdir(parents=True, exist_ok=True)
    victim.write_bytes(b"mine")
    project.configure('[tool.lamella]\nruntime = "python3.12"\nallow-build = ["mine"]\n[tool.lamella.layers.layer]\n')
    (project.root / "pylock.toml").write_text(
        'lock-version = "1.0"\ncreated-by = "tests"\n[[packages]]\nname = "mine"\nversion = "1.0"\n'
        f'sdist = {{url = "{index.url}/a/..%2F..%2Fmine-1.0.tar.gz", hashes = {{sha256 = "{"0" * 64}"}}}}\n'
    )
    with pytest.raises(LamellaError):
        project.build()
    assert victim.read_bytes() == b"mine"


def test_offline_reaches_no_repository(project: Project) -> None:
    commit = "0" * 40
    (project.root / "pylock.toml").write_text(
        project.pylock() + f'[[packages]]\nname = "kept"\nversion = "1"\nvcs = {{type = "git", '
        f'url = "file://{project.home}/nowhere.git", commit-id = "{commit}"}}\n'
    )
    with pytest.raises(OfflineError, match="`kept` would have to be fetched from its repository"):
        project.build(offline=True)
