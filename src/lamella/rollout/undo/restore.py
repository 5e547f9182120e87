"""Put functions back to what they were: aliases first, then $LATEST.  What others changed meanwhile stays theirs.

Nothing is raised for what can't be put back: it is said, with the commands by which a person does it.
"""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from lamella.aws import NotThereError
from lamella.cloud.model import LATEST, AliasState, FunctionState, Place
from lamella.deployed.model import Lambda as Downloads
from lamella.errors import LamellaError
from lamella.rollout.commands import command
from lamella.rollout.journal.intent import is_ours
from lamella.rollout.journal.journal import Journal
from lamella.rollout.journal.keeping import code_of
from lamella.rollout.model import Before
from lamella.rollout.steps.aliases import Weights, point
from lamella.rollout.steps.settle import patient, settled
from lamella.rollout.steps.stopping import StoppedError, together
from lamella.rollout.steps.turn import Latest, Tools, Trace, at_rest, core_of

Tell = Callable[[str], None]


class Sources(NamedTuple):
    """Where the code comes from that functions had."""

    journal: Journal
    downloads: Downloads


class Restored(NamedTuple):
    """`done` says in words what was put back, `remains` what a person must look at.

    `whole` are those that are as they were, or as somebody else made them: there is nothing left to go back to.
    """

    done: tuple[str, ...]
    remains: tuple[str, ...]
    whole: tuple[Before, ...]


class _One(NamedTuple):
    """What came of one step for one function.  `failed` is true where it is to be tried again."""

    done: str = ""
    remains: tuple[str, ...] = ()
    failed: bool = False


class _CodeError(LamellaError):
    """The code that a function had can't be had any more."""


def restore(
    befores: Sequence[Before],
    traces: Mapping[str, Trace],
    tools: Tools,
    sources: Sources,
    tell: Tell,
    workers: int,
) -> Restored:
    """Put back what `traces` (by function) says that was changed, or may have been."""
    rows = [one for one in befores if one.function.name in traces and not traces[one.function.name].is_empty]

    def aliased(before: Before) -> _One:
        return _said(tell, _caught(lambda: _alias(before, traces[before.function.name], tools), before, tools, "alias"))

    def latest(before: Before) -> _One:
        trace = traces[before.function.name]
        return _said(tell, _caught(lambda: _latest(before, trace, tools, sources), before, tools, "latest"))

    # All aliases first: users are back on the old versions before anything that takes long
    results = [*together(rows, aliased, workers), *together(rows, latest, workers)]
    failed = {row.function.name for row, one in zip([*rows, *rows], results, strict=True) if one.failed}
    return Restored(
        tuple(one.done for one in results if one.done),
        tuple(line for one in results for line in one.remains),
        tuple(one for one in befores if one.function.name not in failed),
    )


def _said(tell: Tell, one: _One) -> _One:
    if one.done:
        tell(f"put back: {one.done}")
    return one


def _caught(do: Callable[[], _One], before: Before, tools: Tools, what: str) -> _One:
    name = before.function.name
    try:
        return do()
    except StoppedError:
        raise
    except Exception as error:  # one function that can't be put back is no reason to leave the others
        if isinstance(error, NotThereError | _CodeError) and _is_gone(name, tools):
            return _One(remains=(f"`{name}` is no longer there, so it can't be put back",) * (what == "latest"))
        return _One(remains=tuple(_failed(error, before, tools.cloud.place, what)), failed=True)


def _failed(error: Exception, before: Before, place: Place, what: str) -> Iterator[str]:
    """A statement each: what failed and why, and what a person can do."""
    name = before.function.name
    part = f"the alias `{before.alias_name}` of `{name}`" if what == "alias" else f"`{name}`"
    if isinstance(error, LamellaError):
        yield f"{part} could not be put back: {error.what}"
        yield from error.why
        yield from [error.hint] if error.hint else []
    else:
        yield f"{part} could not be put back: {type(error).__name__}: {error}"
    yield f"{command(place, 'rollback', name)} tries it again"
    version = before.alias.version if before.alias else before.function.version
    if isinstance(error, _CodeError) and version.isdecimal():
        yield f"{command(place, 'rollback', name, '--to', version)} gives it the code and layers of version {version}"
    by_hand = _alias_command(before, place) if what == "alias" else _latest_commands(before, place)
    yield f"by hand, `{name}`: {by_hand}"


def _is_gone(name: str, tools: Tools) -> bool:
    try:
        tools.cloud.lambdas.function(name)
    except NotThereError:
        return True
    except LamellaError:
        pass
    return False


