"""The zips of the AWS in memory, as `lamella.deployed` asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.cloud.fake_account import Account

from lamella import aws
from lamella.deployed.model import DeployedFunction, DeployedLayer, Offered


class Downloads:
    """`deployed.model.Lambda`.  Only contents that were there as bytes can be had."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def function(self, name: str, qualifier: str) -> Offered[DeployedFunction]:
        with self._account._call("download", name, qualifier):
            state = self._account.state(name, qualifier)
        function = DeployedFunction(
            state.arn, state.name, state.code_sha256, state.size, state.version, qualifier, state.runtime,
            state.handler, state.memory, state.timeout, 512, state.architecture, state.layers, (), state.state, (),
        )  # fmt: skip
        return Offered(function, f"memory:{state.code_sha256}")

    def layer(self, name: str, version: int) -> Offered[DeployedLayer]:
        with self._account._call("download_layer", name, version):
            row = self._account._layer_version(name, version)
        layer = DeployedLayer(
            row.arn, row.name, row.code_sha256, row.size, row.version, row.runtimes, row.architectures
        )  # fmt: skip
        return Offered(layer, f"memory:{row.code_sha256}")

    def newest(self, name: str) -> int:
        numbers = self._account.numbers(name)
        if not numbers:
            raise aws.NotThereError(f"there is no layer `{name}`", hint="look at its name")
        return numbers[-1]

    @contextmanager
    def content(self, location: str, start: int) -> Iterator[Iterator[bytes]]:
        code = self._account.blobs[location.removeprefix("memory:")]
        yield iter([code[start:]])
