"""One command → what it does for a package: install, copy, zip, publish, deploy, remove."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from lamella.migrate.shell import Command


class Installed(NamedTuple):
    """`pip install` into the folder `target`.  `requirements` are files, `packages` what is named besides."""

    target: str
    requirements: tuple[str, ...]
    packages: tuple[str, ...]
    platforms: tuple[str, ...]
    python: str
    unlike: tuple[str, ...]  # options that change what is installed


class Copied(NamedTuple):
    sources: tuple[str, ...]
    to: str


class Zipped(NamedTuple):
    """`zip` in the `folder`: the archive, what goes in and what does not, all as written but the archive."""

    archive: str
    folder: str
    members: tuple[str, ...]
    left_out: tuple[str, ...]


class Uploaded(NamedTuple):
    file: str
    url: str


class Aws(NamedTuple):
    """`aws lambda VERB`, its options without dashes."""

    verb: str
    options: tuple[tuple[str, tuple[str, ...]], ...]

    def all(self, name: str) -> tuple[str, ...]:
        return dict(self.options).get(name, ())

    def one(self, name: str) -> str:
        return " ".join(self.all(name))


class Removed(NamedTuple):
    """What is deleted of a folder: patterns of names, or paths."""

    patterns: tuple[str, ...]


Step = Installed | Copied | Zipped | Uploaded | Aws | Removed

_PYTHON = re.compile(r"(?:.*/)?(?:python|pypy)[0-9.]*")
_PIP = re.compile(r"(?:.*/)?pip[0-9.]*")
_VALUED = frozenset(
    {"-r", "--requirement", "-t", "--target", "--platform", "--python-version", "--implementation", "--abi"}
    | {"--python-platform", "--only-binary", "--no-binary", "-c", "--constraint", "-i", "--index-url"}
    | {"--extra-index-url", "-f", "--find-links", "--prefix", "--root", "--cache-dir", "--python", "-p", "--timeout"}
    | {"--trusted-host", "--progress-bar", "--proxy", "--retries", "--root-user-action"}
)
_UNLIKE = frozenset(
    {"--index-url", "-i", "--extra-index-url", "-f", "--find-links", "--no-binary", "-c", "--constraint"}
)
_ZIP_VALUED = frozenset({"-x", "--exclude", "-i", "--include"})


def step(command: Command) -> Step | None:
    """What the command does; None for anything else."""
    words = list(command.words)
    name = os.path.basename(words[0])
    if _PYTHON.fullmatch(words[0]) and words[1:3] == ["-m", "pip"]:
        return _installed(words[3:], command.folder)
    if _PIP.fullmatch(words[0]):
        return _installed(words[1:], command.folder)
    if name == "uv" and words[1:2] == ["pip"]:
        return _installed(words[2:], command.folder)
    if name == "zip":
        return _zipped(words[1:], command.folder)
    if name in ("cp", "rsync"):
        paths = [word for word in words[1:] if not word.startswith("-")]
        return (
            Copied(tuple(at(command.folder, path) for path in paths[:-1]), at(command.folder, paths[-1]))
            if len(paths) > 1
            else None
        )
    if name == "aws":
        return _aws(words[1:], command.folder)
    if name == "find":
        return _found(words)
    if name == "rm":
        return Removed(tuple(at(command.folder, word) for word in words[1:] if not word.startswith("-")))
    return None


def at(folder: str, path: str) -> str:
    """The path from the project's folder; what begins with a variable of the outside stays as it is."""
    plain = path.removeprefix("fileb://").removeprefix("file://")
    return plain if plain.startswith(("$", "/")) else os.path.normpath(os.path.join(folder, plain))


def _installed(words: list[str], folder: str) -> Installed | None:
    if words[:1] != ["install"]:
        return None
    found: dict[str, list[str]] = {}
    packages: list[str] = []
    rest = words[1:]
    while rest:
        word = rest.pop(0)
        flag, equals, value = word.partition("=")
        if not word.startswith("-"):
            packages.append(word)
        elif equals and flag in _VALUED:
            found.setdefault(flag, []).append(value)
        elif word in _VALUED:
            found.setdefault(word, []).append(rest.pop(0) if rest else "")
        elif word[:2] in ("-r", "-t", "-c") and len(word) > 2 and word[2] != "-":
            found.setdefault(word[:2], []).append(word[2:])
    target = [*found.get("-t", ()), *found.get("--target", ())]
    if not target:
        return None
    platforms = [*found.get("--platform", ()), *found.get("--python-platform", ())]
    python = [*found.get("--python-version", ()), *found.get("--python", ()), *found.get("-p", ())]
    return Installed(
        at(folder, target[-1]),
        tuple(at(folder, path) for key in ("-r", "--requirement") for path in found.get(key, ())),
        tuple(packages),
        tuple(platforms),
        _version(python[-1]) if python else "",
        tuple(sorted(_UNLIKE & found.keys())),
    )


def _version(text: str) -> str:
    """``3.12``, ``312`` and ``3.12.1`` as the runtime: python3.12."""
    match = re.fullmatch(r"(?:python)?3\.?(\d+)(?:\..*)?", text)
    return f"python3.{match[1]}" if match else ""


def _zipped(words: list[str], folder: str) -> Zipped | None:
    members: list[str] = []
    left_out: list[str] = []
    into = members
    for word in words:
        if word in _ZIP_VALUED:
            into = left_out if word in ("-x", "--exclude") else []
        elif word.startswith("-") and len(word) > 1:
            into = members
        else:
            into.append(word)
    if not members:
        return None
    archive = members[0] if members[0].endswith(".zip") or "." in os.path.basename(members[0]) else f"{members[0]}.zip"
    return Zipped(at(folder, archive), folder, tuple(members[1:]), tuple(left_out))


def _aws(words: list[str], folder: str) -> Step | None:
    plain = [word for word in words if not word.startswith("-")]
    if plain[:2] == ["s3", "cp"] and len(plain) > 3:
        return Uploaded(at(folder, plain[2]), plain[3])
    if "lambda" not in words:
        return None
    rest = words[words.index("lambda") + 1 :]
    if not rest:
        return None
    options: dict[str, tuple[str, ...]] = {}
    name = ""
    for word in rest[1:]:
        if word.startswith("--"):
            name, _, value = word[2:].partition("=")
            options[name] = (value,) if value else ()
        elif name:
            options[name] = (*options[name], word)
    return Aws(rest[0], tuple(options.items()))


def _found(words: list[str]) -> Removed | None:
    text = " ".join(words)
    if "-delete" not in words and not re.search(r"(\bxargs|-exec(dir)?)\s+rm\b", text):
        return None
    named = [words[at + 1] for at, word in enumerate(words[:-1]) if word in ("-name", "-iname", "-path")]
    return Removed(tuple(named))
