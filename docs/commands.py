"""A page for each command, made of its parser: what `--help` says, as a page."""

from __future__ import annotations

import argparse
import re
from itertools import groupby

from lamella.cli import app

WIDTH = 84  # columns of a usage line
SHOWN = 76  # columns that a page shows of a block without moving it, with the lists on both sides

_GENERAL = {
    0: "fine",
    2: "wrong usage, configuration or input",
    3: "the outside failed: network, index, AWS, another program, or `--offline` and something is not there",
}
# What 1 means, of the commands whose `--help` does not say it; others never exit with it
FOUND = {
    "check": "a check found an error",
    "diff": "something differs, and `--exit-code` was given",
    "doctor": "an error was found",
    "export": "the file is not what would be written, and `--check` was given",
    "invoke": "the function failed",
    "profile": "the handler could not be imported",
}
OWN = {"shell": "Those of Python, or of what was given to it; where it could not be started, 2 and 3 as elsewhere."}


def pages() -> dict[str, str]:
    """Every page by its place below the site: commands/index.md and commands/NAME.md."""
    made = {f"commands/{name}.md": page(name, app.parser(name)) for name in app.COMMANDS}
    return {"commands/index.md": index(), **made}


def index() -> str:
    rows = [f"| [`lamella {name}`]({name}.md) | {cell(text)} |" for name, text in app.COMMANDS.items()]
    return "\n".join(
        [
            "# Commands",
            "",
            "Options go behind the command.  What was asked for goes to stdout; progress, notes and errors go to",
            "stderr.  Colours and progress bars appear on a terminal only, and `NO_COLOR` is obeyed.  These pages are",
            "made from what `--help` is made from.",
            "",
            "| command | |",
            "|---|---|",
            *rows,
            "",
            "## Exit codes",
            "",
            "| code | |",
            "|---|---|",
            f"| 0 | {_GENERAL[0]} |",
            "| 1 | something was found, differs or failed, as the command's page says |",
            f"| 2 | {_GENERAL[2]} |",
            f"| 3 | {_GENERAL[3]} |",
            "",
        ]
    )


def page(name: str, parser: argparse.ArgumentParser) -> str:
    blocks = blocks_of(parser.epilog or "")
    own = next((text for title, text in blocks if title == "exit codes"), "")
    parts = [f"# lamella {name}", prose(parser.description or ""), "## Usage", fenced(usage(parser), "text")]
    parts += _options(parser)
    for title, text in blocks:
        if title == "exit codes":
            continue
        if title == "examples":
            parts += ["## Examples", fenced(commented(text), "sh")]
        elif title:
            parts += [f"## {title.capitalize()}", table(text)]
        else:
            parts.append(prose(text))
    parts += ["## Exit codes", _exits(name, own)]
    return "\n\n".join(part for part in parts if part) + "\n"


def usage(parser: argparse.ArgumentParser) -> str:
    """The lines of `usage:`, at a width of their own."""
    parser.formatter_class = lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=WIDTH)
    return parser.format_usage().removeprefix("usage: ").strip().replace("\n       ", "\n")


def _options(parser: argparse.ArgumentParser) -> list[str]:
    shown = [action for action in parser._actions if action.help is not argparse.SUPPRESS]
    words = [action for action in shown if not action.option_strings]
    options = [action for action in shown if action.option_strings]
    parts = []
    for title, kind, actions in (("Arguments", "argument", words), ("Options", "option", options)):
        if actions:
            rows = [f"| {_named(action)} | {cell(_help(parser, action))} |" for action in actions]
            parts += [f"## {title}", "\n".join([f"| {kind} | |", "|---|---|", *rows])]
    return parts


def _named(action: argparse.Action) -> str:
    """`-q`, `--quiet`, with what an option takes."""
    takes = "" if action.nargs == 0 else _takes(action)
    names = action.option_strings or [takes]
    if not action.option_strings:
        return f"`{takes}`"
    *others, last = names
    shown = [*others, f"{last} {takes}".strip()]
    return ", ".join(f"`{one}`" for one in shown)


def _takes(action: argparse.Action) -> str:
    if isinstance(action.metavar, tuple):
        return " ".join(action.metavar)
    return action.metavar or (action.dest.upper() if action.option_strings else action.dest)


