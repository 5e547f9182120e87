"""`lamella status`: what do users meet now?"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, NamedTuple

from lamella.errors import LamellaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lamella.cloud.model import Place
    from lamella.config.model import Environment, Settings
    from lamella.rollout.upkeep.status import Named, Status

DESCRIPTION = "Show each function as it is in AWS: its alias, version and layers, and what nobody deployed."
EPILOG = """examples:
  lamella status                     all functions of the configuration
  lamella status api-handler         one of them, by its key or its name in AWS
  lamella status --env prod --json

A function is shown as users meet it: the version behind its alias, or $LATEST where none is configured.  Behind a
layer that is not the newest of its account stands the newest; drift is told by what was deployed last from here, or
else by the version behind the alias.  An alias takes two calls of AWS.  Nothing that was built is looked at: `lamella
plan` compares with that.  It needs boto3: install `lamella[aws]`.
"""


class Seen(NamedTuple):
    """The state of one place.  `held`: who deploys there right now, or rolls back; "" for nobody."""

    status: Status
    held: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from lamella.cli.rollouts import add_arguments as add_shared

    parser.add_argument("functions", nargs="*", metavar="FUNCTION", help="all when left out")
    add_shared(parser, built=False)


def run(parsed: argparse.Namespace) -> int:
    from lamella.cli.rollouts import open_settings, open_site, show_errors, side_by_side
    from lamella.report.console import Console
    from lamella.report.status import SCHEMA, as_tree, show
    from lamella.rollout.upkeep.status import status

    console = Console(quiet=parsed.quiet)
    settings, environment, places = open_settings(parsed)
    functions = named(settings, environment, parsed.functions)
    configured = [*(name for _, name in environment.layers), *(one for row in settings.functions for one in row.layers)]

    def looked(place: Place) -> Seen:
        site = open_site(place, settings)
        record = site.journal.read()
        held = site.journal.held() if record.unfinished else ""
        return Seen(status(site.cloud, functions, configured, record), held)

    results = side_by_side(places, looked)
    if parsed.json:
        import json

        from lamella.cli.rollouts import error_tree

        rows = [error_tree(place, one) if isinstance(one, LamellaError) else as_tree(*one) for place, one in results]
        console.data(json.dumps({"schema": SCHEMA, "environment": environment.name, "places": rows}, indent=2))
    else:
        for _, one in results:
            if not isinstance(one, LamellaError):
                show(console, *one, several=len(results) > 1)
    return show_errors(console, results)


def named(settings: Settings, environment: Environment, asked: Sequence[str] = ()) -> tuple[Named, ...]:
    """The functions of the configuration with the names that the environment gives them; all, or those `asked` for.

    Raises UsageError for one that isn't configured.
    """
    from lamella.errors import UsageError
    from lamella.rollout.upkeep.status import Named
    from lamella.wording import did_you_mean, listed, printable

    names, aliases = dict(environment.functions), dict(environment.aliases)
    rows = [Named(one.key, names.get(one.key, one.name), aliases.get(one.key, one.alias)) for one in settings.functions]
    for word in asked:
        if not any(word in (row.key, row.name) for row in rows):
            known = [row.key for row in rows]
            raise UsageError(
                f"there is no function `{printable(word)}`",
                why=[f"the configuration has {listed(known)}"],
                hint=did_you_mean(word, known) or "name one of these, or none for all",
            )
    return tuple(row for row in rows if not asked or row.key in asked or row.name in asked)
