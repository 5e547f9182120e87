from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lamella.config.model import Settings
from lamella.config.read import read
from lamella.config.runtimes import admitted, is_current, newest_current
from lamella.errors import ConfigError
from lamella.facts.tables import runtimes

Refusal = Callable[[str], str]


def read_with(directory: Path, requires_python: str) -> Settings:
    text = f'[project]\nname = "a"\nrequires-python = "{requires_python}"\n[tool.lamella]\n'
    (directory / "pyproject.toml").write_text(text)
    return read(str(directory))


@pytest.mark.parametrize(
    ("requires_python", "runtime"),
    [
        (">=3.12", "python3.12"),
        (">=3.12.4", "python3.12"),
        (">3.12,<4", "python3.12"),
        ("==3.13.*", "python3.13"),
        ("~=3.13", "python3.13"),
        ("!=3.12.*,>=3.12", "python3.13"),
        (">=3.8", next(name for name, row in runtimes().items() if is_current(row))),
        ("", next(name for name, row in runtimes().items() if is_current(row))),
    ],
)
def test_derived(tmp_path: Path, requires_python: str, runtime: str) -> None:
    assert read_with(tmp_path, requires_python).runtimes == (runtime,)


def test_current_is_asked_of_the_table_not_of_the_clock() -> None:
    for row in runtimes().values():
        assert is_current(row) == (row.verified and (row.deprecated is None or row.deprecated > row.read))


def test_only_deprecated_ones_fit(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_with(tmp_path, "<3.11")
    assert str(caught.value) == (
        "`[tool.lamella] runtime` in pyproject.toml is needed\n"
        '  `requires-python = "<3.11"` admits python3.9, python3.10, deprecated or not verified\n'
        '  hint: write `runtime = "python3.10"` to build for it all the same'
    )


def test_none_fits(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_with(tmp_path, ">=4")
    assert str(caught.value) == (
        "`[tool.lamella] runtime` in pyproject.toml is needed\n"
        f'  `requires-python = ">=4"` admits none of {", ".join(runtimes())}\n'
        "  hint: change requires-python"
    )


def test_no_range() -> None:
    with pytest.raises(ConfigError) as caught:
        admitted("3.12", "../pyproject.toml")
    assert caught.value.what == "`[project] requires-python` in ../pyproject.toml is no version range"


def test_nothing_to_derive_from(tmp_path: Path) -> None:
    (tmp_path / "lamella.toml").write_text("")
    with pytest.raises(ConfigError) as caught:
        read(str(tmp_path))
    assert str(caught.value) == (
        "`runtime` in lamella.toml is needed\n"
        "  no [project] requires-python stands beside the configuration to derive it from\n"
        f'  hint: write `runtime = "{newest_current().name}"`, say'
    )


def test_architecture(refusal: Refusal) -> None:
    assert refusal("[tool.lamella]\narchitecture = 'aarch64'\n") == (
        "`[tool.lamella] architecture` in pyproject.toml names an unknown architecture `aarch64`\n"
        '  hint: AWS calls it `arm64`: write architecture = "arm64"'
    )
    assert refusal("[tool.lamella]\narchitecture = 'mips'\n") == (
        "`[tool.lamella] architecture` in pyproject.toml names an unknown architecture `mips`\n"
        "  known are x86_64, arm64\n"
        "  hint: choose a known one"
    )
