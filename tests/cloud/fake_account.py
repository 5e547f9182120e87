"""The account in memory that `Fake` answers from: what it holds, and AWS's rules for changing it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.cloud.fake_parts import FakeAlarms, FakeClock, FakeLogs, FakeObjects, Fault, code_digest, content_of
from tests.cloud.fake_state import Function, Layer, moment, refused

from lamella import aws
from lamella.cloud.model import LATEST, AliasState, Content, FunctionState, Invoked, LayerVersion, NewLayer, Place

ACCOUNT = "123456789012"
REGION = "eu-central-1"


class Account:
    """`Fake` without the ports."""

    def __init__(
        self,
        *,
        account: str = ACCOUNT,
        region: str = REGION,
        takes: float = 1.0,
        pending: float = 1.0,
        clock: FakeClock | None = None,
        place: Place | None = None,
    ) -> None:
        self.account = account
        self.region = region
        self.takes = takes
        self.pending = pending
        self.clock = clock or FakeClock()
        self.place = place or Place(region=region, account=account)
        self.calls: list[tuple[str, ...]] = []
        self.faults: Callable[[str, tuple[Any, ...], int], Fault | None] | None = None
        self.answers: dict[str, Callable[[FunctionState, bytes], Invoked]] = {}
        self.failing: dict[str, str] = {}
        self.most = 262_144_000
        self.blobs: dict[str, bytes] = {}
        self.bucket = FakeObjects(self._call)
        self.alarms = FakeAlarms(self._call)
        self.logs = FakeLogs(self._call)
        self._functions: dict[str, Function] = {}
        self._layers: dict[str, Layer] = {}
        self._revisions = 0
        self._lock = threading.RLock()

    # What tests set up and look at; none of it is a call

    def layer_arn(self, name: str, version: int, account: str = "") -> str:
        return f"arn:aws:lambda:{self.region}:{account or self.account}:layer:{name}:{version}"

    def add_layer(
        self,
        name: str,
        code: bytes = b"layer",
        *,
        account: str = "",
        runtimes: Sequence[str] = (),
        description: str = "",
    ) -> str:
        """The next version of a layer, perhaps of another account that shares it; its ARN."""
        with self._lock:
            layer = NewLayer(name, self._kept(code), tuple(runtimes), (), description)
            return self._published(layer, account or self.account).arn

    def add_function(
        self,
        name: str,
        *,
        layers: Sequence[str] = (),
        code: bytes = b"code",
        alias: str = "",
        runtime: str = "python3.12",
        handler: str = "app.handler",
        architecture: str = "x86_64",
        publish: bool = False,
        package: str = "Zip",
    ) -> FunctionState:
        """A function that is there; with `publish` or `alias` it has the version 1, which the alias points at."""
        with self._lock:
            held = self._kept(code)
            arn = f"arn:aws:lambda:{self.region}:{self.account}:function:{name}"
            state = FunctionState(
                name, arn, LATEST, held.code_sha256, held.size,
                runtime, handler, architecture, tuple(layers), self._revision(), moment(self.clock.now()), "Active",
                "Successful", package=package, log_group=f"/aws/lambda/{name}",
                role=f"arn:aws:iam::{self.account}:role/runs",
            )  # fmt: skip
            function = self._functions[name] = Function(state)
            if publish or alias:
                self._snapshot(function, "", 0.0)
            if alias:
                function.aliases[alias] = AliasState(name, alias, "1", self._revision())
            return function.state

    def change(self, name: str, *, code: bytes | None = None, **fields: Any) -> FunctionState:
        """Somebody else changes $LATEST, at once: `layers`, `runtime`, `handler` …"""
        with self._lock:
            function = self._function(name)
            if code is not None:
                held = self._kept(code)
                fields |= {"code_sha256": held.code_sha256, "size": held.size}
            function.state = function.state._replace(
                **fields, revision=self._revision(), modified=moment(self.clock.now())
            )
            return function.state

    def remove(self, name: str) -> None:
        with self._lock:
            del self._functions[name]

    def point(self, name: str, alias: str, version: str, weights: Sequence[tuple[str, float]] = ()) -> AliasState:
        """Somebody else points the alias elsewhere, or makes it."""
        with self._lock:
            state = AliasState(name, alias, version, self._revision(), tuple(weights))
            self._functions[name].aliases[alias] = state
            return state

    def state(self, name: str, qualifier: str = "") -> FunctionState:
        """What `function` would say, without a call."""
        with self._lock:
            return self._state(name, qualifier)

    def pointed(self, name: str, alias: str) -> AliasState | None:
        with self._lock:
            return self._functions[name].aliases.get(alias)

    def numbers(self, layer: str) -> tuple[int, ...]:
        """The versions of a layer that there are, oldest first."""
        with self._lock:
            found = self._layers.get(self._layer_of(layer))
            return tuple(sorted(found.versions)) if found else ()

    def published(self, name: str) -> tuple[str, ...]:
        """The published versions of a function, oldest first."""
        with self._lock:
            return tuple(map(str, sorted(self._functions[name].versions)))

    def written(self) -> list[tuple[str, ...]]:
        """The calls that change something (of AWS Lambda), or try to."""
        kinds = ("publish_", "update_", "create_", "delete_", "share", "unshare")
        return [call for call in self.calls if call[0].startswith(kinds)]

    # How it works

    @contextmanager
    def _call(self, name: str, *arguments: Any) -> Iterator[None]:
        with self._lock:
            self.calls.append((name, *map(str, arguments)))
            fault = self.faults(name, arguments, len(self.calls)) if self.faults else None
            if fault is not None and not fault.after:
                raise fault.error
            yield
            if fault is not None:
                raise fault.error

    def _revision(self) -> str:
        self._revisions += 1
        return f"00000000-0000-4000-8000-{self._revisions:012}"

    def _kept(self, code: bytes) -> Content:
        held = content_of(code)
        self.blobs[held.code_sha256] = code
        return held

    def _sent(self, content: Content) -> None:
        """What is uploaded is what is said of it."""
        if content.bucket:
            code = self.bucket.stored.get(content.key)
            if code is None:
                raise refused(
                    "InvalidParameterValueException", "Error occurred while GetObject. S3 Error Code: NoSuchKey"
                )
        elif content.path:
            with open(content.path, "rb") as file:
                code = file.read()
        else:
            return
        assert code_digest(code) == content.code_sha256, "the content is not what its digest says"
        self.blobs[content.code_sha256] = code

    def _function(self, name: str) -> Function:
        function = self._functions.get(name)
        if function is None:
            raise refused("ResourceNotFoundException", f"Function not found: {name}")
        if function.until is not None and self.clock.now() >= function.until:
            function.until = function.before = None
            reason = self.failing.get(name, "")
            function.state = function.state._replace(
                update="Failed" if reason else "Successful", reason=reason, revision=self._revision()
            )
        return function

    def _state(self, name: str, qualifier: str) -> FunctionState:
        function = self._function(name)
        if qualifier in function.aliases:
            qualifier = function.aliases[qualifier].version
        if qualifier in ("", LATEST):
            return function.state
        self._known(function, qualifier)
        return self._version(function, int(qualifier))

    def _version(self, function: Function, number: int) -> FunctionState:
        state, active = function.versions[number], function.active[number]
        if state.state == "Pending" and self.clock.now() >= active:
            state = function.versions[number] = state._replace(state="Active")
        return state

    def _known(self, function: Function, version: str) -> None:
        if version != LATEST and (not version.isdecimal() or int(version) not in function.versions):
            raise refused("ResourceNotFoundException", f"Function not found: {function.state.arn}:{version}")

    def _fresh(self, actual: str, given: str) -> None:
        if given and given != actual:
            raise aws.StaleError(
                "could not change it",
                why=["PreconditionFailedException: The RevisionId provided does not match the latest RevisionId"],
                hint="look at what is there now: run it again",
            )

    def _changing(self, name: str, revision: str) -> Function:
        function = self._function(name)
        if function.until is not None:
            raise refused("ResourceConflictException", f"An update is in progress for resource: {function.state.arn}")
        self._fresh(function.state.revision, revision)
        return function

    def _updated(self, function: Function, **fields: Any) -> FunctionState:
        function.before = function.state
        function.until = self.clock.now() + self.takes
        function.state = function.state._replace(
            **fields, revision=self._revision(), update="InProgress", reason="", modified=moment(self.clock.now())
        )
        return function.state

    def _snapshot(self, function: Function, description: str, pending: float) -> FunctionState:
        function.last += 1
        number = function.last
        function.state = function.state._replace(revision=self._revision())
        function.active[number] = self.clock.now() + pending
        function.versions[number] = function.state._replace(
            version=str(number), revision=self._revision(), state="Pending" if pending else "Active",
            modified=moment(self.clock.now()), description=description,
        )  # fmt: skip
        return function.versions[number]

    def _layer_of(self, name: str) -> str:
        return name if name.startswith("arn:") else self.layer_arn(name, 0).rpartition(":")[0]

    def _layer_version(self, name: str, version: int) -> LayerVersion:
        layer = self._layers.get(self._layer_of(name))
        if layer is None or version not in layer.versions:
            raise refused("ResourceNotFoundException", "The resource you requested does not exist.")
        return layer.versions[version]

    def _published(self, layer: NewLayer, account: str) -> LayerVersion:
        arn = self.layer_arn(layer.name, 0, account).rpartition(":")[0]
        held = self._layers.setdefault(arn, Layer())
        held.last += 1
        version = LayerVersion(
            f"{arn}:{held.last}", layer.name, held.last, layer.content.code_sha256, layer.content.size, layer.runtimes,
            layer.architectures, layer.description, moment(self.clock.now()),
        )  # fmt: skip
        held.versions[held.last] = version
        return version

    def _fitting(self, size: int, layers: Sequence[str]) -> None:
        """Code and layers together: zips here are as large unzipped."""
        actual = size + sum(map(self._size, layers))
        if actual > self.most:
            raise refused(
                "InvalidParameterValueException",
                f"Function code combined with layers exceeds the maximum allowed size of {self.most} bytes. "
                f"The actual size is {actual} bytes.",
            )

    def _size(self, arn: str) -> int:
        name, _, version = arn.rpartition(":")
        held = self._layers.get(name)
        row = held.versions.get(int(version)) if held else None
        return row.size if row else 0

    def _attachable(self, function: Function, layers: Sequence[str]) -> None:
        if len(layers) > 5:
            raise refused("InvalidParameterValueException", "Cannot reference more than 5 layers.")
        names = [arn.rpartition(":")[0] for arn in layers]
        if len(set(names)) != len(names):
            raise refused("InvalidParameterValueException", "Two different versions of the same layer are not allowed")
        for arn in layers:
            name, _, version = arn.rpartition(":")
            held = self._layers.get(name)
            if arn not in function.state.layers and (held is None or int(version) not in held.versions):
                raise refused("InvalidParameterValueException", f"Layer version {arn} does not exist.")
