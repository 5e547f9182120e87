"""Zips of whatever origin, put on the table: read, guessed, and laid out so that the checks can look at them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import NamedTuple

from lamella.archive.built import member_content
from lamella.archive.reader import read
from lamella.checks.model import Finding, Severity
from lamella.doctor import packed
from lamella.doctor.artifacts import Bare
from lamella.doctor.guess import guess
from lamella.doctor.model import FUNCTION, Asked, Diagnosis, Guess
from lamella.doctor.structure import NAME, structure
from lamella.errors import ArchiveError
from lamella.target import Target

_TAKES_TWO = re.compile(rb"^def (\w+)\(\s*\w*event\w*\b[^)]*,[^)]*\)", re.MULTILINE)
# What people call it, the likeliest first
_HANDLERS = ("lambda_handler", "handler", "main")


class Table(NamedTuple):
    """The zips that can be looked into, and what is wrong with all of them so far."""

    zips: tuple[Bare, ...]
    diagnoses: tuple[Diagnosis, ...]


def put(zips: Sequence[tuple[str, Asked]], folder: str) -> Table:
    """Read the zips at these paths.  `folder` is one for files that are made on the way.

    Raises UsageError where there is no file, ConfigError for an unknown runtime or architecture.
    """
    keys = _keys(zips)
    found: list[Bare] = []
    said: list[Diagnosis] = []
    for key, (path, asked) in zip(keys, zips, strict=True):
        try:
            rows = packed.rows(path)
        except ArchiveError as error:
            said.append(_unread(key, error))
            continue
        guessed = guess(rows, asked, called=os.path.basename(path))
        Target.parse(guessed.runtime, guessed.architecture)
        said += structure(key, path, rows, guessed)
        try:
            laid = packed.laid(path, guessed.layout, guessed.kind, folder)
        except ArchiveError as error:
            said.append(_unread(key, error))
            continue
        handler = asked.handler or (_handler(laid) if guessed.kind == FUNCTION else "")
        if guessed.kind == FUNCTION:
            guessed = _with_handler(guessed, handler, asked)
        found.append(Bare(key, path, laid, guessed, handler))
    return Table(tuple(found), tuple(said))


def _keys(zips: Sequence[tuple[str, Asked]]) -> list[str]:
    """What findings call the zips: their names, or where two have one, their paths."""
    names = [asked.name or os.path.basename(path) for path, asked in zips]
    return [name if names.count(name) == 1 else path for name, (path, _) in zip(names, zips, strict=True)]


def _unread(key: str, error: ArchiveError) -> Diagnosis:
    reason = "; ".join([error.what, *error.why])
    return Diagnosis(Finding(NAME, Severity.ERROR, key, "", reason, error.hint or ""))


def _with_handler(guessed: Guess, handler: str, asked: Asked) -> Guess:
    if asked.handler:
        return guessed
    said = f"its handler is taken to be `{handler}`" if handler else "nothing tells its handler: `--handler` says it"
    return guessed._replace(why=(*guessed.why, said))


def _handler(path: str) -> str:
    """A function at the root that takes an event and a context; "" for none, or where several may be meant."""
    found: list[tuple[str, str]] = []
    with open(path, "rb") as file:
        for member in read(path).members:
            if "/" in member.name or not member.name.endswith(".py"):
                continue
            source = member_content(file.fileno(), member, path)
            found += [(member.name[:-3], match[1].decode()) for match in _TAKES_TWO.finditer(source)]
    for name in _HANDLERS:
        named = [f"{module}.{function}" for module, function in found if function == name]
        if len(named) == 1:
            return named[0]
    return f"{found[0][0]}.{found[0][1]}" if len(found) == 1 else ""
