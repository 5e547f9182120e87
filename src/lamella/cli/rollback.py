"""`lamella rollback`: back to what was there before."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, NamedTuple

from lamella.errors import LamellaError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lamella.cli.rollouts import Site
    from lamella.cloud.model import Place
    from lamella.config.model import Environment, Settings
    from lamella.report.console import Console
    from lamella.rollout.model import Outcome
    from lamella.rollout.undo.rollback import Way

DESCRIPTION = "Put functions back to what they were before the last deploy: alias, layers and code."
EPILOG = """examples:
  lamella rollback                          all that the last deploy changed; shows it, then asks
  lamella rollback api-handler              one function, by its key or its name in AWS
  lamella rollback api-handler --to 12      to a published version of it
  lamella rollback --env prod --auto-approve

The journal says what was there before the last deploy, or before one that did not come to its end.  Without a journal,
an alias goes to the highest version below the one it points at, and $LATEST gets that version's code and layers.  Once
more, it goes back by another deploy, up to ten.  It needs boto3: install `lamella[aws]`.

exit codes: 0 fine, 1 nobody agreed, or not all could be put back, 2 wrong usage or configuration, 3 AWS could not be
asked, or another deploy is under way; nothing was changed
"""
SCHEMA = 1


class _Found(NamedTuple):
    """The way back in one place.  `unfinished`: a deploy, or a rollback, did not come to its end there."""

    site: Site
    way: Way
    unfinished: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from lamella.cli.rollouts import add_arguments as add_shared

    parser.add_argument("functions", nargs="*", metavar="FUNCTION", help="all that the last deploy changed if left out")
    parser.add_argument("--to", metavar="VERSION", default="", help="a published version of the function")
    parser.add_argument("--auto-approve", action="store_true", help="carry it out without asking")
    add_shared(parser, built=False)


def run(parsed: argparse.Namespace) -> int:
    from lamella.cli.approval import agreed
    from lamella.cli.rollouts import open_settings, open_site, show_errors, side_by_side
    from lamella.report.console import Console
    from lamella.rollout.undo.rollback import find_way

    console = Console(quiet=parsed.quiet)
    if parsed.to and not (parsed.to.isdecimal() and int(parsed.to)):
        raise UsageError(f"`--to {parsed.to}` names no published version", hint="they are numbers: `--to 12`")
    if parsed.json and not parsed.auto_approve:
        raise UsageError("`--json` can't ask", hint="give `--auto-approve`, too")
    settings, environment, places = open_settings(parsed)
    aliases = _aliases(settings, environment)
    names = _names(parsed.functions, settings, environment)

    def found(place: Place) -> _Found:
        site = open_site(place, settings)
        record = site.journal.read()
        way = find_way(site.cloud, record, aliases, names, to=parsed.to)
        return _Found(site, way, record.unfinished is not None)

    results = side_by_side(places, found)
    ways = {place: one for place, one in results if not isinstance(one, LamellaError)}
    if not parsed.json:
        from lamella.report.deploy import show_way

        for one in ways.values():
            show_way(console, one.way)
    code = show_errors(console, results)
    done: dict[Place, Outcome | LamellaError] = {}
    todo = {place: one for place, one in ways.items() if one.unfinished or not one.way.is_empty}
    if not code and todo:
        if not parsed.auto_approve and not agreed(parsed, console):
            return 1
        done = _performed(todo, console)
    elif not code and not parsed.json:
        console.say("There is nothing to put back")
    return _reported(parsed, console, dict(results), done, code)


def _aliases(settings: Settings, environment: Environment) -> dict[str, str]:
    """The functions by their names in AWS, each with its alias or ""."""
    names, aliases = dict(environment.functions), dict(environment.aliases)
    return {names.get(one.key, one.name): aliases.get(one.key, one.alias) for one in settings.functions}


def _names(words: Sequence[str], settings: Settings, environment: Environment) -> tuple[str, ...]:
    """The names in AWS of functions that are named by these, or by their keys.  Raises UsageError."""
    from lamella.wording import did_you_mean, listed, printable

    called = dict(environment.functions)
    keys = {one.key: called.get(one.key, one.name) for one in settings.functions}
    for word in words:
        if word not in keys and word not in keys.values():
            known = [*keys, *keys.values()]
            raise UsageError(
                f"there is no function `{printable(word)}` in the configuration",
                why=[f"it has {listed(keys)}"],
                hint=did_you_mean(word, known),
            )
    return tuple(dict.fromkeys(keys.get(word, word) for word in words))


def _performed(todo: Mapping[Place, _Found], console: Console) -> dict[Place, Outcome | LamellaError]:
    from lamella.cli.rollouts import side_by_side
    from lamella.rollout.journal.keeping import open_downloads
    from lamella.rollout.undo.rollback import go_back

    def one(place: Place) -> Outcome:
        site = todo[place].site
        prefix = f"{place}: " if len(todo) > 1 else ""
        return go_back(
            todo[place].way, site.cloud, site.journal, lambda line: console.say(prefix + line),
            downloads=open_downloads(site.cloud),
        )  # fmt: skip

    return dict(side_by_side(list(todo), one))


def _reported(
    parsed: argparse.Namespace,
    console: Console,
    results: Mapping[Place, _Found | LamellaError],
    done: Mapping[Place, Outcome | LamellaError],
    code: int,
) -> int:
    from lamella.cli.rollouts import show_errors
    from lamella.report.deploy import show

    code = max(code, show_errors(console, list(done.items())))
    for outcome in done.values():
        if not isinstance(outcome, LamellaError):
            show(console, outcome, "rollback", data=not parsed.json)
            code = max(code, int(bool(outcome.failures)))
    if parsed.json:
        console.data(_tree(parsed.env, results, done))
    return code


def _tree(
    environment: str,
    results: Mapping[Place, _Found | LamellaError],
    done: Mapping[Place, Outcome | LamellaError],
) -> str:
    import json

    from lamella.cli.rollouts import error_tree
    from lamella.report.deploy import as_tree, way_tree
    from lamella.rollout.model import Outcome

    rows = []
    for place, found in results.items():
        if isinstance(found, LamellaError):
            rows.append(error_tree(place, found))
            continue
        result = done.get(place, Outcome(place))
        row = error_tree(place, result) if isinstance(result, LamellaError) else as_tree(result)
        rows.append({"way": way_tree(found.way), **row})
    ok = all(row.get("ok", False) for row in rows)
    return json.dumps({"schema": SCHEMA, "environment": environment, "ok": ok, "places": rows}, indent=2)
