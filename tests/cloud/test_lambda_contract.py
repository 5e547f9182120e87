"""What every `cloud.model.Lambda` does: the one in memory that tests use, and AWS's behind a strict server."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from tests.cloud.fake import Fake, FakeClock, content_of
from tests.cloud.strict import Answered, StrictServer
from tests.deployed.moto_server import Deployer, zipped

from lamella import aws
from lamella.cloud.lambdas import Lambdas
from lamella.cloud.model import LATEST, Content, FunctionState, Invoked, Lambda, NewLayer, Permission
from lamella.errors import LamellaError, OutsideError

ONE, TWO, THREE = (zipped({"app.py": f"x = {number}"}) for number in (1, 2, 3))


class Bench(Protocol):
    """An account to try a Lambda on; `port` is the one that is tried."""

    port: Lambda
    clock: FakeClock

    def function(self, name: str, code: bytes, layers: tuple[str, ...] = ()) -> None: ...
    def layer(self, name: str, code: bytes) -> str: ...
    def answer(self, name: str, payload: bytes, error: str, log: str) -> None: ...
    def object(self, key: str, code: bytes) -> Content: ...


class InMemory:
    def __init__(self) -> None:
        self.fake = Fake()
        self.port: Lambda = self.fake
        self.clock = self.fake.clock

    def function(self, name: str, code: bytes, layers: tuple[str, ...] = ()) -> None:
        self.fake.add_function(name, code=code, layers=layers)

    def layer(self, name: str, code: bytes) -> str:
        return self.fake.add_layer(name, code)

    def answer(self, name: str, payload: bytes, error: str, log: str) -> None:
        self.fake.answers[name] = lambda state, _: Invoked(200, payload, error, log, state.version)

    def object(self, key: str, code: bytes) -> Content:
        self.fake.bucket.stored[key] = code
        return content_of(code)._replace(bucket=self.fake.bucket.name, key=key)


class OverHttp:
    def __init__(self, server: StrictServer) -> None:
        self.clock = FakeClock()
        server.clock = self.clock.now
        server.functions.settle_polls, server.functions.settle_seconds = 0, 1.0
        self._server = server
        self._deployer = Deployer(server)
        self.port: Lambda = Lambdas(aws.Access())

    def function(self, name: str, code: bytes, layers: tuple[str, ...] = ()) -> None:
        self._deployer.function(name, code, Layers=list(layers))

    def layer(self, name: str, code: bytes) -> str:
        return self._deployer.layer(name, code)

    def answer(self, name: str, payload: bytes, error: str, log: str) -> None:  # noqa: ARG002
        self._server.invoked = lambda _: Answered(payload, error, log)

    def object(self, key: str, code: bytes) -> Content:
        s3 = aws.client("s3")
        s3.create_bucket(Bucket="deploys")
        s3.put_object(Bucket="deploys", Key=key, Body=code)
        return content_of(code)._replace(bucket="deploys", key=key)


@pytest.fixture(params=["fake", "aws"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    if request.param == "fake":
        yield InMemory()
        return
    server: StrictServer = request.getfixturevalue("strict")
    ticking = server.clock
    yield OverHttp(server)
    server.clock = ticking


@pytest.fixture
def api(bench: Bench) -> FunctionState:
    """The function `api`, with the code ONE and no version."""
    bench.function("api", ONE)
    return bench.port.function("api")


@pytest.fixture
def content(tmp_path: Path) -> Callable[[bytes], Content]:
    return lambda code: content_of(code, tmp_path, hashlib.sha256(code).hexdigest() + ".zip")


def settled(bench: Bench, name: str = "api") -> FunctionState:
    bench.clock.sleep(2)
    return bench.port.function(name)


def updated(bench: Bench, content: Content) -> FunctionState:
    bench.port.update_code("api", revision="", content=content, architecture="x86_64")
    return settled(bench)


def published(bench: Bench, state: FunctionState) -> FunctionState:
    return bench.port.publish_version("api", revision=state.revision, code_sha256=state.code_sha256, description="")


def test_functions_are_listed_without_states(bench: Bench) -> None:
    for number in range(52):
        bench.function(f"f{number}", ONE)
    rows = list(bench.port.functions())
    assert sorted(row.name for row in rows) == sorted(f"f{number}" for number in range(52))
    one = bench.port.function("f7")
    assert (one.state, one.update) == ("Active", "Successful")
    assert next(row for row in rows if row.name == "f7") == one._replace(state="", update="")


def test_what_is_told_of_a_function(bench: Bench) -> None:
    layers = (bench.layer("a", ONE), bench.layer("b", TWO))
    bench.function("api", ONE, layers)
    state = bench.port.function("api")
    assert (state.name, state.version, state.layers) == ("api", LATEST, layers)
    assert (state.runtime, state.handler, state.architecture) == ("python3.12", "app.handler", "x86_64")
    assert (state.code_sha256, state.size) == (content_of(ONE).code_sha256, len(ONE))
    assert state.arn.endswith(":function:api")
    assert (state.package, state.memory, state.timeout) == ("Zip", 128, 3)
    assert state.revision
    assert state.modified


def test_a_function_that_is_not_there(bench: Bench, api: FunctionState) -> None:  # noqa: ARG001
    calls: list[Callable[[], object]] = [
        lambda: bench.port.function("nope"),
        lambda: bench.port.function("api", "7"),
        lambda: bench.port.function("api", "live"),
        lambda: list(bench.port.versions("nope")),
        lambda: bench.port.aliases("nope"),
        lambda: bench.port.publish_version("nope", revision="", code_sha256="", description=""),
        lambda: bench.port.create_alias("api", "live", "7"),
        lambda: bench.port.update_alias("api", "live", version=LATEST, weights=[], revision=""),
        lambda: bench.port.invoke("nope", "", b"{}"),
    ]
    for call in calls:
        with pytest.raises(aws.NotThereError):
            call()
    assert bench.port.alias("api", "live") is None
    assert bench.port.alias("nope", "live") is None


def test_layers_newest_first_and_digests_one_by_one(bench: Bench, content: Callable[[bytes], Content]) -> None:
    assert list(bench.port.layer_versions("deps")) == []
    said = NewLayer("deps", content(ONE), ("python3.12",), ("x86_64",), "what it has", "MIT")
    first = bench.port.publish_layer(said)
    assert (first.name, first.version, first.size) == ("deps", 1, len(ONE))
    assert first.code_sha256 == content(ONE).code_sha256
    assert first.arn.endswith(":layer:deps:1")
    second = bench.port.publish_layer(said._replace(content=content(TWO)))
    assert [row.version for row in bench.port.layer_versions("deps")] == [2, 1]
    (newest,) = bench.port.layer_versions("deps", 1)
    assert newest == second._replace(code_sha256="", size=0)
    assert (newest.runtimes, newest.architectures, newest.description) == (("python3.12",), ("x86_64",), "what it has")
    assert bench.port.layer_version("deps", 1)._replace(created="") == first._replace(created="")
    by_arn = bench.port.layer_version(first.arn.rpartition(":")[0], 2)
    assert by_arn.code_sha256 == content(TWO).code_sha256
    for name, version in (("deps", 3), ("nope", 1)):
        with pytest.raises(aws.NotThereError):
            bench.port.layer_version(name, version)


def test_the_same_layer_twice_is_two_versions_and_numbers_are_not_used_again(
    bench: Bench, content: Callable[[bytes], Content]
) -> None:  # fmt: skip
    layer = NewLayer("deps", content(ONE))
    assert [bench.port.publish_layer(layer).version for _ in range(2)] == [1, 2]
    bench.port.delete_layer_version("deps", 2)
    bench.port.delete_layer_version("deps", 2)
    assert bench.port.publish_layer(layer).version == 3
    assert [row.version for row in bench.port.layer_versions("deps")] == [3, 1]


def test_many_versions_of_a_layer(bench: Bench) -> None:
    for _ in range(53):
        bench.layer("deps", ONE)
    assert [row.version for row in bench.port.layer_versions("deps")] == list(range(53, 0, -1))
    assert [row.version for row in bench.port.layer_versions("deps", 2)] == [53, 52]


def test_an_update_takes_a_while_and_keeps_others_out(
    bench: Bench, api: FunctionState, content: Callable[[bytes], Content]
) -> None:  # fmt: skip
    sent = content(TWO)
    told = bench.port.update_code("api", revision=api.revision, content=sent, architecture="arm64")
    assert (told.update, told.code_sha256, told.architecture) == ("InProgress", sent.code_sha256, "arm64")
    assert told.revision != api.revision
    meanwhile = bench.port.function("api")
    assert meanwhile.update == "InProgress"
    calls: list[Callable[[], object]] = [
        lambda: bench.port.update_code("api", revision="", content=sent, architecture="arm64"),
        lambda: bench.port.update_configuration("api", revision="", layers=(), runtime="python3.12", handler="a.b"),
        lambda: bench.port.publish_version("api", revision="", code_sha256="", description=""),
    ]
    for call in calls:
        with pytest.raises(aws.BusyError):
            call()
    state = settled(bench)
    assert (state.update, state.code_sha256, state.architecture) == ("Successful", sent.code_sha256, "arm64")
    assert state.revision != told.revision


def test_code_from_a_bucket(bench: Bench, api: FunctionState) -> None:
    held = bench.object("lamella/two.zip", TWO)
    bench.port.update_code("api", revision=api.revision, content=held, architecture="x86_64")
    assert settled(bench).code_sha256 == held.code_sha256
    assert bench.port.publish_layer(NewLayer("deps", held)).code_sha256 == held.code_sha256
    with pytest.raises(OutsideError) as caught:
        bench.port.publish_layer(NewLayer("deps", held._replace(key="nope.zip")))
    assert type(caught.value) is OutsideError


def test_layers_runtime_and_handler(bench: Bench, api: FunctionState) -> None:
    a, b = bench.layer("a", ONE), bench.layer("b", ONE)
    told = bench.port.update_configuration(
        "api", revision=api.revision, layers=(b, a), runtime="python3.13", handler="app.other"
    )
    assert told.update == "InProgress"
    state = settled(bench)
    assert (state.layers, state.runtime, state.handler) == ((b, a), "python3.13", "app.other")
    assert state.code_sha256 == api.code_sha256
    bench.port.update_configuration(
        "api", revision=state.revision, layers=(), runtime="python3.13", handler="app.other"
    )  # fmt: skip
    assert settled(bench).layers == ()


def test_layers_that_can_not_be_attached(bench: Bench, api: FunctionState) -> None:
    arns = [bench.layer(f"l{number}", ONE) for number in range(6)]
    again = bench.layer("l0", TWO)
    for layers in (arns, [arns[0], again], [arns[0].rpartition(":")[0] + ":9"]):
        with pytest.raises(OutsideError) as caught:
            bench.port.update_configuration(
                "api", revision=api.revision, layers=layers, runtime="python3.12", handler="app.handler"
            )
        assert type(caught.value) is OutsideError
    assert bench.port.function("api") == api


def test_a_deleted_layer_stays_where_it_is_and_goes_nowhere_else(bench: Bench) -> None:
    arn = bench.layer("deps", ONE)
    bench.function("api", ONE, (arn,))
    bench.function("web", ONE)
    bench.port.delete_layer_version("deps", 1)
    assert bench.port.function("api").layers == (arn,)
    with pytest.raises(OutsideError):
        bench.port.update_configuration("web", revision="", layers=(arn,), runtime="python3.12", handler="a.b")


def test_a_stale_revision_changes_nothing(
    bench: Bench, api: FunctionState, content: Callable[[bytes], Content]
) -> None:  # fmt: skip
    now = updated(bench, content(TWO))
    calls: list[Callable[[], object]] = [
        lambda: bench.port.update_code("api", revision=api.revision, content=content(ONE), architecture="x86_64"),
        lambda: bench.port.update_configuration(
            "api", revision=api.revision, layers=(), runtime="python3.12", handler="a.b"
        ),
        lambda: bench.port.publish_version("api", revision=api.revision, code_sha256="", description=""),
    ]
    for call in calls:
        with pytest.raises(aws.StaleError):
            call()
    assert bench.port.function("api") == now
    assert list(bench.port.versions("api")) == []


def test_versions_stay_as_they_are(bench: Bench, api: FunctionState, content: Callable[[bytes], Content]) -> None:
    first = bench.port.publish_version(
        "api", revision=api.revision, code_sha256=api.code_sha256, description="the first"
    )  # fmt: skip
    assert (first.version, first.state, first.description) == ("1", "Pending", "the first")
    bench.clock.sleep(2)
    assert bench.port.function("api", "1").state == "Active"
    updated(bench, content(TWO))
    assert published(bench, bench.port.function("api")).version == "2"
    assert [row.version for row in bench.port.versions("api")] == ["1", "2"]
    assert bench.port.function("api", "1").code_sha256 == content(ONE).code_sha256
    assert bench.port.function("api", "2").arn == api.arn


def test_no_version_where_nothing_changed(
    bench: Bench, api: FunctionState, content: Callable[[bytes], Content]
) -> None:  # fmt: skip
    assert published(bench, api).version == "1"
    assert published(bench, settled(bench)).version == "1"
    now = updated(bench, content(TWO))
    assert published(bench, now).version == "2"
    assert len(list(bench.port.versions("api"))) == 2


def test_a_version_of_other_code_than_meant(bench: Bench, api: FunctionState) -> None:
    with pytest.raises(OutsideError) as caught:
        bench.port.publish_version(
            "api", revision=api.revision, code_sha256=content_of(TWO).code_sha256, description=""
        )  # fmt: skip
    assert type(caught.value) is OutsideError
    assert list(bench.port.versions("api")) == []


@pytest.fixture
def two(bench: Bench, api: FunctionState, content: Callable[[bytes], Content]) -> None:
    """The versions 1 and 2 of `api`."""
    published(bench, api)
    published(bench, updated(bench, content(TWO)))
    bench.clock.sleep(2)


def test_aliases_and_weights(bench: Bench, two: None) -> None:  # noqa: ARG001
    made = bench.port.create_alias("api", "live", "1")
    assert made == bench.port.alias("api", "live")
    assert (made.function, made.name, made.version, made.weights) == ("api", "live", "1", ())
    with pytest.raises(aws.BusyError):
        bench.port.create_alias("api", "live", "2")
    split = bench.port.update_alias("api", "live", version="1", weights=[("2", 0.1)], revision=made.revision)
    assert split.weights == (("2", 0.1),)
    assert split.revision != made.revision
    with pytest.raises(aws.StaleError):
        bench.port.update_alias("api", "live", version="2", weights=[], revision=made.revision)
    whole = bench.port.update_alias("api", "live", version="2", weights=[], revision=split.revision)
    assert (whole.version, whole.weights) == ("2", ())
    assert bench.port.function("api", "live").version == "2"
    assert bench.port.aliases("api") == (whole,)
    bench.port.delete_alias("api", "live")
    assert bench.port.alias("api", "live") is None


def test_an_alias_points_at_what_there_is(bench: Bench, two: None) -> None:  # noqa: ARG001
    with pytest.raises(aws.NotThereError):
        bench.port.create_alias("api", "live", "3")
    bench.port.create_alias("api", "live", "1")
    with pytest.raises(aws.NotThereError):
        bench.port.update_alias("api", "live", version="3", weights=[], revision="")
    for weights in ([("3", 0.1)], [("2", 1.5)], [("1", 0.1)]):
        with pytest.raises(LamellaError):
            bench.port.update_alias("api", "live", version="1", weights=weights, revision="")
    assert bench.port.alias("api", "live") == bench.port.aliases("api")[0]


def test_invocations(bench: Bench, api: FunctionState) -> None:
    published(bench, api)
    with pytest.raises(aws.BusyError):
        bench.port.invoke("api", "1", b"{}")
    bench.clock.sleep(2)
    bench.answer("api", b'{"statusCode": 200}', "", "START\nREPORT Init Duration: 1.00 ms\n")
    answer = bench.port.invoke("api", "1", b'{"a": 1}')
    assert (answer.status, answer.payload, answer.error) == (200, b'{"statusCode": 200}', "")
    assert answer.version == "1"
    assert "Init Duration: 1.00 ms" in answer.log
    bench.answer("api", b'{"errorMessage": "no"}', "Unhandled", "")
    answer = bench.port.invoke("api", "", b"{}")
    assert (answer.error, answer.payload, answer.version) == ("Unhandled", b'{"errorMessage": "no"}', LATEST)


def test_who_may_use_a_layer(bench: Bench) -> None:
    bench.layer("deps", ONE)
    assert bench.port.permissions("deps", 1) == ()
    organization = Permission("org", "*", "o-1234567890")
    account = Permission("account", "210987654321")
    bench.port.share("deps", 1, organization)
    bench.port.share("deps", 1, account)
    assert set(bench.port.permissions("deps", 1)) == {organization, account}
    with pytest.raises(aws.BusyError):
        bench.port.share("deps", 1, account)
    bench.port.unshare("deps", 1, "org")
    assert bench.port.permissions("deps", 1) == (account,)
    with pytest.raises(aws.NotThereError):
        bench.port.unshare("deps", 1, "org")
    with pytest.raises(aws.NotThereError):
        bench.port.share("deps", 2, account)
