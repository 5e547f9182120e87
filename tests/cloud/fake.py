"""An AWS in memory: the ports of `lamella.cloud.model` with AWS's own rules, a clock that nobody waits for, and faults.

    fake = Fake()
    fake.add_layer("deps", b"v1")
    fake.add_function("api", layers=[fake.layer_arn("deps", 1)], code=b"one", alias="live")
    cloud = fake.cloud()

What it follows, each from AWS's Lambda API reference or developer guide:

- RevisionId changes with every change, and once more when an update completes; a stale one is refused (412).
- An update takes `takes` seconds of the clock (LastUpdateStatus InProgress); until then further updates and
  PublishVersion are refused (409 ResourceConflictException), and invocations meet the old code.
- PublishVersion makes no version where code and configuration are those of the last one; a new version is Pending for
  `pending` seconds, and can't be invoked until it is Active.
- Code and layers together have at most `most` bytes, amid a change, too.
- At most 5 layers; a layer version must be there to be attached; a deleted one stays attached where it is.
- Numbers of versions, of layers and functions, are never used twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.cloud.fake_account import Account
from tests.cloud.fake_downloads import Downloads
from tests.cloud.fake_parts import (
    FakeAlarms,
    FakeClock,
    FakeLogs,
    FakeObjects,
    Fault,
    Killed,
    busy,
    code_digest,
    content_of,
    denied,
    killed,
    stale,
    throttled,
    unreachable,
)  # fmt: skip
from tests.cloud.fake_state import answered, refused, same

from lamella.cloud.model import (
    LATEST,
    AliasState,
    Cloud,
    Content,
    FunctionState,
    Invoked,
    LayerVersion,
    NewLayer,
    Permission,
    Place,
)  # fmt: skip

__all__ = [
    "Fake", "FakeAlarms", "FakeClock", "FakeLogs", "FakeObjects", "Fault", "Killed",
    "busy", "code_digest", "content_of", "denied", "killed", "stale", "throttled", "unreachable",
]  # fmt: skip


class Fake(Account):
    """One account and region.  It is itself the port `Lambda`; the other ports are its attributes.

    `calls` are the calls of all ports, in order: (name of the method, its arguments as text …); a page of a listing is
    a call.  `faults` is asked before each: (name, arguments, number of the call from 1 on).  It may also change things,
    as somebody else would.  `answers` are functions of (FunctionState, payload) that answer invocations, by name.
    `failing` are functions whose updates end as Failed, with the reason.
    """

    def cloud(self, place: Place | None = None) -> Cloud:
        return Cloud(place or self.place, self, self.alarms, self.logs, self.bucket, self.clock)

    def downloads(self) -> Downloads:
        """`deployed.model.Lambda`: the zips of what is there."""
        return Downloads(self)

    # The port: reads

    def functions(self) -> Iterator[FunctionState]:
        start = 0
        while True:
            with self._call("functions", start):
                names = list(self._functions)
                page = [self._state(name, "") for name in names[start : start + 50]]
            yield from (state._replace(state="", update="", reason="") for state in page)
            start += 50
            if start >= len(names):
                return

    def function(self, name: str, qualifier: str = "") -> FunctionState:
        with self._call("function", name, qualifier):
            return self._state(name, qualifier)

    def versions(self, name: str) -> Iterator[FunctionState]:
        start = 0
        while True:
            with self._call("versions", name, start):
                function = self._function(name)
                numbers = sorted(function.versions)
                page = [self._version(function, number) for number in numbers[start : start + 49]]
            yield from (state._replace(state="", update="", reason="") for state in page)
            start += 49  # $LATEST is in the first page, too
            if start >= len(numbers):
                return

    def layer_versions(self, name: str, newest: int | None = None) -> Sequence[LayerVersion]:
        with self._call("layer_versions", name, newest):
            layer = self._layers.get(self._layer_of(name))
            rows = sorted(layer.versions.values(), key=lambda row: -row.version) if layer else []
            return tuple(row._replace(code_sha256="", size=0) for row in rows[:newest])

    def layer_version(self, name: str, version: int) -> LayerVersion:
        with self._call("layer_version", name, version):
            return self._layer_version(name, version)

    def alias(self, function: str, name: str) -> AliasState | None:
        with self._call("alias", function, name):
            held = self._functions.get(function)
            return held.aliases.get(name) if held else None

    def aliases(self, function: str) -> Sequence[AliasState]:
        with self._call("aliases", function):
            return tuple(self._function(function).aliases.values())

    def permissions(self, layer: str, version: int) -> Sequence[Permission]:
        with self._call("permissions", layer, version):
            self._layer_version(layer, version)
            return tuple(self._layers[self._layer_of(layer)].permissions.get(version, {}).values())

    # The port: writes

    def publish_layer(self, layer: NewLayer) -> LayerVersion:
        with self._call("publish_layer", layer.name):
            self._sent(layer.content)
            if len(layer.runtimes) > 15:
                raise refused("InvalidParameterValueException", "at most 15 compatible runtimes")
            return self._published(layer, self.account)

    def update_configuration(
        self, name: str, *, revision: str, layers: Sequence[str], runtime: str, handler: str
    ) -> FunctionState:
        with self._call("update_configuration", name, ",".join(layers), runtime, handler):
            function = self._changing(name, revision)
            self._attachable(function, layers)
            self._fitting(function.state.size, layers)
            return self._updated(function, layers=tuple(layers), runtime=runtime, handler=handler)

    def update_code(self, name: str, *, revision: str, content: Content, architecture: str) -> FunctionState:
        with self._call("update_code", name, content.code_sha256):
            function = self._changing(name, revision)
            self._sent(content)
            self._fitting(content.size, function.state.layers)
            return self._updated(
                function, code_sha256=content.code_sha256, size=content.size, architecture=architecture
            )

    def publish_version(self, name: str, *, revision: str, code_sha256: str, description: str) -> FunctionState:
        with self._call("publish_version", name, code_sha256):
            function = self._changing(name, revision)
            if code_sha256 and code_sha256 != function.state.code_sha256:
                raise refused("InvalidParameterValueException", "CodeSHA256 is different from the one of $LATEST")
            last = function.versions.get(function.last)
            if last is not None and same(last, function.state):
                return self._version(function, function.last)
            return self._snapshot(function, description, self.pending)

    def create_alias(self, function: str, name: str, version: str) -> AliasState:
        with self._call("create_alias", function, name, version):
            held = self._function(function)
            if name in held.aliases:
                raise refused("ResourceConflictException", f"Alias already exists: {name}")
            self._known(held, version)
            held.aliases[name] = AliasState(function, name, version, self._revision())
            return held.aliases[name]

    def update_alias(
        self, function: str, name: str, *, version: str, weights: Sequence[tuple[str, float]], revision: str
    ) -> AliasState:
        with self._call("update_alias", function, name, version, dict(weights)):
            held = self._function(function)
            alias = held.aliases.get(name)
            if alias is None:
                raise refused("ResourceNotFoundException", f"Cannot find alias {name}")
            self._fresh(alias.revision, revision)
            self._known(held, version)
            if len(weights) > 1 or any(not 0 <= weight <= 1 or other == version for other, weight in weights):
                raise refused("InvalidParameterValueException", "one additional version, with a weight of 0 to 1")
            if weights and LATEST in (version, weights[0][0]):
                raise refused("InvalidParameterValueException", "$LATEST is not supported for an alias with weights")
            for other, _ in weights:
                self._known(held, other)
            held.aliases[name] = AliasState(function, name, version, self._revision(), tuple(weights))
            return held.aliases[name]

    def delete_alias(self, function: str, name: str) -> None:
        with self._call("delete_alias", function, name):
            self._function(function).aliases.pop(name, None)

    def delete_layer_version(self, name: str, version: int) -> None:
        with self._call("delete_layer_version", name, version):
            layer = self._layers.get(self._layer_of(name))
            if layer is not None:
                layer.versions.pop(version, None)

    def invoke(self, name: str, qualifier: str, payload: bytes) -> Invoked:
        with self._call("invoke", name, qualifier):
            state = self._state(name, qualifier)
            if state.state == "Pending":
                raise refused("ResourceConflictException", "the function is currently in the following state: Pending")
            function = self._function(name)
            if state.version == LATEST and function.until is not None and function.before is not None:
                state = function.before
            answer = self.answers.get(name, answered)
            function.invoked += 1
        return answer(state, payload)

    def share(self, layer: str, version: int, permission: Permission) -> None:
        with self._call("share", layer, version, permission.principal, permission.organization):
            self._layer_version(layer, version)
            given = self._layers[self._layer_of(layer)].permissions.setdefault(version, {})
            if permission.statement in given:
                raise refused("ResourceConflictException", "the statement id provided already exists")
            given[permission.statement] = permission

    def unshare(self, layer: str, version: int, statement: str) -> None:
        with self._call("unshare", layer, version, statement):
            self._layer_version(layer, version)
            given = self._layers[self._layer_of(layer)].permissions.get(version, {})
            if given.pop(statement, None) is None:
                raise refused("ResourceNotFoundException", f"no statement {statement}")
