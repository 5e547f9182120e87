from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cloud.fake import Fake, Fault, busy, denied, throttled, unreachable
from tests.rollout.wishes import layer

from lamella.errors import OutsideError
from lamella.rollout.model import PublishLayer
from lamella.rollout.steps.publish import publish
from lamella.rollout.steps.settle import Chance, Pace
from lamella.rollout.steps.turn import Tools, _active
from lamella.rollout.steps.uploads import Uploads


@pytest.fixture
def fake() -> Fake:
    """With one version of the layer."""
    fake = Fake()
    fake.add_layer("deps", b"v1")
    return fake


def tools(fake: Fake) -> Tools:
    cloud = fake.cloud()
    return Tools(cloud, Chance(cloud.clock, lambda: 0.5), Pace(), Uploads(cloud.bucket))


def step(folder: Path) -> PublishLayer:
    return PublishLayer(layer("deps", b"v2", folder), 2, "it has other bytes", False)


def test_what_came_since_the_plan_is_taken(fake: Fake, tmp_path: Path) -> None:
    fake.add_layer("deps", b"v2")
    fake.add_layer("deps", b"v3")
    version, made, _ = publish(step(tmp_path), tools(fake))
    assert (version.version, made) == (2, False)
    assert fake.written() == []


def meeting(fake: Fake, *faults: Fault) -> Callable[[str, tuple[Any, ...], int], Fault | None]:
    """Somebody else publishes the same in the same moment; `faults` are what the deletes then run into."""
    left = list(faults)
    published = False

    def fault(name: str, arguments: tuple[Any, ...], number: int) -> Fault | None:  # noqa: ARG001
        nonlocal published
        if name == "publish_layer" and not published:
            published = True
            fake.add_layer("deps", b"v2")
        return left.pop(0) if name == "delete_layer_version" and left else None

    return fault


@pytest.mark.parametrize("faults", [(), (unreachable(),), (unreachable(after=True),), (throttled(), busy())])
def test_of_two_in_the_same_moment_the_first_is_taken(fake: Fake, tmp_path: Path, faults: tuple[Fault, ...]) -> None:
    fake.faults = meeting(fake, *faults)
    version, made, left = publish(step(tmp_path), tools(fake))
    assert (version.version, made, left) == (2, False, "")
    assert fake.numbers("deps") == (1, 2)


def test_the_first_is_taken_even_where_the_second_can_not_be_deleted(fake: Fake, tmp_path: Path) -> None:
    fake.faults = meeting(fake, denied())
    version, made, left = publish(step(tmp_path), tools(fake))
    assert (version.version, made) == (2, False)
    assert fake.numbers("deps") == (1, 2, 3)
    assert left.startswith("version 3 of the layer `deps` is the same as version 2, which is used, and could not be")


def test_somebody_elses_other_bytes_are_no_matter(fake: Fake, tmp_path: Path) -> None:
    fake.add_layer("deps", b"theirs")
    version, made, _ = publish(step(tmp_path), tools(fake))
    assert (version.version, made) == (3, True)


def test_a_version_that_fails_to_become_active(fake: Fake) -> None:
    fake.add_function("api", alias="live")
    state = fake.function("api", "1")._replace(state="Pending")
    held = fake._functions["api"]
    held.versions[1] = held.versions[1]._replace(state="Failed", reason="the key is disabled")
    with pytest.raises(OutsideError, match="version 1 of `api` does not become active") as caught:
        _active(tools(fake), state)
    assert caught.value.why == ("the key is disabled",)


def test_ten_minutes_are_enough(fake: Fake) -> None:
    fake.pending = 3600.0
    fake.add_function("api", code=b"code", publish=True)
    fake.change("api", code=b"other")
    made = fake.publish_version("api", revision="", code_sha256="", description="")
    with pytest.raises(OutsideError, match="version 2 of `api` is not done after 10 minutes"):
        _active(tools(fake), made)
