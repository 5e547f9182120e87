"""Do the function's own packages have what is imported from them?  A pure decision over the files of the zip.

Source of the rule: The Python Language Reference, "The import statement": ``from package import name`` takes an
attribute of the package, else a module of that name in it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence

from lamella.closure.findings import Finding, Guard, Import, Kind, ModuleIndex, Provided, Severity
from lamella.closure.modules import on_path, search
from lamella.closure.names import defined
from lamella.closure.syntax import NewerSyntaxError, parse

# With one of these, a package may have names that no statement of its __init__ binds.
MAKES_NAMES = re.compile(rb"globals\(|vars\(|locals\(|setattr|exec\(|sys\.modules|__dict__|__path__|__class__")


def unbound(
    function: str,
    imports: Mapping[str, Sequence[Import]],
    files: Mapping[str, bytes],
    own: ModuleIndex,
    available: Mapping[str, ModuleIndex],
    *,
    target: tuple[int, int] | None = None,
) -> tuple[Finding, ...]:
    """One finding for each ``from package import name`` where the function's own package has no such name.

    `imports`, `own` and `available` are those of `check`; `files` maps paths in the zip to their bytes.  Only what is
    surely wrong is told: the package's ``__init__`` is source that binds all its names by statements, and no file
    sets the name from outside.
    """
    places = on_path(own, available)
    known: dict[str, frozenset[str] | None] = {}
    found = []
    for file, each, name in _named(imports):
        answer = search(places, each.module)
        if answer.answer is not Provided.YES or answer.at != 0 or answer.kind is not Kind.PACKAGE:
            continue
        if each.module not in known:
            known[each.module] = _names(each.module, files, target)
        names = known[each.module]
        module = f"{each.module}.{name}"
        if names is None or name in names or search(places, module).answer is Provided.YES or _is_set(name, files):
            continue
        why = f"`{each.module}` defines no `{name}` and has no such module"
        if each.guard is not Guard.NONE:
            why += f" (guarded by {each.guard.value})"
        severity = Severity.ERROR if each.guard is Guard.NONE else Severity.NOTE
        hint = _hint(each.module, name, names, own)
        found.append(Finding(function, severity, module, f"imports `{module}`: {why}", file, each.line, hint))
    return tuple(found)


def _named(imports: Mapping[str, Sequence[Import]]) -> Iterator[tuple[str, Import, str]]:
    for file, found in imports.items():
        for each in found:
            for name in each.names:
                if name != "*" and not (name.startswith("__") and name.endswith("__")):
                    yield file, each, name


def _names(package: str, files: Mapping[str, bytes], target: tuple[int, int] | None) -> frozenset[str] | None:
    """All names that the package's ``__init__`` binds; None when they can't be known."""
    path = f"{package.replace('.', '/')}/__init__.py"
    if path not in files or MAKES_NAMES.search(files[path]):
        return None
    try:
        body: list[ast.stmt] = parse(path, files[path], target=target).body
    except NewerSyntaxError:
        return None
    names, complete = defined(body, package)
    return frozenset(names) if complete else None


def _is_set(name: str, files: Mapping[str, bytes]) -> bool:
    """Whether any file may set the attribute from outside: ``package.name = …`` or ``setattr(package, "name", …)``."""
    word = re.escape(name).encode()
    pattern = re.compile(rb"(?<!\bself)(?<!\bcls)\.%b\s*(:[^=\n]*)?=(?!=)|setattr\([^)\n]*[\"']%b[\"']" % (word, word))
    return any(path.endswith(".py") and pattern.search(source) for path, source in files.items())


def _hint(package: str, name: str, names: frozenset[str], own: ModuleIndex) -> str:
    import difflib

    prefix = f"{package}."
    modules = {each[len(prefix) :] for each in own.modules | own.packages if each.startswith(prefix)}
    there = {each for each in names | modules if "." not in each and not each.startswith("__")}
    if near := difflib.get_close_matches(name, sorted(there), n=1, cutoff=0.7):
        return f"did you mean `{near[0]}`?"
    return "is it misspelt, or left out by `include` or `exclude`?"
