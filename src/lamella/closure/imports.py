"""Python source → its imports, with what guards them.

Source of the rules: The Python Language Reference, "The import system" and "The import statement".  Nothing is
imported or run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lamella.closure.conditions import asks_platform, branches, dotted
from lamella.closure.findings import Guard, Import
from lamella.closure.syntax import TOO_DEEP, no_python, parse

CATCHING = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
LEAVING = frozenset({"sys.exit", "exit", "quit", "os._exit", "os.abort"})


def scan(
    path_in_zip: str,
    source: bytes,
    *,
    target: tuple[int, int] | None = None,
    shown: str | None = None,
) -> tuple[Import, ...]:
    """The imports in `source`, in the order of their lines.

    Statements, and calls of ``importlib.import_module`` and ``__import__`` with a literal name.  Relative ones are
    resolved against the package that `path_in_zip` is in.  `target` is the (major, minor) Python that will run it:
    what its version or Lambda's platform rules out is left out.  `shown` is the path for errors.

    Raises ConfigError for what is no Python, naming file and line; NewerSyntaxError where a newer `target` may be able
    to read it.
    """
    tree = parse(shown or path_in_zip, source, target=target)
    dynamic = b"import_module" in source or b"__import__" in source
    try:
        found = _Scan(path_in_zip, dynamic, target).run(tree)
    except RecursionError:  # a test such as ``not not not …``
        raise no_python(shown or path_in_zip, TOO_DEEP) from None
    return tuple(sorted(found, key=lambda entry: (entry.line, entry.module)))


class _Context(NamedTuple):
    """What holds where a statement stands."""

    fixed: Guard = Guard.NONE  # TYPE_CHECKING, PLATFORM or MAIN: decided when the module is read
    caught: bool = False  # an ImportError raised here is caught
    proven: frozenset[str] = frozenset()  # top-level modules whose guarded import worked before this runs
    lazy: bool = False

    def guarded(self, guard: Guard) -> _Context:
        return self if guard is Guard.NONE or self.fixed is not Guard.NONE else self._replace(fixed=guard)

    def guard_of(self, module: str) -> Guard:
        if self.fixed is not Guard.NONE:
            return self.fixed
        return Guard.TRY if self.caught or module.partition(".")[0] in self.proven else Guard.NONE


class _Scan:
    """One pass with a stack of its own: trees go deeper than the interpreter's."""

    def __init__(self, path: str, dynamic: bool, target: tuple[int, int] | None) -> None:
        self.target = target
        parts = path.removesuffix(".py").split("/")
        self.package = tuple(parts[:-1])
        self.module = ".".join(self.package if parts[-1] == "__init__" else parts)
        self.dynamic = dynamic
        self.found: list[Import] = []
        self.stack: list[tuple[ast.AST, _Context]] = []

    def run(self, tree: ast.Module) -> list[Import]:
        self.push(tree.body, _Context())
        while self.stack:
            node, context = self.stack.pop()
            self.visit(node, context)
        return self.found

    def push(self, nodes: Iterable[ast.AST], context: _Context) -> None:
        self.stack.extend((node, context) for node in nodes)

    def visit(self, node: ast.AST, context: _Context) -> None:
        match node:
            case ast.Import():
                for alias in node.names:
                    self.add(alias.name, (), alias.lineno, context)
            case ast.ImportFrom():
                self.add(self.absolute(node), tuple(alias.name for alias in node.names), node.lineno, context)
            case ast.If() | ast.IfExp():
                self.visit_if(node, context)
            case ast.Try() | ast.TryStar():
                self.visit_try(node, context)
            case ast.With() | ast.AsyncWith():
                caught = context.caught or any(_suppresses(item.context_expr) for item in node.items)
                self.push_expressions(node.items, context)
                self.push(node.body, context._replace(caught=caught))
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.push_expressions([*node.decorator_list, node.args], context)
                # The body runs when it is called: by then the surrounding try is left.
                self.push(node.body, context._replace(caught=False, proven=frozenset(), lazy=True))
            case ast.Match():
                self.push_expressions([node.subject], context)
                guard = Guard.PLATFORM if asks_platform(node.subject) else Guard.NONE
                self.push(node.cases, context.guarded(guard))
            case ast.Lambda():
                self.push(ast.iter_child_nodes(node), context._replace(caught=False, lazy=True))
            case ast.Call():
                self.visit_call(node, context)
                self.push(ast.iter_child_nodes(node), context)
            case ast.stmt() | ast.match_case():
                self.push_children(node, context)
            case _:
                self.push(ast.iter_child_nodes(node), context)

    def push_children(self, node: ast.AST, context: _Context) -> None:
        if self.dynamic or hasattr(node, "body"):
            self.push(ast.iter_child_nodes(node), context)

    def push_expressions(self, nodes: Iterable[ast.AST], context: _Context) -> None:
        if self.dynamic:
            self.push(nodes, context)

    def visit_if(self, node: ast.If | ast.IfExp, context: _Context) -> None:
        then, otherwise = branches(node.test, self.target, decide=isinstance(node, ast.If))
        self.push_expressions([node.test], context)
        if then is not None:
            self.push(node.body if isinstance(node.body, list) else [node.body], context.guarded(then))
        if otherwise is not None:
            self.push(node.orelse if isinstance(node.orelse, list) else [node.orelse], context.guarded(otherwise))

    def visit_try(self, node: ast.Try | ast.TryStar, context: _Context) -> None:
        catching = [handler for handler in node.handlers if _catches(handler.type)]
        # The first that catches decides; one that raises again only words the failure in its own way.
        guarded = bool(catching) and not _raises(catching[0].body)
        caught = context._replace(caught=True)
        self.push(node.body, caught if guarded else context)
        for handler in node.handlers:
            # The fallback: one of both must be there, and which of them is for the run to say.
            self.push(handler.body, caught if handler in catching else context)
        # `else` runs only when the body's imports worked: what they prove is as guarded as they are.
        proven = _tops(node.body) if guarded else frozenset()
        self.push(node.orelse, context._replace(proven=context.proven | proven))
        self.push(node.finalbody, context)

    def visit_call(self, node: ast.Call, context: _Context) -> None:
        function = dotted(node.func).lstrip("_")
        argument = node.args[0] if node.args else _keyword(node, "name")
        if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
            return
        name: str | None = argument.value
        if function in ("import_module", "importlib.import_module"):
            name = self.dynamic_name(argument.value, node)
        elif function not in ("import__", "builtins.__import__") or _level(node):
            return
        if name and all(name.split(".")):
            self.add(name, (), node.lineno, context)

    def dynamic_name(self, name: str, node: ast.Call) -> str | None:
        """The absolute name of import_module's `name`; None when only the run can tell."""
        level = len(name) - len(name.lstrip("."))
        if not level:
            return name
        anchor = node.args[1] if len(node.args) > 1 else _keyword(node, "package")
        match anchor:
            case ast.Constant(value=str(package)):
                base = tuple(package.split("."))
            case ast.Name(id="__package__"):
                base = self.package
            case ast.Name(id="__name__"):
                base = tuple(self.module.split("."))
            case _:
                return None
        return _resolve(base, level, name[level:])

    def absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        return _resolve(self.package, node.level, node.module or "")

    def add(self, module: str, names: tuple[str, ...], line: int, context: _Context) -> None:
        self.found.append(Import(module, names, line, context.guard_of(module), context.lazy))


