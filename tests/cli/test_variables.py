"""Variables from the command line, this shell and files."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from lamella.cli.variables import add_env, add_env_file, chosen
from lamella.errors import UsageError


def parse(*arguments: str) -> dict[str, str]:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_env(parser)
    add_env_file(parser)
    return chosen(parser.parse_args(arguments))


def test_pairs_and_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABLE", "jobs")
    assert parse("--env", "A=1=2", "--env", "TABLE", "--env", "B=") == {"A": "1=2", "TABLE": "jobs", "B": ""}


def test_the_command_line_wins_over_files(tmp_path: Path) -> None:
    first, second = tmp_path / "a.env", tmp_path / "b.env"
    first.write_text("# all of it\nA=1\nexport B='two words'\nC=${A}\n\n")
    second.write_text('A="3"  # later\nD=\n')
    found = parse("--env", "B=x", "--env-file", str(first), "--env-file", str(second))
    assert found == {"A": "3", "B": "x", "C": "${A}", "D": ""}


@pytest.mark.parametrize("text", ["", "=x", "A\0=1"])
def test_what_is_no_variable(text: str) -> None:
    with pytest.raises(argparse.ArgumentError, match="is not NAME=VALUE"):
        parse("--env", text)


def test_a_name_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOWHERE", raising=False)
    with pytest.raises(argparse.ArgumentError, match="`NOWHERE` is not set in this shell; write NOWHERE=VALUE"):
        parse("--env", "NOWHERE")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"A=1\nwhat is this\n", "line 2 of `{}` is not NAME=VALUE"),
        (b"A\n", "line 1 of `{}` is not NAME=VALUE"),
        (b"A=\xff\n", "the variables in `{}` can't be read"),
        (None, "the variables in `{}` can't be read"),
    ],
)
def test_files_that_can_not_be_read(tmp_path: Path, data: bytes | None, message: str) -> None:
    path = tmp_path / "x.env"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(UsageError) as caught:
        parse("--env-file", str(path))
    assert caught.value.what == message.format(path)


@pytest.mark.parametrize("name", ["_HANDLER", "AWS_LAMBDA_RUNTIME_API"])
def test_what_the_runtime_is_led_by(name: str) -> None:
    with pytest.raises(UsageError, match=f"`{name}` can't be set"):
        parse("--env", f"{name}=x")
