"""Carry out a plan, prove it, or take it back.

Layers first, then functions with an alias, whose $LATEST nobody meets, then those without, then all aliases.  The first
function goes alone, so that of two deploys at once one stops before it changed a function.  What fails takes all of it
back; what is killed leaves an intent in the journal, from which the next run goes on or back.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence

from lamella.cloud.model import Cloud, LayerVersion, Place
from lamella.deployed.model import Lambda as Downloads
from lamella.errors import LamellaError
from lamella.rollout.commands import command
from lamella.rollout.journal.ending import after_of, finish, forget, is_changed
from lamella.rollout.journal.intent import intent_of, traces_of, with_kept, with_layers
from lamella.rollout.journal.journal import Journal
from lamella.rollout.journal.keeping import keep
from lamella.rollout.model import (
    Deployment,
    Failure,
    FunctionChange,
    Intent,
    Outcome,
    Plan,
    PublishLayer,
    Record,
    UpdateCode,
    UpdateConfiguration,
)
from lamella.rollout.proof import smoke
from lamella.rollout.proof.verify import differences
from lamella.rollout.ready import refuse
from lamella.rollout.shifting import shift
from lamella.rollout.steps.publish import publish
from lamella.rollout.steps.settle import Chance, Pace
from lamella.rollout.steps.stopping import Stop, StoppableClock, StoppedError, together
from lamella.rollout.steps.turn import Tools, Turned, turn
from lamella.rollout.steps.uploads import Uploads
from lamella.rollout.steps.versions import was_there
from lamella.rollout.undo.restore import Sources, Tell, restore


def perform(
    plan: Plan,
    cloud: Cloud,
    journal: Journal,
    tell: Tell,
    *,
    downloads: Downloads,
    stop: Stop | None = None,
    workers: int = 16,
) -> Outcome:
    """What came of it.  `tell` takes a line for each thing that is done, from any thread.

    `downloads` brings code that a rollback would need.  Once `stop` is asked, or Ctrl-C is pressed, all is taken back.
    Raises LamellaError, BusyError, OutsideError where nothing was changed yet.
    """
    refuse(plan, cloud)
    if plan.is_empty and journal.read().unfinished is None:
        return Outcome(plan.place)
    stop = stop or Stop()
    with journal.locked():
        record = journal.read()
        tools = _tools(cloud, plan)
        intent = _begun(plan, record, journal, downloads, tools, workers)
        run = _Run(
            plan, record, intent, journal, cloud._replace(clock=StoppableClock(cloud.clock, stop)), tell, stop, workers
        )
        run.carry_out()
        if not run.failures:
            return run.outcome(remains=finish(journal, lambda: run.deployment(tools)))
        way_back = stop.undoing()
        tools = _tools(cloud._replace(clock=StoppableClock(cloud.clock, way_back)), plan)
        try:
            way_back.check()
            run.tell(f"{run.reason()}: what was changed is put back")
            tell_back = run.telling(way_back)
            back = restore(intent.before, run.traces, tools, Sources(journal, downloads), tell_back, workers)
        except StoppedError:
            return run.outcome(remains=(_abandoned(plan.place),))
        remains = (*back.remains, *forget(journal, back.whole, intent.id))
        return run.outcome(restored=back.done, remains=remains)


def _abandoned(place: Place) -> str:
    return (
        "the deploy was stopped amid a change, and not all was put back: "
        f"{command(place, 'deploy')} goes on from here, {command(place, 'rollback')} goes back"
    )


def _tools(cloud: Cloud, plan: Plan) -> Tools:
    return Tools(cloud, Chance(cloud.clock), Pace(len(plan.changes)), Uploads(cloud.bucket))


def _begun(
    plan: Plan, record: Record, journal: Journal, downloads: Downloads, tools: Tools, workers: int
) -> Intent:  # fmt: skip
    """The intent, in the journal.  Code that only $LATEST has is kept first."""
    intent, changes = intent_of(plan, record, tools.cloud.clock.now())

    def kept(change: FunctionChange) -> tuple[str, str]:
        return change.wanted.name, keep(change.observed, journal, downloads, tools.chance)

    intent = with_kept(intent, dict(together(changes, kept, workers)))
    journal.begin(intent)
    return intent


class _Run:
    """One plan on its way.  What came of it so far is in its attributes, whatever ends it."""

    def __init__(
        self,
        plan: Plan,
        record: Record,
        intent: Intent,
        journal: Journal,
        cloud: Cloud,
        tell: Tell,
        stop: Stop,
        workers: int,
    ) -> None:
        self.plan = plan
        self.intent = intent
        self._journal = journal
        self.traces = traces_of(plan, record)
        self.failures: list[Failure] = []
        self._tools = _tools(cloud, plan)
        self._tell = tell
        self._stop = stop
        self._workers = workers
        self._published: list[LayerVersion] = []
        self._left: list[str] = []
        self._layers = dict(plan.versions)
        self._turned: dict[str, Turned] = {}
        self._versions: list[tuple[str, str]] = []
        self._proven: list[tuple[str, str]] = []
        self._shifted: tuple[tuple[str, str], ...] = ()
        self._ended = "the deploy failed"

    def tell(self, line: str) -> None:
        with contextlib.suppress(OSError):  # that nobody reads it any more is no reason to go back
            self._tell(line)

    def telling(self, stop: Stop) -> Tell:
        """`tell` that raises StoppedError, between one thing that is done and the next."""

        def tell(line: str) -> None:
            self.tell(line)
            stop.check()

        return tell

    def carry_out(self) -> None:
        """Carry it all out.  What fails is in `failures`; so is what nobody foresaw, and is taken back all the same."""
        try:
            self._publish_layers()
            with_alias = [change for change in self.plan.changes if change.wanted.alias]
            self._phase(with_alias)
            self._phase([change for change in self.plan.changes if not change.wanted.alias])
            self._shift([self._turned[change.wanted.name] for change in with_alias])
        except (StoppedError, KeyboardInterrupt) as error:
            if not self.failures:
                interrupted = isinstance(error, KeyboardInterrupt)
                self._ended = f"the deploy was {'interrupted' if interrupted else 'stopped'}"
                self.failures.append(Failure("", self._ended if interrupted else str(error), (), "deploy again"))
        except LamellaError as error:
            self._failed("", error)
        except OSError as error:
            named = f"`{error.filename}`: " if error.filename else ""
            self.failures.append(
                Failure("", f"{named}{error.strerror or error}", (), "check the disk, then deploy again")
            )
        except Exception as error:
            self.failures.append(_unforeseen(error))

    def _publish_layers(self) -> None:
        """All layers; then it is written down, before any function has them, which versions these are."""
        self._layers |= dict(together(self.plan.publish, self._publish, self._workers, self._stop))
        if self.plan.publish and self.plan.changes:
            self._journal.amend(with_layers(self.intent, self.plan, self._layers))

    def reason(self) -> str:
        """Why it goes back, in a line."""
        named = ", ".join(sorted({f"`{one.function}`" for one in self.failures if one.function}))
        return f"{named} failed" if named else self._ended

    def outcome(self, *, restored: Sequence[str] = (), remains: Sequence[str] = ()) -> Outcome:
        """What was published stays, even where the rest was taken back."""
        return Outcome(
            self.plan.place,
            published=tuple(sorted(self._published)),
            updated=() if self.failures else tuple(sorted(_updated(self.plan))),
            versions=tuple(sorted(self._versions)),
            proven=tuple(sorted(self._proven)),
            shifted=() if self.failures else self._shifted,
            failures=tuple(self.failures),
            restored=tuple(restored),
            remains=(*self._left, *remains),
        )

    def deployment(self, tools: Tools) -> Deployment:
        """What is written down of it.  Functions of an earlier run that this one found done are looked at once more.

        Those that are wanted no longer stay unfinished, as far as that run changed them, and it is said.
        """
        after = [one.meant for one in self._turned.values()]
        wanted = {one.name for one in self.plan.wanted.functions}
        strays = [one for one in self.intent.before if one.function.name not in wanted]
        changed = together(strays, lambda one: is_changed(one, tools), self._workers)
        left = {one.function.name for one, is_left in zip(strays, changed, strict=True) if is_left}
        self._left += [
            f"`{name}` is as a deploy left it that did not come to its end, and it is no longer configured: "
            f"{command(self.plan.place, 'rollback')} puts it back; or configure it again, and deploy"
            for name in sorted(left)
        ]
        befores = tuple(one for one in self.intent.before if one.function.name not in left)
        others = [one for one in befores if one.function.name not in self._turned]
        after += [one for one in together(others, lambda one: after_of(one, tools), self._workers) if one is not None]
        layers = set(self._layers.values()) | {
            text for one in self.plan.wanted.functions for text in one.layers if text.startswith("arn:")
        }
        rows = tuple(sorted(after, key=lambda one: one.name))
        return Deployment(self.intent.id, tools.cloud.clock.now(), befores, rows, tuple(sorted(layers)))

    def _publish(self, step: PublishLayer) -> tuple[str, str]:
        try:
            version, made, left = publish(step, self._tools)
        except LamellaError as error:
            self._failed(step.layer.name, error)
            raise StoppedError(error.what) from None
        self._left += [left] if left else []
        if made:
            self._published.append(version)
            self.tell(f"published layer `{version.name}` version {version.version}")
        return step.layer.name, version.arn

    def _phase(self, changes: Sequence[FunctionChange]) -> None:
        """Each function's turn, side by side; the first one's alone."""
        rows = sorted(changes, key=lambda one: not _updates(one))
        for part in (rows[:1], rows[1:]):
            together(part, self._function, self._workers, self._stop)

    def _function(self, change: FunctionChange) -> None:
        name = change.wanted.name
        try:
            turned = turn(change, self._layers, self._tools, self.traces[name])
        except LamellaError as error:
            self._failed(name, error)
            raise StoppedError(error.what) from None
        what = f"version {turned.meant.version}" if turned.meant.version else "$LATEST"
        if turned.meant.version and not was_there(turned, self.intent.started):
            self._versions.append((name, turned.meant.version))
        failures = self._disproven(turned)
        if failures:
            self.failures += failures
            raise StoppedError(f"{what} of `{name}` does not hold")
        self._turned[name] = turned
        self._proven += [(name, one.event) for one in change.wanted.smoke]
        self.tell(f"`{name}`: {what} is as it was meant{' and passed its smoke events' * bool(change.wanted.smoke)}")

    def _disproven(self, turned: Turned) -> tuple[Failure, ...]:
        found = differences(turned.meant, turned.size, turned.got)
        if found:
            name = turned.meant.name
            return (Failure(name, f"`{name}` is not what was meant", found, "see `lamella plan`, then deploy again"),)
        return smoke.smoke(self._tools.cloud, turned.got, turned.change.wanted.smoke, self.tell)

    def _shift(self, turned: Sequence[Turned]) -> None:
        self._stop.check()
        shifted, failures = shift(turned, self._tools, self.traces, self.tell, self._workers, self._stop)
        self._shifted = tuple(sorted(shifted))
        self.failures += failures

    def _failed(self, name: str, error: LamellaError) -> None:
        self.failures.append(Failure(name, error.what, error.why, error.hint or ""))


def _unforeseen(error: Exception) -> Failure:
    import traceback

    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"in {os.path.basename(frame.filename)}, line {frame.lineno}"
    why = (f"{type(error).__name__}: {error}", where)
    return Failure("", "something went wrong that nobody foresaw", why, "it is an error in lamella: please report it")


def _updates(change: FunctionChange) -> bool:
    return any(isinstance(step, UpdateCode | UpdateConfiguration) for step in change.steps)


def _updated(plan: Plan) -> set[str]:
    return {change.wanted.name for change in plan.changes if _updates(change)}
