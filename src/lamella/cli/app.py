"""The command line as a whole: its parser, and what becomes of errors."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from lamella import __version__
from lamella.errors import LamellaError, OutsideError, UsageError
from lamella.report.console import Console
from lamella.wording import closest, listed

# Each command is a module of this package with `add_arguments(parser)` and `run(parsed)`; only the one that is
# asked for is imported
COMMANDS = {
    "init": "propose a configuration and write it to pyproject.toml",
    "build": "build layers and function packages from the lock file",
    "check": "prove that what was built works, and that Lambda takes it",
    "size": "show what takes the space, and what each rule saved",
    "why": "say why a path is in an artifact or not",
    "diff": "show what changed between two artifacts",
    "profile": "measure what a handler's imports cost, by module",
    "sbom": "list what is in an artifact, as CycloneDX, with its licences",
    "invoke": "run a function here, with exactly its layers",
    "start-api": "serve the functions' routes, as API Gateway does",
    "start-lambda": "serve Lambda's Invoke endpoint for AWS's SDKs and CLI",
    "pull": "bring what is deployed to the cache",
    "shell": "open a Python that sees what a function sees",
    "plan": "show what a deploy would change in AWS, and why",
    "deploy": "carry out the plan, prove it, or take it back",
    "rollback": "put back what was there before",
    "verify": "prove that what users meet is what was built",
    "status": "show what is deployed, and what drifted",
    "versions": "list the versions of a layer",
    "prune": "delete versions of layers that nothing needs",
    "share": "let another account or an organization use a layer",
    "logs": "show a function's log, or its init times by version",
    "doctor": "say what is wrong, and the command that mends it",
    "permissions": "print the least IAM policy that a rollout needs",
    "export": "write what SAM, Terraform, GitHub Actions and Make read",
    "import": "propose a configuration for a project that packages otherwise",
    "completion": "print the completion of bash, zsh or fish",
}
_MODULES = {"import": "importing"}  # `import` is a word of the language
_TOP = ("--help", "--version")
_DESCRIPTION = "Turn a project's lock file into AWS Lambda layers and thin function packages."
_EXITS = "exit codes: 0 fine, 1 findings, 2 wrong usage or configuration, 3 the network or another program failed"


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """The ordinary one, without `shutil`, which it would load for nothing but the terminal's width."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=min(_columns(), 100) - 2)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        text = super()._fill_text(text, width, indent)
        if all(len(line) <= width for line in text.splitlines()):
            return text
        from lamella.cli.layout import folded

        return folded(text, width)


def _columns() -> int:
    """Of the terminal, also where `--help` goes through a pager to it; `COLUMNS` has a word before all."""
    if (given := os.environ.get("COLUMNS", "")).isdecimal() and int(given) > 0:
        return int(given)
    for stream in (1, 2):
        try:
            if columns := os.get_terminal_size(stream).columns:
                return columns
        except (OSError, ValueError):
            continue
    return 100


def parser(command: str | None = None) -> argparse.ArgumentParser:
    """The parser of one command, or, without one, of what stands before commands."""
    if command is None:
        top = argparse.ArgumentParser(
            prog="lamella",
            usage="lamella [-h] [--version] COMMAND …",
            description=_DESCRIPTION,
            epilog="\n".join(["commands:", *(f"  {name:<13} {text}" for name, text in COMMANDS.items()), "", _EXITS]),
            formatter_class=_Formatter,
        )
        top.add_argument("--version", action="version", version=f"lamella {__version__}")
        return top
    module = module_of(command)
    one = argparse.ArgumentParser(
        prog=f"lamella {command}",
        description=module.DESCRIPTION,
        epilog=module.EPILOG,
        formatter_class=_Formatter,
    )
    module.add_arguments(one)
    one.set_defaults(run=module.run)
    return one


def module_of(command: str) -> ModuleType:
    """The module of one of `COMMANDS`."""
    return import_module(f"lamella.cli.{_MODULES.get(command, command.replace('-', '_'))}")


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code.  Raises KeyboardInterrupt, BrokenPipeError, SystemExit."""
    if arguments and arguments[0].startswith("-") and not _is_top(arguments[0]):
        Console().error(_no_option(arguments))
        return UsageError.exit_code
    if not arguments or arguments[0].startswith("-"):
        top = parser()
        top.parse_args(arguments)
        top.print_help(sys.stderr)
        return UsageError.exit_code
    if arguments[0] not in COMMANDS:
        Console().error(_no_command(arguments[0]))
        return UsageError.exit_code
    command = parser(arguments[0])
    own, rest = list(arguments[1:]), []
    if command.get_default("rest") is not None and "--" in own:  # what is behind it is for another program
        at = own.index("--")
        own, rest = own[:at], own[at + 1 :]
    parsed = command.parse_args(own)
    if rest:
        parsed.rest = tuple(rest)
    Console.streams = hasattr(parsed, "follow")
    console = Console(quiet=getattr(parsed, "quiet", False))
    try:
        code: int = parsed.run(parsed)
        return code
    except LamellaError as error:
        console.error(error)
        return error.exit_code
    except BrokenPipeError:
        raise
    except OSError as error:
        place = f"`{error.filename}`: " if error.filename else "writing failed: "
        console.error(
            OutsideError(f"{place}{error.strerror or error}", hint="check the disk and the permissions there")
        )
        return OutsideError.exit_code


def _is_top(option: str) -> bool:
    """One that stands before commands; argparse takes its beginning, too."""
    return option in ("-h", "--help") or (len(option) > 2 and any(name.startswith(option) for name in _TOP))


def _no_option(arguments: Sequence[str]) -> UsageError:
    before = list(arguments)
    # What stands right behind an option may be its value: `--only size check`
    words = [word for word in before if word in COMMANDS]
    free = [word for at, word in enumerate(before) if word in words and before[at - 1][:1] != "-"]
    command = next(iter(free or words), None)
    if command is None:
        return UsageError(
            f"`lamella` itself has no option `{before[0]}`",
            why=[f"the commands are {listed(COMMANDS)}"],
            hint="a command comes first, its options behind it; `lamella --help` describes them",
        )
    before.remove(command)
    return UsageError(
        f"`{arguments[0]}` stands before the command `{command}`",
        hint=f"options go behind it: `lamella {' '.join([command, *before])}`",
    )


def _no_command(name: str) -> UsageError:
    close = closest(name, COMMANDS)
    return UsageError(
        f"there is no command `{name}`",
        why=[f"the commands are {listed(COMMANDS)}"],
        hint=f"did you mean `lamella {close}`?" if close else "`lamella --help` describes them",
    )
