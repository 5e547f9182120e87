"""What is read, and with how many calls."""

from __future__ import annotations

import pytest
from tests.cloud.fake import Fake, denied
from tests.rollout.wishes import deployed, function, layer, wanted

from lamella.aws import DeniedError
from lamella.rollout.model import After, Before, Intent, Record, Wanted
from lamella.rollout.planning.observe import FEW, observe
from lamella.rollout.planning.plan import plan

NOTHING = Record()


def counts(fake: Fake) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, *_ in fake.calls:
        found[name] = found.get(name, 0) + 1
    return found


def many(functions: int, layers: int, code: bytes = b"layer") -> Wanted:
    names = [f"layer{number}" for number in range(layers)]
    return wanted(
        *(layer(name, code + name.encode()) for name in names),
        *(function(f"f{number:04}", layers=[names[number % layers]]) for number in range(functions)),
    )


def test_a_thousand_functions_and_twenty_layers() -> None:
    fake = Fake()
    meant = many(1000, 20)
    deployed(fake, meant)
    assert plan(fake.cloud(), meant, NOTHING).is_empty
    assert counts(fake) == {"functions": 20, "layer_versions": 20, "layer_version": 20}


def test_aliases_are_read_of_functions_that_change() -> None:
    fake = Fake()
    meant = many(60, 3)
    deployed(fake, meant)
    fake.change("f0007", code=b"console")
    found = plan(fake.cloud(), meant, NOTHING)
    assert [change.wanted.name for change in found.changes] == ["f0007"]
    assert counts(fake) == {"functions": 2, "layer_versions": 3, "layer_version": 3, "alias": 1, "function": 1}


def test_few_functions_are_asked_for_one_by_one() -> None:
    fake = Fake()
    meant = many(FEW, 1)
    deployed(fake, meant)
    for number in range(100):
        fake.add_function(f"other{number}")
    assert plan(fake.cloud(), meant, NOTHING).is_empty
    assert counts(fake) == {"function": FEW, "layer_versions": 1, "layer_version": 1}


def test_refresh_reads_all_aliases() -> None:
    fake = Fake()
    meant = many(12, 1)
    deployed(fake, meant)
    fake.delete_alias("f0003", "live")
    fake.calls.clear()
    observed = observe(fake.cloud(), meant, NOTHING, refresh=True)
    assert dict(observed.aliases)["f0003"] is None
    assert dict(observed.behind)["f0004"] == fake.state("f0004", "1")
    assert counts(fake) == {"functions": 1, "layer_versions": 1, "layer_version": 1, "alias": 12, "function": 11}


def test_aliases_of_an_unfinished_deploy_are_read() -> None:
    fake = Fake()
    meant = many(12, 1)
    deployed(fake, meant)
    record = Record((), Intent("1", 0.0, (), (Before(fake.state("f0003")), Before(fake.state("f0005"))), ()))
    observed = observe(fake.cloud(), meant, record)
    assert [name for name, _ in observed.aliases] == ["f0003", "f0005"]


def test_versions_that_functions_have_are_looked_at() -> None:
    fake = Fake()
    for code in (b"1", b"2", b"3", b"4"):
        fake.add_layer("deps", code)
    foreign = fake.add_layer("deps", b"1", account="999999999999")
    fake.add_function("api", layers=[fake.layer_arn("deps", 2)])
    fake.add_function("other", layers=[fake.layer_arn("deps", 2), foreign])
    observed = observe(fake.cloud(), wanted(layer(), function(), function("other")), NOTHING)
    ((name, versions),) = observed.layers
    assert (name, [one.version for one in versions]) == ("deps", [4, 2])
    assert all(one.code_sha256 for one in versions)
    assert counts(fake)["layer_version"] == 2


def test_a_version_that_was_deployed_is_looked_at_when_nobody_has_it_any_more() -> None:
    fake = Fake()
    one, two = (fake.add_layer("deps", code) for code in (b"v1", b"by hand"))
    state = fake.add_function("api", layers=[two])
    row = After("api", state.code_sha256, (one,), state.runtime, state.handler, state.architecture)
    observed = observe(fake.cloud(), wanted(layer(), function()), Record((row,)))
    assert [version.arn for version in observed.layers[0][1]] == [two, one]


def test_what_is_not_allowed_is_said() -> None:
    fake = Fake()
    deployed(fake, wanted(layer(), function()))
    fake.faults = lambda name, *_: denied("lambda:GetLayerVersion") if name == "layer_version" else None
    with pytest.raises(DeniedError):
        plan(fake.cloud(), wanted(layer(), function()), NOTHING)
