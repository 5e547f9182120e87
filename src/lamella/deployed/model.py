"""What is deployed, as AWS tells it and as it lies in the cache; and the port that AWS is asked through.  Values."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Generic, NamedTuple, Protocol, TypeVar

LAYER = "layer"
FUNCTION = "function"


class Reference(NamedTuple):
    """What somebody calls a layer or function.

    `kind` is `LAYER`, `FUNCTION`, or "" where the words don't tell.  `name` is its name in AWS, or its ARN without
    what is in `qualifier`: a layer's version, a function's version or alias; "" for the newest and for $LATEST.
    """

    kind: str
    name: str
    qualifier: str = ""

    def __str__(self) -> str:
        return f"{self.name}:{self.qualifier}" if self.qualifier else self.name


class DeployedLayer(NamedTuple):
    """One version of a layer, which never changes.  `arn` is the version's.

    `size` is the zip's in bytes, `code_sha256` its digest as AWS prints it.  `runtimes` and `architectures` are what
    the layer says that it is for; empty where it says nothing.  `path` is the zip in the cache, "" before it is there;
    `fetched` says that it was not there already.  `unpackable` is what `sandbox.unpack` takes: the path and SHA-256
    (hex) of this zip, or of one with the same content where lamella's reader would not take this one.
    """

    arn: str
    name: str
    code_sha256: str
    size: int
    version: int
    runtimes: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    path: str = ""
    unpackable: tuple[str, str] = ("", "")
    fetched: bool = False

    @property
    def sha256(self) -> str:
        """The digest in hex."""
        return _hex(self.code_sha256)


class DeployedFunction(NamedTuple):
    """A function, or a version of it.  `arn` has no qualifier; `qualifier` is the one that was asked for.

    `size`, `code_sha256`, `path`, `unpackable` and `fetched` are as a layer's.  `memory` and `scratch` (/tmp) are in
    megabytes, `timeout` in seconds.  `layer_arns` are in Lambda's order, and `layers` the same ones once they are here.
    `variables` are the names in its environment; `environment` has the values, too, None where they are not known:
    they are never kept, and never shown.  `state` is AWS's: ``Active``.
    """

    arn: str
    name: str
    code_sha256: str
    size: int
    version: str
    qualifier: str
    runtime: str
    handler: str
    memory: int
    timeout: int
    scratch: int
    architecture: str
    layer_arns: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    state: str = "Active"
    environment: tuple[tuple[str, str], ...] | None = None
    layers: tuple[DeployedLayer, ...] = ()
    path: str = ""
    unpackable: tuple[str, str] = ("", "")
    fetched: bool = False

    @property
    def sha256(self) -> str:
        """The digest in hex."""
        return _hex(self.code_sha256)

    def __repr__(self) -> str:
        return f"DeployedFunction({self.arn!r}, version={self.version!r}, sha256={self.sha256!r})"


Deployed = TypeVar("Deployed", DeployedLayer, DeployedFunction)


class Offered(Generic[Deployed]):
    """What AWS has, and the signed link to its zip, which is a secret for the ten minutes that it is valid."""

    def __init__(self, what: Deployed, location: str) -> None:
        self.what: Deployed = what
        self.location = location


def _hex(code_sha256: str) -> str:
    return base64.b64decode(code_sha256).hex()


class Lambda(Protocol):
    """What AWS Lambda is asked.  Names may be ARNs.  All of it raises what `aws.told` does."""

    def function(self, name: str, qualifier: str) -> Offered[DeployedFunction]:
        """The function, its version or its alias.  Raises NotThereError; UsageError for a container image."""
        ...

    def layer(self, name: str, version: int) -> Offered[DeployedLayer]:
        """A version of a layer.  Raises NotThereError."""
        ...

    def newest(self, name: str) -> int:
        """The newest version of a layer.  Raises NotThereError."""
        ...

    def content(self, location: str, start: int) -> AbstractContextManager[Iterator[bytes]]:
        """The zip behind a link, in pieces, from the byte `start` on.  Raises what `aws.opened` does."""
        ...


class Progress(Protocol):
    """Somebody who shows what is fetched."""

    def began(self, filename: str, size: int | None) -> None: ...
    def received(self, filename: str, count: int) -> None: ...
    def ended(self, filename: str) -> None: ...
