"""One function's turn: its configuration, its code, its version, each when the one before is done.

What it gives is what AWS says at the end, for whoever proves it.  Each write carries the RevisionId of what was looked
at last; a change that somebody else makes in between is never written over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from lamella.aws import StaleError
from lamella.cloud.model import Cloud, Content, FunctionState
from lamella.errors import LamellaError, OutsideError
from lamella.rollout.model import After, FunctionChange, PublishVersion, UpdateCode, UpdateConfiguration
from lamella.rollout.steps.settle import Chance, Pace, UncertainError, Waits, patient, settled
from lamella.rollout.steps.uploads import Uploads
from lamella.wording import printable

# An update, or a version on its way to Active, may take so long, in seconds
_PATIENCE = 600.0
# ``InvalidParameterValueException: Function code combined with layers exceeds the maximum allowed size of 262144000
# bytes. …``, ``… Unzipped size must be smaller than 262144000 bytes``
_TOO_LARGE = re.compile(r"^InvalidParameterValueException: .*(exceeds the maximum allowed size|[Uu]nzipped size)")


class Core(NamedTuple):
    """What of a function a deploy changes."""

    code_sha256: str
    layers: tuple[str, ...]
    runtime: str
    handler: str
    architecture: str


class Tools(NamedTuple):
    """What every turn of one rollout shares."""

    cloud: Cloud
    chance: Chance
    pace: Pace
    uploads: Uploads


class Trace:
    """What a rollout did to one function, or may have done: what it is allowed to take back.

    `cores` is what $LATEST was made, or may have been; `aliases` what the alias was, each with its weights; ("", ())
    for one that wasn't there.  `version` is what was published, "" for nothing.  `meant` is what earlier runs, which
    didn't come to their ends, may have made it, and the version behind its alias.
    """

    def __init__(self, meant: Sequence[Core] = ()) -> None:
        self.meant = tuple(meant)
        self.cores: list[Core] = []
        self.aliases: list[tuple[str, tuple[tuple[str, float], ...]]] = []
        self.version = ""

    @property
    def is_empty(self) -> bool:
        return not self.cores and not self.aliases and not self.meant


class Turned(NamedTuple):
    """A function after its turn: `got` is its new version as AWS tells it, or $LATEST, and `meant` what it was to be.

    `size` of the code is in bytes.
    """

    change: FunctionChange
    got: FunctionState
    meant: After
    size: int


def core_of(state: FunctionState | After) -> Core:
    return Core(state.code_sha256, state.layers, state.runtime, state.handler, state.architecture)


def core_after(change: FunctionChange, layers: Mapping[str, str]) -> Core:
    """What its $LATEST is to be.  `layers` maps names of layers to ARNs; one that isn't among them stays a name."""
    core, wanted = core_of(change.observed), change.wanted
    for step in change.steps:
        if isinstance(step, UpdateConfiguration):
            attached = tuple(layers.get(one, one) for one in step.after)
            core = core._replace(layers=attached, runtime=wanted.runtime, handler=wanted.handler)
        elif isinstance(step, UpdateCode):
            core = core._replace(code_sha256=wanted.content.code_sha256, architecture=wanted.architecture)
    return core


def turn(change: FunctionChange, layers: Mapping[str, str], tools: Tools, trace: Trace) -> Turned:
    """Carry out the steps up to the published version.  `layers` maps names of published layers to ARNs.

    Raises StaleError where somebody else changes the function, OutsideError where AWS can't carry it out.
    """
    latest = Latest(tools, change.observed)
    version = ""
    if change.observed.update == "InProgress" or change.observed.state == "Pending":
        latest.wait(core_of(change.observed))  # what an earlier run began
    core = core_after(change, layers)
    code = next((step.content for step in change.steps if isinstance(step, UpdateCode)), None)
    latest.become(
        core, trace,
        configures=any(isinstance(step, UpdateConfiguration) for step in change.steps),
        content=None if code is None else lambda: tools.uploads.sendable(code),
    )  # fmt: skip
    if any(isinstance(step, PublishVersion) for step in change.steps):
        got = latest.publish()
        version = trace.version = got.version
    else:
        got = latest.read()
    meant = After(change.wanted.name, *core, version, change.wanted.alias)
    return Turned(change, got, meant, change.wanted.content.size)


