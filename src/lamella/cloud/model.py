"""What AWS tells of layers, functions and aliases, and the ports that it is asked through.  Values and protocols.

Every name here is a resource's name without an ARN, unless it is called an ARN.  Digests are AWS's CodeSha256: base64.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from lamella.aws import Access

LATEST = "$LATEST"


class Place(NamedTuple):
    """Where something is deployed: a region of an account, reached as `profile` and, from there, as `role` (an ARN).

    `environment` is the configuration's, "" for none.  `profile`, `role` and `region` are "" for what AWS's own
    configuration says; `account` is "" until AWS told it.  `bucket` and `journal` have no placeholders left; `journal`
    is ``s3://BUCKET/PREFIX``, or "" for a file beside the project.  `rate` are calls of one second.
    """

    environment: str = ""
    profile: str = ""
    role: str = ""
    region: str = ""
    account: str = ""
    bucket: str = ""
    journal: str = ""
    rate: float = 10.0

    def __str__(self) -> str:
        where = f"{self.account} {self.region}".strip()
        return f"{self.environment} ({where})" if self.environment else where


class FunctionState(NamedTuple):
    """The configuration of a function (version `LATEST`) or of one of its versions.  `arn` has no qualifier.

    `layers` are the ARNs of layer versions, in Lambda's order.  `size` is the zip's, in bytes.  `revision` is AWS's
    RevisionId.  `state` and `update` (LastUpdateStatus) are "" where AWS was not asked for them: a listing has none.
    `modified` is AWS's time, in ISO 8601.  `package` is "Zip" or "Image".  `log_group` is "" where AWS says none.
    """

    name: str
    arn: str
    version: str
    code_sha256: str
    size: int
    runtime: str
    handler: str
    architecture: str
    layers: tuple[str, ...]
    revision: str
    modified: str
    state: str = ""
    update: str = ""
    reason: str = ""
    package: str = "Zip"
    log_group: str = ""
    memory: int = 128
    timeout: int = 3
    role: str = ""
    description: str = ""


class LayerVersion(NamedTuple):
    """One version of a layer.  `code_sha256` is "" and `size` (of the zip, bytes) 0 where only a listing told of it."""

    arn: str
    name: str
    version: int
    code_sha256: str = ""
    size: int = 0
    runtimes: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    description: str = ""
    created: str = ""


class AliasState(NamedTuple):
    """An alias: all its invocations go to `version`, but for those that `weights` (0 to 1) sends to other versions."""

    function: str
    name: str
    version: str
    revision: str
    weights: tuple[tuple[str, float], ...] = ()


class Content(NamedTuple):
    """A zip to upload: the file at `path` of `size` bytes, or, where `bucket` is given, that object of S3.

    `sha256` is the file's, in hex; `code_sha256` the same as AWS prints it.
    """

    path: str
    size: int
    sha256: str
    code_sha256: str
    bucket: str = ""
    key: str = ""


class NewLayer(NamedTuple):
    """What a layer version is published with.  `description` and `licence` are "" for none."""

    name: str
    content: Content
    runtimes: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    description: str = ""
    licence: str = ""


class Invoked(NamedTuple):
    """What an invocation came to.  `error` is AWS's FunctionError, "" for none; `log` the last 4 KB of the log."""

    status: int
    payload: bytes
    error: str = ""
    log: str = ""
    version: str = ""


class Permission(NamedTuple):
    """A statement of a layer version's policy.  `principal` is an account, or "*"; `organization` an ID, or ""."""

    statement: str
    principal: str
    organization: str = ""


class LogEvent(NamedTuple):
    """`time` is in milliseconds since 1970; `stream` is CloudWatch's: ``2026/11/22/[7]5ec2e7…``; `id` is its own."""

    time: int
    message: str
    stream: str
    id: str


class AlarmState(NamedTuple):
    """`state` is AWS's: OK, ALARM or INSUFFICIENT_DATA."""

    name: str
    state: str
    reason: str = ""


