"""`lamella check`: would Lambda take what was built?"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lamella.config.model import Settings
    from lamella.manifest import Manifest
    from lamella.report.console import Console

DESCRIPTION = "Check what was built against Lambda's limits.  Exits 1 when something would be refused."
EPILOG = """examples:
  lamella check --only size          every layer and function against Lambda's size limits
  lamella check --only size --json
"""


class Checked(NamedTuple):
    """What one check found: the verdict, its lines for people, and its rows for `--json`."""

    passed: bool
    show: Callable[[Console], None]
    rows: list[dict[str, object]]


def _size(built: Manifest) -> Checked:
    from lamella.checks.size import sizes
    from lamella.report.check import show_sizes, size_rows

    verdicts = sizes(built)
    return Checked(
        all(verdict.passed for verdict in verdicts),
        lambda console: show_sizes(console, verdicts),
        size_rows(verdicts),
    )


# Each check by the name that `--only` takes, in the order in which they run
CHECKS: Mapping[str, Callable[[Manifest], Checked]] = {"size": _size}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", action="append", choices=tuple(CHECKS), help="run this check alone; may be repeated")
    parser.add_argument("--output", metavar="DIR", help="the folder that was built into, instead of the configured one")
    parser.add_argument("--json", action="store_true", help="print the verdicts as JSON on stdout")
    parser.add_argument("-q", "--quiet", action="store_true", help="print only what fails")


def run(parsed: argparse.Namespace, *, checks: Mapping[str, Callable[[Manifest], Checked]] = CHECKS) -> int:
    """Run the checks that were asked for, or all.  1 when one of them found something."""
    from lamella.config.read import read
    from lamella.report.check import as_json
    from lamella.report.console import Console

    console = Console(quiet=parsed.quiet)
    settings = read(os.getcwd(), output=parsed.output)
    built = _built(settings.output)
    _refuse_unbuilt(settings, built)
    found = {name: check(built) for name, check in checks.items() if not parsed.only or name in parsed.only}
    if parsed.json:
        console.data(as_json({name: checked.rows for name, checked in found.items()}))
    else:
        for checked in found.values():
            checked.show(console)
    return 0 if all(checked.passed for checked in found.values()) else 1


def _refuse_unbuilt(settings: Settings, built: Manifest) -> None:
    """Raises UsageError when something is configured that the manifest lacks: nothing can be said of it."""
    from lamella.errors import UsageError
    from lamella.wording import listed

    configured = [layer.key for layer in settings.layers] + [function.key for function in settings.functions]
    missing = set(configured) - {artifact.key for artifact in built.artifacts}
    if missing:
        raise UsageError(
            f"{listed(missing)} {'is' if len(missing) == 1 else 'are'} configured and not built",
            hint="run `lamella build`",
        )


def _built(output: str) -> Manifest:
    """The manifest in the folder `output`, whose files are there.  Raises UsageError otherwise."""
    from lamella import manifest
    from lamella.errors import UsageError

    built = manifest.read(output)
    if built is None:
        raise UsageError(
            f"`{os.path.relpath(output)}` has no {manifest.NAME}: nothing was built there",
            hint="run `lamella build`",
        )
    for artifact in built.artifacts:
        path = os.path.join(output, artifact.file)
        if not os.path.exists(path) or os.path.getsize(path) != artifact.zipped:
            raise UsageError(
                f"`{os.path.relpath(path)}` is not the file that the manifest describes",
                why=["it was changed or removed after the build"],
                hint="run `lamella build`",
            )
    return built
