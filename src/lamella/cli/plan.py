"""`lamella plan`: what would a deploy change?"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from lamella.errors import LamellaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lamella.cloud.model import Place
    from lamella.rollout.model import Plan, Record

DESCRIPTION = "Show what a deploy would change in AWS, and why.  Nothing is changed."
EPILOG = """examples:
  lamella plan                       what was built against what AWS has
  lamella plan --env prod            of one environment, in all its accounts and regions
  lamella plan --detailed-exitcode   exit code 2 where there is something to do
  lamella plan --json

Functions come 50 with a call, a layer takes two, and an alias is read only where its function would change: with
`--refresh` all are.  What differs from what was deployed last is shown as drift.  Memory, timeout, variables and role
of a function are not looked at.  Credentials, region and endpoint are those that every AWS program finds.
It needs boto3: install `lamella[aws]`.

exit codes: 0 fine, 2 wrong usage or configuration, or changes with --detailed-exitcode, 3 AWS could not be asked
"""
_CHANGES = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from lamella.cli.rollouts import add_arguments as add_shared

    parser.add_argument("--refresh", action="store_true", help="read all aliases, and the versions behind them")
    parser.add_argument("--detailed-exitcode", action="store_true", help="exit with 2 where there is something to do")
    add_shared(parser)


def run(parsed: argparse.Namespace) -> int:
    from lamella.cli.rollouts import open_project, open_site, show_errors, side_by_side
    from lamella.report.console import Console
    from lamella.report.plan import show
    from lamella.rollout.planning.plan import plan

    console = Console(quiet=parsed.quiet)
    project = open_project(parsed)

    def planned(place: Place) -> Plan:
        site = open_site(place, project.settings)
        record = site.journal.read()
        made = plan(site.cloud, project.wanted, record, refresh=parsed.refresh)
        return made if parsed.refresh else with_unread(made, record)

    results = side_by_side(project.places, planned)
    plans = [result for _, result in results if not isinstance(result, LamellaError)]
    if parsed.json:
        import json

        console.data(json.dumps(_tree(project.environment.name, results), indent=2))
    else:
        for at, one in enumerate(plans):
            if at and not parsed.quiet:
                console.data("")
            show(console, one)
    code = show_errors(console, results)
    if code:
        return code
    return _CHANGES if parsed.detailed_exitcode and any(not one.is_empty for one in plans) else 0


def with_unread(plan: Plan, record: Record) -> Plan:
    """The plan with a note where there are aliases that weren't read: of functions that don't change."""
    begun = {one.function.name for one in record.unfinished.before} if record.unfinished else set()
    unread = set(plan.unchanged) - begun
    told = any("`--refresh`" in note for note in plan.notes)
    if told or not any(one.alias and one.name in unread for one in plan.wanted.functions):
        return plan
    note = "aliases of functions that don't change were not read: `--refresh` reads them"
    return plan._replace(notes=(*plan.notes, note))


def _tree(environment: str, results: Sequence[tuple[Place, Plan | LamellaError]]) -> dict[str, Any]:
    """One object; a place that could not be planned has its error instead of a plan."""
    from lamella.cli.rollouts import error_tree
    from lamella.report.plan import SCHEMA, as_tree

    rows = [error_tree(place, one) if isinstance(one, LamellaError) else as_tree(one) for place, one in results]
    changed = any(row.get("changed", False) for row in rows)
    return {"schema": SCHEMA, "environment": environment, "changed": changed, "places": rows}
