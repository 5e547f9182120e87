"""Back to what was there before: found first, shown, then carried out.

With a journal that is what the last deployment found, or the one that did not come to its end.  Without one, an alias
goes to the highest version below the one it points at, and $LATEST gets that version's code and layers.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from lamella.aws import NotThereError
from lamella.cloud.model import LATEST, AliasState, Cloud, FunctionState, Place
from lamella.deployed.model import Lambda as Downloads
from lamella.errors import LamellaError, UsageError
from lamella.rollout.commands import command
from lamella.rollout.journal.ending import forget
from lamella.rollout.journal.journal import Journal
from lamella.rollout.model import After, Before, Deployment, Failure, Intent, Outcome, Record
from lamella.rollout.planning.layers import short
from lamella.rollout.steps.settle import Chance, Pace
from lamella.rollout.steps.stopping import together
from lamella.rollout.steps.turn import Tools, Trace, core_of
from lamella.rollout.steps.uploads import Uploads
from lamella.rollout.undo.restore import Sources, Tell, restore
from lamella.wording import listed

# Reads at a time; how many a second is up to the place's rate
_READERS = 8


class Return(NamedTuple):
    """One function's way back: from what it is `now` to what it was `before`.

    `what` says it in words, a sentence each; () where it is as it was.
    """

    before: Before
    now: FunctionState
    alias: AliasState | None
    what: tuple[str, ...]


class Way(NamedTuple):
    """The way back in one place.  `why` says what it goes back to.  `gone` are functions that AWS no longer has."""

    place: Place
    returns: tuple[Return, ...]
    why: str
    gone: tuple[Before, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not any(one.what for one in self.returns)


def find_way(
    cloud: Cloud,
    record: Record,
    aliases: Mapping[str, str],
    names: Sequence[str] = (),
    *,
    to: str = "",
) -> Way:
    """The way back for the functions `names`, or all.  Nothing is changed.

    `aliases` maps the project's functions, by their names in AWS, to their alias or "".  `to` is a published version.
    Raises UsageError, LamellaError where there is nothing to go back to, and what the ports do.
    """
    if to:
        chosen = _chosen(cloud.place, names, aliases)
        found = together(chosen, lambda name: _at_version(cloud, name, aliases.get(name, ""), to), _READERS)
        return _way(cloud, found, f"to version {to}")
    if record.unfinished is not None:
        befores = _named(cloud.place, record.unfinished.before, names)
        return _way(cloud, befores, "to before a deploy or rollback that did not come to its end", record.functions)
    deployment = _deployment(record, names)
    if deployment is not None:
        older = record.history[record.history.index(deployment) + 1 :]
        known = [after for one in reversed(older) for after in one.after]
        return _way(cloud, _named(cloud.place, deployment.before, names), "to before the last deployment", known)
    if not record.is_empty:
        raise LamellaError(
            f"the journal has no deployment of {listed(names)} to go back over"
            if names
            else "there is no deployment to go back over",
            why=["a deploy that fails is taken back at once, and what was rolled back is not there any more"],
            hint=f"{_to(cloud.place)} takes a published version",
        )
    chosen = names or sorted(aliases)
    found = together(chosen, lambda name: _one_below(cloud, name, aliases.get(name, "")), _READERS)
    return _way(cloud, found, "to the published version before: there is no journal of a deployment")


def go_back(
    way: Way, cloud: Cloud, journal: Journal, tell: Tell, *, downloads: Downloads, workers: int = 16
) -> Outcome:  # fmt: skip
    """Carry it out.  What somebody else changed since the way was found stays, and is said.

    It is written down first: a rollback that is killed is gone on with by the next one.  Raises LamellaError where
    nothing was changed yet.
    """
    rows = [one for one in way.returns if one.what]
    befores = tuple(one.before for one in way.returns)
    if not rows and journal.read().unfinished is None:
        return Outcome(way.place)
    tools = Tools(cloud, Chance(cloud.clock), Pace(len(way.returns)), Uploads(cloud.bucket))
    with journal.locked():
        intent = _intent(way, journal.read(), cloud.clock.now())
        journal.begin(intent)
        back = restore(
            befores, {one.now.name: _trace(one) for one in rows}, tools, Sources(journal, downloads), tell, workers
        )
        remains = (*back.remains, *forget(journal, (*back.whole, *way.gone), intent.id))
    return Outcome(
        way.place,
        updated=tuple(sorted(one.now.name for one in rows if core_of(one.now) != core_of(one.before.function))),
        shifted=tuple(sorted(_shifted(rows))),
        failures=(Failure("", "not everything could be put back"),) if back.remains else (),
        restored=back.done,
        remains=remains,
        deleted=tuple(sorted((one.now.name, one.alias.name) for one in rows if one.alias and _is_deleted(one))),
    )


def _shifted(rows: Sequence[Return]) -> Iterator[tuple[str, str]]:
    """Those whose alias changes, with the version that it goes to."""
    for one in rows:
        goal, now = one.before.alias, one.alias
        if goal and (now is None or (now.version, now.weights) != (goal.version, goal.weights)):
            yield one.now.name, goal.version


def _is_deleted(one: Return) -> bool:
    return bool(one.before.alias_name) and one.before.alias is None


def _intent(way: Way, record: Record, now: float) -> Intent:
    """What it goes back to, with what an unfinished deploy would have gone back to for other functions.

    What is there now counts as meant: a rollback that is killed leaves some of it.
    """
    unfinished = record.unfinished
    rows = {one.function.name: one for one in (unfinished.before if unfinished else ())}
    rows |= {one.before.function.name: one.before for one in way.returns}
    meant = set(unfinished.meant if unfinished else ())
    meant |= {After(one.now.name, *core_of(one.now), "", one.before.alias_name) for one in way.returns}
    return Intent(
        secrets.token_hex(8),
        now,
        tuple(sorted(meant)),
        tuple(rows[name] for name in sorted(rows)),
        unfinished.layers if unfinished else (),
    )


def _trace(one: Return) -> Trace:
    """What may be written over: what was shown, and nothing that came after it."""
    trace = Trace()
    trace.cores.append(core_of(one.now))
    trace.aliases.append((one.alias.version, one.alias.weights) if one.alias else ("", ()))
    return trace


def _to(place: Place, name: str = "FUNCTION") -> str:
    return command(place, "rollback", name, "--to", "VERSION")


def _chosen(place: Place, names: Sequence[str], aliases: Mapping[str, str]) -> Sequence[str]:
    """The functions that `--to` is about.  A number means another thing with each function, so they are named."""
    if names:
        return names
    if len(aliases) == 1:
        return tuple(aliases)
    raise UsageError(
        "`--to` is about one function, and none is named",
        why=["each function counts its own versions", f"the functions are {listed(aliases)}"],
        hint=f"name it: {_to(place)}",
    )


def _named(place: Place, befores: Sequence[Before], names: Sequence[str]) -> list[Before]:
    """Raises UsageError for a name that is not among them."""
    known = {one.function.name: one for one in befores}
    for name in names:
        if name not in known:
            raise UsageError(
                f"the deploy that is to be taken back did not change `{name}`",
                why=[f"it changed {listed(known)}"],
                hint=f"{_to(place, name)} takes one of its versions",
            )
    return [known[name] for name in names] if names else list(befores)


def _deployment(record: Record, names: Sequence[str]) -> Deployment | None:
    """The last one, or the last one that changed all of `names`."""
    for one in record.history:
        if set(names) <= {before.function.name for before in one.before}:
            return one
    return None


def _at_version(cloud: Cloud, name: str, alias: str, version: str) -> Before:
    try:
        state = cloud.lambdas.function(name, version)
    except NotThereError as error:
        known = [row.version for row in cloud.lambdas.versions(name)]
        raise NotThereError(
            f"`{name}` has no version {version}",
            why=[f"it has {', '.join(known) or 'none'}"],
            hint="take one of them" if known else error.hint,
        ) from None
    return _before(state, alias)


def _one_below(cloud: Cloud, name: str, alias: str) -> Before:
    """The highest version below the one that the alias points at."""
    if not alias:
        raise LamellaError(
            f"nobody knows what `{name}` was before",
            why=["it is deployed without an alias, and there is no journal of a deployment"],
            hint=f"{_to(cloud.place, name)} takes one of its versions, if it has any",
        )
    now = cloud.lambdas.alias(name, alias)
    if now is None or not now.version.isdecimal():
        raise LamellaError(
            f"nobody knows what `{name}` was before",
            why=[f"its alias `{alias}` {'points at $LATEST' if now else 'is not there'}"],
            hint=f"{_to(cloud.place, name)} takes one of its versions",
        )
    below = [int(row.version) for row in cloud.lambdas.versions(name) if int(row.version) < int(now.version)]
    if not below:
        raise LamellaError(
            f"`{name}` has no version before {now.version}, which its alias `{alias}` points at",
            hint="build and deploy what is to be there, or leave it out: name the other functions",
        )
    return _before(cloud.lambdas.function(name, str(max(below))), alias)


def _before(version: FunctionState, alias: str) -> Before:
    """The function as it was when this version of it was published."""
    pointed = AliasState(version.name, alias, version.version, "") if alias else None
    return Before(version, alias, pointed)


def _way(cloud: Cloud, befores: Sequence[Before], why: str, known: Sequence[After] = ()) -> Way:
    """`known` is what was deployed before that, the last of each function last."""
    last = {one.name: one for one in known}
    found = together(befores, lambda before: _return(cloud, before, last.get(before.function.name)), _READERS)
    gone = tuple(before for before, one in zip(befores, found, strict=True) if one is None)
    returns = sorted((one for one in found if one is not None), key=lambda one: one.now.name)
    return Way(cloud.place, tuple(returns), why, gone)


def _return(cloud: Cloud, before: Before, known: After | None) -> Return | None:
    name = before.function.name
    try:
        now = cloud.lambdas.function(name)
    except NotThereError:
        return None
    alias = cloud.lambdas.alias(name, before.alias_name) if before.alias_name else None
    before, remark = _recalled(cloud, before, known)
    words = [*remark, *_alias_words(before, alias), *_latest_words(before.function, now)]
    if now.update == "Failed" and before.function.update != "Failed":
        words.append("its last update failed: it is updated once more")
    return Return(before, now, alias, tuple(words))


def _recalled(cloud: Cloud, before: Before, known: After | None) -> tuple[Before, tuple[str, ...]]:
    """Where an alias had been deployed and somebody deleted it: with it as that was, or left alone, which is said."""
    name = before.alias_name
    if not name or before.alias is not None or known is None or known.alias != name or not known.version.isdecimal():
        return before, ()
    function = before.function.name
    try:
        cloud.lambdas.function(function, known.version)
    except NotThereError:
        remark = f"alias `{name}` stays as it is: version {known.version}, which it pointed at, is no longer there"
        return before._replace(alias_name=""), (remark,)
    return before._replace(alias=AliasState(function, name, known.version, "")), ()


def _alias_words(before: Before, now: AliasState | None) -> list[str]:
    name, goal = before.alias_name, before.alias
    if goal is None:
        return [f"alias `{name}` is deleted: it was made by that deploy"] if now else []
    if now is None:
        return [f"alias `{name}` is made anew, for version {goal.version}"]
    if (now.version, now.weights) == (goal.version, goal.weights):
        return []
    if now.version == goal.version:
        return [f"alias `{name}` sends all to version {goal.version} again"]
    return [f"alias `{name}` from version {now.version} to {goal.version}"]


def _latest_words(goal: FunctionState, now: FunctionState) -> list[str]:
    words = []
    if goal.code_sha256 != now.code_sha256:
        words.append(f"code of {'before' if goal.version == LATEST else f'version {goal.version}'}")
    if goal.layers != now.layers:
        lost = [f"detach `{short(arn)}`" for arn in now.layers if arn not in goal.layers]
        words += [*lost, *(f"attach `{short(arn)}`" for arn in goal.layers if arn not in now.layers)]
        if set(goal.layers) == set(now.layers):
            words.append("layers in the order of before")
    pairs = (("runtime", now.runtime, goal.runtime), ("handler", now.handler, goal.handler))
    words += [f"{what} {one} -> {other}" for what, one, other in pairs if one != other]
    if goal.architecture != now.architecture:
        words.append(f"architecture {now.architecture} -> {goal.architecture}")
    return words
