"""Commands of shell scripts, Makefiles and GitHub workflows, each with its line and its folder.  Nothing is run.

What decides which commands run (if, for, case) is not looked at: all of them count, in the order of the file.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from lamella.migrate import own_folder
from lamella.migrate.model import Place
from lamella.migrate.tree import Tree, parse


class Command(NamedTuple):
    """`folder` is where it runs, relative to the project; `target` the Makefile's or the workflow's job."""

    words: tuple[str, ...]
    place: Place
    folder: str
    target: str = ""


_ASSIGNED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
# ${1:-prod}, too: what the script takes where it is called with nothing
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*|[0-9])(?::?-([^}]*))?\}|([A-Za-z_][A-Za-z0-9_]*))")
_COMPUTED = re.compile(r"\$\((?:[^()]|\([^()]*\))*\)|`[^`]*`")
_HERE = re.compile(r"<<-?\s*['\"]?([A-Za-z_]\w*)['\"]?")
_MAKE_SET = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*(?:\?|:{0,2}|\+)=\s*(.*)")
_MAKE_TARGET = re.compile(r"([A-Za-z0-9_.%/${}()-][^:=#\t]*?)\s*:(?!=)(.*)")
_EXPRESSION = re.compile(r"\$\{\{\s*(?:env|vars)\.([A-Za-z_]\w*)\s*\}\}")
_BEFORE = frozenset(
    {"then", "do", "else", "if", "elif", "while", "until", "!", "time", "sudo", "exec", "{", "}", "command"}
)
_PLAIN_FLAGS = frozenset(
    {"--rm", "-i", "-t", "-it", "-ti", "--init", "--privileged", "--interactive", "--tty", "-d", "--detach"}
)
_UNROLLED = 2000  # commands of one loop
_JOINED = 60  # lines that one quoted text may go over


def script(
    text: str,
    file: str,
    folder: str = ".",
    *,
    first: int = 1,
    variables: Mapping[str, str] | None = None,
    target: str = "",
) -> list[Command]:
    """The commands of a shell script, whose first line is number `first` of the file."""
    known = dict(variables or {})
    found: list[Command] = []
    at = folder
    text = own_folder.placed(text, os.path.dirname(file))
    above: list[str] = []
    loops: list[tuple[str, tuple[str, ...], int]] = []  # variable, values, and how much was found before
    for number, line in _lines(text):
        if line.lstrip().startswith("#"):
            continue
        for inner in _COMPUTED.findall(line):  # NAME=$(aws lambda publish-layer-version …)
            commands = inner[2:-1] if inner.startswith("$(") else inner.strip("`")
            found += script(commands, file, at, first=first + number - 1, variables=known, target=target)
        for words in _split(line):
            if words == ("(",):
                above.append(at)
            elif words == (")",):
                at = above.pop() if above else at
            else:
                one = _command(words, known, Place(file, first + number - 1), at, target)
                if one is None:
                    continue
                one = one._replace(words=tuple(own_folder.seen_from(at, word) for word in one.words))
                if one.words[0] in ("cd", "pushd") and len(one.words) > 1:
                    above += [at] if one.words[0] == "pushd" else []
                    at = _joined(at, one.words[-1])
                elif one.words[0] == "popd":
                    at = above.pop() if above else at
                elif one.words[0] == "for" and one.words[2:3] == ("in",):
                    name, values = one.words[1], one.words[3:]
                    if any(mark in value for value in values for mark in "$*?") or not values:
                        values = (f"${name}",)
                    loops.append((name, values, len(found)))
                    known[name] = _each(name)
                elif one.words[0] == "done" and loops:
                    name, values, start = loops.pop()
                    known.pop(name, None)
                    found[start:] = _repeated(found[start:], name, values)
                else:
                    found.append(one)
                    found += _within(one)
    return found


def _each(name: str) -> str:
    """What stands for the values of a loop until its end is read."""
    return f"\0{name}\0"


def _repeated(body: list[Command], name: str, values: tuple[str, ...]) -> list[Command]:
    """The commands of a loop for each value; those that the variable is not in stand there once."""
    mark = _each(name)
    if len(body) * len(values) > _UNROLLED:
        values = (f"${name}",)
    found: dict[Command, None] = {}
    for value in values:
        for one in body:
            words = tuple(word.replace(mark, value) for word in one.words)
            found[one._replace(words=words, folder=one.folder.replace(mark, value))] = None
    return list(found)


def makefile(text: str, file: str, folder: str = ".") -> list[Command]:
    """The commands of a Makefile's recipes.  Each line of a recipe is a shell of its own."""
    known: dict[str, str] = {}
    found: list[Command] = []
    target = ""
    for number, line in _logical(text):
        if line.startswith("\t"):
            recipe = line.strip().lstrip("@-+")
            recipe = re.sub(r"\$[({]([A-Za-z_][\w.-]*)[)}]", lambda m: known.get(m[1], f"${m[1]}"), recipe)
            recipe = recipe.replace("$@", target).replace("$$", "$")
            found += script(recipe, file, folder, first=number, variables=known, target=target)
        elif match := _MAKE_SET.fullmatch(line.strip()):
            value = match[2].partition(" #")[0].strip()
            known[match[1]] = re.sub(r"\$[({]([A-Za-z_][\w.-]*)[)}]", lambda m: known.get(m[1], f"${m[1]}"), value)
        elif match := _MAKE_TARGET.match(line):
            target = match[1].split()[0]
    return found


