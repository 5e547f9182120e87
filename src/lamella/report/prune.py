"""What a prune would delete and why the rest stays, and what came of it, as people and programs read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamella.wording import counted

if TYPE_CHECKING:
    from lamella.cloud.model import LayerVersion, Place
    from lamella.report.console import Console
    from lamella.rollout.model import Failure
    from lamella.rollout.upkeep.prune import LayerPrune, Prune, Pruned

SCHEMA = 1
_SHOWN = 3


def show(console: Console, planned: Prune) -> None:
    """On stdout: versions newest first, those that go with a `-`."""
    for layer in planned.layers:
        if not console.quiet:
            console.data(f"Layer `{layer.name}` in {planned.place}")
            for row in _rows(layer):
                console.data(row)
    for failure in planned.unread:
        console.warning(_line(failure))
    if planned.unread:
        console.note(f"nothing is deleted while {counted(len(planned.unread), 'thing')} can't be read")


def show_done(console: Console, done: Pruned) -> None:
    for failure in done.failures:
        console.warning(_line(failure))
    console.say(f"Deleted {counted(len(done.deleted), 'version')} in {done.place}")


def as_tree(planned: Prune, done: Pruned | None) -> dict[str, Any]:
    """`deleted` is null where nothing was to be done, or nobody agreed."""
    return {
        "place": _place(planned.place),
        "layers": [
            {
                "name": layer.name,
                "delete": [_version(one) for one in layer.delete],
                "keep": [{**_version(one.version), "reasons": list(one.reasons)} for one in layer.keep],
            }
            for layer in planned.layers
        ],
        "functions": planned.functions,
        "unread": [failure._asdict() for failure in planned.unread],
        "deleted": None if done is None else list(done.deleted),
        "failures": [] if done is None else [failure._asdict() for failure in done.failures],
    }


def _rows(layer: LayerPrune) -> list[str]:
    rows = [(one.version.version, f"    {one.version.version}  {_reasons(one.reasons)}") for one in layer.keep]
    rows += [(one.version, f"  - {one.version}  nothing needs it{_made(one)}") for one in layer.delete]
    return [text for _, text in sorted(rows, reverse=True)] or ["    it has no versions"]


def _reasons(reasons: tuple[str, ...]) -> str:
    more = f", and {len(reasons) - _SHOWN} more" if len(reasons) > _SHOWN else ""
    return "; ".join(reasons[:_SHOWN]) + more


def _made(one: LayerVersion) -> str:
    return f"; made {one.created[:10]}" if one.created else ""


def _line(failure: Failure) -> str:
    named = f"`{failure.function}`: " if failure.function else ""
    return "\n  ".join([f"{named}{failure.what}", *failure.why, *([f"hint: {failure.hint}"] if failure.hint else [])])


def _version(one: LayerVersion) -> dict[str, Any]:
    return {"version": one.version, "arn": one.arn, "created": one.created}


def _place(place: Place) -> dict[str, str]:
    return {"environment": place.environment, "account": place.account, "region": place.region}
