from __future__ import annotations

from pathlib import Path

import pytest

from lamella.errors import LockError
from lamella.lock.model import Selection
from lamella.lock.roots import check, project, roots


def started(folder: Path, text: str, selection: Selection) -> list[str] | None:
    (folder / "pyproject.toml").write_text(text)
    tables = project(str(folder / "pyproject.toml"), str(folder))
    check(tables, selection)
    found = roots(tables, selection)
    return None if found is None else [str(each) for each in found]


def test_a_requirement_on_the_project_itself_is_expanded_under_its_marker(tmp_path: Path) -> None:
    text = """
[project]
name = "My_App"
dependencies = ["base"]
[project.optional-dependencies]
a = ["leaf ; os_name == 'posix'", "my-app[b]"]
b = ["stem[x]>=1", "my.app[a]"]
linux = ["my-app[b] ; sys_platform == 'linux'"]
[dependency-groups]
test = ["my-app[b]"]
"""
    a = ['leaf; os_name == "posix"', "stem[x]>=1"]
    assert started(tmp_path, text, Selection(project=False, extras=("a",))) == a
    assert started(tmp_path, text, Selection(extras=("A",))) == ["base", *a]
    assert started(tmp_path, text, Selection(project=False, extras=("linux",))) == [
        'stem[x]>=1; sys_platform == "linux"',
        'leaf; os_name == "posix" and sys_platform == "linux"',
    ]
    assert started(tmp_path, text, Selection(project=False, groups=("test",))) == [
        "base",
        "stem[x]>=1",
        'leaf; os_name == "posix"',
    ]


def test_uvs_own_dev_dependencies_belong_to_the_group_dev(tmp_path: Path) -> None:
    text = '[dependency-groups]\ndev = ["a"]\n[tool.uv]\ndev-dependencies = ["b"]\n'
    assert started(tmp_path, text, Selection(project=False, groups=("dev",))) == ["a", "b"]


def test_a_workspace_without_a_project_leaves_its_roots_open(tmp_path: Path) -> None:
    text = '[tool.uv.workspace]\nmembers = ["*"]\n[dependency-groups]\ng = ["a"]\n'
    assert started(tmp_path, text, Selection()) is None
    assert started(tmp_path, text, Selection(project=False, groups=("g",))) == ["a"]


def test_dynamic_tables(tmp_path: Path) -> None:
    text = (
        '[project]\nname = "app"\ndynamic = ["dependencies", "optional-dependencies"]\n[dependency-groups]\ng = ["a"]\n'
    )
    assert started(tmp_path, text, Selection()) is None
    assert started(tmp_path, text, Selection(extras=("whatever",))) is None
    assert started(tmp_path, text, Selection(project=False, groups=("g",))) == ["a"]
    with pytest.raises(LockError, match=r"extras of `pyproject\.toml` are dynamic"):
        started(tmp_path, text, Selection(project=False, extras=("x",)))


GROUPS = "`[dependency-groups]` of `pyproject.toml` is not valid"
DEPENDENCIES = "`project.dependencies` of `pyproject.toml` holds what is no requirement"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('project = "x"\n', "`project` of `pyproject.toml` must be a table"),
        ('[project]\ndependencies = "a"\n', "`project.dependencies` of `pyproject.toml` must be a list"),
        ('[project]\ndependencies = ["a b"]\n', DEPENDENCIES),
        ("[project]\ndependencies = [1]\n", DEPENDENCIES),
        ("[dependency-groups]\ng = [1]\n", GROUPS),
        ('[dependency-groups]\ng = [{include-group = "g"}]\n', GROUPS),
        ('[dependency-groups]\ng = [{include-group = "h"}]\n', GROUPS),
        ('[dependency-groups]\ng = "a"\n', GROUPS),
        ('[dependency-groups]\nG = ["a"]\ng = ["b"]\n', GROUPS),
        ("tool = 1\n", "`tool` of `pyproject.toml` must be a table"),
        ("[tool]\nuv = 1\n", "`tool.uv` of `pyproject.toml` must be a table"),
    ],
)  # fmt: skip
def test_tables_that_are_wrong(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(LockError) as caught:
        started(tmp_path, text if "project" in text else f'{text}[project]\nname = "app"\n', Selection(everything=True))
    assert caught.value.what == what
