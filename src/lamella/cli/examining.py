"""Artifacts that are looked at by all checks at once, whoever made them: for `lamella doctor`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lamella.checks.bench import Means
    from lamella.checks.model import Finding
    from lamella.config.model import Settings
    from lamella.doctor.artifacts import Bare
    from lamella.doctor.model import Asked, Diagnosis
    from lamella.doctor.prescribe import Provider
    from lamella.errors import ArchiveError
    from lamella.manifest import Manifest
    from lamella.wheels.obtain import Progress

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


def findings(manifest: Manifest, folder: str, given: Means) -> tuple[Finding, ...]:
    """All that `lamella check` would find.  A check that can't be made is a finding, too."""
    from lamella.checks.bench import Bench
    from lamella.checks.model import Finding, Severity
    from lamella.cli.check import CHECKS, Inquiry
    from lamella.errors import ArchiveError, LamellaError

    # Nothing can be tried of a function that nobody knows how to call
    called = manifest._replace(functions=tuple(one for one in manifest.functions if one.handler))
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
    return tuple(dict.fromkeys(one for one in found if not one.reason.startswith("handler ``:")))


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
    return Prescriber(bares, manifest, held, layers).prescribed(findings(manifest, "", given))
