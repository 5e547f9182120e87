"""The test of an `if` → which of its branches runs on Lambda, and what guards the one that perhaps runs.

Lambda's Python is CPython on Linux, of the minor version that the runtime's name says.
Source of the rules: the Python documentation of sys.platform, sys.version_info, os.name and the platform module;
PEP 484 for TYPE_CHECKING.
"""

from __future__ import annotations

import ast
import itertools
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

from lamella.closure.findings import Guard

NEVER_TRUE = frozenset({"TYPE_CHECKING", "MYPY"})
PLATFORM_ATTRIBUTES = frozenset(
    {"sys.platform", "sys.version_info", "sys.version", "sys.hexversion", "sys.implementation", "os.name"},
)
PLATFORM_NAMES = frozenset({"version_info", "hexversion"})
PLATFORMS = frozenset({"win32", "cygwin", "darwin", "linux", "aix", "emscripten", "wasi", "android", "ios"})
KNOWN = {
    "sys.platform": "linux",
    "os.name": "posix",
    "sys.implementation.name": "cpython",
    "platform.system()": "Linux",
    "platform.python_implementation()": "CPython",
}
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
MIRRORED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
}


class Branches(NamedTuple):
    """What guards the body and the else branch; None for one that surely doesn't run on Lambda."""

    then: Guard | None
    otherwise: Guard | None


class _Version(NamedTuple):
    """sys.version_info, of which the micro version isn't known."""

    major: int
    minor: int


class _UnknownError(Exception):
    """The value of an expression can't be told."""


def branches(test: ast.expr, target: tuple[int, int] | None, *, decide: bool = True) -> Branches:
    """`target` is the (major, minor) Python that runs the test; without it, versions are not decided.

    With `decide` False a platform test guards both branches, whatever it asks for.
    """
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            then, otherwise = branches(operand, target, decide=decide)
            return Branches(otherwise, then)
        case ast.BoolOp(op=op, values=values):
            return _combined(isinstance(op, ast.And), [branches(value, target, decide=decide) for value in values])
        case ast.Constant(value=value):
            return Branches(Guard.NONE, Guard.TYPE_CHECKING) if value else Branches(Guard.TYPE_CHECKING, Guard.NONE)
        case ast.Compare(left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant(value="__main__")]):
            return Branches(Guard.MAIN, Guard.NONE)
        case ast.Name() | ast.Attribute() if dotted(test).rpartition(".")[2] in NEVER_TRUE:
            return Branches(Guard.TYPE_CHECKING, Guard.NONE)
    if not asks_platform(test):
        return Branches(Guard.NONE, Guard.NONE)
    if decide:
        try:
            return Branches(Guard.NONE, None) if _holds(test, target) else Branches(None, Guard.NONE)
        except (_UnknownError, TypeError):  # TypeError: it compares what can't be compared
            pass
    return Branches(Guard.PLATFORM, Guard.PLATFORM)


def _combined(every: bool, parts: list[Branches]) -> Branches:
    """``a and b`` is false when one is; ``a or b`` only when all are.  The else branch: the other way round."""
    if not every:  # by De Morgan
        then, otherwise = _combined(True, [Branches(part.otherwise, part.then) for part in parts])
        return Branches(otherwise, then)
    if any(part.then is None for part in parts):
        return Branches(None, Guard.NONE)
    parts = [part for part in parts if part.otherwise is not None]  # what is surely true decides nothing
    if not parts:
        return Branches(Guard.NONE, None)
    then_guards = [part.then for part in parts]
    else_guards = [part.otherwise for part in parts]
    then = next((guard for guard in then_guards if guard is not Guard.NONE), Guard.NONE)
    if Guard.PLATFORM in then_guards and Guard.PLATFORM in else_guards:
        return Branches(then, Guard.PLATFORM)  # any part that asks the platform makes both branches depend on it
    return Branches(then, Guard.NONE if Guard.NONE in else_guards else else_guards[0])


def asks_platform(test: ast.expr) -> bool:
    """Whether an expression looks at the platform or the version of Python."""
    for node in ast.walk(test):
        match node:
            case ast.Attribute():
                name = dotted(node).lstrip("_")
                if name in PLATFORM_ATTRIBUTES or name.startswith("platform."):
                    return True
            case ast.Name(id=name) if name in PLATFORM_NAMES:
                return True
            case ast.Compare(left=ast.Name(id="platform"), comparators=[ast.Constant(value=str(value))]):
                if value in PLATFORMS:  # ``from sys import platform``
                    return True
    return False


def _holds(test: ast.expr, target: tuple[int, int] | None) -> bool:
    """Whether `test` is true on Lambda.  Raises _UnknownError."""
    match test:
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            values = [_value(each, target) for each in (left, *comparators)]
            pairs = itertools.pairwise(values)
            return all(_compare(one, type(op), other) for op, (one, other) in zip(ops, pairs, strict=True))
        case ast.Call(func=ast.Attribute(value=text, attr="startswith"), args=[prefix], keywords=[]):
            whole, start = _value(text, target), _value(prefix, target)
            if isinstance(whole, str) and isinstance(start, str | tuple):
                return whole.startswith(start)
    raise _UnknownError


def _value(node: ast.expr, target: tuple[int, int] | None) -> object:
    """The value of an expression on Lambda.  Raises _UnknownError."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
            return tuple(_value(each, target) for each in elements)
        case ast.Call(func=function, args=[], keywords=[]):
            name = f"{dotted(function).lstrip('_')}()"
        case ast.Attribute(value=inner, attr="major" | "minor" as attribute) if _is_version(inner):
            return getattr(_version(target), attribute)
        case ast.Subscript(value=inner, slice=ast.Constant(value=int(at))) if _is_version(inner) and at in (0, 1):
            return _version(target)[at]
        case ast.Subscript(value=inner, slice=ast.Slice(lower=None, upper=ast.Constant(value=int(end)), step=None)) if (
            _is_version(inner) and end in (1, 2)
        ):
            return tuple(_version(target))[:end]
        case _:
            if _is_version(node):
                return _version(target)
            name = dotted(node).lstrip("_")
    if name not in KNOWN:
        raise _UnknownError
    return KNOWN[name]


def _is_version(node: ast.expr) -> bool:
    return dotted(node).lstrip("_") == "sys.version_info"


def _version(target: tuple[int, int] | None) -> _Version:
    if target is None:
        raise _UnknownError
    return _Version(*target)


def _compare(left: object, kind: type[ast.cmpop], right: object) -> bool:
    if isinstance(right, _Version):
        left, kind, right = right, MIRRORED.get(kind, kind), left
    if isinstance(left, _Version):
        return _compare_version(tuple(left), kind, right)
    if kind in (ast.In, ast.NotIn):
        if not isinstance(right, tuple | str):
            raise _UnknownError
        return (left in right) is (kind is ast.In)
    if kind not in COMPARISONS:
        raise _UnknownError
    return COMPARISONS[kind](left, right)


def _compare_version(version: tuple[int, ...], kind: type[ast.cmpop], other: object) -> bool:
    """sys.version_info against a tuple: where that is a start of it, the longer one is greater."""
    if kind not in COMPARISONS or type(other) is not tuple or not all(isinstance(part, int) for part in other[:2]):
        raise _UnknownError
    if other[:2] == version and any(other[2:]):
        raise _UnknownError  # the micro version decides
    return COMPARISONS[kind]((*version, 0, "final", 0), other)


def dotted(node: ast.expr) -> str:
    """``a.b.c`` of a chain of attributes, or "" for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""
