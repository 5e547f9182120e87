"""`lamella completion`: the script that lets a shell complete commands, options, and names of the project."""

from __future__ import annotations

import argparse

SHELLS = ("bash", "zsh", "fish")

DESCRIPTION = (
    "Print the script that lets a shell complete `lamella`: commands, options, what an option takes, and the\n"
    "names of the project's functions, layers and environments."
)
EPILOG = """examples:
  lamella completion bash    in ~/.bashrc:  eval "$(lamella completion bash)"
  lamella completion zsh     in ~/.zshrc, behind compinit:  eval "$(lamella completion zsh)"
  lamella completion fish    once:  lamella completion fish > ~/.config/fish/completions/lamella.fish
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))


def run(parsed: argparse.Namespace) -> int:
    """The command.  Returns the exit code."""
    from argcomplete.shell_integration import shellcode

    from lamella.report.console import Console

    Console().data(shellcode(["lamella"], shell=parsed.shell).strip())
    return 0
