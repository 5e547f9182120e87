"""`--help` of every command: examples that its parser takes, and a layout that holds at any width."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

import pytest

from lamella.cli.app import COMMANDS, module_of, parser
from lamella.cli.layout import folded

NARROW = 78  # a terminal of 80 columns


def examples(command: str) -> list[list[str]]:
    """The words of each example, as far as the shell hands them to lamella."""
    found = []
    for line in module_of(command).EPILOG.splitlines():
        written = re.split(r"\s{2,}", line.strip())[0]
        match = re.search(rf"lamella {command}\b.*", written)
        if not line.startswith("  ") or match is None or not written.startswith(("lamella", "echo", "sudo")):
            continue
        reader = shlex.shlex(match[0], posix=True, punctuation_chars="|<>;")
        reader.whitespace_split = True
        reader.commenters = ""
        words = list(reader)
        end = next((at for at, word in enumerate(words) if set(word) <= set("|<>;")), len(words))
        found.append(words[2:end])
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_every_example_is_taken_by_its_parser(command: str) -> None:
    found = examples(command)
    assert found, f"`lamella {command} --help` has no example"
    for words in found:
        own = words[: words.index("--")] if "--" in words else words  # what is behind it is for another program
        parsed = parser(command).parse_args(own)
        assert callable(parsed.run)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_eighty_columns(command: str) -> None:
    module = module_of(command)
    for text in (module.DESCRIPTION, module.EPILOG):
        for line in folded(text, NARROW).splitlines():
            assert len(line) <= NARROW or len(line.split()) == 1, line
        assert folded(text, 1000) == text
        assert folded(text, NARROW).split() == text.split()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_says_what_it_is(command: str) -> None:
    for action in parser(command)._actions:
        assert action.help, f"{command}: {action.option_strings or action.dest}"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("short", ["short"]),
        (
            "two lines that are\none long sentence that is folded",
            ["two lines that are", "one long sentence", "that is folded"],
        ),
        (
            "examples:\n  lamella build  what it does here",
            ["examples:", "  lamella build", "      what it does", "      here"],
        ),
        ("  lamella a b c d e f g h i j k", ["  lamella a b c d e", "      f g h i j k"]),
        ("a/very/long/path/that/is/one", ["a/very/long/path/that/is/one"]),
        ("one\n\nexit codes: 0, 1, 2 and more", ["one", "", "exit codes: 0, 1, 2", "and more"]),
    ],
)
def test_folding(text: str, lines: list[str]) -> None:
    assert folded(text, 20).splitlines() == lines


def test_help_is_folded_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    size: Callable[[int], os.terminal_size] = lambda _: os.terminal_size((60, 24))  # noqa: E731
    monkeypatch.setattr(os, "get_terminal_size", size)
    monkeypatch.delenv("COLUMNS", raising=False)
    text = parser("invoke").format_help()
    # argparse keeps an option and its choices together
    assert [line for line in text.splitlines() if len(line) > 60 and len(line.split()) > 2] == []


@pytest.mark.parametrize("columns", ["40", "70"])
def test_help_is_as_wide_as_columns_says(monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    """So that `lamella build --help | less` has the terminal's width, too."""
    monkeypatch.setenv("COLUMNS", columns)
    text = parser("import").format_help()
    assert [line for line in text.splitlines() if len(line) > int(columns)] == []


@pytest.mark.parametrize("columns", ["", "0", "many"])
def test_columns_that_say_nothing(monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    import os

    def none(_: int) -> os.terminal_size:
        raise OSError

    monkeypatch.setattr(os, "get_terminal_size", none)
    monkeypatch.setenv("COLUMNS", columns)
    assert max(len(line) for line in parser("build").format_help().splitlines()) > 80
