"""Old layer versions on the AWS in memory: which of them can go?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.cloud.fake import Fake, Fault, denied, throttled, unreachable

from lamella.cloud.model import Permission
from lamella.rollout.model import After, Before, Deployment, Intent, Record
from lamella.rollout.upkeep.prune import Prune, perform, prune


@pytest.fixture
def fake() -> Fake:
    """The layer `deps` has seven versions."""
    fake = Fake()
    for number in range(7):
        fake.add_layer("deps", f"v{number}".encode())
    return fake


def _arn(fake: Fake, version: int) -> str:
    return fake.layer_arn("deps", version)


def _pruned(fake: Fake, *records: Record, keep: int = 2, tell: Callable[[str], None] | None = None) -> Prune:
    return prune(fake.cloud(), ["deps"], records, keep, tell)


def _gone(found: Prune) -> list[int]:
    return [one.version for layer in found.layers for one in layer.delete]


def _reasons(found: Prune, version: int) -> tuple[str, ...]:
    return next(one.reasons for layer in found.layers for one in layer.keep if one.version.version == version)


def test_without_any_use_the_newest_stay(fake: Fake) -> None:
    found = _pruned(fake)
    assert _gone(found) == [5, 4, 3, 2, 1]
    assert _reasons(found, 7) == _reasons(found, 6) == ("one of the newest 2",)
    assert not found.is_empty


def test_where_there_is_nothing_old_nothing_else_is_asked(fake: Fake) -> None:
    assert _pruned(fake, keep=7).is_empty
    assert [call[0] for call in fake.calls] == ["layer_versions"]
    assert prune(fake.cloud(), ["never"], [], 2).is_empty


def test_any_function_of_the_account_keeps_what_it_has(fake: Fake) -> None:
    fake.add_function("somebody-elses", layers=[_arn(fake, 3)])
    found = _pruned(fake)
    assert _gone(found) == [5, 4, 2, 1]
    assert _reasons(found, 3) == ("`somebody-elses` has it",)


def test_a_version_behind_an_alias_keeps_its_layers_though_latest_has_others(fake: Fake) -> None:
    fake.add_function("api", layers=[_arn(fake, 2)], alias="live")
    fake.change("api", layers=(_arn(fake, 7),))
    found = _pruned(fake)
    assert _gone(found) == [5, 4, 3, 1]
    assert _reasons(found, 2) == ("version 1 of `api`, behind `live`, has it",)


def _published(fake: Fake, *layers: int) -> None:
    """The function `api` gets a version with each of these; `live` points at the first of them."""
    fake.add_function("api", layers=[_arn(fake, layers[0])], alias="live")
    for layer in layers[1:]:
        state = fake.change("api", layers=(_arn(fake, layer),))
        fake.publish_version("api", revision=state.revision, code_sha256="", description="")
    fake.change("api", layers=())
    fake.calls.clear()


def test_both_versions_of_a_weighted_alias_count_and_the_one_below(fake: Fake) -> None:
    _published(fake, 1, 2, 3, 4, 5)
    fake.point("api", "live", "3", [("5", 0.1)])
    found = _pruned(fake)
    assert _gone(found) == [1]
    assert _reasons(found, 5) == ("version 5 of `api`, behind `live`, has it",)
    assert _reasons(found, 4) == ("a rollback of `api` to version 4 would attach it",)
    assert _reasons(found, 2) == ("a rollback of `api` to version 2 would attach it",)


def test_published_versions_that_nothing_points_at_keep_nothing(fake: Fake) -> None:
    _published(fake, 1, 2, 3, 7)
    fake.point("api", "live", "4")
    assert _gone(_pruned(fake)) == [5, 4, 2, 1]


def test_an_alias_of_latest_does_no_harm(fake: Fake) -> None:
    _published(fake, 1)
    fake.point("api", "live", "$LATEST")
    assert _gone(_pruned(fake)) == [5, 4, 3, 2, 1]


def test_what_the_journal_would_go_back_to_stays(fake: Fake) -> None:
    state = fake.add_function("api")
    fake.remove("api")

    def before(version: int) -> Before:
        return Before(state._replace(layers=(_arn(fake, version),)))

    def after(version: int) -> After:
        return After("api", "", (_arn(fake, version),), "", "", "")

    record = Record(
        functions=(after(1),),
        unfinished=Intent("i", 0.0, (), (before(2),), (_arn(fake, 3),)),
        history=(Deployment("d", 0.0, (before(4),), (after(5),), ()),),
    )
    found = _pruned(fake, record, keep=1)
    assert _gone(found) == [6]
    assert _reasons(found, 1) == ("`api` was deployed with it last",)
    assert _reasons(found, 2) == _reasons(found, 3) == ("a deploy that is unfinished has it",)
    assert _reasons(found, 4) == _reasons(found, 5) == ("a rollback of `api` would attach it",)
    assert _reasons(found, 7) == ("the newest",)
    assert _gone(_pruned(fake, Record(), record, keep=1)) == [6]


def test_what_is_shared_stays(fake: Fake) -> None:
    fake.share("deps", 1, Permission("a", "111122223333"))
    fake.share("deps", 2, Permission("b", "*", "o-a1b2c3d4e5"))
    fake.share("deps", 3, Permission("c", "*"))
    found = _pruned(fake)
    assert _gone(found) == [5, 4]
    assert _reasons(found, 1) == ("it is shared with 111122223333",)
    assert _reasons(found, 2) == ("it is shared with o-a1b2c3d4e5",)
    assert _reasons(found, 3) == ("it is shared with everybody",)


@pytest.mark.parametrize("call", ["functions", "versions", "aliases", "permissions"])
def test_what_can_not_be_read_keeps_everything(fake: Fake, call: str) -> None:
    _published(fake, 1)
    fake.add_function("worker")

    def fault(name: str, *_: Any) -> Fault | None:
        return denied(f"lambda:{call}") if name == call else None

    fake.faults = fault
    found = _pruned(fake)
    assert found.is_empty
    assert found.unread
    assert f"lambda:{call}" in found.unread[0].hint
    assert _reasons(found, 4) == ("it could not be told whether it is needed",)


def test_a_function_that_is_deleted_meanwhile_keeps_nothing(fake: Fake) -> None:
    _published(fake, 1)

    def fault(name: str, *_: Any) -> None:
        if name == "versions":
            fake.remove("api")

    fake.faults = fault
    assert _gone(_pruned(fake)) == [5, 4, 3, 2, 1]


def test_aliases_are_asked_for_only_where_a_version_has_something_old(fake: Fake) -> None:
    _published(fake, 1)
    for number in range(60):
        fake.add_function(f"f{number}", layers=[_arn(fake, 7)], alias="live")
    said: list[str] = []
    _pruned(fake, tell=said.append)
    calls = [call[0] for call in fake.calls]
    assert (calls.count("functions"), calls.count("versions"), calls.count("aliases")) == (2, 61, 1)
    assert said == ["Reading the versions of 61 functions in 123456789012 eu-central-1"]


def test_it_is_done_oldest_first_and_what_is_throttled_again(fake: Fake) -> None:
    found = _pruned(fake)
    fake.faults = lambda *call: throttled() if call[0] == "delete_layer_version" and call[2] % 2 else None
    said: list[str] = []
    done = perform(fake.cloud(), found, said.append)
    assert done.deleted == tuple(_arn(fake, number) for number in (1, 2, 3, 4, 5))
    assert fake.numbers("deps") == (6, 7)
    assert said[0] == "Deleted `deps` version 1"
    assert done.failures == ()


@pytest.mark.parametrize("after", [True, False])
def test_a_connection_that_is_cut(fake: Fake, after: bool) -> None:
    found = _pruned(fake)
    cut = [unreachable(after)]
    fake.faults = lambda *call: cut.pop() if call[0] == "delete_layer_version" and cut else None
    assert len(perform(fake.cloud(), found).deleted) == 5
    assert fake.numbers("deps") == (6, 7)


def test_a_permission_that_is_missing_ends_it(fake: Fake) -> None:
    found = _pruned(fake)
    fake.faults = lambda *_: denied("lambda:DeleteLayerVersion")
    done = perform(fake.cloud(), found)
    assert done.deleted == ()
    (failure,) = done.failures
    assert failure.what == "version 1 could not be deleted"
    assert "lambda:DeleteLayerVersion" in failure.hint
