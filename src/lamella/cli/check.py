"""`lamella check`: would Lambda take what was built?"""

from __future__ import annotations

import argparse
import os

DESCRIPTION = "Check what was built against Lambda's limits.  Exits 1 when something would be refused."
EPILOG = """examples:
  lamella check --only size          every layer and function against Lambda's size limits
  lamella check --only size --json
"""
# Each check by the name that `--only` takes
CHECKS = ("size",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", action="append", choices=CHECKS, help="run this check alone; may be repeated")
    parser.add_argument("--output", metavar="DIR", help="the folder that was built into, instead of the configured one")
    parser.add_argument("--json", action="store_true", help="print the verdicts as JSON on stdout")
    parser.add_argument("-q", "--quiet", action="store_true", help="print only what fails")


def run(parsed: argparse.Namespace) -> int:
    from lamella import manifest
    from lamella.checks.size import sizes
    from lamella.config.read import read
    from lamella.errors import UsageError
    from lamella.report.check import show_sizes, sizes_as_json
    from lamella.report.console import Console

    console = Console(quiet=parsed.quiet)
    settings = read(os.getcwd(), output=parsed.output)
    built = manifest.read(settings.output)
    if built is None:
        raise UsageError(
            f"`{os.path.relpath(settings.output)}` has no {manifest.NAME}: nothing was built there",
            hint="run `lamella build`",
        )
    for artifact in built.artifacts:
        path = os.path.join(settings.output, artifact.file)
        if not os.path.exists(path) or os.path.getsize(path) != artifact.zipped:
            raise UsageError(
                f"`{os.path.relpath(path)}` is not the file that the manifest describes",
                why=["it was changed or removed after the build"],
                hint="run `lamella build`",
            )
    verdicts = sizes(built)
    if parsed.json:
        console.data(sizes_as_json(verdicts))
    else:
        show_sizes(console, verdicts)
    return 0 if all(verdict.passed for verdict in verdicts) else 1
