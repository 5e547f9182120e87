"""Requirements files as pip reads them: bytes → statements, includes followed.

The rules are those of pip's documentation, "Requirements File Format", and where it is silent of pip's req_file.py.
No library fits (looked in November 2026): requirements-parser 0.13.1 passes over hashes, constraints and indexes in
silence; pip-requirements-parser 32.0.1 is 96 kB of an older pip's code and needs pyparsing.
"""

from __future__ import annotations

import codecs
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from lamella.errors import LockError
from lamella.wording import did_you_mean, scrubbed, shown


class Wanted(NamedTuple):
    """One requirement, not yet understood.  `text` is all before the first option, `folder` where paths start."""

    place: str
    folder: str
    text: str
    editable: bool
    hashes: tuple[str, ...]
    ignored: tuple[str, ...]
    constraint: bool


class Option(NamedTuple):
    """One option of the whole file, by its long name without dashes; `value` is empty for a flag."""

    place: str
    folder: str
    name: str
    value: str


class Opened(NamedTuple):
    """A file was opened: its absolute path."""

    path: str


class Expanded(NamedTuple):
    """A requirement or an include has variables of the environment in it: their names, set or not."""

    names: tuple[str, ...]


Statement = Wanted | Option | Opened | Expanded

_SHORT = {"-i": "--index-url", "-f": "--find-links", "-r": "--requirement", "-c": "--constraint"}
_OF_FILE = {"--index-url", "--extra-index-url", "--find-links", "--no-binary", "--only-binary", "--trusted-host",
            "--use-feature", "--requirement", "--constraint"}  # fmt: skip
_FLAGS = {"--no-index", "--require-hashes", "--pre", "--prefer-binary"}
_OF_REQUIREMENT = {"--hash", "--global-option", "--config-settings", "--config-setting", "--install-option"}
_SAME = {"--pypi-url": "--index-url", "-C": "--config-settings"}

