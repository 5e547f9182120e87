"""Whether what users meet is what was built: for people, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamella.errors import LamellaError
from lamella.report.plan import place_tree
from lamella.wording import counted, printable

if TYPE_CHECKING:
    from lamella.report.console import Console
    from lamella.rollout.model import Failure
    from lamella.rollout.proof.standing import Verdict, Verified

SCHEMA = 1


def show(console: Console, verdict: Verdict) -> None:
    """A line for each function, and layer that none has, on stdout, an error for each failure; quiet: these alone."""
    if not console.quiet:
        console.data(str(verdict.place))
        for one in verdict.functions:
            console.data(f"  {'!' if one.failures else '='} {one.name}  {_state(one)}")
        for name, version in verdict.alone:
            console.data(f"  = {name}  version {version}, as it was built" if version else f"  ! {name}  nothing")
    for failure in verdict.failures:
        console.error(_error(failure))


def as_tree(verdict: Verdict) -> dict[str, Any]:
    return {
        "place": place_tree(verdict.place),
        "ok": not verdict.failures,
        "functions": [
            {
                "function": one.name,
                "version": one.version or None,
                "ok": not one.failures,
                "proven": list(one.proven),
                "failures": [_failure_tree(failure) for failure in one.failures],
            }
            for one in verdict.functions
        ],
        "layers": [_failure_tree(failure) for failure in verdict.layers],
    }


def _state(one: Verified) -> str:
    version = f"version {one.version}" if one.version.isdecimal() else one.version or "nothing"
    if one.failures:
        return version
    passed = f", {counted(len(one.proven), 'smoke event')} passed" if one.proven else ", no smoke event to send"
    return f"{version}, as it was built{passed}"


def _error(failure: Failure) -> LamellaError:
    return LamellaError(f"`{printable(failure.function)}`: {failure.what}", why=failure.why, hint=failure.hint or None)


def _failure_tree(failure: Failure) -> dict[str, Any]:
    return {
        "name": failure.function,
        "what": failure.what,
        "why": list(failure.why),
        "hint": failure.hint or None,
    }
