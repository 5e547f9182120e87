"""What mends each finding of the checks: in a project the build, in a bare zip commands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from lamella.checks import metadata, platform
from lamella.checks.members import below, contents, owner, sites
from lamella.checks.model import Contents, Finding, Severity
from lamella.closure.findings import ModuleIndex, Provided
from lamella.closure.modules import index_modules, provides
from lamella.doctor.artifacts import Bare
from lamella.doctor.model import FUNCTION, Diagnosis
from lamella.doctor.names import distribution_of
from lamella.doctor.natives import natives
from lamella.doctor.records import NAME as NAMELESS
from lamella.doctor.records import untold
from lamella.doctor.remedies import installed, taken_out, through_s3
from lamella.manifest import Artifact, Distribution, LayerArtifact, Manifest
from lamella.target import Target

# Of the closure's and the imports' findings: the module that nothing provides
_MISSING = re.compile(r"^imports `([\w.]+)`: not in|No module named '([\w.]+)'")
_UNKNOWN = re.compile(r"No package metadata was found for (\S+)")
_TWICE = re.compile(r"^`([^`]+)` is also in layer `([^`]+)`")
# A finding of the checks names what to do in a project; of a bare zip the command says it
_PROJECT_WORDS = re.compile(r"lamella (?:why|build|check|size)|exclude = |keep = |\block\b|`drop`|build `|bundle")


class Provider(NamedTuple):
    """A layer that is not attached; `modules` are those that it would bring."""

    name: str
    modules: ModuleIndex


def providers(manifest: Manifest, folder: str, runtime: str = "") -> tuple[Provider, ...]:
    """The layers that were built into `folder` for `runtime`, "" for any.  Raises ArchiveError, OSError."""
    found = []
    for layer in manifest.layers:
        if runtime in ("", *layer.runtimes):
            held = contents(f"{folder}/{layer.file}").members
            found.append(Provider(layer.name, index_modules(held, sites(layer, runtime or layer.runtimes[0]))))
    return tuple(found)


def missing_module(finding: Finding) -> str:
    """The module that a finding says to be missing, "" for another one."""
    if finding.check not in ("closure", "imports"):
        return ""
    found = _MISSING.search(finding.reason)
    return (found[1] or found[2]) if found else ""


def provided_by(module: str, layers: Iterable[Provider]) -> list[str]:
    """The names of the layers that would bring a module."""
    return [layer.name for layer in layers if provides(layer.modules, module) is not Provided.NO]


def attached(finding: Finding, layers: Iterable[Provider]) -> Diagnosis:
    """The finding of a project, with the layer that would bring what is missing, where there is one."""
    names = provided_by(missing_module(finding), layers) if missing_module(finding) else []
    if names:
        named = " or ".join(f"`{name}`" for name in names)
        finding = finding._replace(hint=f"{named} brings it: name it in `layers` of function `{finding.artifact}`")
    mends = finding.severity is Severity.ERROR and finding.tried
    return Diagnosis(finding, ("lamella build",) if mends else ())


class Prescriber:
    """For bare zips: `zips` are what their artifacts in `manifest` hold, by key.  `layers` are what else is known."""

    def __init__(
        self, table: Sequence[Bare], manifest: Manifest, zips: Mapping[str, Contents], layers: Sequence[Provider]
    ) -> None:
        self.bares = {bare.key: bare for bare in table}
        self.artifacts: dict[str, Artifact] = {one.key: one for one in manifest.artifacts}
        self.zips = zips
        self.layers = layers
        self.never_taken: set[tuple[str, str]] = set()
        # What is to be installed again, by the key of its zip: one command for all of a zip
        self.again: dict[str, dict[str, None]] = {}

    def prescribed(self, findings: Iterable[Finding]) -> list[Diagnosis]:
        """These findings, and what no check of a build looks for, each with what mends it.

        Raises ArchiveError, OSError.
        """
        own = [one for key in self.artifacts for one in self.own(key)]
        known = [one for one in findings if relevant(one, self.bares.get(one.artifact)) and not self.is_said(one)]
        for finding in known:
            row = self.row(finding)
            if row is not None and finding.check in (platform.CHECK, metadata.NAME) and _hurts(finding):
                self.install(finding.artifact, _requirement(row))
        return [self.mended(one) for one in (*own, *known)]

    def own(self, key: str) -> list[Finding]:
        """Compiled modules that nothing takes up, and packages that say nothing of themselves."""
        bare, artifact, held = self.bares[key], self.artifacts[key], self.zips[key]
        folders = sites(artifact, bare.guess.runtime)
        found = []
        for lost in natives(key, held, artifact.distributions, folders, _target(bare)):
            self.never_taken.update((key, path) for path in lost.paths)
            found.append(lost.finding)
            if lost.row is not None:
                self.install(key, _requirement(lost.row))
        for told in untold(key, held, artifact.distributions, folders):
            found.append(told.finding)
            for requirement in told.requirements:
                self.install(key, requirement)
        return found

    def install(self, key: str, requirement: str) -> None:
        self.again.setdefault(key, {})[requirement] = None

    def is_said(self, finding: Finding) -> bool:
        """Whether one of `own` says it better."""
        if (finding.artifact, finding.path) in self.never_taken:
            return True
        artifact = self.artifacts.get(finding.artifact)
        return (
            finding.check == metadata.NAME
            and artifact is not None
            and any(f"`{row.name}` " in finding.reason and not row.version for row in artifact.distributions)
        )

    def row(self, finding: Finding) -> Distribution | None:
        """The distribution that a finding is about, as far as that tells."""
        artifact, bare = self.artifacts.get(finding.artifact), self.bares.get(finding.artifact)
        if artifact is None or bare is None:
            return None
        place = below(finding.path, sites(artifact, bare.guess.runtime)) or finding.path
        named = (row for row in artifact.distributions if f"`{row.name}` " in finding.reason)
        return owner(place, artifact.distributions) if finding.path else next(named, None)

    def mended(self, finding: Finding) -> Diagnosis:
        """The finding with the commands for it."""
        bare, artifact = self.bares.get(finding.artifact), self.artifacts.get(finding.artifact)
        if bare is None or artifact is None:
            return Diagnosis(finding)
        row = self.row(finding)
        if (module := missing_module(finding)) and finding.check != metadata.NAME:
            return self.absent(finding, bare, module)
        fix: tuple[str, ...] = ()
        wanted = self.again.get(bare.key, {})
        if twice := _TWICE.match(finding.reason):
            fix = self.without(bare, artifact, twice[1])
        elif _UNKNOWN.search(finding.reason) or (row is not None and _requirement(row) in wanted):
            lacking = _UNKNOWN.search(finding.reason)
            fix = self.installed(bare, [*wanted, *([lacking[1]] if lacking else [])])
        elif finding.check == NAMELESS and wanted and "asks for the metadata" in finding.reason:
            fix = self.installed(bare, [*wanted])
        elif finding.check == "size" and isinstance(artifact, LayerArtifact):
            fix = through_s3(bare.path, bare.guess.kind)
        return Diagnosis(_plain(finding), fix)

    def installed(self, bare: Bare, requirements: Sequence[str]) -> tuple[str, ...]:
        """Commands that put the right wheels into a zip, in the place of what is there of them."""
        if not requirements:
            return ()
        names = {requirement.partition("==")[0] for requirement in requirements}
        rows = [row for row in self.artifacts[bare.key].distributions if row.name in names]
        old = [top for row in rows for top in self.tops(bare, row)]
        return installed(requirements, bare.path, bare.guess.kind, _target(bare), old=old)

    def tops(self, bare: Bare, row: Distribution) -> list[str]:
        """The files and folders that hold a distribution, the folders with a slash."""
        found: dict[str, None] = {}
        for path in self.zips[bare.key].members:
            place = below(path, sites(self.artifacts[bare.key], bare.guess.runtime))
            if place is not None and owner(place, [row]) is row:
                top, slash, _ = place.partition("/")
                found[path[: len(path) - len(place)] + top + slash] = None
        return list(found)

    def absent(self, finding: Finding, bare: Bare, module: str) -> Diagnosis:
        """What to do where a module is not there at all."""
        names = provided_by(module, self.layers)
        if names:
            named = " or ".join(f"`{name}`" for name in names)
            return Diagnosis(finding._replace(hint=f"layer {named} brings it: attach it to the function"))
        if finding.severity is not Severity.ERROR:
            return Diagnosis(_plain(finding))
        top = module.partition(".")[0]
        if any(top in row.modules for one in self.artifacts.values() for row in one.distributions):
            return Diagnosis(_plain(finding))
        fix = installed([distribution_of(top)], bare.path, bare.guess.kind, _target(bare), alone=False)
        hint = f"bring what provides `{top}`, in a layer or in the function's own zip"
        return Diagnosis(finding._replace(hint=hint), fix)

    def without(self, bare: Bare, artifact: Artifact, name: str) -> tuple[str, ...]:
        """Take a distribution out of a zip."""
        row = next((row for row in artifact.distributions if row.name == name), None)
        if row is None:
            return ()
        return (taken_out(bare.path, [f"{top}*" if top.endswith("/") else top for top in self.tops(bare, row)]),)


def _target(bare: Bare) -> Target:
    return Target(bare.guess.runtime, bare.guess.architecture)


def _requirement(row: Distribution) -> str:
    return f"{row.name}=={row.version}" if row.version else row.name


def _hurts(finding: Finding) -> bool:
    return finding.severity is not Severity.NOTE


def _plain(finding: Finding) -> Finding:
    """Without a hint that only a project can follow."""
    return finding._replace(hint="") if _PROJECT_WORDS.search(finding.hint) else finding


def relevant(finding: Finding, bare: Bare | None) -> bool:
    """Whether a finding about an import counts: of a function's zip with foreign code in it, what it calls does.

    What was installed without its `.dist-info` looks like own code, and imports much that it can do without.
    """
    if finding.check != "closure" or bare is None or bare.guess.kind != FUNCTION or "/" not in finding.path:
        return True
    return finding.path.partition("/")[0] == re.split(r"[./]", bare.handler)[0]
