"""What a layer or bundle takes of a lock, by every dialect."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from tests.build.projects import CONFIGURATION, HANDLER, Project
from tests.wheels.wheelmaker import make_wheel, sha256

from lamella.build.resolve import Question, Resolver, fingerprint, inputs_of, united
from lamella.config.read import read
from lamella.errors import ClosureError, CollisionError, ConfigError, LamellaError, LockError
from lamella.index.settings import IndexSettings
from lamella.target import Target
from lamella.wheels.cache import Cache
from lamella.wheels.obtain import Silent, Source


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
        f"`[tool.lamella.layers.layer] {key}` names `botto`, which the lock does not pin\n  hint: did you mean `boto`?"
    )


def test_what_is_left_out_and_not_there(tree: Project) -> None:
    tree.configure(layer('exclude = ["pytest"]'))
    with pytest.raises(ConfigError) as caught:
        tree.build()
    assert caught.value.hint == "remove `pytest` from `exclude`: nothing brings it"


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
    assert not (other / "left-behind").exists(), "what a build leaves is not left in the project"
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


# Extras


@pytest.fixture
def fast(project: Project) -> Project:
    """What `web[fast]` and `boto3` come to."""
    project.wheels.clear()
    project.wheel("web", requires=['speed; extra == "fast"', 'slowness; extra == "slow"'])
    project.wheel("speed")
    project.wheel("boto3")
    project.lock()
    project.source("app.py", HANDLER)
    return project


def as_requirements(project: Project, first: str) -> None:
    (project.root / "pylock.toml").unlink()
    project.requirements(first, *(str(project.wheelhouse / name) for name in project.wheels if "web" not in name))


@pytest.mark.parametrize("dialect", ["pylock", "requirements"])
@pytest.mark.parametrize("taken", ['exclude = ["boto3"]', 'packages = ["web"]'])
def test_a_bare_lock_keeps_what_extras_need(fast: Project, dialect: str, taken: str) -> None:
    if dialect == "requirements":
        as_requirements(fast, str(fast.wheelhouse / "web-1.0-py3-none-any.whl"))
    fast.configure(layer(taken))
    fast.build()
    assert fast.packages("layer") == ["speed", "web"]


def test_an_extra_without_what_it_needs_is_told(fast: Project) -> None:
    fast.configure(layer('exclude = ["speed"]'))
    outcome = fast.build()
    assert fast.packages("layer") == ["boto3", "web"]
    assert any("requires `speed`" in note and "the lock doesn't tell" in note for note in outcome.notes)


def test_an_extra_that_a_requirement_names(fast: Project) -> None:
    place = (fast.wheelhouse / "web-1.0-py3-none-any.whl").as_uri()
    as_requirements(fast, f"web[fast] @ {place}")
    fast.configure(layer('exclude = ["speed"]'))
    with pytest.raises(ClosureError, match="requires `speed`"):
        fast.build()
    as_pinned = f"web @ {place}"
    (fast.root / "pylock.toml").write_text("")
    as_requirements(fast, as_pinned)
    fast.build()


@pytest.fixture
def uv_fast(locked: Project) -> Project:
    locked.wheel("web", requires=['speed; extra == "fast"'])
    locked.wheel("speed")
    locked.source("app.py", HANDLER)
    return locked


def test_a_name_with_and_without_an_extra(uv_fast: Project) -> None:
    uv_fast.configure(layer('packages = ["web"]'), 'dependencies = ["web[fast]"]\n[dependency-groups]\ndev = ["web"]')
    uv_fast.build()
    assert uv_fast.packages("layer") == ["speed", "web"]


def test_a_new_extra_is_looked_at_where_the_wheels_are_the_same(uv_fast: Project) -> None:
    excluding = layer('exclude = ["speed"]')
    uv_fast.configure(excluding, 'dependencies = ["web"]')
    with pytest.raises(ConfigError, match="speed"):
        uv_fast.build()
    uv_fast.configure(excluding, 'dependencies = ["web", "speed"]')
    uv_fast.build()
    uv_fast.configure(excluding, 'dependencies = ["web[fast]", "speed"]')
    with pytest.raises(ClosureError, match="requires `speed`"):
        uv_fast.build()


def test_extras_are_those_of_the_places_that_are_asked_about(uv_fast: Project) -> None:
    """A function whose layers have `web` alone needs nothing of what another layer asks for."""
    uv_fast.configure(
        project='dependencies = ["web"]\n[dependency-groups]\ndev = ["web[fast]"]\ntest = ["web[slow]", "web"]'
    )
    resolver = resolver_of(uv_fast)
    for question in (
        Question("plain", True),
        Question("dev", False, groups=("dev",)),
        Question("test", False, groups=("test",)),
        Question("speed", False, packages=("speed",)),
    ):
        resolver.answer(question, TARGET)
    assert resolver.asked(["plain", "speed", "elsewhere"], TARGET) == ({}, {})
    assert resolver.asked(["plain", "dev", "test"], TARGET) == ({"web": frozenset({"fast", "slow"})}, {})


@pytest.mark.parametrize(
    ("taken", "packages"),
    [
        ('packages = ["leaf"]\ngroups = ["test"]', ["leaf", "testing"]),
        ('packages = ["stem"]\nextras = ["pictures"]', ["images", "leaf", "stem"]),
        (
            'packages = ["stem"]\nextras = ["pictures"]\ngroups = ["test"]\nexclude = ["leaf"]',
            ["images", "stem", "testing"],
        ),
    ],
)
def test_packages_beside_groups_and_extras(locked: Project, taken: str, packages: list[str]) -> None:
    locked.configure(layer(taken), TABLES)
    locked.source("app.py", HANDLER)
    locked.build("layer")
    assert locked.packages("layer") == packages


def test_an_override_of_a_version_is_a_note(locked: Project) -> None:
    locked.wheel("picky", requires=["leaf<1"])
    locked.source("app.py", HANDLER)
    locked.configure(project='dependencies = ["picky"]\n[tool.uv]\noverride-dependencies = ["leaf==1.0"]')
    outcome = locked.build()
    assert any("`picky` 1.0 requires `leaf<1`; layer `layer` has 1.0" in note for note in outcome.notes)


def test_two_selections_that_pin_a_name_differently(locked: Project) -> None:
    locked.wheel("leaf", "2.0", files={"leaf/new.py": ""})
    project = (
        '[project.optional-dependencies]\nold = ["leaf==1.0"]\nnew = ["leaf==2.0"]\n'
        '[tool.uv]\nconflicts = [[{ extra = "old" }, { extra = "new" }]]\n'
    )
    tables = (
        '[tool.lamella]\nruntime = "python3.12"\n[tool.lamella.layers.old]\nextras = ["old"]\n'
        '[tool.lamella.layers.new]\nextras = ["new"]\n'
    )
    locked.configure(tables, project)
    with contextlib.suppress(CollisionError):
        locked.build()
    resolver = Resolver(read(str(locked.root), output=None), open_source(locked), locked=False)
    versions = [
        resolver.answer(Question(f"layers.{extra}", False, (extra,)), Target("python3.12", "x86_64")).wheels[0].version
        for extra in ("old", "new")
    ]
    assert versions == ["1.0", "2.0"]


def test_a_bundle_beside_a_layer_with_what_it_does_not_pin(locked: Project) -> None:
    """The layer's group conflicts with the rest, so that the bundle's pins are without it."""
    tables = (
        '[tool.lamella]\nruntime = "python3.12"\n[tool.lamella.layers.layer]\nextras = ["new"]\n'
        '[tool.lamella.functions.api]\nhandler = "app.handler"\nlayers = ["layer"]\nbundle = ["testing"]\n'
    )
    project = (
        'dependencies = ["testing"]\n[project.optional-dependencies]\nnew = ["images"]\nold = ["extra-leaf"]\n'
        '[tool.uv]\nconflicts = [[{ extra = "old" }, { extra = "new" }]]\n'
    )
    locked.source("app.py", HANDLER)
    locked.configure(tables, project)
    locked.build()
    assert locked.packages("layer") == ["images"]
    assert "testing" in locked.packages("api")


def test_names_that_are_met_twice_are_asked_for_every_extra() -> None:
    nodes = [("a", frozenset({"x"})), ("b", frozenset[str]()), ("a", frozenset[str]()), ("a", frozenset({"y"}))]
    assert united(nodes) == {"a": frozenset({"x", "y"}), "b": frozenset()}


# What is remembered


def open_source(project: Project) -> Source:
    return Source(Cache(str(project.cache)), lambda: IndexSettings(no_index=True), offline=True, progress=Silent())


def resolver_of(project: Project, settings: IndexSettings | None = None) -> Resolver:
    source = Source(
        Cache(str(project.cache)), lambda: settings or IndexSettings(no_index=True), offline=True, progress=Silent()
    )
    return Resolver(read(str(project.root), output=None), source, locked=False)


WHOLE = Question("layers.layer", True)
TARGET = Target("python3.12", "x86_64")


def test_a_lock_that_changes_while_wheels_load_is_not_remembered(project: Project) -> None:
    before = (project.root / "pylock.toml").read_text()
    project.wheel("bud")

    class Editor(Silent):
        def began(self, filename: str, size: int | None) -> None:
            _ = filename, size
            project.lock()

    (project.root / "pylock.toml").write_text(before)
    project.build(progress=Editor())
    project.build()
    assert project.packages("layer") == ["bud", "leaf", "stem"]


def test_variables_are_part_of_the_question(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    (project.root / "pylock.toml").unlink()
    project.wheel("leaf", "2.0")
    project.source("app.py", HANDLER)
    project.requirements(f"{project.wheelhouse}/leaf-${{SECRET_VERSION}}-py3-none-any.whl")
    for version in ("1.0", "2.0", "1.0"):
        monkeypatch.setenv("SECRET_VERSION", version)
        resolver = resolver_of(project)
        assert [wheel.version for wheel in resolver.answer(WHOLE, TARGET).wheels] == [version]
        assert resolver.unstamped
    warm = resolver_of(project)
    warm.answer(WHOLE, TARGET)
    assert warm.unstamped
    assert not warm._readings, "the answer was remembered"


def test_no_value_of_a_variable_is_kept(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    (project.root / "pylock.toml").unlink()
    monkeypatch.setenv("TOKEN", "hunter2hunter2")
    project.requirements(f"{project.wheelhouse}/leaf-1.0-py3-none-any.whl ; python_version != '${{TOKEN}}'")
    resolver_of(project).answer(WHOLE, TARGET)
    memos = list((project.cache / "v1" / "memos" / "resolved").iterdir())
    assert memos
    assert all(b"hunter2" not in memo.read_bytes() for memo in memos)


def test_variables_of_index_options_do_not_count(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    (project.root / "pylock.toml").unlink()
    monkeypatch.setenv("TOKEN", "one")
    leaf = f"{project.wheelhouse}/leaf-1.0-py3-none-any.whl"
    project.requirements("--index-url https://user:${TOKEN}@index.example/simple", leaf)
    resolver = resolver_of(project)
    resolver.answer(WHOLE, TARGET)
    assert not resolver.unstamped


def test_index_settings_are_part_of_what_pins_alone_mean(project: Project) -> None:
    (project.root / "pylock.toml").unlink()
    project.wheels.clear()
    project.wheel("leaf", files={"leaf/one.py": ""})
    other = project.home / "other"
    other.mkdir()
    project.requirements("leaf==1.0")
    answers = []
    for folder in (project.wheelhouse, other):
        if folder is other:
            data = make_wheel("leaf", "1.0", {"leaf/two.py": ""})
            (other / "leaf-1.0-py3-none-any.whl").write_bytes(data)
        settings = IndexSettings(no_index=True, find_links=(folder.as_uri(),))
        source = Source(Cache(str(project.cache)), lambda settings=settings: settings, offline=False, progress=Silent())  # type: ignore[misc]
        with source:
            resolver = Resolver(read(str(project.root), output=None), source, locked=False)
            answers.append(resolver.answer(WHOLE, TARGET).wheels[0].sha256)
            assert resolver.unstamped
    assert answers[0] != answers[1]


def test_a_settings_digest_is_without_logins(project: Project) -> None:
    def digest(url: str) -> str:
        return resolver_of(project, IndexSettings(default_index=url)).source.settings_digest()

    assert digest("https://a:b@index.example/simple") == digest("https://c@index.example/simple")
    assert digest("https://index.example/simple") != digest("https://index.example/other")


def test_a_second_pylock_is_seen(project: Project) -> None:
    (project.root / "pylock.toml").rename(project.root / "pylock.one.toml")
    project.build()
    (project.root / "pylock.two.toml").write_text((project.root / "pylock.one.toml").read_text())
    with pytest.raises(LockError, match="more than one lock"):
        project.build()
