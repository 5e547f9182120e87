from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lamella.config.model import Settings
from lamella.config.read import read
from lamella.errors import UsageError

Read = Callable[[str], Settings]
Refusal = Callable[[str], str]

FUNCTION = "[tool.lamella.functions.api]\nhandler = 'a.b'\n"
SOURCE = "`[tool.lamella.functions.api] source` in pyproject.toml"
OUTPUT = "`[tool.lamella] output` in pyproject.toml"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("[]", f'{SOURCE} must name at least one directory or file\n  hint: write `source = ["src"]`'),
        (
            "['/srv/code']",
            f"{SOURCE} must be relative to the project\n"
            "  found `/srv/code`\n"
            "  hint: write the path from the directory of the configuration",
        ),
        (
            "['src/../../code']",
            f"{SOURCE} must stay below the project's directory\n"
            "  `src/../../code` leads outside\n"
            "  hint: move the configuration to a directory that holds all sources",
        ),
        (
            "['out']",
            f"{SOURCE} must stay below the project's directory\n"
            "  `out` leads outside\n"
            "  hint: move the configuration to a directory that holds all sources",
        ),
        ("['srv']", f"{SOURCE} names `srv`, which doesn't exist\n  hint: did you mean `src`?"),
        ("['q/w']", f"{SOURCE} names `q/w`, which doesn't exist\n  hint: create it or correct the path"),
        ("['src', './src/']", f"{SOURCE} lists `src` twice\n  hint: remove one of them"),
    ],
)
def test_sources(refusal: Refusal, tmp_path: Path, source: str, text: str) -> None:
    (tmp_path / "out").symlink_to(tmp_path.parent)
    assert refusal(f"{FUNCTION}source = {source}\n") == text


def test_no_source_and_no_src(refusal: Refusal, tmp_path: Path) -> None:
    (tmp_path / "src").rmdir()
    assert refusal(FUNCTION) == (
        f"{SOURCE} is needed\n"
        "  the default, `src`, is no directory of the project\n"
        '  hint: write `source = ["…"]` with the directories whose content the function needs, say `["."]`'
    )


@pytest.mark.parametrize(
    ("output", "text"),
    [
        (
            "/srv/out",
            f"{OUTPUT} must be relative to the project\n"
            "  found `/srv/out`\n"
            "  hint: write a path below the project; the command line's --output may be absolute",
        ),
        (
            "../out",
            f"{OUTPUT} must be below the project's directory\n"
            "  `../out` leads outside\n"
            "  hint: write a path below the project; the command line's --output may be absolute",
        ),
        (
            "a/..",
            f"{OUTPUT} must not be the project's own directory\n  `ROOT` holds the configuration\n"
            "  hint: use `dist/lambda`, say",
        ),
        (
            "a",
            f"{OUTPUT} must be a directory\n  `ROOT/a` is a file\n  hint: move the file away or choose another path",
        ),
        (
            "src",
            f"{OUTPUT} must not hold a function's source\n"
            "  `src/api` is a source\n"
            "  hint: choose a directory of its own",
        ),
    ],
)
def test_outputs(refusal: Refusal, tmp_path: Path, output: str, text: str) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "src" / "api").mkdir()
    refused = refusal(f"[tool.lamella]\noutput = '{output}'\n{FUNCTION}source = ['src/api']\n")
    assert refused == text.replace("ROOT", str(tmp_path))


def test_the_output_may_be_inside_a_source(settings: Read, tmp_path: Path) -> None:
    found = settings(f"[tool.lamella]\n{FUNCTION}source = ['.']\n")
    assert found.functions[0].source == (".",)
    assert found.output == str(tmp_path / "dist" / "lambda")


@pytest.mark.parametrize("output", ["/", "ROOT", "ROOT/src"])
def test_outputs_of_the_command_line(settings: Read, tmp_path: Path, output: str) -> None:
    settings(FUNCTION)
    with pytest.raises(UsageError, match=f"`--output {output.replace('ROOT', str(tmp_path))}` must not "):
        read(str(tmp_path), output=output.replace("ROOT", str(tmp_path)))


def test_lock(settings: Read, refusal: Refusal, tmp_path: Path) -> None:
    assert settings("[tool.lamella]\n").lock is None
    assert refusal("[tool.lamella]\nlock = 'pylock.toml'\n") == (
        "`[tool.lamella] lock` in pyproject.toml names `pylock.toml`, which is no file\n"
        "  hint: create it (`uv lock`, say), correct the path, or remove the key to have the lock found"
    )
    (tmp_path.parent / "uv.lock").touch()
    assert settings("[tool.lamella]\nlock = '../uv.lock'\n").lock == str(tmp_path.parent / "uv.lock")
