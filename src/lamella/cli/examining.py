"""Artifacts that are looked at by all checks at once, whoever made them: for `lamella doctor`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lamella.checks.bench import Means
    from lamella.checks.model import Finding
    from lamella.config.model import Settings
    from lamella.doctor.artifacts import Bare
    from lamella.doctor.model import Asked, Diagnosis
    from lamella.doctor.prescribe import Provider
    from lamella.errors import ArchiveError
    from lamella.manifest import FunctionArtifact, Manifest
    from lamella.wheels.obtain import Progress

# What is called of a module whose handler nobody knows
_ANY = ".__class__"
# Checks that import what is there
_TRIALS = ("imports", "metadata")


def means(
    settings: Settings | None,
    isolation: str,
    progress: Progress,
    *,
    offline: bool,
    env: Mapping[str, str] | None = None,
) -> Means:
    """What imports are tried with.  Without a project nothing stands in for what the runtime brings."""
    from lamella.cachedir import cache_dir
    from lamella.checks.bench import Means
    from lamella.wheels.cache import Cache

    root = cache_dir(os.environ)
    cache = Cache(root)
    standin = None
    if settings is not None:
        from lamella.build.standin import StandIns

        standin = StandIns(settings, cache, root, progress, offline=offline).of
    return Means(root, cache, isolation, env or {}, (), standin)


def findings(
    manifest: Manifest, folder: str, given: Means, alone: Mapping[str, str] = MappingProxyType({})
) -> tuple[Finding, ...]:
    """All that `lamella check` would find.  A check that can't be made is a finding, too.

    `alone` are modules, by the key of their function, that are imported where nothing tells what Lambda calls.
    """
    from lamella.checks.bench import Bench
    from lamella.checks.model import Finding, Severity
    from lamella.cli.check import CHECKS, Inquiry
    from lamella.errors import ArchiveError, LamellaError

    # Nothing can be tried of a function that nobody knows how to call, but what is called must be in its one module
    each = [one if one.handler else _calling(one, alone.get(one.key, "")) for one in manifest.functions]
    called = manifest._replace(functions=tuple(one for one in each if one.handler))
    still = Inquiry(Bench(manifest, folder, given), frozenset(CHECKS))
    moving = Inquiry(Bench(called, folder, given), frozenset(CHECKS))
    found: list[Finding] = []
    for name, check in CHECKS.items():
        try:
            found += check(moving if name in _TRIALS else still).findings
        except ArchiveError as error:
            found.append(damaged(manifest, error))
        except LamellaError as error:
            first = next((one.key for one in manifest.artifacts), "")
            reason = "; ".join((f"not checked: {error.what}", *error.why))
            found.append(Finding(name, Severity.WARNING, first, "", reason, error.hint or "", tried=False))
    found = [_of_module(one, alone.get(one.artifact, "")) for one in found]
    return tuple(dict.fromkeys(one for one in found if not one.reason.startswith("handler ``:")))


def _calling(function: FunctionArtifact, module: str) -> FunctionArtifact:
    """With something as its handler that every module has, and that can be called."""
    return function._replace(handler=f"{module}{_ANY}") if module else function


def _of_module(finding: Finding, module: str) -> Finding:
    """The finding about a module that was imported for want of a handler, or that nothing can import."""
    from lamella.checks.model import Severity

    if not module:
        return finding
    reason = finding.reason.replace(f"handler `{module}{_ANY}`", f"`{module}`, the only module at the root,")
    certain = reason.startswith(f"not checked: `{module}.py") and "` can't be read as Python" in reason
    return finding._replace(reason=reason, severity=Severity.ERROR if certain else finding.severity)


def damaged(manifest: Manifest, error: ArchiveError) -> Finding:
    """The finding for a zip that can't be read to its end: Lambda takes it no better."""
    from lamella.checks.model import Finding, Severity

    keys = [one.key for one in manifest.artifacts]
    named = [one.key for one in manifest.artifacts if os.path.basename(one.file) in error.what]
    reason = "; ".join((error.what, *error.why))
    return Finding("structure", Severity.ERROR, next(iter([*named, *keys]), ""), "", reason, error.hint or "")


def zips(
    named: Sequence[tuple[str, Asked]], given: Means, folder: str, layers: Sequence[Provider] = ()
) -> tuple[tuple[str, ...], tuple[Diagnosis, ...]]:
    """What was looked at, and what is wrong with these zips.  Layers among them are attached to functions among them.

    Raises UsageError where there is no file, ConfigError for an unknown runtime.
    """
    from lamella.doctor.artifacts import manifest_of
    from lamella.doctor.bare import put
    from lamella.doctor.model import FUNCTION
    from lamella.errors import ArchiveError

    table = put(named, folder)
    attached = [bare for bare in table.zips if bare.guess.kind != FUNCTION]
    functions = [bare for bare in table.zips if bare.guess.kind == FUNCTION]
    found = list(table.diagnoses)
    each: list[Bare | None] = [*functions] or [None]
    for function in each:
        try:
            found += _diagnosed(table.zips, manifest_of(function, attached), given, layers)
        except ArchiveError as error:
            found.append(_unread(table.zips, error))
    looked = []
    for bare in table.zips:
        guess = bare.guess
        why = f": {'; '.join(guess.why)}" if guess.why else ""
        looked.append(f"{bare.key}: a {guess.kind} for {guess.runtime} ({guess.architecture}){why}")
    return tuple(looked), tuple(dict.fromkeys(found))


def _unread(bares: Sequence[Bare], error: ArchiveError) -> Diagnosis:
    from lamella.checks.model import Finding, Severity
    from lamella.doctor.model import Diagnosis

    bare = next((one for one in bares if os.path.basename(one.laid) in error.what), bares[0])
    reason = "; ".join((error.what.replace(bare.laid, bare.path), *error.why))
    hint = "zip it again, or take it anew from where it came from"
    return Diagnosis(Finding("structure", Severity.ERROR, bare.key, "", reason, hint))


def _diagnosed(bares: Sequence[Bare], manifest: Manifest, given: Means, layers: Sequence[Provider]) -> list[Diagnosis]:
    from lamella.checks.members import contents
    from lamella.doctor.prescribe import Prescriber

    held = {one.key: contents(one.file) for one in manifest.artifacts}
    alone = {bare.key: bare.alone for bare in bares if bare.alone}
    found = findings(manifest, "", given, alone)
    untried = {one.artifact for one in found if one.check == "imports" and not one.tried}
    unnamed = [bare for bare in bares if bare.key in untried and not bare.guess.names_runtime]
    modules = {(bare.key, f"{bare.alone or bare.handler.rpartition('.')[0]}.py") for bare in unnamed}
    told = [_unread_module(one) if (one.artifact, one.path) in modules else one for one in found]
    return Prescriber(bares, manifest, held, layers).prescribed(told)


def _unread_module(finding: Finding) -> Finding:
    """The finding about what Lambda calls; an error where no Python read it, and none is named that might."""
    from lamella.checks.model import Severity

    if not finding.reason.startswith("could not be read by Python"):
        return finding
    reason, _, _ = finding.reason.partition(":")
    hint = "correct it, or, where that is newer syntax, say with `--runtime` what it is for"
    return finding._replace(severity=Severity.ERROR, reason=reason, hint=hint)
