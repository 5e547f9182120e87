"""Finds the handlers in a project's sources by their syntax alone: nothing is imported."""

from __future__ import annotations

import ast
import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from lamella.errors import ConfigError

NAMES = ("handler", "lambda_handler")
PARAMETERS = (("event", "_event"), ("context", "_context"))
NOT_CALLED = frozenset({"logging", "signal"})  # `handler = logging.StreamHandler()` handles no event

SKIPPED = frozenset({"tests", "test", "build", "dist", "node_modules", "venv", "env", "site-packages", "__pycache__"})
SKIPPED_IN_ROOT = SKIPPED | {"docs", "examples"}
NOT_A_MODULE = frozenset({"setup.py", "conftest.py", "noxfile.py", "__main__.py"})
VIRTUAL_ENVIRONMENT = "pyvenv.cfg"  # PEP 405


class PythonFile(NamedTuple):
    """A source file: `path` relative to its source root, with slashes."""

    path: str
    text: str


class Handler(NamedTuple):
    """`module` is the dotted path from the source root."""

    module: str
    function: str


class Handlers(NamedTuple):
    """The handlers in the order of their files, and a sentence for each thing that a person should look at."""

    handlers: tuple[Handler, ...]
    notes: tuple[str, ...]


def python_files(directory: str) -> tuple[str, tuple[PythonFile, ...]]:
    """The project's source root, "src" or ".", and the Python files below it, sorted by path.

    `src` counts when it holds Python; else the packages and modules in the project's own directory do.  Tests,
    virtual environments, what builds leave and hidden directories are skipped.  Bytes that are no UTF-8 are
    replaced.  Raises ConfigError for a file that can't be read.
    """
    files = tuple(_walk(os.path.join(directory, "src"), SKIPPED))
    if files:
        return "src", files
    return ".", tuple(_walk(directory, SKIPPED_IN_ROOT))


def _walk(root: str, skipped_in_root: frozenset[str]) -> Iterator[PythonFile]:
    for directory, below, names in os.walk(root):
        skipped = skipped_in_root if directory == root else SKIPPED
        below[:] = sorted(
            name
            for name in below
            if name.isidentifier()
            and name not in skipped
            and not os.path.exists(os.path.join(directory, name, VIRTUAL_ENVIRONMENT))
        )
        for name in sorted(names):
            if _is_module(name):
                path = os.path.join(directory, name)
                yield PythonFile(os.path.relpath(path, root).replace(os.sep, "/"), _text(path))


def _text(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8-sig", "replace")
    except OSError as error:
        raise ConfigError(
            f"`{path}` can't be read", why=(error.strerror or str(error),), hint="check its permissions, or remove it"
        ) from None


def _is_module(name: str) -> bool:
    stem, ending = os.path.splitext(name)
    return (
        ending == ".py"
        and stem.isidentifier()
        and name not in NOT_A_MODULE
        and not stem.startswith("test_")
        and not stem.endswith("_test")
    )


def find_handlers(files: Iterable[PythonFile], source: str = ".") -> Handlers:
    """Every top-level function and object in `files` that Lambda could call.

    A function of any public name with the positional parameters `event` and `context`, or one named `handler` or
    `lambda_handler` with two of any name; or one of these two names bound to a call or another object
    (``handler = Mangum(app)``).  Lambda calls no `async def`: those become notes, as do files that don't parse.
    `source` is the root of the files, for the notes.
    """
    handlers: list[Handler] = []
    notes: list[str] = []
    for file in files:
        shown = file.path if source == "." else f"{source}/{file.path}"
        try:
            body = _parsed(file.text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
            notes.append(f"skipped {shown}{line}: {getattr(error, 'msg', None) or 'it does not parse'}")
            continue
        module = _module(file.path)
        handlers.extend(Handler(module, name) for name in _called(body))
        notes.extend(
            f"left out {shown}:{statement.lineno}: Lambda can't call `async def {statement.name}`"
            for statement in body
            if isinstance(statement, ast.AsyncFunctionDef) and _takes_an_event(statement)
        )
    return Handlers(tuple(handlers), tuple(notes))


def _parsed(text: str) -> list[ast.stmt]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an odd escape in somebody's string is not our message
        return ast.parse(text).body


def _called(body: Sequence[ast.stmt]) -> list[str]:
    """The names of a module that Lambda could call, each once."""
    elsewhere = _imported_names(body)
    names: dict[str, None] = {}
    for statement in body:
        if isinstance(statement, ast.FunctionDef) and _takes_an_event(statement):
            names[statement.name] = None
        elif isinstance(statement, ast.Assign | ast.AnnAssign) and _may_be_called(statement.value, elsewhere):
            names.update(dict.fromkeys(_bound_names(statement)))
    return list(names)


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _takes_an_event(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    arguments = function.args
    positional = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    if len(positional) != 2 or function.name.startswith("_"):
        return False
    if None in arguments.kw_defaults:  # a keyword that must be given: Lambda gives none
        return False
    if function.name in NAMES:
        return True
    return all(name in allowed for name, allowed in zip(positional, PARAMETERS, strict=True))


def _bound_names(statement: ast.Assign | ast.AnnAssign) -> Sequence[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return [target.id for target in targets if isinstance(target, ast.Name) and target.id in NAMES]


def _may_be_called(value: ast.expr | None, elsewhere: dict[str, str]) -> bool:
    """Whether the value of ``handler = …`` can be a callable for events."""
    if isinstance(value, ast.Lambda):
        return len(value.args.posonlyargs) + len(value.args.args) == 2
    if not isinstance(value, ast.Call | ast.Attribute | ast.Name):
        return False
    first: ast.expr = value
    while isinstance(first, ast.Call | ast.Attribute):
        first = first.func if isinstance(first, ast.Call) else first.value
    return not (isinstance(first, ast.Name) and elsewhere.get(first.id) in NOT_CALLED)


def _imported_names(body: Sequence[ast.stmt]) -> dict[str, str]:
    """The names that imports bind, with the top-level module of each."""
    names: dict[str, str] = {}
    for statement in body:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                names[alias.asname or alias.name.partition(".")[0]] = alias.name.partition(".")[0]
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            for alias in statement.names:
                names[alias.asname or alias.name] = statement.module.partition(".")[0]
    return names
