"""Does a function have all that it needs?  Pure decisions over values; every answer is a Finding with its reason.

A function is closed when every import of its source and every requirement of its distributions is met by its own
files, its layers, its bundle or the runtime.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lamella.closure.findings import Finding, Guard, Import, Kind, ModuleIndex, Provided, Severity
from lamella.closure.modules import EMPTY, Search, on_path, provides, search
from lamella.contents.model import BUNDLE, RUNTIME
from lamella.errors import ClosureError
from lamella.facts.tables import absent, span

ALWAYS_THERE = frozenset({"__future__", "__main__", "builtins"})
NEVER_RUN = (Guard.TYPE_CHECKING, Guard.MAIN)
PLACES_SHOWN = 3


def check(
    function: str,
    imports: Mapping[str, Sequence[Import]],
    own: ModuleIndex,
    stdlib: frozenset[str],
    available: Mapping[str, ModuleIndex],
    *,
    unattached: Mapping[str, ModuleIndex] | None = None,
    unplaced: Mapping[str, ModuleIndex | None] | None = None,
    foreign: Sequence[str] = (),
    pruned: Mapping[str, ModuleIndex] | None = None,
) -> tuple[Finding, ...]:
    """One finding for each import that nothing provides, in the order of `imports` (file as shown → its imports).

    `own` are the modules of the function's source, `stdlib` the top-level names of the target's standard library.
    `available` maps holders to their modules: `layer_holder(key)` for each attached layer, BUNDLE, RUNTIME.
    For the hints: `unattached` maps the keys of the other layers to theirs, `unplaced` the pinned distributions
    that are in no layer to theirs (None where their files are not known).
    `foreign` are the ARNs of attached layers whose content is unknown: with one, nothing is surely missing.
    `pruned` maps holders to the modules that rules left out of them.
    """
    imports_check = _ImportsCheck(function, own, available, unattached or {}, unplaced or {}, foreign, pruned or {})
    given = stdlib | ALWAYS_THERE
    return tuple(
        finding
        for file, found in imports.items()
        for each in found
        if each.module.partition(".")[0] not in given
        for finding in imports_check.findings(file, each)
    )


class _ImportsCheck:
    """The question for one function, with each module's answer kept: most are asked for in many files."""

    def __init__(
        self,
        function: str,
        own: ModuleIndex,
        available: Mapping[str, ModuleIndex],
        unattached: Mapping[str, ModuleIndex],
        unplaced: Mapping[str, ModuleIndex | None],
        foreign: Sequence[str],
        pruned: Mapping[str, ModuleIndex],
    ) -> None:
        self.function = function
        self.pruned = pruned
        self.own = own
        self.available = available
        self.unattached = unattached
        self.unplaced = unplaced
        self.foreign = foreign
        self.places = on_path(own, available)
        self.known: dict[str, Search] = {}

    def findings(self, file: str, each: Import) -> Iterable[Finding]:
        if each.module.startswith("."):
            yield self.above_root(file, each)
            return
        answer = self.search(each.module)
        modules = [each.module]
        if answer.answer is Provided.YES and answer.kind is Kind.NAMESPACE:
            # A namespace package has no attributes of its own: each name must be a module.
            modules = [f"{each.module}.{name}" for name in each.names if name != "*"]
        for module in modules:
            answer = self.search(module)
            if answer.answer is not Provided.YES:
                yield self.missing(file, each, module, answer)
        for name in each.names:
            if holder := self.left_out(f"{each.module}.{name}"):
                yield self.missing_pruned(file, each, f"{each.module}.{name}", holder)

    def left_out(self, module: str) -> str | None:
        """The holder from which the file of `module` was left out, where nothing else has one."""
        if self.search(module).answer is Provided.YES:
            return None
        kinds = (Kind.PACKAGE, Kind.MODULE)
        return next((holder for holder, index in self.pruned.items() if index.kind(module) in kinds), None)

    def missing_pruned(self, file: str, each: Import, module: str, holder: str) -> Finding:
        severity = Severity.ERROR if each.guard is Guard.NONE else Severity.NOTE
        why = f"left out of {holder} by a rule"
        if each.guard is not Guard.NONE:
            why += f" (guarded by {each.guard.value})"
        path = module.replace(".", "/")
        hint = f'add `keep = ["{path}*"]` to {holder}; `lamella why` names the rule'
        return Finding(self.function, severity, module, f"imports `{module}`: {why}", file, each.line, hint)

    def search(self, module: str) -> Search:
        if module not in self.known:
            self.known[module] = search(self.places, module)
        return self.known[module]

    def missing(self, file: str, each: Import, module: str, answer: Search) -> Finding:
        if holder := self.left_out(module):
            return self.missing_pruned(file, each, module, holder)
        if answer.answer is Provided.NO:
            why = f"not in {_either([*self.holders()])}"
            if self.foreign:
                why += f" (`{'`, `'.join(self.foreign)}` can't be looked into)"
            hint, certain = self.hint(module), not self.foreign
        elif answer.at == 0 and (other := self.hidden(module)):
            top = module.partition(".")[0]
            why, hint = f"the function's own `{top}` hides the one in {other}", f"rename the function's own `{top}`"
            certain = True
        elif answer.at == 0 and answer.kind is Kind.PACKAGE and self.is_own_package(module):
            why, hint = "no such module among the function's own files", self.own_hint(module)
            certain = True
        else:
            why, hint = f"{self.holder_of(module)} has no file of that name; it may be made at run time", None
            certain = False
        if each.guard is not Guard.NONE:
            why += f" (guarded by {each.guard.value})"
            hint = None if each.guard in NEVER_RUN or hint == NOWHERE else hint
            certain = False
        severity = Severity.ERROR if certain else Severity.NOTE
        return Finding(self.function, severity, module, f"imports `{module}`: {why}", file, each.line, hint)

    def above_root(self, file: str, each: Import) -> Finding:
        severity = Severity.ERROR if each.guard is Guard.NONE else Severity.NOTE
        return Finding(
            self.function,
            severity,
            each.module,
            f"imports `{each.module}`: a relative import that leads above the root of the zip",
            file,
            each.line,
            "the content of a source directory lands at the root of the zip: import it by its absolute name",
        )

    def holders(self) -> list[str]:
        ordered = [holder for holder in self.available if holder not in (BUNDLE, RUNTIME)]
        if self.available.get(BUNDLE, EMPTY) != EMPTY:
            ordered.append(BUNDLE)
        return [*ordered, RUNTIME] if RUNTIME in self.available else ordered

    def hidden(self, module: str) -> str | None:
        """The holder that has `module` where the function's own file of the top-level name comes before it."""
        if self.own.kind(module.partition(".")[0]) not in (Kind.PACKAGE, Kind.MODULE):
            return None
        return next((name for name in self.holders() if provides(self.available[name], module) is Provided.YES), None)

    def is_own_package(self, module: str) -> bool:
        """Whether a package of the function's own source (not of the bundle beside it) should hold `module`."""
        parts = module.split(".")
        return any(self.own.kind(".".join(parts[:depth])) is Kind.PACKAGE for depth in range(1, len(parts)))

    def holder_of(self, module: str) -> str:
        """The holder whose package `module` would be in, for a module that is no file there."""
        for name in self.holders():
            if provides(self.available[name], module) is Provided.UNSURE:
                return f"`{module.rpartition('.')[0]}` in {name}"
        return f"`{module.rpartition('.')[0]}`"

    def hint(self, module: str) -> str:
        layers = [key for key, index in self.unattached.items() if provides(index, module) is not Provided.NO]
        if layers:
            return f"add {_either([f'`{key}`' for key in layers])} to layers of function `{self.function}`"
        if name := self.unplaced_with(module):
            return f"put `{name}` into a layer, or into bundle of function `{self.function}`"
        rest = module.partition(".")[2]
        if rest and provides(self.own, rest) is Provided.YES:
            return f"the content of a source directory lands at the root of the zip: import `{rest}`"
        return _stdlib_hint(module) or NOWHERE

    def unplaced_with(self, module: str) -> str | None:
        """The pinned distribution that provides `module`, or that is named as if it did."""
        for name, index in self.unplaced.items():
            if index is not None and provides(index, module) is not Provided.NO:
                return name
        names = [name for name, index in self.unplaced.items() if index is None]
        return next((name for likely in _likely_names(module) for name in names if name == likely), None)

    def own_hint(self, module: str) -> str:
        import difflib

        near = difflib.get_close_matches(module, self.own.modules | self.own.packages, n=1, cutoff=0.8)
        if near:
            return f"did you mean `{near[0]}`?"
        return "is it misspelt, or left out by `include` or `exclude`?"


