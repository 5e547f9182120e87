from __future__ import annotations

from pathlib import Path

import pytest

from lamella.config.find import find
from lamella.errors import ConfigError

HERE = '[tool.lamella]\nruntime = "python3.12"\n'


def refusal(directory: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        find(str(directory))
    return str(caught.value)


def test_pyproject_here(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(HERE)
    found = find(str(tmp_path))
    assert (found.root, found.file) == (str(tmp_path), str(tmp_path / "pyproject.toml"))
    assert found.section.place("runtime") == "[tool.lamella] runtime"
    assert found.section.file == "pyproject.toml"


def test_own_file_here_with_the_project_beside_it(tmp_path: Path) -> None:
    (tmp_path / "lamella.toml").write_text('runtime = "python3.12"\n')
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "a"\n')
    found = find(str(tmp_path))
    assert found.file == str(tmp_path / "lamella.toml")
    assert found.section.place("runtime") == "runtime"
    assert found.pyproject == {"project": {"name": "a"}}


def test_the_nearest_parent_that_has_one(tmp_path: Path) -> None:
    (tmp_path / "lamella.toml").write_text("")
    middle = tmp_path / "middle"
    inner = middle / "services" / "api"
    inner.mkdir(parents=True)
    (middle / "pyproject.toml").write_text(HERE)
    (inner / "pyproject.toml").write_text('[project]\nname = "api"\n[tool.ruff]\n')  # no configuration of ours
    found = find(str(inner))
    assert found.root == str(middle)
    assert found.section.file == "../../pyproject.toml"


def test_a_relative_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text(HERE)
    monkeypatch.chdir(tmp_path)
    assert find(".").root == str(tmp_path)


def test_none(tmp_path: Path) -> None:
    assert refusal(tmp_path) == (
        f"no configuration in `{tmp_path}` or its parents\n"
        "  looked for `lamella.toml` and for `[tool.lamella]` in `pyproject.toml`\n"
        "  hint: run `lamella init`"
    )


def test_two(tmp_path: Path) -> None:
    (tmp_path / "lamella.toml").write_text("")
    (tmp_path / "pyproject.toml").write_text(HERE)
    assert refusal(tmp_path) == (
        f"two configurations in `{tmp_path}`\n"
        "  `lamella.toml`\n"
        "  `[tool.lamella]` in `pyproject.toml`\n"
        "  hint: keep one of them"
    )


def test_no_table(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool]\nlamella = 3\n")
    assert refusal(tmp_path) == (
        "`tool.lamella` in pyproject.toml must be a table\n"
        "  found the integer 3\n"
        "  hint: write `[tool.lamella]` with its keys below"
    )


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"a = 1\nb = = 2\n", "line 2, column 5: Invalid value"),
        (b"a = [", "line 1, the end of the document: Invalid value"),
        (b'a = 1\nb = "\xff"\n', "line 2: byte 0xff is not UTF-8"),
        (b"a = " + b"9" * 5000, "Exceeds the limit"),
        (b"a = " + b"[" * 5000, "nested too deeply"),
        (b"\xef\xbb\xbfa = 1", "line 1, column 1: Invalid statement"),
    ],
)
def test_no_toml(tmp_path: Path, data: bytes, why: str) -> None:
    (tmp_path / "pyproject.toml").write_bytes(data)
    lines = refusal(tmp_path).splitlines()
    assert lines[0] == "`pyproject.toml` is not valid TOML"
    assert lines[1].startswith(f"  {why}")
    assert lines[2] == "  hint: correct it; TOML's rules are at toml.io"
