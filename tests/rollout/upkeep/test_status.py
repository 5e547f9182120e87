from __future__ import annotations

import pytest
from tests.cloud.fake import Fake, code_digest
from tests.rollout.wishes import deployed, function, layer, wanted

from lamella.errors import UsageError
from lamella.rollout.model import After, Before, Deployment, Intent, Record
from lamella.rollout.upkeep.status import Named, Status, status, versions

API, PLAIN = Named("api", "api", "live"), Named("plain", "plain", "")
NOTHING = Record()


def looked(fake: Fake, *functions: Named, record: Record = NOTHING) -> Status:
    found = status(fake.cloud(), functions, ["deps"], record)
    assert fake.written() == []
    return found


def test_what_users_meet() -> None:
    fake = Fake()
    deployed(fake, wanted(layer(), function(), function("plain", alias="")))
    fake.add_layer("deps", b"v2")
    foreign = fake.add_layer("tools", account="999999999999")
    fake.change("api", layers=(fake.layer_arn("deps", 2),))
    fake.change("plain", layers=(fake.layer_arn("deps", 2), foreign))
    api, plain = looked(fake, PLAIN, API).functions
    assert api.met == fake.state("api", "1")
    assert api.newest == ((fake.layer_arn("deps", 1), 2),)
    assert [one.what for one in api.drift] == ["layer `deps` was exchanged: 1 -> 2 since version 1 was published"]
    assert plain.met == fake.state("plain")
    assert plain.newest == ((fake.layer_arn("deps", 2), 2), (foreign, 0))
    assert plain.drift == ()


def test_nothing_there_and_no_alias() -> None:
    fake = Fake()
    deployed(fake, wanted(layer(), function(alias="")))
    api, plain = looked(fake, API, PLAIN).functions
    assert (api.latest, api.met, api.newest) == (fake.state("api"), None, ())
    assert (plain.latest, plain.met) == (None, None)


def test_what_the_journal_says() -> None:
    fake = Fake()
    deployed(fake, wanted(layer(), function()))
    state = fake.state("api")
    row = After("api", "other", state.layers, state.runtime, state.handler, state.architecture, "1", "live")
    last = Deployment("1", 1.0, (), (row,), state.layers)
    found = looked(fake, API, record=Record((row,), None, (last,)))
    assert found.last == last
    assert [one.kind for one in found.functions[0].drift] == ["code"]
    intent = Intent("2", 2.0, (), (Before(state),), ())
    found = looked(fake, API, record=Record((row,), intent, (last,)))
    assert found.unfinished == intent
    assert found.functions[0].drift == ()


def test_calls() -> None:
    fake = Fake()
    names = [f"f{number:02}" for number in range(30)]
    deployed(fake, wanted(layer(), *(function(name) for name in names)))
    looked(fake, *(Named(name, name, "live") for name in names))
    assert len(fake.calls) == 1 + 30 * 2 + 1


def test_versions_of_a_layer() -> None:
    fake = Fake()
    for code in (b"1", b"2", b"3"):
        fake.add_layer("deps", code)
    fake.add_function("api", layers=[fake.layer_arn("deps", 2)])
    fake.add_function("else", layers=[fake.layer_arn("deps", 3)])
    rows = versions(fake.cloud(), "deps", ["api", "plain"], limit=2, built=code_digest(b"3"))
    assert [(one.version.version, one.functions, one.built) for one in rows] == [(3, (), True), (2, ("api",), False)]
    assert [one.version.size for one in rows] == [1, 1]
    assert len(versions(fake.cloud(), "deps", [], limit=None)) == 3


def test_a_layer_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="there is no layer `deps` in 123456789012 eu-central-1"):
        versions(Fake().cloud(), "deps", ["api"], limit=2)
