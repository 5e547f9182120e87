"""What mends each finding of the checks: in a project the build, in a bare zip commands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from lamella.checks import metadata, platform
from lamella.checks.members import below, contents, normalized, owner, sites
from lamella.checks.model import Contents, Finding, Severity
from lamella.closure.findings import ModuleIndex, Provided
from lamella.closure.modules import index_modules, provides
from lamella.doctor.artifacts import Bare
from lamella.doctor.model import FUNCTION, Diagnosis
from lamella.doctor.names import distribution_of, is_known
from lamella.doctor.natives import natives
from lamella.doctor.records import NAME as NAMELESS
from lamella.doctor.records import incomplete, untold
from lamella.doctor.remedies import installed, taken_out, through_s3
from lamella.manifest import Artifact, Distribution, LayerArtifact, Manifest
from lamella.target import Target
from lamella.wording import counted

# Of the closure's and the imports' findings: the module that nothing provides
_MISSING = re.compile(r"^imports `([\w.]+)`: not in|No module named '([\w.]+)'|required dependency (\w+)")
_LACKS = re.compile(r" requires `([A-Za-z0-9][A-Za-z0-9._-]*)[^`]*`: not in ")
_UNKNOWN = re.compile(r"No package metadata was found for (\S+)")
_LINKS = re.compile(r"^it links `([^`]+)`, which neither ")
_REQUIRED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_TWICE = re.compile(r"^`([^`]+)` is also in layer `([^`]+)`")
# A finding of the checks names what to do in a project; of a bare zip the command says it
_PROJECT_WORDS = re.compile(
    r"lamella (?:why|build|check|size)|exclude = |keep = |\block\b|`drop`|build `|bundle|the project"
)


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
    return next(filter(None, found.groups())) if found else ""


def provided_by(module: str, layers: Iterable[Provider]) -> list[str]:
    """The names of the layers that would bring a module."""
    return [layer.name for layer in layers if provides(layer.modules, module) is not Provided.NO]


def attached(finding: Finding, layers: Iterable[Provider], build: str = "lamella build") -> Diagnosis:
    """The finding of a project, with the layer that would bring what is missing, where there is one.

    `build` is the command that makes its artifacts anew.
    """
    names = provided_by(missing_module(finding), layers) if missing_module(finding) else []
    if names:
        named = " or ".join(f"`{name}`" for name in names)
        finding = finding._replace(hint=f"{named} brings it: name it in `layers` of function `{finding.artifact}`")
    mends = finding.severity is Severity.ERROR and finding.tried
    return Diagnosis(finding, (build,) if mends else ())


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
        # What some distribution here is, or says that it requires
        self.required = {key: _required(self.artifacts[key], zips[key], self.bares[key]) for key in self.artifacts}
        self.told = {name for names in self.required.values() for name in names}
        self.told |= {row.name for one in manifest.artifacts for row in one.distributions if row.version}

    def prescribed(self, findings: Iterable[Finding]) -> list[Diagnosis]:
        """These findings, and what no check of a build looks for, each with what mends it.

        Raises ArchiveError, OSError.
        """
        own = [one for key in self.artifacts for one in self.own(key)]
        known = [one for one in findings if relevant(one, self.bares.get(one.artifact)) and not self.is_said(one)]
        for finding in known:
            row = self.row(finding)
            if row is not None and finding.check in (platform.CHECK, metadata.NAME) and _hurts(finding):
                self.install(finding.artifact, row)
        return [self.mended(one) for one in (*own, *self.together(known))]

    def together(self, findings: Sequence[Finding]) -> list[Finding]:
        """The findings; those about libraries that a distribution, or a zip besides, does not find are one."""
        groups: dict[object, list[tuple[str, Finding]]] = {}
        for at, one in enumerate(findings):
            library = _LINKS.match(one.reason) if one.check == platform.CHECK else None
            row = self.row(one) if library else None
            about = row.name if row is not None and row.version else library and f"`{library[1]}`"
            key = (one.artifact, about, one.severity) if library else at
            groups.setdefault(key, []).append((library[1] if library else "", one))
        found = []
        for group in groups.values():
            first, libraries = group[0][1], len({name for name, _ in group})
            files = len({one.path for _, one in group})
            more = [f"{libraries - 1} more of its libraries"] if libraries > 1 else []
            more += [counted(files - 1, "more file")] if files > 1 else []
            found.append(
                first._replace(reason=f"{first.reason}; so it is with {' and '.join(more)}") if more else first
            )
        return found

    def own(self, key: str) -> list[Finding]:
        """Compiled modules that nothing takes up, and packages that say nothing of themselves."""
        bare, artifact, held = self.bares[key], self.artifacts[key], self.zips[key]
        folders = sites(artifact, bare.guess.runtime)
        found = []
        for lost in natives(key, held, artifact.distributions, folders, _target(bare)):
            self.never_taken.update((key, path) for path in lost.paths)
            found.append(lost.finding)
            if lost.row is not None:
                self.install(key, lost.row)
        for finding, row in incomplete(key, held, artifact.distributions, folders, _target(bare)):
            found.append(finding)
            self.install(key, row)
        for told in untold(key, held, artifact.distributions, folders, self.is_installed):
            found.append(told.finding)
            for requirement in told.requirements:
                self.again.setdefault(key, {})[requirement] = None
        return found

    def is_on_index(self, distribution: str) -> bool:
        """Whether something but the name of a module says that there is such a distribution.

        Else it may be somebody's own module, and what a stranger called the same is not to be put in its place.
        """
        return normalized(distribution) in self.told or is_known(normalized(distribution))

    def is_installed(self, row: Distribution) -> bool:
        """Whether a distribution comes from an index, and is not somebody's own module."""
        return self.is_on_index(_called(row))

    def install(self, key: str, row: Distribution) -> None:
        if self.is_installed(row):
            self.again.setdefault(key, {})[_requirement(row)] = None

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
        elif (lacking := _UNKNOWN.search(finding.reason)) and self.is_on_index(lacking[1]):
            fix = self.installed(bare, [*dict.fromkeys((*wanted, lacking[1]))])
        elif (row is not None and _requirement(row) in wanted) or (
            finding.check == NAMELESS and wanted and "asks for the metadata" in finding.reason
        ):
            fix = self.installed(bare, [*wanted])
        elif finding.severity is Severity.ERROR and (lacks := _LACKS.search(finding.reason)):
            fix = installed([lacks[1]], bare.path, bare.guess.kind, _target(bare), alone=False)
        elif finding.check == "size" and isinstance(artifact, LayerArtifact):
            fix = through_s3(bare.path, bare.guess.kind)
        return Diagnosis(_plain(finding), fix)

    def installed(self, bare: Bare, requirements: Sequence[str]) -> tuple[str, ...]:
        """Commands that put the right wheels into a zip, in the place of what is there of them."""
        if not requirements:
            return ()
        names = {requirement.partition("==")[0] for requirement in requirements}
        rows = [row for row in self.artifacts[bare.key].distributions if _called(row) in names]
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
        top = module.partition(".")[0]
        distribution = distribution_of(top)
        # Of a layer nobody knows what else is attached: what its own distributions require is worth a command
        required = finding.check == "imports" and distribution in self.required[bare.key]
        if finding.severity is not Severity.ERROR and not (required and finding.severity is Severity.WARNING):
            return Diagnosis(_plain(finding))
        if any(top in row.modules for one in self.artifacts.values() for row in one.distributions):
            return Diagnosis(_plain(finding))
        fix: tuple[str, ...] = ()
        if self.is_on_index(distribution):
            fix = installed([distribution], bare.path, bare.guess.kind, _target(bare), alone=False)
        hint = f"bring what provides `{top}`, in a layer or in the function's own zip"
        return Diagnosis(finding._replace(hint=hint), fix)

    def without(self, bare: Bare, artifact: Artifact, name: str) -> tuple[str, ...]:
        """Take a distribution out of a zip."""
        row = next((row for row in artifact.distributions if row.name == name), None)
        if row is None:
            return ()
        tops = tuple(self.tops(bare, row))
        if all(path.startswith(tops) for path in self.zips[bare.key].members):
            return ()
        return (taken_out(bare.path, [f"{top}*" if top.endswith("/") else top for top in tops]),)


def _target(bare: Bare) -> Target:
    return Target(bare.guess.runtime, bare.guess.architecture)


def _requirement(row: Distribution) -> str:
    return f"{row.name}=={row.version}" if row.version else _called(row)


def _called(row: Distribution) -> str:
    """What an index calls it; what says nothing of itself is known by its module alone."""
    return row.name if row.version else distribution_of(row.name)


def _required(artifact: Artifact, held: Contents, bare: Bare) -> frozenset[str]:
    """What its distributions say that they require, whatever for."""
    folders = sites(artifact, bare.guess.runtime)
    lines = [line for row in artifact.distributions for line in metadata.requirements(row, held, folders)]
    return frozenset(normalized(match[0]) for line in lines if (match := _REQUIRED.match(line)))


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
