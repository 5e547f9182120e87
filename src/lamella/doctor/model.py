"""What the doctor looks at, and what it says.  Values and protocols."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from lamella.aws import DeniedError
from lamella.checks.model import Finding
from lamella.cloud.model import AliasState, FunctionState, LayerVersion

LAYER = "layer"
FUNCTION = "function"


class Diagnosis(NamedTuple):
    """A finding with the commands that mend it, in order; () where no command does."""

    finding: Finding
    fix: tuple[str, ...] = ()


class Row(NamedTuple):
    """A member of a zip as its directory has it.

    `permissions` are those of Unix (0o640), None where the zip was not made on Unix.
    """

    name: str
    permissions: int | None
    size: int
    is_dir: bool


class Layout(NamedTuple):
    """How a zip is to be laid out anew: what is below the folder `strip` is put below `into`; "" is the root."""

    strip: str = ""
    into: str = ""


class Evidence(NamedTuple):
    """What is told beside the names of a zip's members.

    `kind`, `runtimes`, `architecture` and `handler` are what the manifest beside it says, "" and () without one.
    `recorded` are the `.dist-info/` folders whose RECORD names what belongs to them, `owned` are these names at the top
    of where they lie, `local` those of projects that were installed from a folder.  `callers` are files of no
    distribution's in which something may be a handler.  `machines` are what compiled modules are for that don't say so
    by their names, the most frequent first.
    """

    kind: str = ""
    runtimes: tuple[str, ...] = ()
    architecture: str = ""
    handler: str = ""
    recorded: frozenset[str] = frozenset()
    owned: frozenset[str] = frozenset()
    local: frozenset[str] = frozenset()
    callers: frozenset[str] = frozenset()
    machines: tuple[str, ...] = ()


class Guess(NamedTuple):
    """What a zip is taken for: `LAYER` or `FUNCTION`, for `runtime` and `architecture`; `why` are its reasons.

    `sure` is no where it may as well be the other kind; `names_runtime` and `names_architecture` are no where nothing
    tells of them, and the likeliest was taken.
    """

    kind: str
    runtime: str
    architecture: str
    layout: Layout
    why: tuple[str, ...]
    sure: bool = True
    names_runtime: bool = True
    names_architecture: bool = True


class Asked(NamedTuple):
    """What is said of a zip; "" for what is to be guessed.  `name` is what findings call it."""

    kind: str = ""
    runtime: str = ""
    architecture: str = ""
    handler: str = ""
    name: str = ""


class Person(NamedTuple):
    """Whose credentials they are, as STS says it: ``arn:aws:sts::123456789012:assumed-role/deployer/session``."""

    account: str
    arn: str


class Seen(NamedTuple):
    """What AWS has of one function.  `function` is None where it isn't there, or where reading it was `denied`.

    `attached` are pairs of a layer version's ARN and what it is, None for a deleted one; those that can't be looked
    into are left out.  `newest` are pairs of an identity (`rollout.planning.layers`) and the newest version.  `behind`
    are the versions that the alias leads to.
    """

    name: str
    function: FunctionState | None = None
    alias_name: str = ""
    alias: AliasState | None = None
    behind: tuple[FunctionState, ...] = ()
    attached: tuple[tuple[str, LayerVersion | None], ...] = ()
    newest: tuple[tuple[str, LayerVersion], ...] = ()
    denied: tuple[DeniedError, ...] = ()


class Identity(Protocol):
    """What is asked of the credentials themselves.  Raises what `aws.told` does."""

    def person(self) -> Person:
        """GetCallerIdentity, which needs no permission."""

    def refused(
        self, person: Person, actions: Sequence[str], resources: Sequence[str], region: str
    ) -> tuple[tuple[str, str], ...]:
        """Pairs of action and resource that the person's policies don't allow: SimulatePrincipalPolicy."""
