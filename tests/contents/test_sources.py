"""`collect`: which files of the project a function's zip takes, and under which path."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from lamella.contents.model import SourceFile
from lamella.contents.sources import collect, left_out
from lamella.errors import CollisionError, ConfigError

Project = Callable[[Mapping[str, str]], str]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    def write(files: Mapping[str, str]) -> str:
        for path, text in files.items():
            target = tmp_path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        return str(tmp_path)

    return write


def paths(root: str, source: Sequence[str], include: Sequence[str] = (), exclude: Sequence[str] = ()) -> list[str]:
    return [file.path for file in collect(root, source, include, exclude).files]


def test_a_directory_lands_at_the_root_in_order(project: Project) -> None:
    root = project({"src/b/__init__.py": "", "src/b/z.py": "", "src/B.py": "", "src/a.json": "{}", "other/x.py": ""})
    sources = collect(root, ["src"])
    assert sources.files == (
        SourceFile("B.py", f"{root}/src/B.py", False, "src/B.py"),
        SourceFile("a.json", f"{root}/src/a.json", False, "src/a.json"),
        SourceFile("b/__init__.py", f"{root}/src/b/__init__.py", False, "src/b/__init__.py"),
        SourceFile("b/z.py", f"{root}/src/b/z.py", False, "src/b/z.py"),
    )
    assert sources.directories == (f"{root}/src", f"{root}/src/b")


def test_a_single_file_lands_by_its_name_and_roots_are_joined(project: Project) -> None:
    root = project({"src/a/x.py": "", "deep/down/app.py": "", "lib/a/y.py": ""})
    assert paths(root, ["src/", "./deep/down/app.py", "lib"]) == ["a/x.py", "a/y.py", "app.py"]


def test_only_the_owners_execute_bit_counts(project: Project) -> None:
    root = project({"src/run.sh": "", "src/group.sh": "", "src/a.py": ""})
    os.chmod(f"{root}/src/run.sh", 0o700)
    os.chmod(f"{root}/src/group.sh", 0o670)
    assert [(file.path, file.executable) for file in collect(root, ["src"]).files] == [
        ("a.py", False),
        ("group.sh", False),
        ("run.sh", True),
    ]


def test_what_tools_leave_behind_never_enters(project: Project) -> None:
    left_out = [
        "__pycache__/app.cpython-312.pyc",
        "old.pyc",
        ".git/config",
        ".DS_Store",
        "pkg/.DS_Store",
        "demo.egg-info/PKG-INFO",
        ".mypy_cache/x",
        ".ruff_cache/x",
        ".pytest_cache/x",
        ".venv/x",
        "env/pyvenv.cfg",
        "env/lib/x.py",
    ]
    root = project({f"src/{path}": "" for path in [*left_out, "app.py", ".hidden", "egg-info/x"]})
    assert paths(root, ["src"]) == [".hidden", "app.py", "egg-info/x"]
    assert paths(root, ["src"], exclude=["!__pycache__", "!*.pyc"]) == [".hidden", "app.py", "egg-info/x"]


def test_the_builds_own_output_never_enters(project: Project) -> None:
    root = project({"app.py": "", "dist/lambda/api.zip": "", "dist/note.txt": ""})
    found = collect(root, ["."], output=f"{root}/dist/lambda")
    assert [file.path for file in found.files] == ["app.py", "dist/note.txt"]


FILES = ["app.py", "data/a.json", "data/b.txt", "data/deep/c.json", "tests/test_app.py", "pkg/tests/test_x.py"]
FILES += ["pkg/x.py"]


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        ([], ["tests/"], ["app.py", "data/a.json", "data/b.txt", "data/deep/c.json", "pkg/x.py"]),
        ([], ["/tests/", "data"], ["app.py", "pkg/tests/test_x.py", "pkg/x.py"]),
        (["*.py"], ["tests"], ["app.py", "pkg/x.py"]),
        (["data/**/*.json"], [], ["data/a.json", "data/deep/c.json"]),
        (["/data/*.json"], [], ["data/a.json"]),
        (["pkg/"], [], ["pkg/tests/test_x.py", "pkg/x.py"]),
        ([], ["*.py", "!/app.py", "data/"], ["app.py"]),
        ([], ["tests/", "!pkg/tests/test_x.py", "data/", "/app.py"], ["pkg/tests/test_x.py", "pkg/x.py"]),
        (["*.py", "!test_*"], [], ["app.py", "pkg/x.py"]),
        (["# a comment", "", "app.py"], [], ["app.py"]),
    ],
)
def test_patterns(project: Project, include: list[str], exclude: list[str], expected: list[str]) -> None:
    root = project({f"src/{path}": "" for path in FILES})
    assert paths(root, ["src"], include, exclude) == expected


def test_what_is_excluded_whole_is_not_even_listed(project: Project) -> None:
    root = project({"src/app.py": "", "src/node_modules/a/b.js": ""})
    found = collect(root, ["src"], [], ["node_modules/"])
    assert found.directories == (f"{root}/src",)
    os.symlink("/nowhere", f"{root}/src/broken")
    assert paths(root, ["src"], [], ["node_modules", "broken"]) == ["app.py"]


@pytest.mark.parametrize(("include", "exclude"), [(["!"], []), ([], ["ok", "!"])])
def test_a_pattern_that_cannot_be_read(project: Project, include: list[str], exclude: list[str]) -> None:
    root = project({"src/app.py": ""})
    with pytest.raises(ConfigError, match="include" if include else "exclude") as caught:
        collect(root, ["src"], include, exclude)
    assert caught.value.hint == "patterns are written as in .gitignore"


def test_links_inside_the_project_are_followed(project: Project) -> None:
    root = project({"src/app.py": "", "shared/util.py": "", "VERSION": "1"})
    os.symlink("../shared", f"{root}/src/shared")
    os.symlink(f"{root}/VERSION", f"{root}/src/VERSION")
    found = collect(root, ["src"])
    assert [file.path for file in found.files] == ["VERSION", "app.py", "shared/util.py"]
    assert f"{root}/src/shared" in found.directories


def test_a_project_that_is_itself_behind_a_link(project: Project, tmp_path: Path) -> None:
    root = project({"real/src/app.py": "", "real/lib/x.py": ""})
    os.symlink("real", f"{root}/link")
    os.symlink("../lib", f"{root}/real/src/lib")
    assert paths(str(tmp_path / "link"), ["src"]) == ["app.py", "lib/x.py"]


@pytest.mark.parametrize(
    ("link", "target", "message"),
    [
        ("src/out", "../../outside", "leads out of the project"),
        ("src/etc", "/", "leads out of the project"),
        ("src/gone", "nothing", "points at nothing"),
        ("src/self", "self", "points at nothing"),
        ("src/loop", ".", "leads back to a directory that holds it"),
        ("src/pkg/up", "..", "leads back to a directory that holds it"),
    ],
)
def test_links_that_are_refused(project: Project, link: str, target: str, message: str) -> None:
    root = project({"inside/src/pkg/app.py": "", "outside": ""})
    os.symlink(target, f"{root}/inside/{link}")
    with pytest.raises(ConfigError, match=message) as caught:
        collect(f"{root}/inside", ["src"])
    assert f"`{link}`" in caught.value.what


def test_a_neighbour_with_the_same_prefix_is_outside(project: Project) -> None:
    root = project({"app/src/a.py": "", "app-secret/key": ""})
    os.symlink("../../app-secret/key", f"{root}/app/src/key")
    with pytest.raises(ConfigError, match="leads out of the project"):
        collect(f"{root}/app", ["src"])


def test_equal_bytes_under_one_path_are_one_file(project: Project) -> None:
    root = project({"one/a/__init__.py": "", "two/a/__init__.py": "", "two/a/b.py": ""})
    files = collect(root, ["one", "two"]).files
    assert [file.shown for file in files] == ["one/a/__init__.py", "two/a/b.py"]
    assert paths(root, ["one", "one"]) == ["a/__init__.py"]


def test_different_bytes_under_one_path_are_refused(project: Project) -> None:
    root = project({"one/app.py": "1", "two/app.py": "2"})
    with pytest.raises(CollisionError, match=r"`app\.py`") as caught:
        collect(root, ["one", "two"])
    assert caught.value.why == ("`one/app.py`", "`two/app.py`")


def test_a_file_that_is_also_a_directory_is_refused(project: Project) -> None:
    root = project({"one/data": "", "two/data/deep/x": ""})
    with pytest.raises(CollisionError, match="`data` would be a file and a directory"):
        collect(root, ["one", "two"])


@pytest.mark.parametrize("name", [b"bad\xff.txt", b"new\nline", b"tab\t", b"del\x7f", b"back\\slash", b"c1\xc2\x85"])
def test_names_that_no_zip_can_hold(project: Project, name: bytes) -> None:
    root = project({"src/app.py": ""})
    try:
        with open(os.path.join(os.fsencode(root), b"src", name), "wb"):
            pass
    except OSError:
        pytest.skip("this file system can't hold the name either")
    with pytest.raises(ConfigError, match="can't be in a zip") as caught:
        collect(root, ["src"])
    str(caught.value).encode()  # can be printed


def test_names_outside_ascii_are_fine(project: Project) -> None:
    root = project({"src/größe.txt": "", "src/名.py": "", "src/a b.txt": "", "src/👩\u200d🔬.txt": ""})
    assert set(paths(root, ["src"])) == {"größe.txt", "名.py", "a b.txt", "👩\u200d🔬.txt"}


def test_a_pipe_is_no_source(project: Project) -> None:
    root = project({"src/app.py": ""})
    os.mkfifo(f"{root}/src/pipe")
    with pytest.raises(ConfigError, match="no regular file"):
        collect(root, ["src"])


def test_a_source_that_is_not_there(project: Project) -> None:
    root = project({"src/app.py": ""})
    with pytest.raises(ConfigError, match="there is no source `scr`"):
        collect(root, ["src", "scr"])


@pytest.mark.parametrize(
    ("source", "include", "exclude", "hint"),
    [
        (["empty"], [], [], "name the directory"),
        ([], [], [], "name the directory"),
        (["src"], ["src/app.py"], [], "without the source root's name"),
        (["src"], [], ["*"], "without the source root's name"),
    ],
)
def test_nothing_left(project: Project, source: list[str], include: list[str], exclude: list[str], hint: str) -> None:
    root = project({"src/app.py": ""})
    os.mkdir(f"{root}/empty")
    with pytest.raises(ConfigError, match="the function would be empty") as caught:
        collect(root, source, include, exclude)
    assert hint in str(caught.value.hint)


def told(root: str, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> dict[str, tuple[str, str]]:
    return {
        path: (rule, reason)
        for path, rule, reason in left_out(root, ["src"], include, exclude, output=f"{root}/src/dist")
    }


TREE = {
    "src/app.py": "",
    "src/notes.md": "",
    "src/old/a.py": "",
    "src/old/deep/b.py": "",
    "src/app/__pycache__/app.cpython-312.pyc": "",
    "src/app/stale.pyc": "",
    "src/env/pyvenv.cfg": "",
    "src/dist/api.zip": "",
}
ALWAYS = {"app/__pycache__/", "app/stale.pyc", "env/", "dist/"}


def test_what_never_enters_is_told(project: Project) -> None:
    found = told(project(TREE))
    assert set(found) == ALWAYS
    assert {rule for rule, _ in found.values()} == {"never"}
    assert found["env/"][1] == "it is a virtual environment: it holds `pyvenv.cfg`"


def test_what_patterns_leave_out_is_told_with_the_pattern(project: Project) -> None:
    root = project(TREE)
    found = told(root, exclude=["old/", "*.txt", "*.md"])
    assert found["notes.md"] == ("exclude", "`exclude` leaves it out, by `*.md`")
    assert found["old/"] == ("exclude", "`exclude` leaves it out, by `old/`")
    assert set(found) == {"notes.md", "old/", *ALWAYS}
    back = told(root, exclude=["old/*", "!old/a.py", "old/deep/b*"])
    assert back["old/deep/b.py"] == ("exclude", "`exclude` leaves it out, by `old/deep/b*`")
    assert "old/a.py" not in back
    only = told(root, include=["app.py"])
    assert only["old/deep/b.py"] == ("include", "no pattern of `include` takes it")


def test_everything_is_taken_or_told(project: Project) -> None:
    root = project(TREE)
    patterns = (["*.py", "*.md"], ["old/deep/"])
    taken = set(paths(root, ["src"], *patterns))
    passed = set(told(root, *patterns))
    assert taken.isdisjoint(passed)
    for path in (path.removeprefix("src/") for path in TREE):
        assert path in taken or any(path == one or path.startswith(one) for one in passed if one), path


def test_what_another_root_brings_is_not_left_out(project: Project) -> None:
    root = project({"src/app.py": "", "one/x.py": "", "two/x.py": ""})
    assert left_out(root, ["src", "one", "two"], exclude=["z"]) == []
