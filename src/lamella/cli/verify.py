"""`lamella verify`: is what users meet what was built, and does it answer?"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from lamella.errors import LamellaError

if TYPE_CHECKING:
    from lamella.cloud.model import Place
    from lamella.rollout.proof.standing import Verdict

DESCRIPTION = "Compare what users meet with what was built, and invoke it with its smoke events.  Nothing is changed."
EPILOG = """examples:
  lamella verify                     after a deploy, whoever made it: lamella, Terraform, SAM
  lamella verify --env prod          of one environment, in all its accounts and regions
  lamella verify --json

Each function is looked at as users meet it: the version behind its alias, or $LATEST where none is configured.  Its
code, layers, runtime, handler and architecture are held against what was built, then it is invoked with its `smoke`
events.  `lamella deploy` does the same before an alias moves.  Of a layer that no function of the project has, there is
to be a version with the bytes that were built.  It needs boto3: install `lamella[aws]`.

exit codes: 0 fine, 1 something is not what was built, or failed, 2 wrong usage or configuration, 3 AWS could not be
asked
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from lamella.cli.rollouts import add_arguments as add_shared

    add_shared(parser)


def run(parsed: argparse.Namespace) -> int:
    from lamella.cli.rollouts import open_project, open_site, show_errors, side_by_side
    from lamella.report.console import Console
    from lamella.report.verify import SCHEMA, as_tree, show
    from lamella.rollout.proof.standing import verify

    console = Console(quiet=parsed.quiet)
    project = open_project(parsed)

    def verified(place: Place) -> Verdict:
        site = open_site(place, project.settings)
        return verify(site.cloud, project.wanted, site.journal.read(), console.say)

    results = side_by_side(project.places, verified)
    if parsed.json:
        import json

        from lamella.cli.rollouts import error_tree

        rows = [error_tree(place, one) if isinstance(one, LamellaError) else as_tree(one) for place, one in results]
        ok = all(row.get("ok", False) for row in rows)
        tree = {"schema": SCHEMA, "environment": project.environment.name, "ok": ok, "places": rows}
        console.data(json.dumps(tree, indent=2))
    else:
        for _, one in results:
            if not isinstance(one, LamellaError):
                show(console, one)
    failed = any(not isinstance(one, LamellaError) and one.failures for _, one in results)
    return max(show_errors(console, results), int(failed))
