"""What a project of another tool says, and the configuration that comes of it.  Values only."""

from __future__ import annotations

from typing import NamedTuple

Text = str | None


class Place(NamedTuple):
    """Where something stands: `file` as seen from the project, and its line, 0 for the file as a whole."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class Item(NamedTuple):
    """Something that a person looks at: what stands there, and what to do.

    `mapped` says that the configuration has it, in another way; else it has nothing for it.
    """

    place: Place
    what: str
    todo: str
    mapped: bool = False


class Origin(NamedTuple):
    """A way of packaging that was found: "serverless", "sam" or "scripts", and its files, relative to the project."""

    kind: str
    files: tuple[str, ...]


class Layer(NamedTuple):
    """A layer.  `requirements` is the requirements file that it is made of, "" for the project's own dependencies.

    `packages` are what is named besides.  What is empty is left out of the proposal.
    """

    key: str
    name: str
    requirements: str = ""
    packages: tuple[str, ...] = ()
    runtimes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    profile: str = ""
    description: str = ""


class Function(NamedTuple):
    """A function.  `layers` are keys of layers and ARNs; `memory` and `timeout` 0 for Lambda's own."""

    key: str
    name: str
    handler: str
    runtime: str = ""
    source: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    memory: int = 0
    timeout: int = 0
    environment: tuple[tuple[str, str], ...] = ()
    alias: str = ""
    routes: tuple[str, ...] = ()
    authorizer: str = ""
    canary: tuple[tuple[str, object], ...] = ()


class Asked(NamedTuple):
    """A Lambda authorizer: `function` is its key; the pairs are those of `[tool.lamella.api.authorizers]`."""

    function: str
    pairs: tuple[tuple[str, object], ...] = ()


class Api(NamedTuple):
    """The API: `type` "" for none.  The pairs of `cors` are those of `[tool.lamella.api] cors`."""

    type: str = ""
    stage: str = ""
    cors: tuple[tuple[str, object], ...] = ()
    authorizers: tuple[Asked, ...] = ()


class Reading(NamedTuple):
    """What one way of packaging says.  `first` are commands to run before the first build.

    `container` are pairs of `[tool.lamella.container]`.
    """

    origin: Origin
    runtime: str
    architecture: str
    layers: tuple[Layer, ...]
    functions: tuple[Function, ...]
    api: Api = Api()
    container: tuple[tuple[str, object], ...] = ()
    first: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()


class Proposal(NamedTuple):
    """`text` is the configuration in TOML, for pyproject.toml, or, where there is none, for lamella.toml (`file`).

    `first` are commands to run before the first build.  `refused` is what the configuration's own reader has against
    it, "" for nothing.
    """

    origin: Origin
    file: str
    text: str
    first: tuple[str, ...]
    items: tuple[Item, ...]
    refused: str = ""


class Notes:
    """Collects the items of one reading, each once."""

    def __init__(self) -> None:
        self._items: dict[Item, None] = {}

    def open(self, place: Place, what: str, todo: str) -> None:
        """Something that the configuration has nothing for."""
        self._items.setdefault(Item(place, what, todo))

    def mapped(self, place: Place, what: str, todo: str) -> None:
        """Something that the configuration has in another way."""
        self._items.setdefault(Item(place, what, todo, mapped=True))

    @property
    def items(self) -> tuple[Item, ...]:
        return tuple(sorted(self._items, key=lambda item: (item.mapped, item.place)))
