"""What a layer or bundle takes of a lock, by every dialect."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from tests.build.projects import CONFIGURATION, HANDLER, Project
from tests.wheels.wheelmaker import sha256

from lamella.build.resolve import fingerprint, inputs_of
from lamella.errors import ConfigError, LamellaError, LockError


def layer(tables: str) -> str:
    return CONFIGURATION.replace("[tool.lamella.layers.layer]", f"[tool.lamella.layers.layer]\n{tables}")


@pytest.fixture
def tree(project: Project) -> Project:
    """app → web, boto; web → shared; boto → core, shared; core → deep; and `loose`, which nobody asks for."""
    project.wheels.clear()
    project.wheel("web", requires=["shared"])
    project.wheel("boto", requires=["core", "shared"])
    project.wheel("core", requires=["deep"])
    for name in ("shared", "deep", "loose"):
        project.wheel(name)
    project.lock()
    project.source("app.py", HANDLER)
    return project


def test_a_bare_lock_is_taken_whole(tree: Project) -> None:
    tree.build()
    assert tree.packages("layer") == ["boto", "core", "deep", "loose", "shared", "web"]


def test_exclude_takes_along_what_only_it_needs(tree: Project) -> None:
    tree.configure(layer('exclude = ["Boto"]'))
    tree.build()
    assert tree.packages("layer") == ["loose", "shared", "web"]


def test_exclude_of_what_others_need_too(tree: Project) -> None:
    tree.configure(layer('exclude = ["shared"]'))
    tree.build("layer")
    assert tree.packages("layer") == ["boto", "core", "deep", "loose", "web"]


def test_packages_with_what_they_need(tree: Project) -> None:
    tree.configure(layer('packages = ["core", "web"]'))
    tree.build()
    assert tree.packages("layer") == ["core", "deep", "shared", "web"]


def test_packages_and_exclude(tree: Project) -> None:
    tree.configure(layer('packages = ["boto"]\nexclude = ["core"]'))
    tree.build("layer")
    assert tree.packages("layer") == ["boto", "shared"]


def test_only_what_is_taken_is_read(tree: Project) -> None:
    tree.configure(layer('packages = ["web"]'))
    for name in ("boto", "core", "deep", "loose"):
        (tree.wheelhouse / f"{name}-1.0-py3-none-any.whl").unlink()
    tree.build()
    assert tree.packages("layer") == ["shared", "web"]


@pytest.mark.parametrize("key", ["packages", "exclude"])
def test_a_name_that_is_not_pinned(tree: Project, key: str) -> None:
    tree.configure(layer(f'{key} = ["botto"]'))
    with pytest.raises(ConfigError) as caught:
        tree.build()
    assert str(caught.value) == (
        f"`{key}` of `layers.layer` names `botto`, which the lock does not pin\n  hint: did you mean `boto`?"
    )


def test_a_requirements_file_by_path_with_hashes(project: Project) -> None:
    (project.root / "pylock.toml").unlink()
    lines = [f"{project.wheelhouse / name} --hash=sha256:{sha256(data)}" for name, data in project.wheels.items()]
    project.requirements(*lines)
    project.build()
    assert project.packages("layer") == ["leaf", "stem"]


def test_a_local_wheel_without_a_hash_that_is_made_anew(project: Project) -> None:
    """The requirements file is as it was; the wheel that it names is another."""
    (project.root / "pylock.toml").unlink()
    project.requirements(
        f"stem @ {(project.wheelhouse / 'stem-1.0-py3-none-any.whl').as_uri()}", "./leaf-1.0-py3-none-any.whl"
    )
    (project.wheelhouse / "leaf-1.0-py3-none-any.whl").rename(project.root / "leaf-1.0-py3-none-any.whl")
    project.build()
    assert not project.build().written
    project.wheel("leaf", files={"leaf/__init__.py": "new = True\n"}).rename(project.root / "leaf-1.0-py3-none-any.whl")
    assert [made.written for made in project.build().made] == [True, False]
    assert project.members("layer")["python/leaf/__init__.py"] == b"new = True\n"


def test_a_lock_that_comes_first_is_seen(project: Project) -> None:
    """requirements.txt is read until there is a pylock.toml."""
    (project.root / "pylock.toml").unlink()
    project.requirements(*(str(project.wheelhouse / name) for name in project.wheels))
    project.build()
    assert project.packages("layer") == ["leaf", "stem"]
    project.wheel("bud")
    project.lock()
    project.build()
    assert project.packages("layer") == ["bud", "leaf", "stem"]


def test_a_changed_lock_is_read_again(project: Project) -> None:
    project.build()
    project.wheel("bud")
    project.lock()
    assert project.build().made[0].changes == ("+ bud 1.0",)


def test_fingerprints(tmp_path: Path) -> None:
    assert fingerprint(str(tmp_path / "none")) == "absent"
    (tmp_path / "file").write_text("1")
    one = fingerprint(str(tmp_path / "file"))
    (tmp_path / "file").write_text("2")
    assert fingerprint(str(tmp_path / "file")) != one
    folder = fingerprint(str(tmp_path))
    (tmp_path / "more").write_text("")
    assert fingerprint(str(tmp_path)) != folder


# uv.lock, made by uv from the wheels in the wheelhouse, without an index


@pytest.fixture
def locked(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    (project.root / "pylock.toml").unlink()
    monkeypatch.setenv("UV_FIND_LINKS", str(project.wheelhouse))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_PYTHON", sys.executable)
    project.wheel("images")
    project.wheel("testing")
    project.wheel("extra-leaf")
    project.wheel("rich-stem", requires=['extra-leaf; extra == "more"', "leaf"])
    return project


TABLES = """
dependencies = ["stem"]
[project.optional-dependencies]
pictures = ["images"]
[dependency-groups]
test = ["testing"]
"""


def test_a_project_without_a_lock_is_locked_first(locked: Project) -> None:
    locked.configure(project='dependencies = ["stem"]')
    outcome = locked.build()
    assert any("locked `pyproject.toml` with uv first" in note for note in outcome.notes)
    assert (locked.root / "uv.lock").exists()
    assert locked.packages("layer") == ["leaf", "stem"]
    assert not locked.build(locked=True).written


def test_locked_and_out_of_date(locked: Project) -> None:
    locked.configure(project='dependencies = ["stem"]')
    locked.build()
    before = (locked.root / "uv.lock").read_bytes()
    locked.configure(project='dependencies = ["stem", "images"]')
    with pytest.raises(LockError):
        locked.build(locked=True)
    assert (locked.root / "uv.lock").read_bytes() == before
    outcome = locked.build()
    assert any("out of date" in note for note in outcome.notes)
    assert locked.packages("layer") == ["images", "leaf", "stem"]


@pytest.mark.parametrize(
    ("taken", "packages"),
    [
        ("", ["leaf", "stem"]),
        ('extras = ["pictures"]', ["images"]),
        ('groups = ["test"]', ["testing"]),
        ('groups = ["test"]\nextras = ["pictures"]', ["images", "testing"]),
        ('packages = ["testing", "leaf"]', ["leaf", "testing"]),
    ],
)
def test_what_a_layer_takes(locked: Project, taken: str, packages: list[str]) -> None:
    locked.source("app.py", HANDLER)
    locked.configure(layer(taken), TABLES)
    locked.build()
    assert locked.packages("layer") == packages


def test_extras_of_a_dependency_come_along(locked: Project) -> None:
    locked.source("app.py", HANDLER)
    locked.configure(project='dependencies = ["rich-stem[more]"]')
    locked.build()
    assert locked.packages("layer") == ["extra_leaf", "leaf", "rich_stem"]
    locked.configure(layer('packages = ["rich-stem"]'), 'dependencies = ["rich-stem[more]"]')
    locked.build()
    assert locked.packages("layer") == ["extra_leaf", "leaf", "rich_stem"]


def test_an_unknown_group(locked: Project) -> None:
    locked.configure(layer('groups = ["tests"]'), TABLES)
    with pytest.raises(ConfigError, match="tests"):
        locked.build()


# Distributions that are built here


def test_a_path_dependency_is_built_and_built_again_when_it_changes(locked: Project) -> None:
    other = locked.sources_of(
        locked.root / "other", "other", {"other/__init__.py": "n = 1\n"}, requires="Requires-Dist: leaf\n"
    )
    (other / "pyproject.toml").write_text(
        (other / "pyproject.toml").read_text().replace("requires-python", 'dependencies = ["leaf"]\nrequires-python')
    )
    locked.source("app.py", "import other\n\n" + HANDLER)
    locked.configure(project='dependencies = ["other"]\n[tool.uv.sources]\nother = { path = "other" }')
    locked.build()
    assert locked.packages("layer") == ["leaf", "other"]
    assert (other / "builds").read_text().count("built") == 1
    before = locked.digests()
    # The log of builds lies inside of the tree: it is put aside, so that the tree is as it was
    (other / "builds").unlink()
    assert not locked.build().written
    assert not (other / "builds").exists(), "not built again"
    os.utime(other / "src" / "other" / "__init__.py", (1, 1))
    assert not locked.build().written
    assert not (other / "builds").exists(), "a new time is no new content"
    (other / "src" / "other" / "__init__.py").write_text("n = 2\n")
    assert [made.written for made in locked.build().made] == [True, False]
    assert locked.members("layer")["python/other/__init__.py"] == b"n = 2\n"
    (other / "builds").unlink()
    (other / "src" / "other" / "__init__.py").write_text("n = 1\n")
    locked.build()
    assert locked.digests() == before
    assert not (other / "builds").exists(), "what was built before is still known"


def test_a_workspace_member_and_an_editable(locked: Project) -> None:
    member = locked.sources_of(locked.root / "packages" / "member", "member", {"member.py": "n = 1\n"})
    near = locked.sources_of(locked.root / "near", "near", {"near.py": "n = 1\n"})
    locked.source("app.py", "import member, near\n\n" + HANDLER)
    locked.configure(
        project='dependencies = ["member", "near"]\n[tool.uv.workspace]\nmembers = ["packages/*"]\n'
        '[tool.uv.sources]\nmember = { workspace = true }\nnear = { path = "near", editable = true }'
    )
    locked.build()
    members = locked.members("layer")
    assert members["python/member.py"] == members["python/near.py"] == b"n = 1\n", "code itself, no link to it"
    assert {row["version"] for row in locked.manifest()["layers"]["layer"]["distributions"]} == {"0.1"}
    (near / "src" / "near.py").write_text("n = 2\n")
    locked.build()
    assert locked.members("layer")["python/near.py"] == b"n = 2\n"
    assert (member / "builds").read_text().count("built") >= 1


def test_a_git_dependency(locked: Project) -> None:
    repository = locked.sources_of(locked.home / "repository", "gitted", {"gitted.py": "n = 1\n"})
    who = ["-c", "user.name=A", "-c", "user.email=a@index.example", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "one"]):
        subprocess.run(["git", *arguments], cwd=repository, check=True, capture_output=True)
    head = ["git", "rev-parse", "HEAD"]
    commit = subprocess.run(head, cwd=repository, check=True, capture_output=True, text=True).stdout.strip()
    locked.requirements(f"gitted @ git+{repository.as_uri()}@{commit}")
    locked.source("app.py", "import gitted\n\n" + HANDLER)
    locked.configure()
    (locked.root / "requirements.txt").rename(locked.root / "lock.txt")
    locked.configure(CONFIGURATION.replace("runtime =", 'lock = "lock.txt"\nruntime ='))
    locked.build()
    assert locked.members("layer")["python/gitted.py"] == b"n = 1\n"
    before = locked.digests()
    # Later commits, and even the loss of the repository, change nothing
    (repository / "src" / "gitted.py").write_text("n = 2\n")
    repository.rename(repository.with_name("moved"))
    assert not locked.build(offline=True).written
    assert locked.digests() == before


def sdist(project: Project, folder: Path, name: str, tag: str = "py3-none-any") -> Path:
    tree = project.sources_of(folder / f"{name}-0.1", name, {f"{name}.py": "n = 1\n"}, tag=tag)
    (tree / "PKG-INFO").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n")
    path = folder / f"{name}-0.1.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(tree, f"{name}-0.1")
    return path


def with_sdist(project: Project, path: Path, parent: bool = True) -> None:
    """A pylock.toml in which `stem` asks for what there is an sdist of alone."""
    project.wheels.clear()
    if parent:
        project.wheel("stem", requires=[path.name.split("-")[0]])
    name = path.name.split("-")[0]
    text = project.pylock() + (
        f'[[packages]]\nname = "{name}"\nversion = "0.1"\n'
        f'sdist = {{name = "{path.name}", path = "{path}", hashes = {{sha256 = "{sha256(path.read_bytes())}"}}}}\n'
    )
    (project.root / "pylock.toml").write_text(text)


def test_an_sdist_alone_is_refused_with_its_parent(project: Project) -> None:
    with_sdist(project, sdist(project, project.home, "sourced"))
    with pytest.raises(LamellaError) as caught:
        project.build()
    text = str(caught.value)
    assert "`sourced==0.1`" in text
    assert "stem" in text
    assert "allow-build" in text


ALLOWED = CONFIGURATION.replace("runtime =", 'allow-build = ["sourced"]\nruntime =')


def test_an_sdist_that_may_be_built(project: Project) -> None:
    path = sdist(project, project.home, "sourced")
    with_sdist(project, path)
    project.configure(ALLOWED)
    project.build()
    assert project.members("layer")["python/sourced.py"] == b"n = 1\n"
    before = project.digests()
    path.unlink()
    assert not project.build(offline=True).written
    assert project.digests() == before


def test_an_sdist_with_another_hash(project: Project) -> None:
    path = sdist(project, project.home, "sourced")
    with_sdist(project, path)
    project.configure(ALLOWED)
    path.write_bytes(path.read_bytes() + b"\0" * 512)
    with pytest.raises(LamellaError, match="not what the lock pins"):
        project.build()


def test_a_native_sdist_is_refused(project: Project) -> None:
    with_sdist(project, sdist(project, project.home, "sourced", tag="cp312-cp312-linux_x86_64"))
    project.configure(ALLOWED)
    with pytest.raises(LamellaError) as caught:
        project.build()
    assert "native" in str(caught.value)
    assert not project.output.exists()


def test_an_sdist_that_can_not_be_built_tells_the_builders_words(project: Project) -> None:
    folder = project.sources_of(project.home / "sourced-0.1", "sourced", {"sourced.py": ""})
    (folder / "backend.py").write_text("raise SystemExit('no compiler today')\n")
    path = project.home / "sourced-0.1.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, "sourced-0.1")
    with_sdist(project, path)
    project.configure(ALLOWED)
    with pytest.raises(LamellaError, match="no compiler today"):
        project.build()
    assert os.listdir(project.cache / "v1" / "partial") == [], "nothing half is left"


def test_a_requirements_sdist_without_a_hash_that_is_made_anew(project: Project) -> None:
    (project.root / "pylock.toml").unlink()
    path = sdist(project, project.home, "sourced")
    project.requirements(f"sourced @ {path.as_uri()}")
    project.source("app.py", "import sourced\n\n" + HANDLER)
    project.configure(ALLOWED)
    project.build()
    (project.home / "sourced-0.1" / "src" / "sourced.py").write_text("n = 2\n")
    with tarfile.open(path, "w:gz") as archive:
        archive.add(project.home / "sourced-0.1", "sourced-0.1")
    project.build()
    assert project.members("layer")["python/sourced.py"] == b"n = 2\n"


def test_the_files_that_an_answer_depends_on(project: Project) -> None:
    from lamella.lock import discover, reading
    from lamella.lock.model import Selection

    (project.root / "pylock.toml").unlink()
    wheel = project.wheelhouse / "leaf-1.0-py3-none-any.whl"
    project.requirements(f"{wheel}")
    found = discover.find(str(project.root), None)
    pins = reading.read(found, Selection(), root=str(project.root), locked=False, offline=True)
    inputs = inputs_of(pins, str(project.root))
    names = ("pyproject.toml", "uv.lock", "pylock.toml", "requirements.txt")
    assert inputs >= {str(wheel), *(str(project.root / name) for name in names)}
