from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lamella.errors import LockError
from lamella.lock.discover import Found, earlier, find

Write = Callable[[Path, str], Path]
Project = Callable[..., Path]


def test_the_order_is_uv_pylock_requirements_project(tmp_path: Path, write: Write, project: Project) -> None:
    project(tmp_path, "app")
    assert find(str(tmp_path), None) == Found("unlocked", str(tmp_path / "pyproject.toml"))
    for name, dialect in (("requirements.txt", "requirements"), ("pylock.toml", "pylock"), ("uv.lock", "uv")):
        path = write(tmp_path / name, "")
        found = find(str(tmp_path), None)
        assert (found.dialect, found.path) == (dialect, str(path))


def test_a_single_named_pylock_is_found(tmp_path: Path, write: Write) -> None:
    path = write(tmp_path / "pylock.lambda.toml", "")
    assert find(str(tmp_path), None) == Found("pylock", str(path))
    write(tmp_path / "pylock.dev.toml", "")
    with pytest.raises(LockError) as caught:
        find(str(tmp_path), None)
    assert caught.value.why == ("found `pylock.dev.toml`, `pylock.lambda.toml`",)
    assert find(str(tmp_path), "pylock.lambda.toml").path == str(path)


def test_a_member_uses_the_lock_of_its_workspace(tmp_path: Path, write: Write, project: Project) -> None:
    project(tmp_path, "top", more='[tool.uv.workspace]\nmembers = ["packages/*"]\nexclude = ["packages/lone"]\n')
    lock = write(tmp_path / "uv.lock", "")
    member = project(tmp_path / "packages" / "member", "member")
    lone = project(tmp_path / "packages" / "lone", "lone")
    other = project(tmp_path / "other", "other")
    assert find(str(member), None) == Found("uv", str(lock))
    assert find(str(lone), None).dialect == "unlocked"
    assert find(str(other), None).dialect == "unlocked"


@pytest.mark.parametrize(
    ("name", "text", "dialect"),
    [
        ("uv.lock", "version = 1\n", "uv"),
        ("pylock.prod.toml", "", "pylock"),
        ("lambda.toml", 'lock-version = "1.0"\ncreated-by = "x"\npackages = []\n', "pylock"),
        ("lock/prod.txt", "leaf==1.0\n", "requirements"),
        ("requirements.lock", "version==1.0\n", "requirements"),
    ],
)
def test_a_configured_lock(tmp_path: Path, write: Write, name: str, text: str, dialect: str) -> None:
    path = write(tmp_path / name, text)
    assert find(str(tmp_path), name) == find(str(tmp_path), str(path)) == Found(dialect, str(path))  # type: ignore[arg-type]


def test_a_configured_pyproject_is_its_lock_if_there_is_one(tmp_path: Path, write: Write, project: Project) -> None:
    project(tmp_path, "app")
    write(tmp_path / "requirements.txt", "")
    assert find(str(tmp_path), "pyproject.toml").dialect == "unlocked"
    write(tmp_path / "uv.lock", "")
    assert find(str(tmp_path), "pyproject.toml").dialect == "uv"


@pytest.mark.parametrize(
    ("name", "text", "hint"),
    [
        ("frozen.lock", "version = 1\n[[package]]\n", "rename it to `uv.lock`"),
        ("settings.toml", "a = 1\n", "name a uv.lock, pylock.toml or requirements.txt"),
        ("broken.toml", "a = \n", "correct the file"),
        ("poetry.lock", "", "poetry export"),
    ],
)
def test_a_configured_file_that_is_no_lock(tmp_path: Path, write: Write, name: str, text: str, hint: str) -> None:
    write(tmp_path / name, text)
    with pytest.raises(LockError) as caught:
        find(str(tmp_path), name)
    assert f"`{name}`" in caught.value.what
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("uv.lock", "run `uv lock`"),
        ("requirments.txt", "did you mean `requirements.txt`?"),
        ("zzz", "create it, or leave `lock` out and the lock is found"),
    ],
)
def test_a_configured_lock_that_is_missing(tmp_path: Path, write: Write, name: str, hint: str) -> None:
    write(tmp_path / "requirements.txt", "")
    with pytest.raises(LockError) as caught:
        find(str(tmp_path), name)
    assert caught.value.what == f"the lock `{name}` doesn't exist"
    assert caught.value.hint == hint


def test_nothing_at_all(tmp_path: Path) -> None:
    with pytest.raises(LockError, match="no lock in") as caught:
        find(str(tmp_path), None)
    assert "uv lock" in (caught.value.hint or "")


def test_a_pyproject_without_a_project(tmp_path: Path, write: Write) -> None:
    write(tmp_path / "pyproject.toml", "[tool.ruff]\n")
    with pytest.raises(LockError) as caught:
        find(str(tmp_path), None)
    assert "no `[project]` table" in caught.value.why[0]


def test_another_tools_lock_is_never_passed_over(tmp_path: Path, write: Write, project: Project) -> None:
    project(tmp_path, "app")
    write(tmp_path / "pdm.lock", "")
    with pytest.raises(LockError) as caught:
        find(str(tmp_path), None)
    assert "pdm export -f pylock -o pylock.toml" in (caught.value.hint or "")
    assert find(str(tmp_path), "pyproject.toml").dialect == "unlocked"


def test_what_would_have_been_found_earlier(tmp_path: Path) -> None:
    root = str(tmp_path)
    assert earlier(Found("uv", f"{root}/uv.lock"), root) == ()
    assert earlier(Found("pylock", f"{root}/pylock.toml"), root) == (f"{root}/uv.lock",)
    assert earlier(Found("requirements", f"{root}/requirements.txt"), root) == (
        f"{root}/uv.lock",
        f"{root}/pylock.toml",
    )


def test_a_project_that_is_nested_too_deeply(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("a = " + "[" * 5000)
    with pytest.raises(LockError, match="nested too deeply"):
        find(str(tmp_path), None)
