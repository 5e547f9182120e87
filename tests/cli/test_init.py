from __future__ import annotations

import io
import os
import tomllib
from pathlib import Path

import pytest

from lamella.cli.app import parser
from lamella.cli.init import init, with_section
from lamella.config.read import read
from lamella.errors import ConfigError

PYPROJECT = """\
# the project
[project]
name = "spectra"  # its name
requires-python = ">=3.12"
dependencies = [
    "pydantic",  # models
]

[tool.ruff]
line-length = 120

# groups
[dependency-groups]
dev = ["ruff"]
"""
SECTION = """\
[tool.lamella]
runtime = "python3.12"

[tool.lamella.layers.layer]
name = "spectra-dependencies"

[tool.lamella.functions.api]
handler = "spectra.api.handler"
layers = ["layer"]
"""
WRITTEN = PYPROJECT.replace("\n# groups\n", f"\n{SECTION}\n# groups\n")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "src" / "spectra").mkdir(parents=True)
    (tmp_path / "src" / "spectra" / "api.py").write_text("def handler(event, context): ...\n")
    return tmp_path


def call(directory: Path, stdin: io.StringIO, *, yes: bool = False) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    code = init(str(directory), yes=yes, stdin=stdin, stdout=out, stderr=err)
    return code, out.getvalue(), err.getvalue()


def test_yes_writes_without_asking(project: Path) -> None:
    code, out, err = call(project, io.StringIO(), yes=True)
    assert (code, out) == (0, SECTION)
    assert err == "wrote `[tool.lamella]` to pyproject.toml\nnext: `lamella build`\n"
    assert (project / "pyproject.toml").read_text() == WRITTEN
    assert sorted(os.listdir(project)) == ["pyproject.toml", "src"]


def test_what_is_written_can_be_read(project: Path) -> None:
    call(project, io.StringIO(), yes=True)
    settings = read(str(project))
    assert [layer.name for layer in settings.layers] == ["spectra-dependencies"]
    assert [(function.key, function.handler, function.layers) for function in settings.functions] == [
        ("api", "spectra.api.handler", ("layer",))
    ]


@pytest.mark.parametrize("answer", ["y\n", "Y\n", "yes\n", " y"])
def test_asked_and_yes(project: Path, answer: str) -> None:
    code, out, err = call(project, Terminal(answer))
    assert (code, out) == (0, SECTION)
    assert err.startswith("Write this to pyproject.toml? [y/N] ")
    assert (project / "pyproject.toml").read_text() == WRITTEN


@pytest.mark.parametrize("answer", ["\n", "n\n", "no\n", "yeah\n", ""])
def test_asked_and_no(project: Path, answer: str) -> None:
    code, out, err = call(project, Terminal(answer))
    assert (code, out) == (0, SECTION)
    assert err == "Write this to pyproject.toml? [y/N] nothing written\n"
    assert (project / "pyproject.toml").read_text() == PYPROJECT


def test_no_terminal_writes_nothing_and_says_how(project: Path) -> None:
    code, out, err = call(project, io.StringIO("y\n"))
    assert (code, out) == (0, SECTION)
    assert err == "nothing written: run `lamella init --yes` to write it to pyproject.toml\n"
    assert (project / "pyproject.toml").read_text() == PYPROJECT


def test_a_source_that_does_not_parse_is_a_note(project: Path) -> None:
    (project / "src" / "spectra" / "broken.py").write_text("def (\n")
    code, out, err = call(project, io.StringIO())
    assert (code, out) == (0, SECTION)
    assert err.startswith("note: skipped src/spectra/broken.py:1: ")


def refused(directory: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        call(directory, io.StringIO(), yes=True)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_a_section_is_there(project: Path) -> None:
    call(project, io.StringIO(), yes=True)
    assert refused(project) == (
        "`pyproject.toml` has a `[tool.lamella]` section\n  hint: edit it, or remove it to have a new one proposed"
    )


def test_an_own_file_is_there(project: Path) -> None:
    (project / "lamella.toml").touch()
    assert refused(project) == (
        "`lamella.toml` holds a configuration\n  hint: edit it, or remove it to have a new one proposed"
    )


def test_no_pyproject(tmp_path: Path) -> None:
    assert refused(tmp_path) == (
        f"no pyproject.toml in `{tmp_path}`\n  hint: run `uv init`, or change to the project's directory"
    )


def test_no_toml(project: Path) -> None:
    (project / "pyproject.toml").write_text("[project\n")
    assert refused(project).startswith("`pyproject.toml` is not valid TOML\n  line 1, column 9: ")


def test_a_link_stays_a_link_and_modes_stay(project: Path) -> None:
    real = project / "real.toml"
    os.rename(project / "pyproject.toml", real)
    os.chmod(real, 0o600)
    os.symlink("real.toml", project / "pyproject.toml")
    call(project, io.StringIO(), yes=True)
    assert os.readlink(project / "pyproject.toml") == "real.toml"
    assert real.read_text() == WRITTEN
    assert real.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "SECTION"),
        ('[project]\nname = "a"', '[project]\nname = "a"\n\nSECTION'),
        ('[project]\nname = "a"\n\n', '[project]\nname = "a"\n\nSECTION'),
        ("[tool.ruff]\n[tool.mypy]\n", "[tool.ruff]\n[tool.mypy]\n\nSECTION"),
        ("[tool.ruff]\n# end\n", "[tool.ruff]\n# end\n\nSECTION"),
        ("[tool.a]\n[project]\n[tool.b]\n", "[tool.a]\n\nSECTION\n[project]\n[tool.b]\n"),
        ("tool.a.b = 1\n[project]\n", "tool.a.b = 1\n\nSECTION\n[project]\n"),
        ("[[tool.a.b]]\nc = 1\n", "[[tool.a.b]]\nc = 1\n\nSECTION"),
        ("[tool.ruff]\n# [tool.lamella]\n[tool.mypy]\n", "[tool.ruff]\n# [tool.lamella]\n[tool.mypy]\n\nSECTION"),
        ("[tool.a]\r\nb = 1\r\n", "[tool.a]\r\nb = 1\r\n\r\nSECTION"),
        ('x = """\n[tool.lamella]\n"""\n', 'x = """\n[tool.lamella]\n"""\n\nSECTION'),
    ],
)
def test_the_rest_of_the_file_stays(text: str, expected: str) -> None:
    edited = with_section(text, SECTION)
    section = SECTION.replace("\n", "\r\n") if "\r\n" in text else SECTION
    assert edited == expected.replace("SECTION", section)
    assert tomllib.loads(edited)["tool"]["lamella"] == tomllib.loads(SECTION)["tool"]["lamella"]


def test_no_place_for_headers() -> None:
    with pytest.raises(ConfigError) as caught:
        with_section("tool = { ruff = { x = 1 } }\n", SECTION)
    assert caught.value.what == "`pyproject.toml` has no place for the section"
    assert caught.value.hint


def test_the_command_line(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    args = parser("init").parse_args(["--yes"])
    monkeypatch.chdir(project)
    assert args.run(args) == 0
    assert capsys.readouterr().out == SECTION
    assert (project / "pyproject.toml").read_text() == WRITTEN
