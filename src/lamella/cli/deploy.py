"""`lamella deploy`: carry out the plan, prove it, or take it back."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, NamedTuple

from lamella.errors import LamellaError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lamella.cli.rollouts import Project, Site
    from lamella.cloud.model import Place
    from lamella.report.console import Console
    from lamella.rollout.model import Outcome, Plan

DESCRIPTION = "Show what would change in AWS, ask, carry out exactly that, prove it, or take all of it back."
EPILOG = """examples:
  lamella deploy                     shows the plan, then asks
  lamella deploy --auto-approve      in CI
  lamella deploy --env prod          one environment, all its accounts and regions side by side
  lamella deploy --layers-only       publish layers, and leave functions as they are
  lamella deploy --env prod --unlock  after a run in CI was killed: take away its lock in S3

Layers come first, then the functions: each is updated, compared with what was meant, and a version of it published and
invoked with its `smoke` events.  Only when all of that passed, the aliases move: at once, or by `canary`.
What fails takes everything back: aliases, code and layers.  A place (an account's region) is one whole; what fails in
one does not take back another.

With `--layers-only` no function is changed, or needs to have been built; a later deploy attaches what was published.

What a deploy sets out to do is written to a journal first (in `.lamella/rollout`, or in S3: `journal` in
`[tool.lamella.deploy]`).  After a run that was killed, the next one goes on from there; `lamella rollback` goes back.
Ctrl-C takes back what was changed.  It needs boto3: install `lamella[aws]`.

exit codes: 0 fine, 1 nobody agreed, or it failed and was taken back, as far as the report says, 2 wrong usage or
configuration, 3 AWS could not be asked, or another deploy is under way; nothing was changed
"""
SCHEMA = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from lamella.cli.rollouts import add_arguments as add_shared

    parser.add_argument("--auto-approve", action="store_true", help="carry it out without asking")
    parser.add_argument("--refresh", action="store_true", help="read all aliases, and put right what differs")
    parser.add_argument("--layers-only", action="store_true", help="publish the layers; change no function")
    parser.add_argument(
        "--unlock", action="store_true", help="take away the lock of a killed run; nothing else is done"
    )
    add_shared(parser)


def run(parsed: argparse.Namespace) -> int:
    from lamella.cli.approval import agreed
    from lamella.cli.rollouts import open_project, show_errors, side_by_side
    from lamella.report.console import Console

    console = Console(quiet=parsed.quiet)
    if parsed.unlock:
        return _unlocked(parsed, console)
    if parsed.layers_only and parsed.refresh:
        raise UsageError("`--layers-only` reads no aliases to refresh", hint="leave one of the two out")
    if parsed.json and not parsed.auto_approve:
        raise UsageError("`--json` can't ask", hint="give `--auto-approve`, too; `lamella plan --json` shows the plan")
    project = open_project(parsed, layers_only=parsed.layers_only)
    if parsed.layers_only:
        results = side_by_side(project.places, lambda place: _planned_layers(place, project))
    else:
        results = side_by_side(project.places, lambda place: _planned(place, project, refresh=parsed.refresh))
    found = {place: one for place, one in results if not isinstance(one, LamellaError)}
    plans = {place: one.plan for place, one in found.items()}
    if not parsed.json:
        _show(console, list(plans.values()))
    code = show_errors(console, results)
    if code:  # an environment is planned whole, or not begun
        if parsed.json:
            console.data(_tree(project, dict(results), {}))
        return code
    todo = {place: one for place, one in found.items() if one.unfinished or not one.plan.is_empty}
    done: dict[Place, Outcome | LamellaError] = {}
    if todo:
        code = _missing(list(plans.values()), console)
        if code:
            return code
        asks = any(not one.plan.is_empty for one in todo.values())
        if asks and not parsed.auto_approve and not agreed(parsed, console):
            return 1
        done = _performed(todo, console, layers_only=parsed.layers_only)
    return _reported(parsed, console, project, plans, done)


class _Planned(NamedTuple):
    """What is to be done in one place.  `unfinished`: a deploy before did not come to its end, or was not written down.

    That is written down, where nothing else is to be done.
    """

    site: Site
    plan: Plan
    unfinished: bool


def _planned(place: Place, project: Project, *, refresh: bool) -> _Planned:
    """Without a journal AWS itself says what a killed run may have left: all aliases are read."""
    from lamella.cli.plan import with_unread
    from lamella.cli.rollouts import open_site
    from lamella.rollout.planning.plan import plan

    site = open_site(place, project.settings)
    record = site.journal.read()
    made = plan(site.cloud, project.wanted, record, refresh=refresh, read_all_aliases=record.is_empty)
    if not refresh and not record.is_empty:
        made = with_unread(made, record)
    return _Planned(site, made, record.unfinished is not None)


def _planned_layers(place: Place, project: Project) -> _Planned:
    from lamella.cli.rollouts import open_site
    from lamella.rollout.layers_only import plan_layers
    from lamella.rollout.planning.desired import users

    site = open_site(place, project.settings)
    having = users(project.settings, project.manifest, project.environment.name)
    return _Planned(site, plan_layers(site.cloud, project.wanted, having, site.journal.read()), False)


def _show(console: Console, plans: Sequence[Plan]) -> None:
    from lamella.report.plan import show

    for at, plan in enumerate(plans):
        if at and not console.quiet:
            console.data("")
        show(console, plan)


def _missing(plans: Sequence[Plan], console: Console) -> int:
    """The exit code: nobody is asked whether to do what can't be done."""
    from lamella.cli.rollouts import show_errors
    from lamella.rollout.ready import refuse_missing

    results: list[tuple[Place, LamellaError | None]] = []
    for plan in plans:
        try:
            refuse_missing(plan)
        except LamellaError as error:
            results.append((plan.place, error))
    return show_errors(console, results)


def _performed(
    todo: Mapping[Place, _Planned], console: Console, *, layers_only: bool
) -> dict[Place, Outcome | LamellaError]:
    from lamella.cli.interrupting import interruptible
    from lamella.cli.rollouts import side_by_side
    from lamella.rollout.journal.keeping import open_downloads
    from lamella.rollout.layers_only import publish_layers
    from lamella.rollout.perform import perform
    from lamella.rollout.steps.stopping import Stop

    stop = Stop()

    def one(place: Place) -> Outcome:
        site = todo[place].site
        plan, prefix = todo[place].plan, f"{place}: " if len(todo) > 1 else ""

        def tell(line: str) -> None:
            console.say(prefix + line)

        if layers_only:
            return publish_layers(plan, site.cloud, tell, stop=stop.beside())
        downloads = open_downloads(site.cloud)
        return perform(plan, site.cloud, site.journal, tell, downloads=downloads, stop=stop.beside())

    with interruptible(stop):
        return dict(side_by_side(list(todo), one))


def _reported(
    parsed: argparse.Namespace,
    console: Console,
    project: Project,
    plans: Mapping[Place, Plan],
    done: Mapping[Place, Outcome | LamellaError],
) -> int:
    from lamella.cli.rollouts import show_errors
    from lamella.report.deploy import show

    code = show_errors(console, list(done.items()))
    for outcome in done.values():
        if not isinstance(outcome, LamellaError):
            show(console, outcome, "deploy", data=not parsed.json)
            code = max(code, int(bool(outcome.failures)))
    if parsed.json:
        console.data(_tree(project, plans, done))
    return code


def _tree(project: Project, plans: Mapping[Place, Any], done: Mapping[Place, Outcome | LamellaError]) -> str:
    """Each place with what came of it; one where nothing was to be done has no changes."""
    import json

    from lamella.cli.rollouts import error_tree
    from lamella.report.deploy import as_tree
    from lamella.rollout.model import Outcome

    rows = []
    for place, planned in plans.items():
        result = done.get(place, planned if isinstance(planned, LamellaError) else Outcome(place))
        rows.append(error_tree(place, result) if isinstance(result, LamellaError) else as_tree(result))
    ok = all(row.get("ok", False) for row in rows)
    return json.dumps({"schema": SCHEMA, "environment": project.environment.name, "ok": ok, "places": rows}, indent=2)


def _unlocked(parsed: argparse.Namespace, console: Console) -> int:
    from lamella.cli.rollouts import open_settings, open_site, show_errors, side_by_side

    settings, _, places = open_settings(parsed)
    results = side_by_side(places, lambda place: open_site(place, settings).journal.unlock())
    for place, found in results:
        if not isinstance(found, LamellaError):
            console.say(f"{place}: {f'the lock of {found} is taken away' if found else 'there is no lock'}")
    return show_errors(console, results)
