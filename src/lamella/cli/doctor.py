"""`lamella doctor`: what is wrong, why, and the command that mends it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from lamella.sandbox.model import AUTO, ISOLATIONS

if TYPE_CHECKING:
    from lamella.checks.bench import Means
    from lamella.cloud.model import Place
    from lamella.config.model import Environment, Settings
    from lamella.doctor.model import Diagnosis
    from lamella.doctor.prescribe import Provider
    from lamella.errors import LamellaError
    from lamella.manifest import Manifest
    from lamella.report.console import Console
    from lamella.rollout.model import Wanted
    from lamella.wheels.obtain import Progress

DESCRIPTION = (
    "Say what is wrong with a layer, a function or a zip, and the command that mends it.  Nothing is changed.\n"
    "Exits 1 for an error, and 3 where AWS can't be asked."
)
EPILOG = """examples:
  lamella doctor                            what was built, and the functions in AWS
  lamella doctor api-handler                one function: layers, runtime, alias, code
  lamella doctor api-handler --deep         its deployed zips, too
  lamella doctor --offline                  what was built, AWS is not asked
  lamella doctor layer.zip                  any zip: pip's, zip's, somebody else's; no project is needed
  lamella doctor function.zip --layer layer.zip --runtime python3.12 --handler app.handler