def _help(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    formatter = argparse.HelpFormatter(parser.prog)
    text = formatter._expand_help(action) if action.help else ""
    if isinstance(action, argparse._AppendAction) and "repeat" not in text:
        text += "; may be repeated"
    if action.choices is not None and action.metavar is None:
        text += f"; one of {', '.join(f'`{choice}`' for choice in action.choices)}"
    return text


def blocks_of(epilog: str) -> list[tuple[str, str]]:
    """An epilog as its paragraphs, each with its title: ("examples", lines), ("exit codes", text), ("", prose)."""
    blocks = []
    for paragraph in re.split(r"\n\s*\n", epilog.strip("\n")):
        title, colon, rest = paragraph.partition(":")
        if colon and re.fullmatch(r"[a-z][a-z ]*", title) and (rest.startswith("\n") or title == "exit codes"):
            blocks.append((title, _dedented(rest.lstrip("\n")) if rest.startswith("\n") else rest.strip()))
        elif paragraph.strip():
            blocks.append(("", paragraph))
    return blocks


def _dedented(text: str) -> str:
    from textwrap import dedent

    return dedent(text).rstrip()


def commented(examples: str) -> str:
    """Lines of examples as a shell takes them: what stands behind two spaces is said of the command.

    It is said above the command where not all of them fit beside theirs.
    """
    lines = [re.split(r"(?<=\S) {2,}", line, maxsplit=1) for line in examples.splitlines()]
    width = max((len(line[0]) for line in lines if len(line) > 1), default=0)
    beside = [f"{line[0]:<{width}}  # {line[1]}" if len(line) > 1 else line[0] for line in lines]
    if all(len(one) <= SHOWN for one, line in zip(beside, lines, strict=True) if len(line) > 1):
        return "\n".join(beside)
    above = [f"# {line[1]}\n{line[0]}" if len(line) > 1 else line[0] for line in lines]
    return "\n\n".join(above)


def table(words: str) -> str:
    """Lines of a word and what it means as a table; lines of anything else keep their form."""
    rows = [re.split(r"(?<=\S) {2,}", line, maxsplit=1) for line in words.splitlines()]
    if any(len(row) != 2 for row in rows):
        return fenced(words, "text")
    return "\n".join(["| | |", "|---|---|", *(f"| `{word}` | {cell(text)} |" for word, text in rows)])


def fenced(text: str, language: str) -> str:
    return f"```{language}\n{text}\n```"


def prose(text: str) -> str:
    """Plain text as Markdown: what is in backticks stays, all else says nothing to Markdown.

    Indented lines, such as a table of words, keep their form.
    """
    out = []
    for kept, lines in groupby(text.splitlines(), key=lambda line: line.startswith("  ")):
        block = "\n".join(lines)
        # Not line by line: what is in backticks may go on in the next
        out.append(f"\n{fenced(_dedented(block), 'text')}\n" if kept else escaped(block))
    return "\n".join(out).strip()


def escaped(text: str) -> str:
    pieces = re.split(r"(`[^`]*`)", text)
    for number, piece in enumerate(pieces):
        if number % 2 == 0:
            piece = re.sub(r"([\\*_<>\[\]#|])", r"\\\1", piece)
            # A long option, or a placeholder, is shown as what one types
            pieces[number] = re.sub(r"(?<![\w`-])(--[a-z][a-z-]*)", r"`\1`", piece)
    return "".join(pieces)


def cell(text: str) -> str:
    """Text in a table.  A `|` in backticks is no border to Python-Markdown, and may not be escaped there."""
    return escaped(" ".join(text.split()))


def _exits(name: str, own: str) -> str:
    if name in OWN:
        return OWN[name]
    meanings = dict(_GENERAL)
    if name in FOUND:
        meanings[1] = FOUND[name]
    # "0 fine, 1 nobody agreed, or …, 2 wrong usage …": a code begins where a digit stands behind a comma
    for code, text in re.findall(r"(?:^|, )(\d) (.*?)(?=, \d |$)", " ".join(own.split())):
        meanings[int(code)] = escaped(text)
    rows = [f"| {code} | {text} |" for code, text in sorted(meanings.items())]
    return "\n".join(["| code | |", "|---|---|", *rows])
