"""`lamella versions`: what versions of a layer are there, and who has them?"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from lamella.errors import LamellaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lamella.cloud.model import Place
    from lamella.config.model import Environment, Settings
    from lamella.report.console import Console
    from lamella.rollout.upkeep.status import VersionUse

    Results = Sequence[tuple[Place, tuple[VersionUse, ...] | LamellaError]]

DESCRIPTION = "Show the versions of a layer, newest first: when they were made, what they hold, and who has them."
EPILOG = """examples:
  lamella versions layer                        the layer that the configuration calls so
  lamella versions spectra-dependencies --limit 100
  lamella versions arn:aws:lambda:eu-west-1:123456789012:layer:tools

LAYER is a key of the configuration, a name in AWS, or an ARN.  The version with the bytes of what was built last is
marked.  Functions are those of the project whose $LATEST has the version: `lamella status` shows what is behind
aliases.  A version that is shown takes one call of AWS.  It needs boto3: install `lamella[aws]`.
"""
_LIMIT = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from lamella.cli.numbers import positive
    from lamella.cli.rollouts import add_arguments as add_shared

    parser.add_argument("layer", metavar="LAYER", help="a key of the configuration, a name in AWS, or an ARN")
    parser.add_argument(
        "--limit", type=positive, default=_LIMIT, metavar="N", help=f"so many at most; {_LIMIT} if left out"
    )
    add_shared(parser)


def run(parsed: argparse.Namespace) -> int:
    from lamella.cli.rollouts import open_settings, side_by_side
    from lamella.cli.status import named
    from lamella.cloud.places import open_cloud
    from lamella.report.console import Console
    from lamella.rollout.upkeep.status import versions

    console = Console(quiet=parsed.quiet)
    if parsed.layer.startswith("arn:"):
        parsed.layer, parsed.region = _of_arn(parsed.layer, parsed.region)
    settings, environment, places = open_settings(parsed)
    layer, built = _resolved(parsed.layer, settings, environment)
    functions = [one.name for one in named(settings, environment)]

    def looked(place: Place) -> tuple[VersionUse, ...]:
        return versions(open_cloud(place), layer, functions, limit=parsed.limit, built=built)

    return _show(console, parsed, layer, side_by_side(places, looked))


def _show(console: Console, parsed: argparse.Namespace, layer: str, results: Results) -> int:
    from lamella.cli.rollouts import error_tree, show_errors
    from lamella.report.status import SCHEMA, show_versions, versions_as_tree

    if parsed.json:
        import json

        rows = [
            error_tree(place, one) if isinstance(one, LamellaError) else versions_as_tree(place, layer, one)
            for place, one in results
        ]
        console.data(json.dumps({"schema": SCHEMA, "environment": parsed.env, "places": rows}, indent=2))
    else:
        for place, one in results:
            if not isinstance(one, LamellaError):
                show_versions(console, place, layer, one)
    return show_errors(console, results)


def _of_arn(arn: str, region: str | None) -> tuple[str, str]:
    """The ARN of a layer without its version, and its region.  Raises UsageError."""
    from lamella.deployed.model import LAYER
    from lamella.deployed.reference import read_reference
    from lamella.errors import UsageError

    found = read_reference(arn, kind=LAYER)
    its = found.name.split(":")[3]
    if region not in (None, its):
        raise UsageError(f"`{arn}` is in {its}, not in {region}", hint="leave out `--region`")
    return found.name, its


def _resolved(word: str, settings: Settings, environment: Environment) -> tuple[str, str]:
    """The layer's name in AWS (or ARN), and the CodeSha256 of what was built for it, "" where nothing can be said."""
    from lamella import manifest
    from lamella.rollout.planning.desired import wanted

    names, built = dict(environment.layers), {}
    try:
        if (there := manifest.read(settings.output)) is not None:
            meant = wanted(settings, there, environment.name)
            names |= {one.key: one.name for one in meant.layers}
            built = {one.name: one.content.code_sha256 for one in meant.layers}
    except LamellaError:  # a build of another configuration: versions are there all the same
        pass
    name = names.get(word, word)
    return name, built.get(name, "")
