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


class Authorizer(NamedTuple):
    """How API Gateway asks a Lambda authorizer; `function` is its key.

    `type` is "token" or "request".  `identity` are the sources of what is asked about, as AWS writes them for an HTTP
    API: ``$request.header.Authorization``.  `ttl` is how long an answer is kept, in seconds; 0 for not at all.
    `payload` is the form of its event, "1.0" or "2.0"; `simple` says that it answers ``{"isAuthorized": …}``.
    """

    function: str
    type: str = "request"
    identity: tuple[str, ...] = ("$request.header.Authorization",)
    ttl: int = 300
    payload: str = "2.0"
    simple: bool = False


class Cors(NamedTuple):
    """What browsers on other origins may do.  What is left out is not said: no header is sent for it.

    `max_age` is in seconds, None for what the browser takes.
    """

    origins: tuple[str, ...]
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    expose: tuple[str, ...] = ()
    credentials: bool = False
    max_age: int | None = None


class ApiSettings(NamedTuple):
    """`[tool.lamella.api]`: the API that the functions' routes make up.

    `type` is "http" (HTTP API) or "rest" (REST API); `payload` is the form of events, "2.0" or "1.0".
    `binary` are the media types whose bodies a REST API gives in base64.
    """

    type: str = "http"
    payload: str = "2.0"
    stage: str = "$default"
    cors: Cors | None = None
    binary: tuple[str, ...] = ()
    authorizers: tuple[Authorizer, ...] = ()


class FunctionSettings(NamedTuple):
    """One `[tool.lamella.functions.KEY]`; it becomes KEY.zip.

    `source` are directories (or single files) relative to the project, whose content lands at the zip's root.
    `include` and `exclude` are gitignore-like patterns against the path inside the zip.
    `layers` are keys of local layers or ARNs, in Lambda's order.  `slimming` is about the bundle alone: own files are
    packed as they are.  `memory` is in megabytes, `timeout` in seconds; both are Lambda's own where left out.
    `routes` are pairs of method (``ANY`` for all) and path, or ("$default", ""); `authorizer` is the key of the
    function that is asked first, "" for none.
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
    memory: int = 128
    timeout: int = 3
    environment: tuple[tuple[str, str], ...] = ()
    alias: str = ""
    routes: tuple[tuple[str, str], ...] = ()
    authorizer: str = ""


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
    api: ApiSettings = ApiSettings()
