"""What is written into the journal at the end of a rollout, and what is said where that fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lamella.aws import NotThereError
from lamella.errors import LamellaError
from lamella.rollout.journal.journal import Journal
from lamella.rollout.model import After, Before, Deployment
from lamella.rollout.steps.settle import patient
from lamella.rollout.steps.turn import Tools, core_of


def finish(journal: Journal, deployment: Callable[[], Deployment]) -> tuple[str, ...]:
    """() where it was written.  What was deployed stays either way."""
    try:
        journal.finish(deployment())
    except LamellaError as error:
        why = f"the journal `{journal.where}` could not be written: {_line(error)}"
        return (f"all was deployed, but {why}; once that is mended, `lamella deploy` writes it down",)
    return ()


def forget(journal: Journal, whole: Sequence[Before]) -> tuple[str, ...]:
    """() where it was written.  What was put back stays either way."""
    try:
        journal.forget(whole)
    except LamellaError as error:
        why = f"the journal `{journal.where}` could not be written: {_line(error)}"
        return (f"{why}; once that is mended, `lamella rollback` finds that nothing is left to be put back",)
    return ()


def after_of(before: Before, tools: Tools) -> After | None:
    """What a function is now; None where it isn't there any more."""
    name = before.function.name
    try:
        state = patient(tools.chance, lambda: tools.cloud.lambdas.function(name))
    except NotThereError:
        return None
    alias = None
    if before.alias_name:
        alias = patient(tools.chance, lambda: tools.cloud.lambdas.alias(name, before.alias_name))
    return After(name, *core_of(state), alias.version if alias else "", before.alias_name)


def _line(error: LamellaError) -> str:
    return "; ".join([error.what, *error.why])