_EDITABLE = re.compile(r"(?:-e\s*|--editable(?:\s+|=))(?P<quote>['\"]?)(.+)(?P=quote)")
_COMMENT = re.compile(r"(^|\s+)#.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
# The longer marks first: that of UTF-16 starts that of UTF-32
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
          (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip


def statements(path: str, *, root: str, environ: Mapping[str, str]) -> Iterator[Statement]:
    """The statements of the file and of what it includes (``-r``, ``-c``), in order.

    ``${NAME}`` is taken from `environ`.  Raises LockError that names file and line.
    """
    yield from _statements(os.path.normpath(path), root, environ, constraint=False, above=())


def _statements(
    path: str, root: str, environ: Mapping[str, str], *, constraint: bool, above: tuple[str, ...]
) -> Iterator[Statement]:
    yield Opened(path)
    name, folder = shown(path, root), os.path.dirname(path)
    for number, line in logical_lines(_text(path, name)):
        place = f"{name}:{number}"
        variables = tuple(_VARIABLE.findall(line))
        for statement in _statement(_expanded(line, environ), place, folder, constraint):
            includes = isinstance(statement, Option) and statement.name in {"requirement", "constraint"}
            if variables and (includes or isinstance(statement, Wanted)):
                yield Expanded(variables)
            if isinstance(statement, Option) and includes:
                included = _included(statement, (*above, path), root)
                yield from _statements(
                    included,
                    root,
                    environ,
                    constraint=constraint or statement.name == "constraint",
                    above=(*above, path),
                )
            else:
                yield statement


def _text(path: str, name: str) -> str:
    try:
        with open(path, "rb") as file:
            data = file.read()
        for mark, encoding in _MARKS:  # PowerShell's `pip freeze > requirements.txt` writes UTF-16
            if data.startswith(mark):
                return data.decode(encoding).removeprefix("\ufeff")
        return data.decode()
    except UnicodeDecodeError as error:
        raise LockError(f"`{name}` is not UTF-8 text", why=[str(error)], hint="save it as UTF-8") from None
    except OSError as error:
        raise LockError(f"`{name}` can't be read", why=[str(error.strerror)]) from None


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """(number of the first line, text) of what is left when continuations are joined and comments are gone.

    A comment line ends a continuation, as with pip; a ``#`` within a word is part of it.
    """
    parts: list[str] = []
    start = 0
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        start = start if parts else number
        comment = _COMMENT.match(line)
        if line.endswith("\\") and not comment:
            parts.append(line.strip("\\"))
            continue
        # The space keeps a comment line apart from the words that it follows
        parts.append(f" {line}" if comment else line)
        whole, parts = _COMMENT.sub("", "".join(parts)).strip(), []
        if whole:
            yield start, whole
    whole = _COMMENT.sub("", "".join(parts)).strip()
    if whole:
        yield start, whole


def _expanded(line: str, environ: Mapping[str, str]) -> str:
    """pip: only ``${UPPER_CASE}``; a variable that isn't set, or is empty, stays as it is."""
    return _VARIABLE.sub(lambda match: environ.get(match[1]) or match[0], line)


def _statement(line: str, place: str, folder: str, constraint: bool) -> Iterator[Wanted | Option]:
    editable = _EDITABLE.fullmatch(line)
    words = (editable[2] if editable else line).split(" ")
    first = next((at for at, word in enumerate(words) if word.startswith("-")), len(words))
    text, rest = " ".join(words[:first]).strip(), " ".join(words[first:])
    given, loose = _options(rest, place)
    if text:
        yield _wanted(text, given, loose, place, folder, constraint)._replace(editable=editable is not None)
        return
    for name, value in given:
        if name in _OF_REQUIREMENT:
            raise LockError(f"`{place}` has `{name}` without a requirement", hint="put it behind the requirement")
        yield Option(place, folder, name.removeprefix("--"), value)
    if loose:
        raise LockError(f"`{place}` can't be read", why=[f"unexpected `{scrubbed(' '.join(loose))}`"])


def _wanted(
    text: str, given: list[tuple[str, str]], loose: list[str], place: str, folder: str, constraint: bool
) -> Wanted:
    wrong = [name for name, _ in given if name not in _OF_REQUIREMENT] or loose
    if wrong:
        raise LockError(
            f"`{place}` can't be read",
            why=[f"`{scrubbed(wrong[0])}` can't follow a requirement"],
            hint="put it on a line of its own",
        )
    return Wanted(
        place=place,
        folder=folder,
        text=text,
        editable=False,
        hashes=tuple(value for name, value in given if name == "--hash"),
        ignored=tuple(dict.fromkeys(name for name, _ in given if name != "--hash")),
        constraint=constraint,
    )


def _options(text: str, place: str) -> tuple[list[tuple[str, str]], list[str]]:
    """(long name, value) pairs, and the words that belong to none."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise LockError(f"`{place}` can't be read", why=[str(error)], hint="check its quotes") from None
    given: list[tuple[str, str]] = []
    loose: list[str] = []
    while words:
        word = words.pop(0)
        if not word.startswith("-"):
            loose.append(word)
            continue
        name, value = _option(word, place)
        if name in _FLAGS:
            given.append((name, ""))
            continue
        if value is None:
            if not words:
                raise LockError(f"`{place}` can't be read", why=[f"`{name}` needs a value"])
            value = words.pop(0)
        given.append((name, value))
    return given, loose


def _option(word: str, place: str) -> tuple[str, str | None]:
    """``--name=value``, ``--name``, ``-r file`` or ``-rfile`` → the long name and the value, if it is there."""
    value: str | None
    if word.startswith("--"):
        name, equals, after = word.partition("=")
        value = after if equals else None
    else:
        name, value = word[:2], word[2:] or None
    name = _SHORT.get(name) or _SAME.get(name) or name
    known = _OF_FILE | _FLAGS | _OF_REQUIREMENT
    if name not in known or (name in _FLAGS and value is not None):
        raise LockError(
            f"`{place}` has an option that can't be read",
            why=[f"`{scrubbed(word)}`"],
            hint=did_you_mean(name, known) or "remove it",
        )
    return name, value


def _included(option: Option, above: tuple[str, ...], root: str) -> str:
    from lamella.lock.pylock import local_path

    if re.match(r"(?!file:)[a-zA-Z][a-zA-Z0-9+.-]+://", option.value):
        raise LockError(
            f"`{option.place}` includes a file of the web",
            why=["what it says can change from build to build"],
            hint="download it and include the copy",
        )
    path = os.path.normpath(os.path.join(option.folder, local_path(option.value) or option.value))
    if path in above:
        raise LockError(f"`{option.place}` includes `{shown(path, root)}`, which includes this file", hint="remove one")
    if not os.path.isfile(path):
        raise LockError(
            f"`{option.place}` includes `{option.value}`, which doesn't exist",
            why=[f"looked for `{shown(path, root)}`"],
            hint="paths start at the folder of the including file",
        )
    return path
