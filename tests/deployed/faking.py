"""AWS Lambda in memory, and the two worlds that the contract of the port is held against."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.deployed.moto_server import ACCOUNT, REGION, AwsServer, Deployer

from lamella.aws import ExpiredError, NotThereError, UnreachableError
from lamella.deployed.lambdas import Lambdas
from lamella.deployed.model import DeployedFunction, DeployedLayer, Lambda, Offered

PIECE = 1000


def digest(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def function_arn(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def layer_arn(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:{name}"


@dataclass
class Fake:
    """A port without AWS.  Each of `faults` meets one download: "expired", "other", "interrupt" or where to cut off."""

    layers: dict[tuple[str, int], tuple[DeployedLayer, bytes]] = field(default_factory=dict)
    functions: dict[tuple[str, str], tuple[DeployedFunction, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    downloads: list[int] = field(default_factory=list)
    faults: list[str | int] = field(default_factory=list)
    links: list[bytes] = field(default_factory=list)

    def function(self, name: str, qualifier: str) -> Offered[DeployedFunction]:
        self.asked.append(f"function {name}:{qualifier}")
        found = self.functions.get((name.split(":")[-1], qualifier))
        if found is None:
            raise NotThereError(f"could not read the function `{name}`", why=["Function not found"])
        return Offered(found[0]._replace(qualifier=qualifier), self._link(found[1]))

    def layer(self, name: str, version: int) -> Offered[DeployedLayer]:
        self.asked.append(f"layer {name}:{version}")
        found = self.layers.get((name.split(":")[-1], version))
        if found is None:
            raise NotThereError(f"could not read the layer `{name}:{version}`", why=["Layer not found"])
        return Offered(found[0], self._link(found[1]))

    def newest(self, name: str) -> int:
        self.asked.append(f"newest {name}")
        versions = [version for known, version in self.layers if known == name.split(":")[-1]]
        if not versions:
            raise NotThereError(f"there is no layer `{name}`", why=["no versions"])
        return max(versions)

    @contextlib.contextmanager
    def content(self, location: str, start: int) -> Iterator[Iterator[bytes]]:
        self.downloads.append(start)
        content = self.links[int(location)]
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "expired":
            raise ExpiredError("the link is refused")
        if fault == "other":
            content = b"\0" * len(content)
        yield _pieces(content[start:], fault)

    def _link(self, content: bytes) -> str:
        self.links.append(content)
        return str(len(self.links) - 1)


def _pieces(content: bytes, fault: str | int) -> Iterator[bytes]:
    for at in range(0, len(content), PIECE):
        if fault == "interrupt":
            raise KeyboardInterrupt
        yield content[at : at + PIECE] if not isinstance(fault, int) else content[at : min(at + PIECE, fault)]
        if isinstance(fault, int) and at + PIECE >= fault:
            raise UnreachableError("cut off")


class World(Protocol):
    """An account to deploy to, and the port that asks it."""

    @property
    def port(self) -> Lambda: ...
    def layer(self, name: str, content: bytes, runtimes: tuple[str, ...] = ()) -> str: ...
    def function(
        self, name: str, content: bytes, layers: tuple[str, ...] = (), variables: dict[str, str] | None = None
    ) -> str: ...
    def publish(self, name: str, alias: str) -> str: ...


class FakeWorld:
    def __init__(self) -> None:
        self.port = Fake()

    def layer(self, name: str, content: bytes, runtimes: tuple[str, ...] = ()) -> str:
        version = 1 + max((version for known, version in self.port.layers if known == name), default=0)
        arn = f"{layer_arn(name)}:{version}"
        layer = DeployedLayer(arn, name, digest(content), len(content), version, runtimes)
        self.port.layers[name, version] = (layer, content)
        return arn

    def function(
        self, name: str, content: bytes, layers: tuple[str, ...] = (), variables: dict[str, str] | None = None
    ) -> str:
        environment = tuple(sorted((variables or {}).items()))
        function = DeployedFunction(
            function_arn(name), name, digest(content), len(content), "$LATEST", "", "python3.12", "app.handler", 256, 7,
            1024, "arm64", layers, tuple(key for key, _ in environment), environment=environment,
        )  # fmt: skip
        self.port.functions[name, ""] = (function, content)
        return function.arn

    def publish(self, name: str, alias: str) -> str:
        function, content = self.port.functions[name, ""]
        version = str(sum(known == name for known, _ in self.port.functions))
        for qualifier in (version, alias):
            self.port.functions[name, qualifier] = (function._replace(version=version), content)
        return version


class MotoWorld:
    """botocore against moto's server, where AWS_ENDPOINT_URL leads."""

    def __init__(self, server: AwsServer) -> None:
        self.port = Lambdas()
        self._deployer = Deployer(server)

    def layer(self, name: str, content: bytes, runtimes: tuple[str, ...] = ()) -> str:
        facts: dict[str, Any] = {"CompatibleRuntimes": list(runtimes)} if runtimes else {}
        return self._deployer.layer(name, content, **facts)

    def function(
        self, name: str, content: bytes, layers: tuple[str, ...] = (), variables: dict[str, str] | None = None
    ) -> str:
        return self._deployer.function(
            name, content, Layers=list(layers), Environment={"Variables": variables or {}}, MemorySize=256, Timeout=7,
            EphemeralStorage={"Size": 1024}, Architectures=["arm64"],
        )  # fmt: skip

    def publish(self, name: str, alias: str) -> str:
        lambdas = self._deployer.lambdas
        version = str(lambdas.publish_version(FunctionName=name)["Version"])
        lambdas.create_alias(FunctionName=name, Name=alias, FunctionVersion=version)
        return version
