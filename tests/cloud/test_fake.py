"""What the AWS in memory has beyond the ports: faults, what others do, zips, time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from tests.cloud.fake import Fake, Fault, Killed, busy, content_of, denied, killed, stale, throttled, unreachable

from lamella import aws
from lamella.cloud.model import LATEST, Alarms, FunctionState, Invoked, Lambda, Logs, NewLayer, Objects


@pytest.fixture
def fake() -> Fake:
    fake = Fake()
    fake.add_function("api", layers=[fake.add_layer("deps")], code=b"one", alias="live")
    return fake


def test_it_is_what_the_ports_ask_for(fake: Fake) -> None:
    cloud = fake.cloud()
    ports: tuple[Lambda, Alarms, Logs, Objects | None] = (cloud.lambdas, cloud.alarms, cloud.logs, cloud.bucket)
    assert all(ports)
    assert fake.calls == []
    assert fake.pointed("api", "live") == cloud.lambdas.alias("api", "live")
    assert fake.calls == [("alias", "api", "live")]


def _when(wanted: str, fault: Fault, name: str, *_: object) -> Fault | None:
    return fault if name == wanted else None


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (throttled(), aws.ThrottledError),
        (unreachable(), aws.UnreachableError),
        (denied(), aws.DeniedError),
        (busy(), aws.BusyError),
        (stale(), aws.StaleError),
        (killed(), Killed),
    ],
)
def test_a_fault_before_and_after_the_effect(fake: Fake, fault: Fault, kind: type[BaseException]) -> None:
    for after, expected in ((False, (1,)), (True, (1, 2))):
        wrong = fault._replace(after=after)
        fake.faults = partial(_when, "publish_layer", wrong)
        with pytest.raises(kind):
            fake.publish_layer(NewLayer("deps", content_of(b"two")))
        assert fake.numbers("deps") == expected


def test_each_call_has_a_number_and_others_may_act_just_then(fake: Fake) -> None:
    seen = []

    def others(name: str, arguments: tuple[object, ...], number: int) -> None:
        seen.append((name, arguments, number))
        if number == 2:
            fake.change("api", layers=())

    fake.faults = others
    revision = fake.function("api").revision
    with pytest.raises(aws.StaleError):
        fake.update_code("api", revision=revision, content=content_of(b"two"), architecture="x86_64")
    assert [number for _, _, number in seen] == [1, 2]
    assert fake.written() == [("update_code", "api", content_of(b"two").code_sha256)]


def test_an_update_that_fails_and_one_that_takes_long() -> None:
    fake = Fake(takes=10)
    fake.add_function("api")
    fake.failing["api"] = "The image is broken"
    fake.update_code("api", revision="", content=content_of(b"two"), architecture="x86_64")
    fake.clock.sleep(9)
    assert fake.function("api").update == "InProgress"
    fake.clock.sleep(1)
    assert (fake.function("api").update, fake.function("api").reason) == ("Failed", "The image is broken")


def test_invocations_meet_the_old_code_until_the_update_is_done(fake: Fake) -> None:
    met: list[str] = []

    def answer(state: FunctionState, payload: bytes) -> Invoked:
        met.append(state.code_sha256)
        return Invoked(200, payload, version=state.version)

    fake.answers["api"] = answer
    fake.update_code("api", revision="", content=content_of(b"two"), architecture="x86_64")
    fake.invoke("api", LATEST, b"")
    fake.clock.sleep(1)
    fake.invoke("api", "", b"")
    assert met == [content_of(b"one").code_sha256, content_of(b"two").code_sha256]


def test_layers_of_another_account(fake: Fake) -> None:
    arn = fake.add_layer("monitoring", account="210987654321")
    fake.update_configuration("api", revision="", layers=[arn], runtime="python3.12", handler="app.handler")
    assert fake.state("api").layers == (arn,)
    assert fake.layer_version(arn.rpartition(":")[0], 1).arn == arn
    assert fake.numbers("monitoring") == ()


def test_zips_come_back(fake: Fake, tmp_path: Path) -> None:
    fake.update_code("api", revision="", content=content_of(b"two", tmp_path), architecture="x86_64")
    downloads = fake.downloads()
    for qualifier, code in (("", b"two"), ("1", b"one"), ("live", b"one")):
        offered = downloads.function("api", qualifier)
        assert offered.what.code_sha256 == content_of(code).code_sha256
        with downloads.content(offered.location, 1) as pieces:
            assert b"".join(pieces) == code[1:]
    assert downloads.layer("deps", downloads.newest("deps")).what.size == len(b"layer")


def test_objects(fake: Fake, tmp_path: Path) -> None:
    bucket = fake.bucket
    assert bucket.put("a", b"1", absent=True)
    assert not bucket.put("a", b"2", absent=True)
    (tmp_path / "b").write_bytes(b"file")
    bucket.put_file("below/b", str(tmp_path / "b"))
    assert (bucket.get("a"), bucket.has("below/b"), bucket.has("c")) == (b"1", 4, None)
    assert list(bucket.keys("below/")) == ["below/b"]
    assert bucket.fetch("below/b", str(tmp_path / "c"))
    assert (tmp_path / "c").read_bytes() == b"file"
    bucket.delete("a")
    assert bucket.get("a") is None


def test_threads(fake: Fake) -> None:
    with ThreadPoolExecutor(8) as pool:
        layers = list(pool.map(lambda _: fake.publish_layer(NewLayer("new", content_of(b"x"))).version, range(50)))
    assert sorted(layers) == list(range(1, 51))
    assert len(fake.calls) == 50
