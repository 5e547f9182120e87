"""The command line as a whole: its parser, and what becomes of errors."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from lamella import __version__
from lamella.cli import build, check, init
from lamella.errors import LamellaError, OutsideError
from lamella.report.console import Console

if TYPE_CHECKING:
    _Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_DESCRIPTION = "Turn a project's lock file into AWS Lambda layers and thin function packages."
_EPILOG = "exit codes: 0 fine, 1 findings, 2 wrong usage or configuration, 3 the network or another program failed"


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="lamella", description=_DESCRIPTION, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    top.add_argument("--version", action="version", version=f"lamella {__version__}")
    commands: _Subparsers = top.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for command in (init, build, check):
        command.add_parser(commands)
    return top


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    top = parser()
    parsed = top.parse_args(arguments)
    if parsed.command is None:
        top.print_help(sys.stderr)
        return 2
    command: Callable[[argparse.Namespace], int] = parsed.run
    console = Console(quiet=getattr(parsed, "quiet", False))
    try:
        return command(parsed)
    except LamellaError as error:
        console.error(error)
        return error.exit_code
    except KeyboardInterrupt:
        console.err.write("interrupted\n")
        return 130
    except BrokenPipeError:
        # The reader of our output went away (`lamella … | head`): nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        place = f"`{error.filename}`: " if error.filename else ""
        console.error(
            OutsideError(f"{place}{error.strerror or error}", hint="check the disk and the permissions there")
        )
        return OutsideError.exit_code
