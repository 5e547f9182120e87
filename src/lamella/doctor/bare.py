"""Zips of whatever origin, put on the table: read, guessed, and laid out so that the checks can look at them."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lamella.archive.built import member_content
from lamella.archive.reader import read
from lamella.checks.model import Finding, Severity
from lamella.doctor import packed
from lamella.doctor.artifacts import Bare
from lamella.doctor.evidence import evidence
from lamella.doctor.guess import guess, inside, is_litter, own_tops, single
from lamella.doctor.model import FUNCTION, Asked, Diagnosis, Evidence, Guess, Row
from lamella.doctor.structure import NAME, structure
from lamella.errors import ArchiveError
from lamella.facts.tables import runtimes
from lamella.target import Target

_TAKES_TWO = re.compile(rb"^def (\w+)\(\s*\w*event\w*\b[^)]*,[^)]*\)", re.MULTILINE)
# What lies beside a package for its tools
_TOOLS = ("setup.py", "conftest.py", "noxfile.py", "tasks.py", "manage.py")
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
    found: list[Bare] = []
    said: list[Diagnosis] = []
    read: list[_Read] = []
    for key, (path, asked) in zip(_keys(zips), zips, strict=True):
        try:
            rows = packed.rows(path)
        except ArchiveError as error:
            said.append(_unread(key, error))
            continue
        known = evidence(path, rows)
        read.append(_Read(key, path, asked, rows, known, guess(rows, asked, known, called=os.path.basename(path))))
    for one in read:
        guessed = _alike(one, read)
        Target.parse(guessed.runtime, guessed.architecture)
        wrong = structure(one.key, one.path, one.rows, guessed)
        try:
            laid = packed.laid(one.path, guessed.layout, guessed.kind, folder)
            handler = one.asked.handler or one.known.handler or _handler(laid) if guessed.kind == FUNCTION else ""
        except ArchiveError as error:
            # What may lead outside is not unpacked by a command from here
            said += [each._replace(fix=()) for each in wrong]
            said.append(_unread(one.key, error))
            continue
        said += wrong
        if guessed.kind == FUNCTION:
            guessed = _with_handler(guessed, handler, one.asked.handler or one.known.handler)
        alone = _alone(one) if guessed.kind == FUNCTION and not handler else ""
        found.append(Bare(one.key, one.path, laid, guessed, handler, alone))
    return Table(tuple(found), tuple(said))


class _Read(NamedTuple):
    key: str
    path: str
    asked: Asked
    rows: tuple[Row, ...]
    known: Evidence
    guess: Guess


def _alone(one: _Read) -> str:
    """The only module of nobody else's at the root, where no package beside it seems to have a handler; else ""."""
    names = [row.name for row in one.rows if not row.is_dir and not is_litter(row.name)]
    folder = single(names)
    modules = [top.name for top in own_tops(inside(names, folder), one.known, folder) if top.name.endswith(".py")]
    elsewhere = any(name not in modules for name in inside(sorted(one.known.callers), folder))
    if len(modules) != 1 or elsewhere or modules[0] in _TOOLS or not modules[0][:-3].isidentifier():
        return ""
    return modules[0][:-3]


def _alike(one: _Read, read: Sequence[_Read]) -> Guess:
    """The guess, where it names no runtime or architecture with those that the others name: they work together."""
    asked, why = one.asked, []
    if not one.guess.names_runtime:
        listed = one.known.runtimes
        named = [each for each in read if each.guess.names_runtime and each.guess.runtime in (listed or runtimes())]
        if named:
            asked = asked._replace(runtime=_frequent(each.guess.runtime for each in named))
            why.append(f"{asked.runtime} is what `{named[0].key}` is for")
        elif listed:
            asked = asked._replace(runtime=one.guess.runtime if one.guess.runtime in listed else listed[-1])
    if not one.guess.names_architecture:
        named = [each for each in read if each.guess.names_architecture]
        if named:
            asked = asked._replace(architecture=_frequent(each.guess.architecture for each in named))
    if asked == one.asked:
        return one.guess
    again = guess(one.rows, asked, one.known, called=os.path.basename(one.path))
    return again._replace(why=(*again.why, *why))


def _frequent(words: Iterable[str]) -> str:
    return Counter(words).most_common(1)[0][0]


def _keys(zips: Sequence[tuple[str, Asked]]) -> list[str]:
    """What findings call the zips: their names, or where two have one, their paths."""
    names = [asked.name or os.path.basename(path) for path, asked in zips]
    return [name if names.count(name) == 1 else path for name, (path, _) in zip(names, zips, strict=True)]


def _unread(key: str, error: ArchiveError) -> Diagnosis:
    reason = "; ".join([error.what, *error.why])
    return Diagnosis(Finding(NAME, Severity.ERROR, key, "", reason, error.hint or ""))


def _with_handler(guessed: Guess, handler: str, told: str) -> Guess:
    if told:
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