def workflow(text: str, file: str) -> list[Command]:
    """The commands of the steps of a GitHub workflow."""
    top = parse(text, file)
    jobs = top.get("jobs") if top is not None else None
    found: list[Command] = []
    for name, job in jobs.items() if jobs is not None else ():
        steps = job.get("steps")
        for step in steps.list() if steps is not None else ():
            run = step.get("run")
            written = run.text() if run is not None else None
            if run is None or written is None:
                continue
            known = _environment((top, job, step))
            written = _EXPRESSION.sub(lambda match, known=known: known.get(match[1], match[0]), written)  # type: ignore[misc]
            written = re.sub(r"\$\{\{.*?\}\}", "$_", written)
            where = step.get("working-directory") or job.get("defaults", "run", "working-directory")
            folder = os.path.normpath((where.text() if where is not None else None) or ".")
            block = "\n" in written.rstrip("\n")
            found += script(written, file, folder, first=run.place.line + block, variables=known, target=name)
    return found


def _environment(trees: tuple[Tree | None, ...]) -> dict[str, str]:
    found = {}
    for tree in trees:
        env = tree.get("env") if tree is not None else None
        for name, value in env.items() if env is not None else ():
            text = value.text()
            if text is not None and "${{" not in text:
                found[name] = text
    return found


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """(number of the first line, line) with continuations joined."""
    parts: list[str] = []
    start = 0
    for number, line in enumerate(text.splitlines(), 1):
        start = start if parts else number
        if line.endswith("\\"):
            parts.append(line[:-1])
            continue
        yield start, " ".join([*parts, line.strip() if parts else line])
        parts = []
    if parts:
        yield start, " ".join(parts)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Logical lines, without here documents; what has an open quote is joined with what follows."""
    end = ""
    start, waiting = 0, ""
    for number, line in _logical(text):
        if end:
            end = "" if line.strip() == end else end
            continue
        whole = f"{waiting}\n{line}" if waiting else line
        start = start if waiting else number
        if _is_open(whole) and whole.count("\n") < _JOINED:
            waiting = whole
            continue
        waiting = ""
        match = _HERE.search(whole)
        end = match[1] if match else ""
        yield start, whole


def _is_open(text: str) -> bool:
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return True
    return False


def _split(line: str) -> Iterator[tuple[str, ...]]:
    """The simple commands of a line; parentheses stand alone."""
    line = re.sub(r"\$\(\s*pwd\s*\)|\$\{?PWD\}?|`pwd`", ".", line)
    line = _COMPUTED.sub("$_", line)
    reader = shlex.shlex(line, posix=True, punctuation_chars=";&|()<>")
    reader.whitespace_split = True
    words: list[str] = []
    skip = False
    try:
        for word in reader:
            if skip:
                skip = False
            elif word and set(word) <= set("<>&") and set(word) & set("<>"):
                skip = True
                if words and words[-1].isdigit():
                    words.pop()
            elif word and set(word) <= set(";&|()"):
                if words:
                    yield tuple(words)
                    words = []
                yield from ((mark,) for mark in word if mark in "()")
            else:
                words.append(word)
    except ValueError:
        pass
    if words:
        yield tuple(words)


def _command(words: tuple[str, ...], known: dict[str, str], place: Place, folder: str, target: str) -> Command | None:
    """The command with its variables filled in; None for what is none.  Assignments go to `known`."""
    rest = [_expanded(word, known) for word in words]
    while rest and (
        rest[0] in _BEFORE or rest[0] in ("export", "local", "readonly", "env") or _ASSIGNED.fullmatch(rest[0])
    ):
        match = _ASSIGNED.fullmatch(rest[0])
        if match:
            known[match[1]] = match[2]
        rest.pop(0)
    return Command(tuple(rest), place, folder, target) if rest else None


def _expanded(word: str, known: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1] or match[3]
        return known.get(name, match[2] if match[2] is not None else match[0])

    for _ in range(5):
        after = _VARIABLE.sub(value, word)
        if after == word:
            break
        word = after
    return word


def _within(one: Command) -> list[Command]:
    """The commands that `bash -c` and `docker run` hand on."""
    words = one.words
    if os.path.basename(words[0]) in ("bash", "sh") and len(words) > 2:
        flags = [word for word in words[1:-1] if word.startswith("-")]
        if any("c" in flag for flag in flags if not flag.startswith("--")):
            return script(words[-1], one.place.file, one.folder, first=one.place.line, target=one.target)
    if os.path.basename(words[0]) in ("docker", "podman") and words[1:2] == ("run",):
        return _in_container(one)
    return []


def _in_container(one: Command) -> list[Command]:
    rest = list(one.words[2:])
    mounts: dict[str, str] = {}
    folder = ""
    start: list[str] = []
    while rest and rest[0].startswith("-"):
        flag, _, value = rest.pop(0).partition("=")
        if flag in _PLAIN_FLAGS:
            continue
        value = value or (rest.pop(0) if rest else "")
        if flag in ("-v", "--volume"):
            host, _, inside = value.partition(":")
            mounts[inside.partition(":")[0]] = _joined(one.folder, host)
        elif flag in ("-w", "--workdir"):
            folder = value
        elif flag == "--entrypoint":
            start = [value]
    inner = tuple(start + rest[1:])
    if not inner:
        return []
    # Without -w it is the image's own folder: Lambda's build images have /var/task
    at = _mounted(folder or "/var/task", mounts)
    command = Command(inner, one.place, at, one.target)
    return [_moved(item, mounts) for item in _within(command) or [command]]


def _moved(one: Command, mounts: Mapping[str, str]) -> Command:
    """Its absolute paths as they are from its folder, those that are mounted."""
    words = []
    for word in one.words:
        path = _mounted(word, mounts) if word.startswith("/") else word
        words.append(os.path.relpath(path, one.folder) if path != word and not path.startswith("/") else path)
    return one._replace(words=tuple(words))


def _mounted(path: str, mounts: Mapping[str, str]) -> str:
    for inside, host in mounts.items():
        if path == inside or path.startswith(inside.rstrip("/") + "/"):
            return os.path.normpath(os.path.join(host, path[len(inside) :].lstrip("/")))
    return path


def _joined(folder: str, path: str) -> str:
    """A path from `folder`; what begins with a variable that nobody knows is taken from the project's own."""
    if path.startswith("$"):
        path = path.partition("/")[2] or "."
        return os.path.normpath(path)
    return path if path == "-" else os.path.normpath(os.path.join(folder, path))