def _alias(before: Before, trace: Trace, tools: Tools) -> _One:
    function, name = before.function, before.alias_name
    if not name or not (trace.aliases or trace.meant):
        return _One()
    now = patient(tools.chance, lambda: tools.cloud.lambdas.alias(function.name, name))
    goal = before.alias
    weights = _weights(goal, trace)
    if (now is None and goal is None) or (now and goal and (now.version, now.weights) == (goal.version, weights)):
        return _One()
    if not _is_our_alias(before, now, trace, tools):
        there = f"points at version {now.version}" if now else "is no longer there"
        return _One(
            remains=(f"the alias `{name}` of `{function.name}` {there}: somebody else did that, and it stays so",)
        )
    if goal is None:
        assert now is not None
        _delete(tools, function, now)
        return _One(done=f"the alias `{name}` of `{function.name}`, which was new, is deleted")
    point(tools, Trace(), function, name, now, goal.version, weights)
    return _One(done=f"the alias `{name}` of `{function.name}` points at version {goal.version} again")


def _is_our_alias(before: Before, now: AliasState | None, trace: Trace, tools: Tools) -> bool:
    """Whether it is as this rollout made it, or as an earlier one may have: at a version that is as that was meant."""
    if ((now.version, now.weights) if now else ("", ())) in trace.aliases:
        return True
    if now is None or not trace.meant:
        return False
    if before.alias is not None and now.version == before.alias.version:
        return True
    behind = patient(tools.chance, lambda: tools.cloud.lambdas.function(before.function.name, now.version))
    return core_of(behind) in trace.meant


def _weights(goal: AliasState | None, trace: Trace) -> Weights:
    """Not those that an earlier run, killed amid a canary, left for the very version that does not hold."""
    return tuple(row for row in goal.weights if row[0] != trace.version) if goal else ()


def _delete(tools: Tools, function: FunctionState, alias: AliasState) -> None:
    lambdas = tools.cloud.lambdas

    def write() -> bool:
        lambdas.delete_alias(function.name, alias.name)
        return True

    def look() -> bool | None:
        return True if lambdas.alias(function.name, alias.name) is None else None

    settled(tools.chance, write, look)


def _latest(before: Before, trace: Trace, tools: Tools, sources: Sources) -> _One:
    name, goal = before.function.name, core_of(before.function)
    if not (trace.cores or trace.meant):
        return _One()
    now = at_rest(tools, name)
    core = core_of(now)
    failed = now.update == "Failed" and before.function.update != "Failed"
    if core == goal and not failed:
        return _One()
    if not is_ours(core, [goal, *trace.meant, *trace.cores]):
        return _One(
            remains=(f"`{name}` was changed by somebody else meanwhile: its code and layers stay as they are now",)
        )
    latest = Latest(tools, now)
    recodes = (core.code_sha256, core.architecture) != (goal.code_sha256, goal.architecture)
    others = goal._replace(code_sha256=core.code_sha256, architecture=core.architecture)
    configures = core != others or (failed and not recodes)
    if recodes:
        with contextlib.ExitStack() as stack:
            try:
                code = stack.enter_context(code_of(before, sources.journal, sources.downloads, tools.chance))
            except LamellaError as error:
                raise _CodeError(error.what, why=error.why, hint=error.hint) from error
            latest.become(
                goal, Trace(), configures=configures, content=lambda: tools.uploads.sendable(code), code_first=True
            )
    else:
        latest.become(goal, Trace(), configures=configures, content=None)
    parts = ["code"] * recodes + ["layers"] * (core.layers != goal.layers)
    changed = " and ".join(parts) or "configuration"
    version = before.function.version
    return _One(done=f"`{name}` has its {changed} of {'before' if version == LATEST else f'version {version}'}")


def _alias_command(before: Before, place: Place) -> str:
    names = ["--function-name", before.function.name, "--name", before.alias_name]
    if before.alias is None:
        return _command(place, ["delete-alias", *names])
    weights = ",".join(f"{version}={weight}" for version, weight in before.alias.weights)
    routing = f"AdditionalVersionWeights={{{weights}}}"
    words = [*names, "--function-version", before.alias.version, "--routing-config", routing]
    return _command(place, ["update-alias", *words])


def _latest_commands(before: Before, place: Place) -> str:
    state = before.function
    words = ["update-function-configuration", "--function-name", state.name, "--runtime", state.runtime]
    words += ["--handler", state.handler, "--layers", *(state.layers or ("[]",))]
    return f"{_command(place, words)}, with the code of CodeSha256 `{state.code_sha256}`"


def _command(place: Place, words: Sequence[str]) -> str:
    more = ["--region", place.region] if place.region else []
    more += ["--profile", place.profile] if place.profile else []
    return f"`{shlex.join(['aws', 'lambda', *words, *more])}`"
