"""`lamella prune`: delete the versions of layers that nothing needs any more."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from lamella.errors import LamellaError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lamella.cloud.model import Place
    from lamella.config.model import Environment, Settings
    from lamella.report.console import Console
    from lamella.rollout.model import Record
    from lamella.rollout.upkeep.prune import Prune, Pruned

DESCRIPTION = "Delete old versions of layers that no function, no version behind an alias and no rollback still needs."
EPILOG = """examples:
  lamella prune                      all layers of the configuration; shows first, then asks
  lamella prune layer --keep 3       one of them, by its key or its name in AWS
  lamella prune --auto-approve       in CI
  lamella prune --json               what would be deleted; nothing is, but with --auto-approve

A version stays while a function of the account has it in $LATEST, in a version behind an alias, or in the published
version below that; while the journal of an environment says that a rollback would attach it; and while it is shared
with others.  To know, the versions of all functions of the account are read: one call for each function at least,
where there is anything old.  What can't be read may need any version, and then all stay.  A version that is gone keeps
working where it is attached, but can't be attached again.  It needs boto3: install `lamella[aws]`.

exit codes: 0 fine, or nobody agreed, 1 something could not be read or deleted, 2 wrong usage or configuration,
3 AWS could not be asked
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from lamella.cli.numbers import positive
    from lamella.cli.rollouts import add_arguments as add_shared

    parser.add_argument("layers", nargs="*", metavar="LAYER", help="all of the configuration when left out")
    parser.add_argument("--keep", type=positive, metavar="N", help="so many of the newest stay; 5, or as configured")
    parser.add_argument("--auto-approve", action="store_true", help="delete without asking")
    add_shared(parser)


def run(parsed: argparse.Namespace) -> int:
    from lamella.cli.rollouts import open_settings, open_site, show_errors, side_by_side
    from lamella.report.console import Console
    from lamella.rollout.upkeep.prune import prune

    console = Console(quiet=parsed.quiet)
    settings, environment, places = open_settings(parsed)
    layers = _names(parsed.layers, settings, environment)
    keep = parsed.keep or environment.keep

    def planned(place: Place) -> tuple[Prune, Record]:
        site = open_site(place, settings)
        record = site.journal.read()
        others = _others(settings, environment, place, layers)
        return prune(site.cloud, layers, [record, *others], keep, None if parsed.json else console.say), record

    results = side_by_side(places, planned)
    ready = {place: found for place, found in results if not isinstance(found, LamellaError)}
    if not parsed.json:
        from lamella.report.prune import show

        for one, _ in ready.values():
            show(console, one)
    code = show_errors(console, results)
    done: dict[Place, Pruned | LamellaError] = {}
    number = sum(len(layer.delete) for one, _ in ready.values() for layer in one.layers)
    if number and _agreed(parsed, console, number):
        done = _performed(parsed, console, settings, ready)
        code = max(code, show_errors(console, list(done.items())))
    elif not number and not code and not parsed.json:
        console.say("Nothing to delete")
    if parsed.json:
        console.data(_tree(parsed.env, results, done))
    failed = any(one.unread for one, _ in ready.values())
    failed = failed or any(one.failures for one in done.values() if not isinstance(one, LamellaError))
    return max(code, int(failed))


def _agreed(parsed: argparse.Namespace, console: Console, number: int) -> bool:
    from lamella.cli.approval import agreed
    from lamella.wording import counted

    if parsed.auto_approve:
        return True
    if parsed.json:  # nobody can be asked: what would be deleted is what was asked for
        return False
    if agreed(f"Delete {counted(number, 'version')}?"):
        return True
    console.say("Nothing was deleted")
    return False


def _performed(
    parsed: argparse.Namespace, console: Console, settings: Settings, ready: dict[Place, tuple[Prune, Record]]
) -> dict[Place, Pruned | LamellaError]:
    """Each place under its lock, and only where nobody has deployed since it was looked at."""
    from lamella.aws import StaleError
    from lamella.cli.rollouts import open_site, side_by_side
    from lamella.report.prune import show_done
    from lamella.rollout.upkeep.prune import perform

    def performed(place: Place) -> Pruned:
        planned, record = ready[place]
        site = open_site(place, settings)
        with site.journal.locked():
            if site.journal.read() != record:
                what = "a deploy went through since it was looked at what is needed"
                raise StaleError(what, hint="run `lamella prune` again")
            return perform(site.cloud, planned, None if parsed.json else console.say)

    results = side_by_side([place for place, (one, _) in ready.items() if not one.is_empty], performed)
    for _, one in results:
        if not isinstance(one, LamellaError) and not parsed.json:
            show_done(console, one)
    return dict(results)


def _names(asked: Sequence[str], settings: Settings, environment: Environment) -> list[str]:
    """Names in AWS of the layers, those that a build has split included.  Raises UsageError for an ARN, or for none."""
    from lamella import manifest
    from lamella.rollout.planning.desired import wanted
    from lamella.wording import printable

    names = dict(environment.layers)
    try:
        if (there := manifest.read(settings.output)) is not None:
            names |= {one.key: one.name for one in wanted(settings, there, environment.name).layers}
    except LamellaError:  # a build of another configuration: its layers are there all the same
        pass
    for word in asked:
        if ":" in word:
            why = ["versions of other people's layers are theirs to delete"] if word.startswith("arn:") else []
            raise UsageError(f"`{printable(word)}` is no layer's key or name", why=why, hint="leave out the version")
    if not asked and not names:
        raise UsageError("the configuration has no layers", hint="name one")
    return list(dict.fromkeys([names.get(word, word) for word in asked] or names.values()))


def _others(settings: Settings, environment: Environment, place: Place, layers: Sequence[str]) -> list[Record]:
    """What the journals of other environments know that may be in the same account and region, with the same layers.

    Raises LamellaError where one can't be read: nobody knows then what a rollback there needs.
    """
    from lamella.cloud.places import open_cloud
    from lamella.rollout.journal.journal import open_journal

    found = []
    for one in settings.environments:
        here = any(not account.regions or place.region in account.regions for account in one.accounts)
        if one.name == environment.name or not here or not {name for _, name in one.layers} & set(layers):
            continue
        journal = one.journal.replace("{region}", place.region).replace("{account}", place.account)
        other = place._replace(environment=one.name, journal=journal)
        found.append(open_journal(open_cloud(other), settings.root).read())
    return found


def _tree(
    environment: str,
    results: Sequence[tuple[Place, tuple[Prune, Record] | LamellaError]],
    done: dict[Place, Pruned | LamellaError],
) -> str:
    import json

    from lamella.cli.rollouts import error_tree
    from lamella.report.prune import SCHEMA, as_tree

    rows = []
    for place, found in results:
        if isinstance(found, LamellaError):
            rows.append(error_tree(place, found))
            continue
        came = done.get(place)
        tree = as_tree(found[0], None if isinstance(came, LamellaError) else came)
        rows.append({**tree, **error_tree(place, came)} if isinstance(came, LamellaError) else tree)
    return json.dumps({"schema": SCHEMA, "environment": environment, "places": rows}, indent=2)
