"""Is a function's handler in its zip?  A pure decision over the files of the zip.

Source of the rule: AWS's awslambdaric, `_get_handler`: what stands before the last dot is the module (a slash counts
as a dot), what stands behind it is an attribute of that module.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping, Sequence

from lamella.closure.findings import Finding, ModuleIndex, Provided, Severity
from lamella.closure.imports import parse
from lamella.closure.modules import index_modules, provides


def handler_finding(
    function: str,
    handler: str,
    files: Mapping[str, bytes],
    *,
    available: Mapping[str, ModuleIndex] | None = None,
    foreign: Sequence[str] = (),
) -> Finding | None:
    """An error when `handler` names no module of the zip, or nothing that this module defines at its top level.

    `files` maps paths in the zip to their bytes (those of other than .py files are not looked at).  A handler may
    also be in a layer, as those of monitoring wrappers are: `available` are the modules of the function's layers
    and bundle; `foreign` are the ARNs of layers that can't be looked into, which make the error a note.

    Raises ConfigError when the module is no Python.
    """
    module, _, attribute = handler.replace("/", ".").rpartition(".")

    def finding(why: str, hint: str | None, severity: Severity = Severity.ERROR) -> Finding:
        return Finding(function, severity, handler, f"handler `{handler}`: {why}", hint=hint)

    if not all(module.split(".")) or not attribute:
        return finding("it names no module and function", 'write it as "package.module.function"')
    base = module.replace(".", "/")
    path = next((path for path in (f"{base}/__init__.py", f"{base}.py") if path in files), None)
    if path is None:
        indexes = [index_modules(files), *(available or {}).values()]
        if any(provides(index, module) is Provided.YES for index in indexes if module not in index.namespaces):
            return None  # an extension module, or a layer's: its names can't be read
        if foreign:
            return finding(
                f"no `{base}.py` in the zip (`{'`, `'.join(foreign)}` can't be looked into)", None, Severity.NOTE
            )
        return finding(f"there is no `{base}.py` in the zip", _module_hint(module, attribute, files))
    source = files[path]
    names, complete = _defined(parse(path, source).body)
    if attribute in names or not complete or b"globals()" in source:
        return None
    return finding(f"`{path}` defines no `{attribute}`", _attribute_hint(module, attribute, names))


def _module_hint(module: str, attribute: str, files: Iterable[str]) -> str:
    import difflib

    index = index_modules(path for path in files if path.endswith(".py"))
    there = sorted(index.modules | index.packages)
    # The usual slip: with the source root's name, or without the package's.
    near = [name for name in there if module.endswith(f".{name}") or name.endswith(f".{module}")]
    near = near or difflib.get_close_matches(module, there, n=1, cutoff=0.6)
    if near:
        return f"did you mean `{max(near, key=len)}.{attribute}`?"
    return (
        "the content of a source directory lands at the root of the zip: name the module as it is imported from there"
    )


def _attribute_hint(module: str, attribute: str, names: Collection[str]) -> str:
    import difflib

    public = sorted(name for name in names if not name.startswith("_"))
    if near := difflib.get_close_matches(attribute, public, n=1, cutoff=0.5):
        return f"did you mean `{module}.{near[0]}`?"
    return f"define it at the top level of `{module}`, or name another function"


def _defined(body: Iterable[ast.stmt]) -> tuple[set[str], bool]:
    """The names that statements bind in their own scope, and whether these are all."""
    names: set[str] = set()
    complete = True
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
                complete = complete and node.name != "__getattr__"  # PEP 562
            case ast.Import():
                names.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
            case ast.ImportFrom():
                names.update(alias.asname or alias.name for alias in node.names)
                complete = complete and all(alias.name != "*" for alias in node.names)
            case ast.AnnAssign(value=None):
                pass
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                pass
            case _:
                waiting.extend(ast.iter_child_nodes(node))
    return names, complete
