from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.cloud.fake import Fake, Fault, denied
from tests.rollout.wishes import deployed, function, layer, wanted

from lamella.errors import LamellaError
from lamella.rollout.layers_only import plan_layers, publish_layers
from lamella.rollout.model import Outcome, Plan, Record, Wanted
from lamella.rollout.planning.plan import plan
from lamella.rollout.steps.stopping import Stop

NOTHING = Record()


def made(fake: Fake, meant: Wanted) -> Plan:
    before = len(fake.written())
    found = plan_layers(fake.cloud(), meant, meant.functions, NOTHING)
    assert len(fake.written()) == before
    return found


def published(fake: Fake, meant: Wanted, told: list[str] | None = None, **more: Any) -> Outcome:
    return publish_layers(made(fake, meant), fake.cloud(), (told if told is not None else []).append, **more)


def writes(fake: Fake) -> list[str]:
    return [call[0] for call in fake.written()]


def test_publishes_what_is_not_there_and_touches_no_function(tmp_path: Path) -> None:
    fake, told = Fake(), list[str]()
    deployed(fake, wanted(layer(code=b"v1"), function()))
    start = len(fake.written())
    meant = wanted(layer(code=b"v2", folder=tmp_path), layer("tools", b"t", tmp_path), function())
    outcome = published(fake, meant, told)
    assert not outcome.failures
    assert [(one.name, one.version) for one in outcome.published] == [("deps", 2), ("tools", 1)]
    assert sorted(told) == ["published layer `deps` version 2", "published layer `tools` version 1"]
    assert writes(fake)[start:] == ["publish_layer", "publish_layer"]
    assert made(fake, meant).is_empty


def test_the_deploy_that_follows_publishes_none(tmp_path: Path) -> None:
    fake = Fake()
    deployed(fake, wanted(layer(code=b"v1"), function()))
    meant = wanted(layer(code=b"v2", folder=tmp_path), function())
    published(fake, meant)
    whole = plan(fake.cloud(), meant, NOTHING)
    assert not whole.publish
    assert [change.wanted.name for change in whole.changes] == ["api"]


def test_an_older_version_that_a_function_has_is_as_good(tmp_path: Path) -> None:
    """As a deploy decides it: else this would publish what nothing attaches."""
    fake = Fake()
    deployed(fake, wanted(layer(code=b"v1"), function()))
    fake.add_layer("deps", b"v2")
    meant = wanted(layer(code=b"v1", folder=tmp_path), function())
    assert made(fake, meant).is_empty
    assert not plan(fake.cloud(), meant, NOTHING).publish


def test_functions_that_are_not_there_are_no_obstacle(tmp_path: Path) -> None:
    fake = Fake()
    outcome = published(fake, wanted(layer(folder=tmp_path), function()))
    assert [one.version for one in outcome.published] == [1]


def test_what_fails_is_told_with_what_was_published_before_it(tmp_path: Path) -> None:
    fake = Fake()

    def fault(name: str, arguments: tuple[Any, ...], _: int) -> Fault | None:
        return denied() if name == "publish_layer" and "tools" in str(arguments) else None

    fake.faults = fault
    meant = wanted(layer(folder=tmp_path), layer("tools", b"t", tmp_path))
    outcome = published(fake, meant, workers=1)
    assert [one.name for one in outcome.published] == ["deps"]
    assert [one.function for one in outcome.failures] == ["tools"]
    fake.faults = None
    assert [one.name for one in published(fake, meant).published] == ["tools"]


def test_somebody_wants_it_to_stop(tmp_path: Path) -> None:
    fake, stop = Fake(), Stop()
    stop.asked.set()
    outcome = published(fake, wanted(layer(folder=tmp_path)), stop=stop)
    assert [one.what for one in outcome.failures] == ["stopped, as was asked for"]
    assert writes(fake) == []


def test_a_zip_that_was_changed_since(tmp_path: Path) -> None:
    fake = Fake()
    meant = wanted(layer(folder=tmp_path))
    Path(meant.layers[0].content.path).write_bytes(b"other")
    with pytest.raises(LamellaError, match=r"is not what manifest\.json says"):
        published(fake, meant)
    assert writes(fake) == []
