"""`lamella prune`: delete the versions of layers that nothing needs any more."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from lamella.errors import LamellaError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lamella.cli.rollouts import Site
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
where there is anything old; and once more, while no deploy of the environment can begin, before anything is deleted.
What can't be read may need any version, and then all stay.  A version that is gone keeps working where it is attached,
but can't be attached again.  It needs boto3: install `lamella[aws]`.

exit codes: 0 fine, 1 nobody agreed, or something could not be read or deleted, 2 wrong usage or configuration,
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

    tell = None if parsed.json else console.say

    def look(site: Site) -> Prune:
        place = site.cloud.place
        records = [site.journal.read(), *_others(settings, environment, place)]
        return prune(site.cloud, layers, records, keep, tell)

    results = side_by_side(places, lambda place: look(open_site(place, settings)))
    ready = {place: found for place, found in results if not isinstance(found, LamellaError)}
    if not parsed.json:
        from lamella.report.prune import show

        for one in ready.values():
            show(console, one)
    code = show_errors(console, results)
    done: dict[Place, Pruned | LamellaError] = {}
    number = sum(len(layer.delete) for one in ready.values() for layer in one.layers)
    refused = bool(number) and not _agreed(parsed, console, number)
    if number and not refused:
        done = _performed(parsed, console, settings, ready, look)
        code = max(code, show_errors(console, list(done.items())))
    elif not number and not code and not parsed.json:
        console.say("Nothing to delete")
    if parsed.json:
        console.data(_tree(parsed.env, results, done))
    failed = any(one.unread for one in ready.values())
    failed = (
        failed
        or (refused and not parsed.json)
        or any(one.failures for one in done.values() if not isinstance(one, LamellaError))
    )
    return max(code, int(failed))


def _agreed(parsed: argparse.Namespace, console: Console, number: int) -> bool:
    from lamella.cli.approval import agreed
    from lamella.wording import counted

    if parsed.auto_approve:
        return True
    if parsed.json:  # nobody can be asked: what would be deleted is what was asked for
        return False
    return agreed(parsed, console, f"Delete {counted(number, 'version')}?", "Nothing was deleted")


def _performed(
    parsed: argparse.Namespace,
    console: Console,
    settings: Settings,
    ready: dict[Place, Prune],
    look: Callable[[Site], Prune],
) -> dict[Place, Pruned | LamellaError]:
    """Each place under its lock, where all that was agreed to can still go: it is looked at once more."""
    from lamella.aws import StaleError
    from lamella.cli.rollouts import open_site, side_by_side
    from lamella.report.prune import show_done
    from lamella.rollout.upkeep.prune import perform

    def performed(place: Place) -> Pruned:
        site = open_site(place, settings)
        with site.journal.locked():
            now = look(site)
            needed = [one for one in ready[place].delete if one not in now.delete]
            if needed:
                raise StaleError(
                    "what is needed has changed since it was looked at: nothing was deleted",
                    why=[f"`{one.name}` version {one.version}: {now.reason(one)}" for one in needed],
                    hint="run `lamella prune` again",
                )
            return perform(site.cloud, ready[place], None if parsed.json else console.say)

    results = side_by_side([place for place, one in ready.items() if not one.is_empty], performed)
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


def _others(settings: Settings, environment: Environment, place: Place) -> list[Record]:
    """What the journals of the other environments in the same account and region know, whatever layers these have now.

    Raises LamellaError where one can't be read: nobody knows then what a rollback there needs.
    """
    from lamella.cli.rollouts import open_site
    from lamella.cloud.places import beside

    found = (beside(place, environment, one) for one in settings.environments if one.name != environment.name)
    return [open_site(other, settings).journal.read() for other in found if other is not None]


def _tree(
    environment: str,
    results: Sequence[tuple[Place, Prune | LamellaError]],
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
        tree = as_tree(found, None if isinstance(came, LamellaError) else came)
        rows.append({**tree, **error_tree(place, came)} if isinstance(came, LamellaError) else tree)
    return json.dumps({"schema": SCHEMA, "environment": environment, "places": rows}, indent=2)