NOWHERE = "add the distribution that provides it to the project's dependencies"


def _likely_names(module: str) -> list[str]:
    """The normalized names that a distribution with the top-level module may have, the likeliest first."""
    name = module.partition(".")[0].replace("_", "-").lower().strip("-")
    return [name, f"python-{name}", f"{name}-python", f"py{name}", f"py-{name}"]


def _stdlib_hint(module: str) -> str | None:
    """What to do for a module that only another Python has."""
    top = module.partition(".")[0]
    if platform := absent().get(top):
        return f"only Python on {platform} has it: import it below a test of `sys.platform`"
    known = span(top)
    if known is None:
        return None
    if known.left is not None:
        return f"it left the standard library in Python {known.left[0]}.{known.left[1]}"
    if known.came is not None:
        return f"it is in the standard library from Python {known.came[0]}.{known.came[1]} on"
    return None


def _either(names: Sequence[str]) -> str:
    """``a``, ``a or b``, ``a, b or c``."""
    if not names:
        return "the function's own files"
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def closure_error(findings: Iterable[Finding]) -> ClosureError | None:
    """All errors among `findings` (of any number of functions) as one ClosureError; None when all are notes."""
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if not errors:
        return None
    functions = list(dict.fromkeys(finding.function for finding in errors))
    hints = {finding.hint for finding in errors}
    shared = hints.pop() if len(hints) == 1 else None
    why: list[str] = []
    for function in functions:
        lines = _lines([finding for finding in errors if finding.function == function], shared is None)
        why += lines if len(functions) == 1 else [f"function `{function}`:", *(f"  {line}" for line in lines)]
    names = ", ".join(f"`{function}`" for function in functions)
    if len(functions) == 1:
        what = f"function {names} lacks something that it needs to run"
    else:
        what = f"functions {names} lack something that they need to run"
    return ClosureError(what, why=why, hint=shared)


def _lines(errors: Sequence[Finding], with_hints: bool) -> list[str]:
    """One line a finding; what the same subject lacks in many places is told once, with the first places."""
    by_subject: dict[tuple[str, str, str | None], list[Finding]] = {}
    for finding in errors:
        by_subject.setdefault((finding.subject, finding.message, finding.hint), []).append(finding)
    lines = []
    for (_, _, hint), group in by_subject.items():
        lines += [finding.text for finding in group[:PLACES_SHOWN]]
        if len(group) > PLACES_SHOWN:
            lines.append(f"… and {len(group) - PLACES_SHOWN} more of `{group[0].subject}`")
        if hint and with_hints:
            lines.append(f"  hint: {hint}")
    return lines