class Latest:
    """$LATEST of one function while it is changed; `state` is what AWS said of it last."""

    def __init__(self, tools: Tools, state: FunctionState) -> None:
        self._tools = tools
        self._looked = False
        self.state = state

    def become(
        self,
        core: Core,
        trace: Trace,
        *,
        configures: bool,
        content: Callable[[], Content] | None,
        code_first: bool = False,
    ) -> None:
        """Make it `core`: its configuration where that `configures`, its code where there is a `content`.

        Code and layers are updates of their own, and Lambda limits the size of both together, amid them, too (AWS
        Lambda quotas: deployment package size, unzipped).  Where one is refused for that, the other goes first: as
        neither end is too large, one of the two orders fits.  Raises StaleError, OutsideError, LamellaError.
        """

        def configured() -> None:
            now = core_of(self.state)
            self.configure(now._replace(layers=core.layers, runtime=core.runtime, handler=core.handler), trace)

        def recoded() -> None:
            assert content is not None
            now = core_of(self.state)
            self.recode(now._replace(code_sha256=core.code_sha256, architecture=core.architecture), content(), trace)

        updates = [configured] * configures + [recoded] * (content is not None)
        if code_first:
            updates.reverse()
        if len(updates) == 2:
            try:
                updates[0]()
            except LamellaError as error:
                if not _is_too_large(error):
                    raise
            else:
                updates = updates[1:]
        for update in reversed(updates):  # what was refused goes last
            update()

    def configure(self, core: Core, trace: Trace) -> None:
        """Raises StaleError, OutsideError, LamellaError."""
        lambdas, name = self._tools.cloud.lambdas, self.state.name

        def write(revision: str) -> FunctionState:
            return lambdas.update_configuration(
                name, revision=revision, layers=core.layers, runtime=core.runtime, handler=core.handler
            )

        self.update(core, trace, write)

    def recode(self, core: Core, content: Content, trace: Trace) -> None:
        """Raises StaleError, OutsideError, LamellaError."""
        lambdas, name = self._tools.cloud.lambdas, self.state.name

        def write(revision: str) -> FunctionState:
            return lambdas.update_code(name, revision=revision, content=content, architecture=core.architecture)

        self.update(core, trace, write)

    def update(self, core: Core, trace: Trace, write: Callable[[str], FunctionState]) -> None:
        """Make it `core` by `write`, which is given the revision, and wait until AWS has done it."""
        trace.cores.append(core)  # from here on it may be so
        try:
            self.state = settled(self._tools.chance, lambda: write(self.state.revision), lambda: self._look(core))
        except UncertainError:
            raise
        except LamellaError:
            trace.cores.remove(core)
            raise
        self.wait(core)

    def publish(self) -> FunctionState:
        """The version of what $LATEST is, Active.  Where nothing changed since the last version, AWS gives that one."""
        lambdas, name = self._tools.cloud.lambdas, self.state.name
        code = self.state.code_sha256

        def write() -> FunctionState:
            return lambdas.publish_version(name, revision=self.state.revision, code_sha256=code, description="")

        got = settled(self._tools.chance, write, lambda: self._look(None))
        return _active(self._tools, got)

    def read(self) -> FunctionState:
        """What AWS says of it now, if this run didn't just look.  Raises as `wait`."""
        if not self._looked:
            self.wait(core_of(self.state))
        return self.state

    def wait(self, core: Core) -> None:
        """Wait until its last update is done.  Raises OutsideError where that failed, StaleError where it isn't `core`.

        It is asked at once where nobody said that an update is under way.
        """
        name = self.state.name

        self.state = at_rest(self._tools, name, at_once=self._is_settled())
        self._looked = True
        if self.state.update == "Failed" or self.state.state == "Failed":
            reason = printable(self.state.reason) or "AWS gives no reason"
            raise OutsideError(f"AWS could not update `{name}`", why=[reason], hint="mend that, then deploy again")
        if core_of(self.state) != core:
            raise _stale(name)

    def _is_settled(self) -> bool:
        return self.state.update != "InProgress" and self.state.state != "Pending"

    def _look(self, core: Core | None) -> FunctionState | None:
        """After a write whose answer was lost, or that was refused: is it `core` by now, or as it was?"""
        state = self._tools.cloud.lambdas.function(self.state.name)
        if not _same(state, self.state):
            if core is not None and core_of(state) == core:
                return state
            raise _stale(state.name)
        self.state = state  # AWS gives a new RevisionId when an update comes to its end
        return None


def at_rest(tools: Tools, name: str, *, at_once: bool = True) -> FunctionState:
    """$LATEST of a function once no update is under way.  Raises OutsideError after ten minutes."""

    def look() -> FunctionState | None:
        state = tools.cloud.lambdas.function(name)
        return None if state.update == "InProgress" or state.state == "Pending" else state

    return _awaited(tools, tools.pace.updates, look, f"the update of `{name}`", at_once=at_once)


def _active(tools: Tools, version: FunctionState) -> FunctionState:
    """A published version once it can be invoked.  Raises OutsideError where it never will."""
    if version.state == "Active" and version.update in ("", "Successful"):
        return version
    what = f"version {version.version} of `{version.name}`"

    def look() -> FunctionState | None:
        state = tools.cloud.lambdas.function(version.name, version.version)
        return None if state.state == "Pending" or state.update == "InProgress" else state

    found = _awaited(tools, tools.pace.versions, look, what)
    if found.state == "Failed":
        reason = printable(found.reason) or "AWS gives no reason"
        raise OutsideError(f"{what} does not become active", why=[reason], hint="mend that, then deploy again")
    return found


def _awaited(
    tools: Tools, waits: Waits, look: Callable[[], FunctionState | None], what: str, *, at_once: bool = False
) -> FunctionState:  # fmt: skip
    """What `look` gives as soon as it gives something; the waits between are `waits`."""
    clock = tools.cloud.clock
    start = clock.now()
    slept = 0.0
    for looks, seconds in enumerate(waits.each()):
        if not (at_once and looks == 0):
            clock.sleep(seconds)
            slept += seconds
        found = patient(tools.chance, look)
        if found is not None:
            if slept:
                waits.took(slept, looks + 1)
            return found
        if clock.now() - start > _PATIENCE:
            break
    raise OutsideError(
        f"{what} is not done after {_PATIENCE / 60:.0f} minutes",
        hint="AWS may still do it; look at what `aws lambda get-function-configuration` says of it",
    )


def _is_too_large(error: LamellaError) -> bool:
    """Whether AWS refused an update for the size of code and layers together."""
    return not isinstance(error, UncertainError) and any(map(_TOO_LARGE.search, error.why))


def _same(one: FunctionState, other: FunctionState) -> bool:
    """Whether nobody changed anything: AWS gives another RevisionId for its own doing, too, but no other time."""
    return _told(one) == _told(other)


def _told(state: FunctionState) -> tuple[object, ...]:
    return (core_of(state), state.size, state.modified, state.memory, state.timeout, state.role)


def _stale(name: str) -> StaleError:
    return StaleError(
        f"`{name}` was changed by somebody else meanwhile",
        why=["it is neither as it was when this was planned, nor as this deploy made it"],
        hint="see what it is now with `lamella plan`, then deploy again",
    )