class Lambda(Protocol):
    """Lambda's control plane in one place.

    Reads are tried again as botocore does.  A call that writes is made once: it raises `aws.ThrottledError` where it
    was refused for its rate, `aws.UnreachableError` where nobody knows whether it took effect (a server's fault, a
    connection that was cut), `aws.StaleError` where the revision is no longer the one given, `aws.BusyError` where an
    update is under way or a thing of that name is there, `aws.DeniedError` with the missing action,
    `aws.NotThereError`, and OutsideError for what else AWS refuses.
    """

    def functions(self) -> Iterator[FunctionState]:
        """All functions of the place ($LATEST), 50 with a call."""

    def function(self, name: str, qualifier: str = "") -> FunctionState:
        """One function, or a version of it: GetFunctionConfiguration, `state` and `update` included."""

    def versions(self, name: str) -> Iterator[FunctionState]:
        """Its published versions, oldest first, without $LATEST."""

    def layer_versions(self, name: str, newest: int | None = None) -> Sequence[LayerVersion]:
        """The versions of a layer, newest first, without digests; at most `newest` of them.  () where there is none."""

    def layer_version(self, name: str, version: int) -> LayerVersion:
        """One version of a layer (name, or ARN without the version), with its digest."""

    def alias(self, function: str, name: str) -> AliasState | None:
        """None where there is no such alias."""

    def aliases(self, function: str) -> Sequence[AliasState]: ...

    def publish_layer(self, layer: NewLayer) -> LayerVersion: ...

    def update_configuration(
        self, name: str, *, revision: str, layers: Sequence[str], runtime: str, handler: str
    ) -> FunctionState:
        """UpdateFunctionConfiguration.  An empty `revision` is not sent."""

    def update_code(self, name: str, *, revision: str, content: Content, architecture: str) -> FunctionState: ...

    def publish_version(self, name: str, *, revision: str, code_sha256: str, description: str) -> FunctionState: ...

    def create_alias(self, function: str, name: str, version: str) -> AliasState: ...

    def update_alias(
        self, function: str, name: str, *, version: str, weights: Sequence[tuple[str, float]], revision: str
    ) -> AliasState: ...

    def delete_alias(self, function: str, name: str) -> None: ...

    def delete_layer_version(self, name: str, version: int) -> None: ...

    def invoke(self, name: str, qualifier: str, payload: bytes) -> Invoked:
        """RequestResponse with LogType=Tail, never tried again.  `qualifier` is "" for $LATEST."""

    def permissions(self, layer: str, version: int) -> Sequence[Permission]:
        """Who may use a layer version; () for nobody else."""

    def share(self, layer: str, version: int, permission: Permission) -> None:
        """AddLayerVersionPermission of lambda:GetLayerVersion."""

    def unshare(self, layer: str, version: int, statement: str) -> None: ...


class Alarms(Protocol):
    """CloudWatch's metrics and alarms."""

    def alarms(self, names: Sequence[str]) -> Sequence[AlarmState]:
        """The alarms of these names that there are."""

    def errors(self, function: str, alias: str, version: str, start: float, end: float) -> tuple[int, int]:
        """Errors and invocations of one version behind an alias between two times (seconds since 1970)."""


class Logs(Protocol):
    """CloudWatch Logs."""

    def events(self, group: str, start: int, end: int | None = None, words: str = "") -> Iterator[LogEvent]:
        """The events of a log group from `start` on (milliseconds since 1970), in order of time.

        `words` is a filter pattern.  Raises NotThereError where the group isn't there.
        """


class Clock(Protocol):
    """The time, so that tests need not wait for it."""

    def now(self) -> float:
        """Seconds since 1970."""

    def sleep(self, seconds: float) -> None: ...


class Cloud(NamedTuple):
    """Everything that one place is asked through.  `bucket` is where zips above the limit go, None for none.

    `access` is the way into AWS, with the place's rate, for what else asks Lambda there; None where AWS isn't asked.
    """

    place: Place
    lambdas: Lambda
    alarms: Alarms
    logs: Logs
    bucket: Objects | None
    clock: Clock
    access: Access | None = None


class Objects(Protocol):
    """A bucket of S3, or of what speaks as S3 does, below a prefix.  Keys are relative to it.

    Implemented by `lamella.objects.Bucket`.
    """

    name: str
    prefix: str

    def get(self, key: str) -> bytes | None:
        """None where there is no such object."""

    def fetch(self, key: str, path: str) -> bool:
        """Write the object to the file `path`, as it comes; False where there is none."""

    def has(self, key: str) -> int | None:
        """Its size in bytes, None where there is no such object."""

    def put(self, key: str, content: bytes, *, absent: bool = False) -> bool:
        """False where `absent` was asked for and the object was there (If-None-Match)."""

    def put_file(self, key: str, path: str) -> None:
        """In parts where it is large, with a checksum that S3 compares."""

    def delete(self, key: str) -> None: ...

    def keys(self, below: str = "") -> Iterator[str]: ...


Environment = Mapping[str, str]
