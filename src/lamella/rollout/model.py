"""What is wanted, what is observed, the plan between them, and what came of it.  Values only.

A plan is a closed union of steps: what shows it, carries it out, proves it and takes it back reads the same values.
Digests are AWS's CodeSha256 (base64), sizes are in bytes.
"""

from __future__ import annotations

from typing import NamedTuple

from lamella.cloud.model import AliasState, Content, FunctionState, LayerVersion, Place
from lamella.config.model import Canary, Smoke


class WantedLayer(NamedTuple):
    """A built layer, as it is to be published."""

    key: str
    name: str
    content: Content
    runtimes: tuple[str, ...]
    architecture: str
    description: str = ""
    licence: str = ""


class WantedFunction(NamedTuple):
    """A built function, as it is to be.  `layers` are names of wanted layers, or ARNs of other people's layer versions.

    `alias` is "" for a function whose $LATEST is what users meet.
    """

    key: str
    name: str
    content: Content
    runtime: str
    handler: str
    architecture: str
    layers: tuple[str, ...]
    alias: str = ""
    smoke: tuple[Smoke, ...] = ()
    canary: Canary | None = None


class Wanted(NamedTuple):
    """Everything that a build made, under the names of one environment."""

    project: str
    environment: str
    layers: tuple[WantedLayer, ...]
    functions: tuple[WantedFunction, ...]


class Observed(NamedTuple):
    """What AWS has of it.  Sorted by name.

    `layers` has, for each wanted layer, the versions that were looked at, newest first, with digests; () where there
    is no version.  `functions` holds the wanted functions that are there.  `aliases` holds those that were read (None:
    it isn't there), and `behind` the version behind each that is there.
    """

    layers: tuple[tuple[str, tuple[LayerVersion, ...]], ...]
    functions: tuple[FunctionState, ...]
    aliases: tuple[tuple[str, AliasState | None], ...] = ()
    behind: tuple[tuple[str, FunctionState], ...] = ()


class Drift(NamedTuple):
    """Something that nobody deployed.  `what` follows the function's name: ``code was changed outside``.

    `kind` is one of "code", "layers", "runtime", "handler", "architecture", "alias".
    """

    function: str
    kind: str
    what: str


class PublishLayer(NamedTuple):
    """A new version of a layer.  `expected` is the number that it will most likely have; `why` is the reason."""

    layer: WantedLayer
    expected: int
    why: str
    through_s3: bool


