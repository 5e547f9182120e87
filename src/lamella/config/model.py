"""What the configuration means, with every default filled in: `Settings`.  Values only."""

from __future__ import annotations

from typing import NamedTuple


class Rules(NamedTuple):
    """What is said of one distribution: a `profile` of its own (None: the artifact's), and patterns.

    Patterns are gitignore-like, against the path below the folder of importable code.
    """

    profile: str | None = None
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


class Slimming(NamedTuple):
    """What becomes of the wheels in an artifact.

    `profile` is "none", "safe" or "lean", `bytecode` "beside", "instead" or "none", `compression` "fast" or "max".
    `services` are botocore's to keep, None for all; `without` are (distribution, feature) pairs.
    `keep` and `drop` are patterns like those of `Rules`; what is kept wins.  `distributions` are sorted by name.
    """

    profile: str = "safe"
    bytecode: str = "beside"
    compression: str = "fast"
    services: tuple[str, ...] | None = None
    without: tuple[tuple[str, str], ...] = ()
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    distributions: tuple[tuple[str, Rules], ...] = ()
    split: bool = False


class LayerSettings(NamedTuple):
    """One `[tool.lamella.layers.KEY]`; it becomes KEY.zip.

    With none of `groups`, `extras`, `packages` the layer takes the project's own dependencies.
    Names of distributions are normalized.  `runtimes` is sorted, oldest first.
    """

    key: str
    name: str
    runtimes: tuple[str, ...]
    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    slimming: Slimming = Slimming()


class FunctionSettings(NamedTuple):
    """One `[tool.lamella.functions.KEY]`; it becomes KEY.zip.

    `source` are directories (or single files) relative to the project, whose content lands at the zip's root.
    `include` and `exclude` are gitignore-like patterns against the path inside the zip.
    `layers` are keys of local layers or ARNs, in Lambda's order.  `slimming` is about the bundle alone: own files are
    packed as they are.
    """

    key: str
    name: str
    runtime: str
    handler: str
    source: tuple[str, ...] = ("src",)
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    bundle: tuple[str, ...] = ()
    slimming: Slimming = Slimming()


class Settings(NamedTuple):
    """The whole configuration.  `root`, `file`, `lock` and `output` are absolute paths; `lock` None means: find it."""

    root: str
    file: str
    project: str
    architecture: str
    runtimes: tuple[str, ...]
    lock: str | None
    output: str
    layers: tuple[LayerSettings, ...]
    functions: tuple[FunctionSettings, ...]
    allow_build: tuple[str, ...] = ()
