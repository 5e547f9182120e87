"""`lamella check`: would Lambda take what was built, and would it run there?"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from lamella.cli.variables import add_env, chosen
from lamella.sandbox.model import AUTO, ISOLATIONS
from lamella.wording import counted

if TYPE_CHECKING:
    from lamella.checks.bench import Bench, Means, Tested
    from lamella.checks.model import Finding, Outcome, SizeVerdict
    from lamella.config.model import Settings
    from lamella.manifest import Artifact, Manifest
    from lamella.wheels.cache import Cache
    from lamella.wheels.obtain import Progress

DESCRIPTION = "Check what was built: what Lambda would refuse, and what would fail there.  Exits 1 for an error."
EPILOG = """checks:
  size      every layer and function against Lambda's limits
  closure   what each function imports and its distributions require is in its zips
  platform  native code is for the runtime's machine, C library and libraries
  imports   every module and handler is imported, with the layers at /opt and the code at /var/task
  metadata  versions and entry points still answer
  overlap   no layer hides what another brings

examples:
  lamella check                       all of them
  lamella check --only size --json
  lamella check --sarif check.sarif   for code scanning
  lamella check --container           imports in the runtime's own image, by docker or podman
"""


# Makes the trials of a bench: whether imports and whether metadata are asked for
Testing = Callable[["Bench", bool, bool], "Tested"]


def _on_this_machine(bench: Bench, imports: bool, metadata: bool) -> Tested:
    return bench.tested(imports=imports, metadata=metadata)


class Inquiry:
    """What the checks look at; trials are made once, for all checks that need them."""

    def __init__(self, bench: Bench, wanted: frozenset[str], testing: Testing | None = None) -> None:
        self.bench = bench
        self.wanted = wanted
        self._testing = testing or _on_this_machine
        self.verdicts: tuple[SizeVerdict, ...] = ()
        self._tested: Tested | None = None

    @property
    def manifest(self) -> Manifest:
        return self.bench.manifest

    def notes(self) -> tuple[str, ...]:
        """What is to be known of the trials, a sentence each: why they were not isolated better."""
        done = self._tested
        return (*(f"no isolation by {why}" for why in done.weak), *done.notes) if done is not None else ()

    def tested(self) -> Tested:
        if self._tested is None:
            self._tested = self._testing(self.bench, "imports" in self.wanted, "metadata" in self.wanted)
        return self._tested


def _size(inquiry: Inquiry) -> Outcome:
    from lamella.checks.model import Outcome
    from lamella.checks.size import sizes, too_large

    inquiry.verdicts = sizes(inquiry.manifest)
    return Outcome("size", "", too_large(inquiry.verdicts))


def _closure(inquiry: Inquiry) -> Outcome:
    from lamella.checks.closure import missing
    from lamella.checks.model import Outcome

    bench = inquiry.bench
    functions = inquiry.manifest.functions
    found = [finding for one in functions for finding in missing(one, bench.layers(one), bench.zips)]
    return Outcome("closure", counted(len(functions), "function"), tuple(found))


def _platform(inquiry: Inquiry) -> Outcome:
    from lamella.checks.model import Outcome
    from lamella.checks.platform import platform
    from lamella.checks.trials import trials
    from lamella.target import Target

    bench = inquiry.bench
    found: dict[Finding, None] = {}
    natives: set[tuple[str, str]] = set()
    for trial in trials(inquiry.manifest):
        own = [trial.function] if trial.function is not None else []
        native = [(one.key, path) for one in trial.subjects for path in bench.zips[one.key].members if ".so" in path]
        natives.update(native)
        if own and not native:
            continue  # its layers are looked at by themselves
        artifacts: list[Artifact] = [*trial.layers, *own]
        archives = [(bench.path(one), "/var/task" if one in own else "/opt") for one in artifacts]
        target = Target(trial.runtime, trial.architecture)
        for finding in platform(trial.subjects[0].key, archives, target):
            holders = [one.key for one in artifacts if finding.path in bench.zips[one.key].members]
            found[finding._replace(artifact=holders[-1]) if holders else finding] = None
    return Outcome("platform", counted(len(natives), "shared object"), tuple(found))


def _imports(inquiry: Inquiry) -> Outcome:
    from lamella.checks.imports import outcome

    return outcome(inquiry.tested(), inquiry.bench.zips)


def _metadata(inquiry: Inquiry) -> Outcome:
    from lamella.checks.metadata import answered, recorded
    from lamella.checks.model import Outcome
    from lamella.checks.trials import trials

    tested, zips = inquiry.tested(), inquiry.bench.zips
    found: list[Finding] = []
    rows: set[tuple[str, str]] = set()
    for trial in trials(inquiry.manifest):
        for artifact in trial.subjects:
            found += recorded(artifact, trial.runtime, zips[artifact.key])
        rows.update((row.name, row.version) for _, row in trial.distributions)
    for trial, attempt in tested.attempts:
        found += answered(trial.distributions, attempt.answers) if not attempt.broken else ()
    if "imports" not in inquiry.wanted:
        found += [finding for _, finding in tested.untried]
    how = f" ({tested.how})" if tested.attempts else ", none asked in a sandbox"
    return Outcome("metadata", counted(len(rows), "distribution") + how, tuple(dict.fromkeys(found)))


def _overlap(inquiry: Inquiry) -> Outcome:
    from lamella.checks.model import Outcome
    from lamella.checks.overlap import overlap

    bench = inquiry.bench
    functions = inquiry.manifest.functions
    found = [finding for one in functions for finding in overlap(one, bench.layers(one), bench.zips)]
    return Outcome("overlap", counted(len(functions), "function"), tuple(dict.fromkeys(found)))


Check = Callable[[Inquiry], "Outcome"]
# Each check by the name that `--only` takes, in the order in which they run
CHECKS: Mapping[str, Check] = {
    "size": _size,
    "closure": _closure,
    "platform": _platform,
    "imports": _imports,
    "metadata": _metadata,
    "overlap": _overlap,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", action="append", choices=tuple(CHECKS), help="run this check alone; may be repeated")
    parser.add_argument(
        "--layers-only", action="store_true", help="check the layers; no function needs to have been built"
    )
    parser.add_argument("--output", metavar="DIR", help="the folder that was built into, instead of the configured one")
    parser.add_argument(
        "--isolation", choices=ISOLATIONS, default=AUTO, help="how imports are kept apart; default: auto"
    )
    parser.add_argument(
        "--container", action="store_true", help="import in the runtime's own image, by docker or podman"
    )
    add_env(parser)
    parser.add_argument(
        "--offline",
        action="store_true",
        help="use no network: for the runtime's own, only the cache is asked, and no image is pulled",
    )
    parser.add_argument("--json", action="store_true", help="print what was found as JSON on stdout")
    parser.add_argument("--sarif", metavar="FILE", help="write what was found as SARIF 2.1.0; `-` is stdout")
    parser.add_argument("-q", "--quiet", action="store_true", help="print only what fails")


def run(parsed: argparse.Namespace, *, checks: Mapping[str, Check] = CHECKS) -> int:
    """Run the checks that were asked for, or all.  1 when one of them found an error."""
    from lamella.cachedir import cache_dir
    from lamella.checks.bench import Bench
    from lamella.cli.artifacts import open_built
    from lamella.cli.writing import refuse_place
    from lamella.report.check import as_json, show
    from lamella.report.console import Console
    from lamella.wheels.cache import Cache

    console = Console(quiet=parsed.quiet)
    env = chosen(parsed)
    _refuse_container(parsed)
    if parsed.sarif not in (None, "-"):
        refuse_place(parsed.sarif)
    cache = Cache(cache_dir(os.environ))
    settings, built = open_built(parsed.output, cache, layers_only=parsed.layers_only)
    wanted = frozenset(parsed.only or checks)
    progress = console.progress()
    try:
        means = _means(parsed, env, settings, cache, progress)
        testing = _contained(settings, progress, offline=parsed.offline) if parsed.container else None
        inquiry = Inquiry(Bench(built, settings.output, means), wanted, testing)
        outcomes = [check(inquiry) for name, check in checks.items() if name in wanted]
    finally:
        progress.close()
    for note in inquiry.notes():
        console.note(note)
    if parsed.sarif:
        _write_sarif(parsed.sarif, settings, outcomes)
    if parsed.json:
        console.data(as_json(outcomes, inquiry.verdicts))
    elif parsed.sarif != "-":
        show(console, outcomes, inquiry.verdicts)
    return 0 if all(outcome.passed for outcome in outcomes) else 1


def _refuse_container(parsed: argparse.Namespace) -> None:
    """Raises UsageError where `--container` has no meaning."""
    from lamella.errors import UsageError

    if parsed.container and parsed.isolation != AUTO:
        raise UsageError(
            "`--container` and `--isolation` can't be given together",
            why=["with `--container` nothing is imported on this machine"],
            hint="leave one of them out",
        )
    if parsed.container and parsed.only and not {"imports", "metadata"}.intersection(parsed.only):
        raise UsageError(
            "with `--container` something must be imported",
            why=[f"`--only {' --only '.join(parsed.only)}` imports nothing"],
            hint="add `--only imports`, or leave `--container` out",
        )


def _contained(settings: Settings, progress: Progress, *, offline: bool) -> Testing:
    """Trials in the images of the runtimes."""

    def testing(bench: Bench, imports: bool, metadata: bool) -> Tested:
        from lamella.checks.contained import in_images

        return in_images(
            bench, settings.container, imports=imports, metadata=metadata, said=progress.said, offline=offline
        )

    return testing


def _means(
    parsed: argparse.Namespace, env: Mapping[str, str], settings: Settings, cache: Cache, progress: Progress
) -> Means:
    from lamella.build.standin import StandIns
    from lamella.cachedir import cache_dir
    from lamella.checks.bench import Means

    root = cache_dir(os.environ)
    standins = StandIns(settings, cache, root, progress, offline=parsed.offline)
    return Means(root, cache, parsed.isolation, env, tuple(parsed.only or ()), standins.of)


def _write_sarif(path: str, settings: Settings, outcomes: list[Outcome]) -> None:
    import sys

    from lamella.cli.writing import write
    from lamella.report.sarif import as_sarif

    base = _repository(settings.root)
    text = as_sarif(outcomes, lambda finding: _place(finding, settings, base))
    if path == "-":
        sys.stdout.write(text)
    else:
        write(path, text)


def _place(finding: Finding, settings: Settings, base: str) -> str:
    """The file that a person would change for it, relative to the repository: a source file, or the configuration."""
    for function in settings.functions:
        if function.key == finding.artifact and finding.path:
            for source in function.source:
                place = os.path.join(settings.root, source)
                for file in (os.path.join(place, finding.path), place):
                    if file.endswith(finding.path) and os.path.isfile(file):
                        return os.path.relpath(file, base)
    return os.path.relpath(settings.file, base)


def _repository(root: str) -> str:
    """The folder that the paths of code scanning start from: the one with `.git`, or the project."""
    folder = root
    while not os.path.exists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return root
        folder = parent
    return folder
