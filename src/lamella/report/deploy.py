"""What came of a deploy or a rollback: for people, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lamella.errors import LamellaError
from lamella.report.sizes import megabytes
from lamella.rollout.commands import command
from lamella.wording import counted, printable

if TYPE_CHECKING:
    from lamella.report.console import Console
    from lamella.rollout.model import Failure, Outcome
    from lamella.rollout.undo.rollback import Way

SCHEMA = 1


def show(console: Console, outcome: Outcome, what: str, *, data: bool = True) -> None:
    """The closing report; `what` is "deploy" or "rollback".  What failed is shown where all else is quiet, too.

    Without `data` nothing is written to stdout.
    """
    where = f" to {outcome.place}" if what == "deploy" else f" of {outcome.place}"
    if outcome.failures:
        # Of several places each has a block of its own: this begins it, and what came of it all ends it
        console.error(LamellaError(f"the {what}{where} failed:"))
        for failure in outcome.failures:
            console.error(_error(failure))
        for line in _left(outcome):
            console.note(line)
        console.error(_closing(outcome, what, where))
    else:
        for line in outcome.remains:
            console.warning(f"{outcome.place}: {line}")
        if data and not console.quiet:
            console.data(f"The {what}{where} is done: {summary(outcome)}.")


def summary(outcome: Outcome) -> str:
    """``1 layer published, 3 functions updated, 2 aliases shifted, 4 smoke events passed``."""
    shifted, deleted = len(outcome.shifted), len(outcome.deleted)
    parts = [
        f"{counted(len(outcome.published), 'layer')} published" if outcome.published else "",
        f"{counted(len(outcome.updated), 'function')} updated" if outcome.updated else "",
        f"{counted(len(outcome.versions), 'version')} published" if outcome.versions else "",
        f"{shifted} alias{'es' * (shifted != 1)} shifted" if shifted else "",
        f"{deleted} alias{'es' * (deleted != 1)} deleted" if deleted else "",
        f"{counted(len(outcome.proven), 'smoke event')} passed" if outcome.proven else "",
    ]
    return ", ".join(part for part in parts if part) or "nothing had to be changed"


def show_way(console: Console, way: Way) -> None:
    """What a rollback would do, on stdout; nothing when quiet."""
    if console.quiet:
        return
    console.data(f"Back {way.why}, in {way.place}")
    for one in way.returns:
        console.data(f"  {'~' if one.what else '='} {one.now.name}")
        for line in one.what or ("is as it was",):
            console.data(f"      {line}")
    for before in way.gone:
        console.data(f"  ! {before.function.name}: AWS no longer has it")


def as_tree(outcome: Outcome) -> dict[str, Any]:
    """As JSON has it.  Sizes in bytes."""
    place = outcome.place
    return {
        "place": {"environment": place.environment, "account": place.account, "region": place.region},
        "ok": not outcome.failures,
        "published": [
            {
                "layer": one.name,
                "version": one.version,
                "arn": one.arn,
                "code_sha256": one.code_sha256,
                "size": one.size,
            }
            for one in outcome.published
        ],
        "updated": list(outcome.updated),
        "versions": dict(outcome.versions),
        "proven": [{"function": name, "event": event} for name, event in outcome.proven],
        "shifted": dict(outcome.shifted),
        "deleted": dict(outcome.deleted),
        "failures": [
            {"function": one.function, "what": one.what, "why": list(one.why), "hint": one.hint or None}
            for one in outcome.failures
        ],
        "restored": list(outcome.restored),
        "remains": list(outcome.remains),
    }


def way_tree(way: Way) -> dict[str, Any]:
    return {
        "place": {"environment": way.place.environment, "account": way.place.account, "region": way.place.region},
        "why": way.why,
        "functions": [{"function": one.now.name, "changes": list(one.what)} for one in way.returns],
        "gone": [one.function.name for one in way.gone],
    }


def _error(failure: Failure) -> LamellaError:
    name = failure.function
    named = f"`{printable(name)}`: " if name and f"`{name}`" not in failure.what else ""
    return LamellaError(named + failure.what, why=failure.why, hint=failure.hint or None)


def _left(outcome: Outcome) -> Iterator[str]:
    """What was published before it failed: it is there, and nobody meets it."""
    for layer in outcome.published:
        yield f"layer `{layer.name}` version {layer.version} ({megabytes(layer.size)}) stays, for the next deploy"
    for name, version in outcome.versions:
        yield f"version {version} of `{name}` stays; nothing points at it"


def _closing(outcome: Outcome, what: str, where: str) -> LamellaError:
    if outcome.remains:
        hint = f"look at each; {command(outcome.place, 'status')} says what is there now"
        return LamellaError(f"the {what}{where} failed, and this is left for a person", why=outcome.remains, hint=hint)
    if outcome.restored:
        return LamellaError(f"the {what}{where} failed; all that it changed was put back")
    return LamellaError(f"the {what}{where} failed; no function was changed")
