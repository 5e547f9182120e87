"""What the configuration means, with every default filled in: `Settings`.  Values only."""

from __future__ import annotations

from typing import NamedTuple

from lamella.container.model import ContainerSettings


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
    Names of distributions are normalized.  `runtimes` is sorted, oldest first.  `description` is what the layer's
    versions are published with; "" for one made from what is in it.
    """

    key: str
    name: str
    runtimes: tuple[str, ...]
    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    slimming: Slimming = Slimming()
    description: str = ""


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


class Smoke(NamedTuple):
    """An invocation that a new version must pass before users meet it.

    `event` names it: the file's path relative to the project, or what its key `name` says.  `payload` is JSON, "" as
    long as the file at `path` (relative to the project, "" for none) was not read.
    `status` is the answer's statusCode, None where it isn't looked at.  `answer` are pairs of a JMESPath expression and
    the value, as JSON, that it must have.  `log` must be in the log's text, `no_log` must not.  `longest_init` and
    `longest` (the handler's own time) are in seconds, None for any.
    """

    event: str
    payload: str = "{}"
    status: int | None = None
    answer: tuple[tuple[str, str], ...] = ()
    log: tuple[str, ...] = ()
    no_log: tuple[str, ...] = ()
    longest_init: float | None = None
    longest: float | None = None
    path: str = ""


class Canary(NamedTuple):
    """`weight` (above 0, below 1) of the invocations go to the new version for `minutes`, before all do.

    It is taken back where the new version has more than `errors` errors, or one of the CloudWatch `alarms` goes off.
    """

    weight: float
    minutes: float
    alarms: tuple[str, ...] = ()
    errors: int = 0


class Account(NamedTuple):
    """Where an environment is: `regions` as `profile` and, from there, as the role of the ARN `role`.

    "" and () are for what AWS's own configuration says.
    """

    profile: str = ""
    role: str = ""
    regions: tuple[str, ...] = ()


class Environment(NamedTuple):
    """`[tool.lamella.deploy]`, whose `name` is "", or one of `[tool.lamella.environments]`, all defaults filled in.

    `layers` and `functions` are pairs of key and name in AWS, `aliases` pairs of a function's key and its alias ("" for
    none).  `bucket` and `journal` (``s3://BUCKET/PREFIX``, "" for a file beside the project) may hold ``{region}`` and
    ``{account}``.  `rate` are calls of AWS in one second, `keep` the versions of a layer that `prune` leaves at least.
    """

    name: str = ""
    accounts: tuple[Account, ...] = (Account(),)
    bucket: str = ""
    journal: str = ""
    rate: float = 10.0
    keep: int = 5
    layers: tuple[tuple[str, str], ...] = ()
    functions: tuple[tuple[str, str], ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()


class FunctionSettings(NamedTuple):
    """One `[tool.lamella.functions.KEY]`; it becomes KEY.zip.

    `source` are directories (or single files) relative to the project, whose content lands at the zip's root.
    `include` and `exclude` are gitignore-like patterns against the path inside the zip.
    `layers` are keys of local layers or ARNs, in Lambda's order.  `slimming` is about the bundle alone: own files are
    packed as they are.  `memory` is in megabytes, `timeout` in seconds; both are Lambda's own where left out.
    `routes` are pairs of method (``ANY`` for all) and path, or ("$default", ""); `authorizer` is the key of the
    function that is asked first, "" for none.  `smoke` and `canary` are how a new version is proven.
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
    smoke: tuple[Smoke, ...] = ()
    canary: Canary | None = None


class Settings(NamedTuple):
    """The whole configuration.  `root`, `file`, `lock` and `output` are absolute paths; `lock` None means: find it.

    The first of `environments` is the one without a name.  `cache` is the shared cache: ``s3://BUCKET/PREFIX``, or "".
    """

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
    environments: tuple[Environment, ...] = (Environment(),)
    cache: str = ""
    container: ContainerSettings = ContainerSettings()
