"""`lamella init`: proposes a `[tool.lamella]` section and, on yes, writes it to pyproject.toml."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from typing import TextIO

from lamella.errors import ConfigError

SECTION = "[tool.lamella]"
NO_PLACE = "`pyproject.toml` has no place for the section"
BY_HAND = "write `tool` as tables with headers, or put the section into lamella.toml, without the prefix `tool.lamella`"


DESCRIPTION = (
    "Propose a [tool.lamella] section for the project in this folder: a runtime that requires-python\n"
    "admits, a layer of the project's dependencies, a function for each handler in its sources.\n"
    "Shows it, asks, and writes it to pyproject.toml."
)
EPILOG = """examples:
  lamella init         show the section, and write it on yes
  lamella init --yes   write it without asking
"""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("-y", "--yes", action="store_true", help="write without asking")


def run(args: Namespace) -> int:
    """The command.  Returns the exit code.  Raises LamellaError."""
    return init(os.getcwd(), yes=args.yes, stdin=sys.stdin, stdout=sys.stdout, stderr=sys.stderr)


def init(directory: str, *, yes: bool, stdin: TextIO, stdout: TextIO, stderr: TextIO) -> int:
    """Propose for the project in `directory`; the section goes to `stdout`, everything else to `stderr`.

    Asks when `stdin` is a terminal; writes without asking with `yes`.  Raises ConfigError when there is no
    pyproject.toml, when it can't be used, or when there is a configuration already.
    """
    from lamella.config.handlers import python_files
    from lamella.config.propose import propose
    from lamella.report.console import Console

    console = Console(out=stdout, err=stderr)
    path = os.path.realpath(os.path.join(directory, "pyproject.toml"))  # a link stays a link
    text, pyproject = pyproject_of(path, directory)
    proposal = propose(pyproject, *python_files(directory))
    for note in proposal.notes:
        console.note(note)
    console.data(proposal.text)
    if not yes and not stdin.isatty():
        console.say("nothing written: run `lamella init --yes` to write it to pyproject.toml")
        return 0
    edited = with_section(text, proposal.text)
    if not yes and not _asked(stdin, stderr):
        console.say("nothing written")
        return 0
    write_pyproject(path, edited)
    console.say(f"wrote `{SECTION}` to pyproject.toml\nnext: `lamella build`")
    return 0


def pyproject_of(path: str, directory: str) -> tuple[str, dict[str, object]]:
    """pyproject.toml as text and as tables, when it has no configuration yet."""
    from lamella.config.find import parse_toml

    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        raise ConfigError(
            f"no pyproject.toml in `{directory}`", hint="run `uv init`, or change to the project's directory"
        ) from None
    except OSError as error:
        raise ConfigError(
            "`pyproject.toml` can't be read", why=(error.strerror or str(error),), hint="check what it is"
        ) from None
    pyproject = parse_toml(data, "pyproject.toml")
    refuse_configured(directory, pyproject)
    return data.decode(), pyproject


def refuse_configured(directory: str, pyproject: dict[str, object]) -> None:
    """Raises ConfigError where the project in `directory` has a configuration already."""
    from lamella.config.find import OWN, tool_table

    if tool_table(pyproject) is not None:
        raise ConfigError(
            f"`pyproject.toml` has a `{SECTION}` section", hint="edit it, or remove it to have a new one proposed"
        )
    if os.path.exists(os.path.join(directory, OWN)):
        raise ConfigError(f"`{OWN}` holds a configuration", hint="edit it, or remove it to have a new one proposed")


def _asked(stdin: TextIO, stderr: TextIO) -> bool:
    stderr.write("Write this to pyproject.toml? [y/N] ")
    stderr.flush()
    return stdin.readline().strip().lower() in ("y", "yes")


def with_section(text: str, section: str) -> str:
    """pyproject.toml's `text` with the `section`, behind the other [tool] tables; every other byte stays.

    tomlkit says where; the text is cut there, so that nothing of it is written anew.  Raises ConfigError where
    no header fits (an inline ``tool = {…}``).
    """
    import tomllib

    newline = "\r\n" if "\r\n" in text else "\n"
    before, after = _cut(text, section)
    lines = section.rstrip("\n").split("\n")
    if before and not before.endswith("\n"):
        lines.insert(0, "")
    if before and not before.endswith(("\n\n", "\n\r\n")):
        lines.insert(0, "")
    if after and not after.startswith(("\n", "\r\n")):
        lines.append("")
    edited = before + newline.join(lines) + newline + after
    expected = tomllib.loads(text)
    expected.setdefault("tool", {})["lamella"] = tomllib.loads(section)["tool"]["lamella"]
    if tomllib.loads(edited) != expected:
        raise ConfigError(NO_PLACE, hint=BY_HAND)
    return edited


def _cut(text: str, section: str) -> tuple[str, str]:
    """`text` in two, at the place where tomlkit would put the section."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(text)
        if "tool" not in document:
            return text, ""
        document["tool"]["lamella"] = tomlkit.parse(section)["tool"]["lamella"]
        edited = tomlkit.dumps(document)
    except (TOMLKitError, ValueError, TypeError) as error:
        raise ConfigError(NO_PLACE, why=(str(error),), hint=BY_HAND) from None
    lines = text.splitlines(keepends=True)
    at = 0
    for old, new in zip(lines, edited.splitlines(), strict=False):
        if old.rstrip("\r\n") != new:
            break
        at += 1
    while 0 < at < len(lines) and lines[at - 1].startswith("#"):  # a comment belongs to the table that follows
        at -= 1
    return "".join(lines[:at]), "".join(lines[at:])


def write_pyproject(path: str, text: str) -> None:
    from lamella.files import write_atomic

    try:
        write_atomic(path, text.encode())
    except OSError as error:
        raise ConfigError(
            "`pyproject.toml` can't be written", why=(error.strerror or str(error),), hint="check its permissions"
        ) from None
