"""Statements of a module → the names that they bind in its scope."""

from __future__ import annotations

import ast
from collections.abc import Iterable


def defined(body: Iterable[ast.stmt], package: str | None = None) -> tuple[dict[str, list[ast.AST]], bool]:
    """The names that statements bind in their own scope, and whether these are all.

    Each name has its bindings: the function or class, the value of a plain assignment, or any other node.  With
    `package`, the body is that of its ``__init__``: what it imports from itself, it doesn't define.
    """
    names: dict[str, list[ast.AST]] = {}
    complete = True
    waiting: list[ast.AST] = list(body)

    def bind(name: str | None, node: ast.AST) -> None:
        if name is not None:
            names.setdefault(name, []).append(node)

    while waiting:
        node = waiting.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                bind(node.name, node)
                for inner in ast.walk(node):
                    for name in inner.names if isinstance(inner, ast.Global) else ():
                        bind(name, inner)
            case ast.Import():
                for alias in node.names:
                    bind(alias.asname or alias.name.partition(".")[0], node)
            case ast.ImportFrom():
                complete = complete and all(alias.name != "*" for alias in node.names)
                itself = package is not None and (node.level, node.module) in ((1, None), (0, package))
                for alias in node.names:
                    if not itself or alias.asname not in (None, alias.name):
                        bind(alias.asname or alias.name, node)
            case ast.Assign(targets=targets, value=value) if all(isinstance(each, ast.Name) for each in targets):
                for each in targets:
                    bind(getattr(each, "id", None), value)
                waiting.append(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                bind(name, value)
                waiting.append(value)
            case ast.AnnAssign(value=None):
                pass
            case ast.Name(id=name, ctx=ast.Store()):
                bind(name, node)
            case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                pass
            case _:
                if isinstance(node, ast.MatchAs | ast.MatchStar):
                    bind(node.name, node)
                elif isinstance(node, ast.MatchMapping):
                    bind(node.rest, node)
                waiting.extend(ast.iter_child_nodes(node))
    return names, complete and "__getattr__" not in names  # PEP 562
