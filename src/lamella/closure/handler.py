"""Is a function's handler in its zip?  A pure decision over the files of the zip.

Source of the rule: AWS's awslambdaric, `_get_handler`: what stands before the last dot is the module (a slash counts
as a dot), what stands behind it is an attribute of that module.  AWS Lambda's developer guide, "Define Lambda function
handler in Python": it is called with the event and the context, and what it returns is serialized.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping, Sequence

from lamella.closure.findings import Finding, ModuleIndex, Provided, Severity
from lamella.closure.modules import index_modules, provides
from lamella.closure.names import defined
from lamella.closure.syntax import NewerSyntaxError, parse

CALL = "Lambda calls it as `{}(event, context)`"


def handler_finding(
    function: str,
    handler: str,
    files: Mapping[str, bytes],
    *,
    available: Mapping[str, ModuleIndex] | None = None,
    foreign: Sequence[str] = (),
    target: tuple[int, int] | None = None,
    shown: Mapping[str, str] | None = None,
) -> Finding | None:
    """An error when `handler` names no module of the zip, or nothing in it that Lambda can call with two arguments.

    `files` maps paths in the zip to their bytes (those of other than .py files are not looked at).  A handler may
    also be in a layer, as those of monitoring wrappers are: `available` are the modules of the function's layers
    and bundle; `foreign` are the ARNs of layers that can't be looked into, which make the error a note.
    `target` is the (major, minor) Python that runs it; `shown` maps the paths to those for errors.

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
    source, place = files[path], (shown or {}).get(path, path)
    try:
        body = parse(place, source, target=target).body
    except NewerSyntaxError:
        return None  # nobody can tell; that the file could not be read is told where its imports are
    names, complete = defined(body)
    if not complete or b"globals()" in source:
        return None
    if attribute not in names:
        return finding(f"`{path}` defines no `{attribute}`", _attribute_hint(module, attribute, names))
    faults = [_fault(node, attribute) for node in names[attribute]]
    if None in faults:
        return None  # of several definitions, the one that counts may be fine
    why, hint = next(fault for fault in faults if fault is not None)
    return finding(f"`{place}:{getattr(names[attribute][0], 'lineno', 1)}` {why}", hint)


def _fault(node: ast.AST, name: str) -> tuple[str, str] | None:
    """Why Lambda can't call what a name is bound to, and a hint; None where it can, or where only the run can tell."""
    call = CALL.format(name)
    match node:
        case ast.AsyncFunctionDef(decorator_list=[]):
            return f"defines `{name}` as async", "Lambda doesn't await: make it a `def` that calls `asyncio.run`"
        case ast.FunctionDef(decorator_list=[], args=arguments) | ast.Lambda(args=arguments):
            fault = _arguments(arguments)
            return (f"defines `{name}` with {fault}", call) if fault else None
        case ast.ClassDef(bases=[], keywords=[], decorator_list=[], body=body):
            names, _ = defined(body)
            if "__init__" in names or "__new__" in names:
                return None
            return f"defines `{name}` as a class that takes no arguments", call
        case ast.Constant() | ast.List() | ast.Tuple() | ast.Dict() | ast.Set() | ast.JoinedStr():
            return f"sets `{name}` to a value that is no function", call
    return None


def _arguments(arguments: ast.arguments) -> str:
    """What a call with two positional arguments fails at; "" when it works."""
    places = len(arguments.posonlyargs) + len(arguments.args)
    required = places - len(arguments.defaults)
    if required > 2:
        return f"{required} required arguments"
    if places < 2 and arguments.vararg is None:
        return "one argument" if places else "no arguments"
    keywords = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    needed = [keyword.arg for keyword, default in keywords if default is None]
    return f"a required keyword argument `{needed[0]}`" if needed else ""


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