"""


class Checkup(NamedTuple):
    """What was looked at, a line each, and what was found.  `failed` is why AWS could not be asked."""

    looked: tuple[str, ...] = ()
    found: tuple[Diagnosis, ...] = ()
    failed: LamellaError | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from lamella.cli import rollouts

    parser.add_argument("subjects", nargs="*", metavar="FUNCTION|ZIP", help="functions, or files; all when left out")
    rollouts.add_arguments(parser)
    parser.add_argument("--offline", action="store_true", help="use no network, and do not ask AWS")
    parser.add_argument("--deep", action="store_true", help="look into the zips that are deployed, too")
    parser.add_argument(
        "--permissions", action="store_true", help="have IAM simulate a deploy, and say what would be denied"
    )
    zips = parser.add_argument_group("zips")
    zips.add_argument("--layer", action="append", default=[], metavar="ZIP", help="a layer of the function's zip")
    zips.add_argument("--runtime", default="", metavar="NAME", help="such as python3.12; guessed when left out")
    zips.add_argument("--architecture", default="", metavar="NAME", help="x86_64 or arm64; guessed when left out")
    zips.add_argument("--handler", default="", metavar="NAME", help="what Lambda calls, such as app.handler")
    parser.add_argument(
        "--isolation", choices=ISOLATIONS, default=AUTO, help="how imports are kept apart; default: auto"
    )


def run(parsed: argparse.Namespace) -> int:
    from lamella.errors import UsageError
    from lamella.report.console import Console
    from lamella.report.doctor import as_json, show

    console = Console(quiet=parsed.quiet)
    zips = [word for word in parsed.subjects if _is_zip(word)]
    functions = [word for word in parsed.subjects if not _is_zip(word)]
    if not zips and (parsed.layer or parsed.handler):
        raise UsageError("`--layer` and `--handler` are about a zip", hint="name the zip of the function")
    parts: list[Checkup] = []
    progress = console.progress()
    try:
        if zips:
            parts.append(_zips(parsed, zips, _settings(), progress))
        if functions or not zips:
            parts += _project(parsed, functions, console, progress)
    finally:
        progress.close()
    looked = [line for part in parts for line in part.looked]
    found = tuple(dict.fromkeys(one for part in parts for one in part.found))
    failed = next((part.failed for part in parts if part.failed is not None), None)
    if parsed.json:
        console.data(as_json(looked, found, str(failed or "")))
    else:
        show(console, looked, found)
        if failed is not None:
            console.error(failed)
    return _code(found, failed)


def _code(found: Sequence[Diagnosis], failed: LamellaError | None) -> int:
    from lamella.checks.model import Severity
    from lamella.errors import OutsideError

    if failed is not None:
        return OutsideError.exit_code
    return int(any(one.finding.severity is Severity.ERROR for one in found))


def _is_zip(word: str) -> bool:
    return word.endswith(".zip") or os.path.isfile(word)


def _settings() -> Settings | None:
    """The configuration, None where there is none: a bare zip needs none."""
    from lamella.config.read import read
    from lamella.errors import ConfigError

    try:
        return read(os.getcwd())
    except ConfigError:
        return None


def _zips(
    parsed: argparse.Namespace, paths: Sequence[str], settings: Settings | None, progress: Progress
) -> Checkup:  # fmt: skip
    """Zips that are named on the command line, with the layers that are; what a project here has built may help."""
    import tempfile

    from lamella.cli.examining import zips
    from lamella.doctor.model import LAYER, Asked

    asked = Asked("", parsed.runtime, parsed.architecture, "")
    named = [(path, asked._replace(handler=parsed.handler)) for path in paths]
    named += [(path, asked._replace(kind=LAYER)) for path in parsed.layer]
    layers = _layers_of(settings) if settings is not None else ()
    with tempfile.TemporaryDirectory(prefix="lamella-doctor-") as folder:
        return Checkup(*zips(named, _means(parsed, settings, progress), folder, layers))


def _layers_of(settings: Settings) -> tuple[Provider, ...]:
    """What the project has built; nothing where that is no longer whole."""
    from lamella.cli.artifacts import open_folder
    from lamella.doctor.prescribe import providers
    from lamella.errors import LamellaError

    try:
        return providers(open_folder(settings.output), settings.output)
    except LamellaError:
        return ()


def _means(parsed: argparse.Namespace, settings: Settings | None, progress: Progress) -> Means:
    from lamella.cli.examining import means

    return means(settings, parsed.isolation, progress, offline=parsed.offline)


def _project(parsed: argparse.Namespace, names: Sequence[str], console: Console, progress: Progress) -> list[Checkup]:
    """What was built here, and, unless `--offline`, the functions as AWS has them.

    Raises ConfigError where there is no project and no function is named.
    """
    from lamella.cli.rollouts import environment_of
    from lamella.config.model import Environment
    from lamella.config.read import read
    from lamella.errors import ConfigError

    try:
        settings = read(os.getcwd(), output=parsed.output)
    except ConfigError as error:
        if not names or parsed.offline or os.path.exists("lamella.toml"):
            raise
        console.note(f"names are taken as AWS's: {error.what}")
        settings = None
    environment = environment_of(settings, parsed.env) if settings is not None else Environment()
    parts, built = [], None
    if settings is not None:
        offline, built = _built(parsed, settings, environment, names, progress)
        parts.append(offline)
    if not parsed.offline:
        parts += _deployed(parsed, settings, environment, built, names, progress)
    return parts


def _built(
    parsed: argparse.Namespace, settings: Settings, environment: Environment, names: Sequence[str], progress: Progress
) -> tuple[Checkup, tuple[Manifest, Wanted] | None]:
    """What was built, looked at by all checks; the manifest and what is wanted where there is one."""
    from lamella.checks.model import Finding, Severity
    from lamella.cli.artifacts import open_built
    from lamella.cli.examining import findings
    from lamella.doctor.model import Diagnosis
    from lamella.doctor.prescribe import attached, providers
    from lamella.errors import LamellaError
    from lamella.rollout.planning.desired import wanted

    try:
        settings, manifest = open_built(parsed.output)
        meant = wanted(settings, manifest, environment.name)
    except LamellaError as error:
        reason = "; ".join((error.what, *error.why))
        finding = Finding("build", Severity.WARNING, settings.project, "", reason, error.hint or "")
        return Checkup(found=(Diagnosis(finding, (_build(parsed),)),)), None
    chosen = _chosen(manifest, meant, names)
    found = [
        attached(finding, providers(manifest, settings.output, _runtime_of(manifest, finding.artifact)), _build(parsed))
        for finding in findings(chosen, settings.output, _means(parsed, settings, progress))
    ]
    keys = [one.key for one in chosen.artifacts]
    looked = (f"built: {', '.join(keys)}",) if keys else ()
    return Checkup(looked, tuple(found)), (manifest, meant)


def _build(parsed: argparse.Namespace) -> str:
    """The command that builds into where it was looked."""
    import shlex

    return shlex.join(["lamella", "build", *(["--output", parsed.output] if parsed.output else [])])


def _chosen(manifest: Manifest, meant: Wanted, names: Sequence[str]) -> Manifest:
    """The part of the manifest that named functions use; all of it where none is named."""
    if not names:
        return manifest
    words = {name.partition(":")[0] for name in names}
    keys = {one.key for one in meant.functions if {one.key, one.name} & words}
    functions = tuple(one for one in manifest.functions if one.key in keys)
    used = {layer for one in functions for layer in one.layers}
    return manifest._replace(layers=tuple(one for one in manifest.layers if one.key in used), functions=functions)


def _runtime_of(manifest: Manifest, key: str) -> str:
    """That of a function; of a layer the first that it is for."""
    functions = [one.runtime for one in manifest.functions if one.key == key]
    layers = [one.runtimes[0] for one in manifest.layers if one.key == key and one.runtimes]
    return next(iter([*functions, *layers]), "")


def _deployed(
    parsed: argparse.Namespace,
    settings: Settings | None,
    environment: Environment,
    built: tuple[Manifest, Wanted] | None,
    names: Sequence[str],
    progress: Progress,
) -> list[Checkup]:
    """The functions in each place."""
    from lamella import aws
    from lamella.cli.rollouts import side_by_side
    from lamella.cli.visiting import carried, deployed, patients, simulated, unasked, visit
    from lamella.cloud.places import open_cloud, places
    from lamella.doctor.access import Credentials
    from lamella.errors import LamellaError, UsageError

    try:
        found = places(environment, profile=parsed.profile, region=parsed.region)
    except UsageError:
        raise
    except LamellaError as error:
        return [Checkup(found=(unasked(error, parsed.profile),), failed=error)]
    who = patients(settings, environment, built, names, parsed.output or "")

    def leading(place: Place) -> tuple[str, ...]:
        return carried(place, profile=parsed.profile, region=parsed.region, several=len(found) > 1)

    def one(place: Place) -> Checkup:
        cloud = open_cloud(place)
        identity = Credentials(aws.Access(place.profile, place.region, role=place.role))
        looked, diagnoses, failed = visit(cloud, identity, who, labelled=len(found) > 1, carried=leading(place))
        if parsed.permissions and failed is None:
            layers = [layer.name for layer in built[1].layers] if built else []
            diagnoses += simulated(cloud, identity, who, layers)
        return Checkup(looked, diagnoses, failed)

    parts = []
    for place, part in side_by_side(found, one):
        if isinstance(part, Checkup):
            parts.append(part)
        failed = part.failed if isinstance(part, Checkup) else part
        if failed is not None:
            parts.append(Checkup(found=(unasked(failed, place.profile),), failed=failed))
    if parsed.deep:
        given = _means(parsed, settings, progress)
        parts += [Checkup(*deployed(place, who, given, progress, leading(place))) for place in found]
    return parts
