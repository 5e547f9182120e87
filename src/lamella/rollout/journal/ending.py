"""What is written into the journal at the end of a rollout, and what is said where that fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lamella.aws import NotThereError
from lamella.errors import LamellaError
from lamella.rollout.journal.journal import Journal
from lamella.rollout.journal.record import NotOursError
from lamella.rollout.model import After, Before, Deployment
from lamella.rollout.steps.settle import patient
from lamella.rollout.steps.turn import Tools, core_of


def finish(journal: Journal, deployment: Callable[[], Deployment]) -> tuple[str, ...]:
    """() where it was written.  What was deployed stays either way."""
    try:
        journal.finish(deployment())
    except NotOursError as error:
        return (f"all was deployed, but {_not_ours(journal, error)}",)
    except LamellaError as error:
        why = f"the journal `{journal.where}` could not be written: {error.in_one_line}"
        return (f"all was deployed, but {why}; once that is mended, `lamella deploy` writes it down",)
    return ()


def forget(journal: Journal, whole: Sequence[Before], id: str) -> tuple[str, ...]:
    """() where it was written.  `id` is the intent's.  What was put back stays either way."""
    try:
        journal.forget(whole, id)
    except NotOursError as error:
        return (_not_ours(journal, error),)
    except LamellaError as error:
        why = f"the journal `{journal.where}` could not be written: {error.in_one_line}"
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


def is_changed(before: Before, tools: Tools) -> bool:
    """Whether a function is there, and isn't as it was."""
    name = before.function.name
    try:
        state = patient(tools.chance, lambda: tools.cloud.lambdas.function(name))
    except NotThereError:
        return False
    if core_of(state) != core_of(before.function):
        return True
    if not before.alias_name:
        return False
    alias, was = patient(tools.chance, lambda: tools.cloud.lambdas.alias(name, before.alias_name)), before.alias
    return (alias and (alias.version, alias.weights)) != (was and (was.version, was.weights))


def _not_ours(journal: Journal, error: NotOursError) -> str:
    return f"it is not written down in the journal `{journal.where}`: {error.in_one_line}; {error.hint}"
