"""What a shell is told that could come next: commands, options, choices, and the names that the project has."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable
from typing import Any

from lamella.cli.app import COMMANDS, module_of, parser

# Of an argument's metavar
_LAYERS = frozenset({"LAYER", "LAYER[:VERSION]"})
_FUNCTIONS = frozenset({"FUNCTION", "FUNCTION[:VERSION]", "FUNCTION|ZIP"})
_BOTH = frozenset({"ARTIFACT"})
_PATHS = frozenset({"FILE", "DIR", "ZIP", "OLD", "NEW", "PATH"})


def complete() -> None:
    """Answer the shell that asked, as the script of `lamella completion` does, and end the process."""
    from argcomplete.completers import ChoicesCompleter
    from argcomplete.finders import CompletionFinder

    class Finder(CompletionFinder):
        """Says nothing beside a value that nothing is known of: zsh would be shown `None`."""

        def quote_completions(self, completions: list[str], *line: Any) -> list[str]:
            quoted = super().quote_completions(completions, *line)
            for one in quoted:
                self._display_completions.setdefault(one, "")
            return quoted

    words = os.environ.get("COMP_LINE", "").split()
    top = whole(words[1] if len(words) > 1 else "")
    # Options are offered behind a dash: names are what is looked for more often
    Finder()(top, always_complete_options=False, default_completer=ChoicesCompleter({}))


def whole(command: str) -> argparse.ArgumentParser:
    """A parser of every command's name, and of all that `command` takes: the modules of others are not loaded."""
    top = parser()
    below = top.add_subparsers(parser_class=argparse.ArgumentParser)
    for name, text in COMMANDS.items():
        one = below.add_parser(name, help=text)
        if name == command:
            module_of(name).add_arguments(one)
            for action in one._actions:
                _teach(name, action)
    return top


def _teach(command: str, action: argparse.Action) -> None:
    """Give the argument what completes it, where its choices don't."""
    from argcomplete.completers import DirectoriesCompleter, FilesCompleter

    completer: Callable[..., Iterable[str]] | None = None
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    if metavar in _PATHS:
        completer = DirectoriesCompleter() if metavar == "DIR" else FilesCompleter()
    elif metavar in _LAYERS:
        completer = _names("layers")
    elif metavar in _FUNCTIONS:
        completer = _names("functions")
    elif metavar in _BOTH or (command == "build" and not action.option_strings):
        completer = _names("layers", "functions")
    elif "--env" in action.option_strings and metavar == "NAME":
        completer = _names("environments")
    elif "--runtime" in action.option_strings:
        completer = _runtimes
    if completer is not None:
        action.completer = completer  # type: ignore[attr-defined]


def _names(*tables: str) -> Callable[..., Iterable[str]]:
    """Keys of the configuration's tables.  Whatever else is wrong there is told by the command, not here."""

    def names(**_: object) -> list[str]:
        from lamella.config.find import find
        from lamella.errors import LamellaError

        try:
            data = find(os.getcwd()).section.data
        except LamellaError:
            return []
        return [key for table in tables if isinstance(below := data.get(table), dict) for key in below]

    return names


def _runtimes(**_: object) -> list[str]:
    from lamella.facts.tables import runtimes

    return list(runtimes())
