from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.cloud.fake import Fault
from tests.rollout.scene import ALIASES, Scene

from lamella.aws import NotThereError
from lamella.errors import LamellaError, UsageError
from lamella.rollout.journal.journal import Journal
from lamella.rollout.model import Outcome
from lamella.rollout.undo.rollback import Way, find_way, go_back


@pytest.fixture
def shop(tmp_path: Path) -> Scene:
    """With the second release deployed."""
    shop = Scene(tmp_path)
    assert not shop.deploy().failures
    return shop


def way(shop: Scene, *names: str, to: str = "") -> Way:
    return find_way(shop.fake.cloud(), shop.journal().read(), ALIASES, names, to=to)


def carried_out(shop: Scene, found: Way, journal: Journal | None = None) -> Outcome:
    return go_back(
        found, shop.fake.cloud(), journal or shop.journal(), shop.told.append, downloads=shop.fake.downloads()
    )


def test_back_to_before_the_last_deployment(shop: Scene) -> None:
    found = way(shop)
    assert found.why == "to before the last deployment"
    words = {one.now.name: one.what for one in found.returns}
    assert words["worker"] == (
        "alias `live` from version 2 to 1", "detach `deps:2`", "attach `deps:1`",
    )  # fmt: skip
    assert words["cron"] == ("code of before", "detach `deps:2`", "attach `deps:1`")
    outcome = carried_out(shop, found)
    assert (outcome.failures, outcome.remains) == ((), ())
    assert outcome.shifted == (("api", "1"), ("worker", "1"))
    assert outcome.updated == ("api", "cron", "worker")
    assert outcome.deleted == ()
    assert shop.release() == 1
    record = shop.journal().read()
    assert (record.unfinished, record.history) == (None, ())


def test_aliases_go_first(shop: Scene) -> None:
    shop.fake.calls.clear()
    carried_out(shop, way(shop))
    kinds = [call[0] for call in shop.fake.written()]
    assert kinds[:2] == ["update_alias", "update_alias"]
    assert "update_alias" not in kinds[2:]


def test_one_function(shop: Scene) -> None:
    assert not shop.roll_back("worker").failures
    assert [line.split()[0] for line in shop.lacking(1)] == ["api", "api", "api", "api", "cron", "cron"]
    record = shop.journal().read()
    assert [one.function.name for one in record.history[0].before] == ["api", "cron"]
    assert not shop.roll_back().failures
    assert shop.release() == 1


def test_the_next_deploy_brings_it_again(shop: Scene) -> None:
    shop.roll_back()
    outcome = shop.deploy()
    assert not outcome.failures
    assert outcome.published == ()  # the layer is there
    assert shop.release() == 2


def test_there_is_nothing_to_go_back_over_any_more(shop: Scene) -> None:
    shop.roll_back()
    with pytest.raises(LamellaError, match="there is no deployment to go back over"):
        way(shop)


def test_after_a_deploy_that_was_taken_back_nothing_is_to_be_put_back(tmp_path: Path) -> None:
    """`lamella deploy || lamella rollback` goes back once, not twice."""
    shop = Scene(tmp_path)
    shop.fake.change("worker", memory=256)
    shop.fake._snapshot(shop.fake._functions["worker"], "", 0.0)
    shop.fake.point("worker", "live", "2")
    shop.break_release(2)
    shop.smoke = ()
    shop.fake.alarms.counts = lambda *_: (1, 1)
    shop.canary = None
    made = shop.plan(2)

    def refused(name: str, arguments: tuple[Any, ...], number: int) -> Fault | None:  # noqa: ARG001
        return Fault(LamellaError("no")) if name == "publish_version" else None

    shop.fake.faults = refused
    assert shop.deploy(plan=made).failures
    shop.fake.faults = None
    with pytest.raises(LamellaError, match="there is no deployment to go back over"):
        way(shop)
    pointed = shop.fake.pointed("worker", "live")
    assert pointed is not None
    assert pointed.version == "2"


def test_without_a_journal_one_version_below(shop: Scene) -> None:
    shop.lose_journal()
    found = way(shop, "api", "worker")
    assert found.why.startswith("to the published version before")
    assert not carried_out(shop, found).failures
    assert [line for line in shop.lacking(1) if not line.startswith("cron")] == []
    shop.lose_journal()
    with pytest.raises(LamellaError, match="nobody knows what `cron` was before"):
        way(shop, "cron")


def test_without_a_journal_and_without_a_version_below(tmp_path: Path) -> None:
    with pytest.raises(LamellaError, match="`api` has no version before 1"):
        way(Scene(tmp_path), "api")


def test_to_a_version(shop: Scene) -> None:
    found = way(shop, "api", to="1")
    assert found.why == "to version 1"
    assert not carried_out(shop, found).failures
    assert [line for line in shop.lacking(1) if line.startswith("api")] == []
    with pytest.raises(NotThereError, match="`api` has no version 7") as caught:
        way(shop, "api", to="7")
    assert caught.value.why == ("it has 1, 2",)
    with pytest.raises(UsageError, match="`--to` is about one function"):
        way(shop, to="1")


