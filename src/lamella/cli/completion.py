"""`lamella completion`: the script that lets a shell complete commands, options, and names of the project."""

from __future__ import annotations

import argparse

SHELLS = ("bash", "zsh", "fish")

DESCRIPTION = (
    "Print the script that lets a shell complete `lamella`: commands, options, what an option takes, and the\n"
    "names of the project's functions, layers and environments."
)
EPILOG = """examples:
  eval "$(lamella completion bash)"    in ~/.bashrc
  eval "$(lamella completion zsh)"     in ~/.zshrc, behind `autoload -Uz compinit; compinit`
  lamella completion fish > ~/.config/fish/completions/lamella.fish    once
"""


# zsh hands over all that was typed, `cd app; lamella …` or `A=1 lamella …`, where the command's own words are meant
_TYPED = "${(j: :)words[1,CURRENT-1]} ${QIPREFIX}${PREFIX}"
_WHOLE_LINE = {
    'COMP_LINE="$BUFFER"': f'COMP_LINE="{_TYPED}"',
    'COMP_POINT="$CURSOR"': f'COMP_POINT="${{#${{:-{_TYPED}}}}}"',
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))


def run(parsed: argparse.Namespace) -> int:
    """The command.  Returns the exit code."""
    from argcomplete.shell_integration import shellcode

    from lamella.report.console import Console

    script = shellcode(["lamella"], shell=parsed.shell).strip()
    for before, after in _WHOLE_LINE.items():
        script = script.replace(before, after)
    Console().data(script)
    return 0