class UpdateConfiguration(NamedTuple):
    """Layers, runtime and handler of $LATEST.  In `after`, a layer that is yet to be published stands by its name."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    runtime: tuple[str, str]
    handler: tuple[str, str]
    why: tuple[str, ...]


class UpdateCode(NamedTuple):
    """Code (and architecture: before, after) of $LATEST."""

    content: Content
    before: str
    architecture: tuple[str, str]
    why: tuple[str, ...]
    through_s3: bool


class PublishVersion(NamedTuple):
    """A version of what $LATEST is then; AWS makes none where nothing changed since the last one."""

    why: str


class ProveVersion(NamedTuple):
    """Compare what is there with what was meant, and invoke it with its smoke events."""

    smoke: tuple[Smoke, ...]


class ShiftAlias(NamedTuple):
    """Point the alias at the new version.  `before` is None where it is yet to be made."""

    alias: str
    before: AliasState | None
    canary: Canary | None
    why: str


Step = UpdateConfiguration | UpdateCode | PublishVersion | ProveVersion | ShiftAlias


class FunctionChange(NamedTuple):
    """What becomes of one function; `steps` in the order in which they are made."""

    wanted: WantedFunction
    observed: FunctionState
    alias: AliasState | None
    behind: FunctionState | None
    steps: tuple[Step, ...]


class Plan(NamedTuple):
    """What a deploy would do in one place.

    `publish` comes first.  `versions` maps the wanted layers that are there already to the ARN of the version to
    attach.  `changes` are sorted by the function's name.  `unchanged` are names of functions.  `missing` are functions
    that are wanted and not there: a plan with some can't be carried out.  `upload` are bytes.  `notes` are sentences.
    """

    place: Place
    wanted: Wanted
    publish: tuple[PublishLayer, ...]
    versions: tuple[tuple[str, str], ...]
    changes: tuple[FunctionChange, ...]
    unchanged: tuple[str, ...]
    missing: tuple[str, ...]
    drift: tuple[Drift, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.publish and not self.changes and not self.missing

    @property
    def upload(self) -> int:
        """What goes through S3 goes up once, under its digest, however many have it."""
        sent = [(step.layer.content, step.through_s3) for step in self.publish]
        for change in self.changes:
            sent += [(step.content, step.through_s3) for step in change.steps if isinstance(step, UpdateCode)]
        objects = {content.sha256: content.size for content, through_s3 in sent if through_s3}
        return sum(objects.values()) + sum(content.size for content, through_s3 in sent if not through_s3)


class Before(NamedTuple):
    """What a function was before a deploy: `function` is its $LATEST, `alias` None where there was none.

    `alias_name` is "" where the function is deployed without one.  `kept` is the key of the code in the journal's
    store: where it is kept, "" where the version behind the alias, which never changes, has the same code.
    """

    function: FunctionState
    alias_name: str = ""
    alias: AliasState | None = None
    kept: str = ""


class After(NamedTuple):
    """What a function was made to be.  `version` is "" where no version was published."""

    name: str
    code_sha256: str
    layers: tuple[str, ...]
    runtime: str
    handler: str
    architecture: str
    version: str = ""
    alias: str = ""


class Intent(NamedTuple):
    """What a deploy set out to do: written before the first change, so that whoever comes next can go on or back.

    `started` are seconds since 1970; `id` is a random name.  `before` are the functions that it changes, `meant` what
    they are to become, or were to by runs before it that didn't come to their ends either: several of one function,
    then.  In `meant`, a layer that is yet to be published stands by its name, and no version is told.
    """

    id: str
    started: float
    meant: tuple[After, ...]
    before: tuple[Before, ...]
    layers: tuple[str, ...]


class Deployment(NamedTuple):
    """A deploy that was finished.  `layers` are the ARNs that it attached or published."""

    id: str
    finished: float
    before: tuple[Before, ...]
    after: tuple[After, ...]
    layers: tuple[str, ...]


class Record(NamedTuple):
    """What the journal of one place holds.  `unfinished` is a deploy that did not come to its end.

    `functions` is the last known state of each function that was ever deployed from here: what drift is told by.
    `history` are the last deployments, newest first.
    """

    functions: tuple[After, ...] = ()
    unfinished: Intent | None = None
    history: tuple[Deployment, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.functions and self.unfinished is None and not self.history


class Failure(NamedTuple):
    """What went wrong.  `function` is a function's name, or a layer's; "" for the whole."""

    function: str
    what: str
    why: tuple[str, ...] = ()
    hint: str = ""


class Outcome(NamedTuple):
    """What came of a deploy or a rollback in one place.

    `published` are layer versions and `versions` pairs of function and version, as far as they are new.  `shifted` are
    pairs of function and the version that its alias points at now, `deleted` pairs of function and alias.  `restored`
    says in words what was put back, `remains` what a person must do still, a statement each.  `proven` are pairs of
    function and smoke event.  It went well where `failures` is empty.
    """

    place: Place
    published: tuple[LayerVersion, ...] = ()
    updated: tuple[str, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    proven: tuple[tuple[str, str], ...] = ()
    shifted: tuple[tuple[str, str], ...] = ()
    failures: tuple[Failure, ...] = ()
    restored: tuple[str, ...] = ()
    remains: tuple[str, ...] = ()
    deleted: tuple[tuple[str, str], ...] = ()
