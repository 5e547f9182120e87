"""Has each function all that it imports?  Asked once more of the finished zips, by the closure's own decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lamella.checks.members import content, owner, sites
from lamella.checks.metadata import requirements
from lamella.checks.model import Contents, Finding, Severity
from lamella.closure import findings as closure
from lamella.closure.imports import scan
from lamella.closure.modules import index_modules, known_modules
from lamella.closure.syntax import NewerSyntaxError
from lamella.contents.model import BUNDLE, RUNTIME, layer_holder
from lamella.facts.tables import provided, stdlib
from lamella.manifest import Artifact, FunctionArtifact, LayerArtifact
from lamella.target import Target

NAME = "closure"


def missing(
    function: FunctionArtifact, layers: Sequence[LayerArtifact], zips: Mapping[str, Contents]
) -> tuple[Finding, ...]:
    """What the function's own files import, and its distributions require, that is in none of its zips.

    `layers` are the local ones in the function's order; `zips` maps keys of artifacts to what they hold.
    Raises ConfigError for a file that is no Python; ArchiveError, OSError.
    """
    return _Question(function, layers, zips).findings()


class _Question:
    def __init__(
        self, function: FunctionArtifact, layers: Sequence[LayerArtifact], zips: Mapping[str, Contents]
    ) -> None:
        self.function = function
        self.target = Target(function.runtime, function.architecture)
        self.zips = zips
        self.artifacts: dict[str, Artifact] = {layer_holder(layer.key): layer for layer in layers}
        self.artifacts[BUNDLE] = function
        self.foreign = [key for key in function.layers if key.startswith("arn:")]
        held = zips[function.key]
        self.own: dict[str, bytes] = {}
        bundled: list[str] = []
        for path in held.members:
            if owner(path, function.distributions) is not None:
                bundled.append(path)
            else:
                self.own[path] = content(held, path) if path.endswith(".py") else b""
        self.available = {
            layer_holder(layer.key): index_modules(zips[layer.key].members, sites(layer, function.runtime))
            for layer in layers
        }
        if bundled:
            self.available[BUNDLE] = index_modules(bundled)
        shipped = provided(function.runtime)
        self.shipped = {row.name for row in shipped}
        self.available[RUNTIME] = known_modules(module for row in shipped for module in row.modules)

    def findings(self) -> tuple[Finding, ...]:
        from lamella.closure.attributes import unbound
        from lamella.closure.check import check
        from lamella.closure.handler import handler_finding
        from lamella.closure.requirements import unmet

        key, python, own = self.function.key, self.target.python, index_modules(self.own)
        found: list[closure.Finding] = []
        imports = self._imports(found)
        handler = handler_finding(
            key, self.function.handler, self.own, available=self.available, foreign=self.foreign, target=python
        )
        found += [handler] if handler is not None else []
        found += check(key, imports, own, stdlib(self.function.runtime), self.available, foreign=self.foreign)
        found += unbound(key, imports, self.own, own, self.available, target=python)
        rows = {holder: self._distributions(artifact) for holder, artifact in self.artifacts.items()}
        found += unmet(key, rows, self.target.environment(), self.shipped, foreign=self.foreign)
        return tuple(_as_ours(each) for each in found)

    def _imports(self, found: list[closure.Finding]) -> dict[str, Sequence[closure.Import]]:
        imports: dict[str, Sequence[closure.Import]] = {}
        for path, source in self.own.items():
            if not path.endswith(".py"):
                continue
            try:
                imports[path] = scan(path, source, target=self.target.python)
            except NewerSyntaxError as error:
                found.append(closure.unread(self.function.key, path, error.line, self.function.runtime))
        return imports

    def _distributions(self, artifact: Artifact) -> list[closure.Distribution]:
        held = self.zips[artifact.key]
        folders = sites(artifact, self.function.runtime)
        rows = []
        for row in artifact.distributions:
            if self.function.runtime not in row.runtimes:
                continue
            rows.append(closure.Distribution(row.name, row.version, requirements(row, held, folders)))
        return rows


def _as_ours(found: closure.Finding) -> Finding:
    severity = Severity.ERROR if found.severity is closure.Severity.ERROR else Severity.NOTE
    return Finding(NAME, severity, found.function, found.file or "", found.message, found.hint or "", found.line)