def _resolve(package: Sequence[str], level: int, module: str) -> str:
    """PEP 328.  What leads above the top keeps its dots, for the error."""
    if level > len(package):
        return "." * level + module
    base = package[: len(package) - level + 1]
    return ".".join((*base, module)) if module else ".".join(base)


def _catches(kind: ast.expr | None) -> bool:
    """Whether an `except` of this type catches a failed import."""
    if kind is None:
        return True
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(dotted(each).removeprefix("builtins.") in CATCHING for each in kinds)


def _raises(body: list[ast.stmt]) -> bool:
    """Whether the body of a handler always ends in an exception or ends the process."""
    if any(
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and dotted(node.value.func) in LEAVING
        for node in body
    ):
        return True
    match body[-1]:
        case ast.Raise():
            return not any(_leaves(node) for node in body)
        case ast.If(body=then, orelse=[_, *_] as otherwise):
            return _raises(then) and _raises(otherwise) and not any(_leaves(node) for node in body)
    return False


def _leaves(statement: ast.stmt) -> bool:
    """Whether a return, break or continue in it may go round what follows."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Return | ast.Break | ast.Continue):
            return True
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.expr):
            waiting.extend(ast.iter_child_nodes(node))
    return False


def _suppresses(manager: ast.expr) -> bool:
    return (
        isinstance(manager, ast.Call)
        and dotted(manager.func) in ("suppress", "contextlib.suppress")
        and any(_catches(argument) for argument in manager.args)
    )


def _tops(body: list[ast.stmt]) -> frozenset[str]:
    """The top-level modules that statements of a try body import."""
    tops: set[str] = set()
    for node in body:
        if isinstance(node, ast.Import):
            tops.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            tops.add(node.module.partition(".")[0])
    return frozenset(tops)


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _level(call: ast.Call) -> bool:
    """Whether an ``__import__`` may be relative: any level but a literal 0."""
    level = call.args[4] if len(call.args) > 4 else _keyword(call, "level")
    return level is not None and not (isinstance(level, ast.Constant) and level.value == 0)