def test_only_aliases_that_change_count_as_shifted(shop: Scene) -> None:
    shop.fake.change("api", handler="somebody.elses")
    outcome = shop.roll_back("api", to="2")
    assert (outcome.updated, outcome.shifted) == (("api",), ())
    assert outcome.restored == ("`api` has its configuration of version 2",)


def test_words_of_a_version(shop: Scene) -> None:
    [one] = way(shop, "api", to="1").returns
    assert "code of version 1" in one.what


def test_an_alias_that_the_deploy_made_is_deleted_and_counted(tmp_path: Path) -> None:
    shop = Scene(tmp_path)
    shop.fake.delete_alias("api", "live")
    assert not shop.deploy().failures
    outcome = shop.roll_back("api")
    assert outcome.deleted == (("api", "live"),)
    assert outcome.shifted == ()
    assert shop.fake.pointed("api", "live") is None


def test_an_alias_that_somebody_had_deleted_comes_back(shop: Scene) -> None:
    shop.fake.delete_alias("api", "live")
    assert not shop.deploy(3).failures
    [one] = way(shop, "api").returns
    assert "alias `live` from version 3 to 2" in one.what
    outcome = carried_out(shop, way(shop))
    assert (outcome.failures, outcome.deleted) == ((), ())
    assert shop.release() == 2
    assert len(shop.journal().read().history) == 1


def test_an_alias_whose_version_is_gone_is_left_alone(shop: Scene) -> None:
    shop.fake.delete_alias("api", "live")
    assert not shop.deploy(3).failures
    del shop.fake._functions["api"].versions[2]
    found = way(shop, "api")
    assert found.returns[0].what[0] == (
        "alias `live` stays as it is: version 2, which it pointed at, is no longer there"
    )
    outcome = carried_out(shop, found)
    assert (outcome.failures, outcome.shifted, outcome.deleted) == ((), (), ())
    pointed = shop.fake.pointed("api", "live")
    assert pointed is not None
    assert pointed.version == "3"


def test_code_that_is_lost_has_a_way_out(tmp_path: Path) -> None:
    shop = Scene(tmp_path)
    shop.fake.change("api", code=b"from the console")  # which no version has
    assert not shop.deploy().failures
    for key in [key for key in shop.fake.bucket.stored if ".kept/" in key]:
        del shop.fake.bucket.stored[key]
    outcome = shop.roll_back("api")
    region = shop.fake.place.region
    assert outcome.remains[0].startswith("`api` could not be put back: ")
    assert f"`lamella rollback api --region {region}` tries it again" in outcome.remains
    assert (
        f"`lamella rollback api --to 1 --region {region}` gives it the code and layers of version 1" in outcome.remains
    )
    assert not shop.roll_back("api", to="1").failures
    assert [line for line in shop.lacking(1) if line.startswith("api")] == []


def test_a_function_that_the_deploy_did_not_change(shop: Scene) -> None:
    shop.fake.add_function("other", alias="live")
    with pytest.raises(LamellaError, match="the journal has no deployment of `other`"):
        way(shop, "other")


def test_what_comes_after_the_question_stays(shop: Scene) -> None:
    found = way(shop)
    shop.fake.change("api", handler="somebody.elses")
    shop.fake.point("worker", "live", "1", [("2", 0.5)])
    outcome = carried_out(shop, found)
    assert outcome.failures
    assert len(outcome.remains) == 2
    assert shop.fake.state("api").handler == "somebody.elses"
    pointed = shop.fake.pointed("worker", "live")
    assert pointed is not None
    assert pointed.weights == (("2", 0.5),)


def test_a_function_that_is_gone(shop: Scene) -> None:
    shop.fake.remove("cron")
    found = way(shop)
    assert [one.function.name for one in found.gone] == ["cron"]
    assert not carried_out(shop, found).failures
    assert shop.journal().read().history == ()


def test_a_layer_version_that_is_gone(shop: Scene) -> None:
    shop.fake.delete_layer_version("tools", 1)
    outcome = shop.roll_back()
    assert outcome.remains[0].startswith("`api` could not be put back: ")
    assert f"`lamella rollback api --region {shop.fake.place.region}` tries it again" in outcome.remains
    assert not any("--to" in line for line in outcome.remains)  # the layer is what fails
    assert [line for line in shop.lacking(1) if not line.startswith("api")] == []
    pointed = shop.fake.pointed("api", "live")
    assert pointed is not None
    assert pointed.version == "1"  # users have what they had
    unfinished = shop.journal().read().unfinished
    assert unfinished is not None
    assert [one.function.name for one in unfinished.before] == ["api"]


def test_the_code_that_was_kept_comes_back(shop: Scene) -> None:
    kept = [key for key in shop.fake.bucket.stored if ".kept/" in key]
    assert [shop.fake.bucket.stored[key] for key in kept] == [b"cron 1"]
    shop.roll_back()
    assert shop.fake.blobs[shop.fake.state("cron").code_sha256] == b"cron 1"
    assert not [key for key in shop.fake.bucket.stored if ".kept/" in key]
