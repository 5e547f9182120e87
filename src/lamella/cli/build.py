"""`lamella build`: write the layers and function packages of a project."""

from __future__ import annotations

import argparse
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lamella.build.model import Outcome
    from lamella.shared.depot import Depot

DESCRIPTION = "Build layers and function packages from the project's lock file."
EPILOG = """examples:
  lamella build                     everything in [tool.lamella], into dist/lambda/
  lamella build api-handler         one artifact; the others stay as they are
  lamella build --locked --offline  in CI: the lock may not change, the cache has everything
  lamella build layer --unpack out  and put the layer's files below out/, as `sam build` wants them
  lamella build --container         what has no wheel is built in Lambda's build image, by docker or podman
  lamella build --json | jq '.artifacts[] | {file, zipped}'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="layers or functions to build; all when left out")
    parser.add_argument("--output", metavar="DIR", help="write here instead of the configured folder")
    parser.add_argument("--locked", action="store_true", help="fail when the lock is missing or out of date")
    parser.add_argument("--offline", action="store_true", help="use no network: everything must be in the cache")
    parser.add_argument("--unpack", metavar="DIR", help="put the files of the one NAME there, too: for `sam build`")
    parser.add_argument(
        "--container", action="store_true", help="build what has no wheel in Lambda's build image, by docker or podman"
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON on stdout")
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors")


def run(parsed: argparse.Namespace) -> int:
    began = time.time_ns()
    import contextlib

    from lamella.build import since
    from lamella.build.model import Request
    from lamella.build.run import build
    from lamella.cachedir import cache_dir
    from lamella.config.read import read
    from lamella.report.build import as_json, show
    from lamella.report.console import Console
    from lamella.wheels.cache import Cache

    console = Console(quiet=parsed.quiet)
    _refuse_unpack(parsed)
    settings = read(os.getcwd(), output=parsed.output)
    request = Request(tuple(parsed.names), locked=parsed.locked, offline=parsed.offline, contained=parsed.container)
    progress = console.progress()
    try:
        outcome = build(settings, request, Cache(cache_dir(os.environ)), progress, _depot(settings.cache))
    finally:
        progress.close()
    if parsed.unpack is not None:
        _unpack(parsed, outcome)
    for note in outcome.notes:
        console.note(note)
    for warning in outcome.warnings:
        console.warning(warning)
    if parsed.json:
        console.data(as_json(outcome))
    else:
        show(console, outcome)
    with contextlib.suppress(OSError):  # nothing will be told of changes
        since.remember(settings, outcome.inputs, began, partly=bool(parsed.names))
    if outcome.inputs_tell and parsed.unpack is None:
        _remember(parsed, outcome, began, settings.file)
    return 0


def _refuse_unpack(parsed: argparse.Namespace) -> None:
    from lamella.errors import UsageError

    if parsed.unpack is not None and not (parsed.unpack and len(parsed.names) == 1):
        raise UsageError(
            "`--unpack` takes a folder, and one layer or function to put there",
            hint="`lamella build layer --unpack DIR`, say",
        )


def _unpack(parsed: argparse.Namespace, outcome: Outcome) -> None:
    """Raises UsageError where the folder is not empty, or the layer came to several."""
    from lamella.errors import UsageError
    from lamella.manifest import whole_of
    from lamella.sandbox.delivery import deliver
    from lamella.wording import listed

    (name,) = parsed.names
    found = [one for one in outcome.manifest.artifacts if one.key == name]
    if not found:
        parts = [one.key for one in outcome.manifest.artifacts if whole_of(one) == name]
        raise UsageError(
            f"`{name}` was split into {listed(parts)}: they don't go into one folder",
            hint="leave `--unpack` out, and take their zips",
        )
    deliver(os.path.join(outcome.output, found[0].file), found[0].sha256, os.path.abspath(parsed.unpack))


def _depot(configured: str) -> Depot | None:
    """The shared cache, where there is one.  Raises UsageError."""
    if not configured and not os.environ.get("LAMELLA_SHARED_CACHE"):
        return None
    from lamella.shared.opening import open_depot

    return open_depot(configured, os.environ)


def _remember(parsed: argparse.Namespace, outcome: Outcome, began: int, settings_file: str) -> None:
    """Let the next run of the same command see that there is nothing to do."""
    import contextlib
    import sys

    from lamella.build import stamp
    from lamella.config.find import candidates
    from lamella.manifest import NAME
    from lamella.report.build import as_json, unchanged_line

    idle = outcome._replace(
        made=tuple(made._replace(changes=(), written=False, seconds=0.0) for made in outcome.made),
        removed=(),
        told=False,
        fetched=0,
        seconds=0.0,
    )
    out = as_json(idle) + "\n" if parsed.json else ""
    lines = [] if parsed.quiet else [f"warning: {warning}" for warning in outcome.warnings]
    if not (parsed.quiet or parsed.json):
        lines.append(unchanged_line(outcome))
    files = [NAME, *(artifact.file for artifact in outcome.manifest.artifacts)]
    with contextlib.suppress(OSError):  # it is only a shortcut
        stamp.remember(
            sys.argv[1:],
            out,
            "".join(line + "\n" for line in lines),
            [*outcome.inputs, *candidates(os.getcwd(), os.path.dirname(settings_file))],
            [os.path.join(outcome.output, name) for name in files],
            began,
        )
