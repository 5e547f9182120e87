from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.cloud.fake import Fake, Fault, content_of, stale
from tests.rollout.scene import Scene
from tests.rollout.wishes import function, layer, wanted

from lamella.aws import BusyError, NotThereError
from lamella.cloud.model import Clock, FunctionState, Invoked
from lamella.config.model import Canary, Smoke
from lamella.errors import LamellaError
from lamella.rollout.journal.journal import LocalJournal
from lamella.rollout.model import Outcome, Record, Wanted
from lamella.rollout.perform import perform
from lamella.rollout.planning.plan import plan
from lamella.rollout.steps.stopping import Stop
from lamella.rollout.undo.rollback import find_way, go_back


@pytest.fixture
def shop(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def names(calls: list[tuple[str, ...]], *kinds: str) -> list[str]:
    return [f"{call[0]} {call[1]}" for call in calls if call[0] in kinds]


def test_carries_out_all_in_order(shop: Scene) -> None:
    outcome = shop.deploy()
    assert shop.release() == 2
    assert (outcome.failures, outcome.remains, outcome.restored) == ((), (), ())
    assert [(one.name, one.version) for one in outcome.published] == [("deps", 2), ("tools", 2)]
    assert outcome.updated == ("api", "cron", "worker")
    assert outcome.versions == outcome.shifted == (("api", "2"), ("worker", "2"))
    assert [" ".join(call[:2]) for call in shop.fake.written()] == [
        "publish_layer deps", "publish_layer tools",
        "update_configuration api", "update_code api", "publish_version api",
        "update_configuration worker", "publish_version worker",
        "update_configuration cron", "update_code cron",
        "update_alias api", "update_alias worker",
    ]  # fmt: skip


def test_writes_down_what_was_and_what_is(shop: Scene) -> None:
    shop.deploy()
    record = shop.journal().read()
    assert record.unfinished is None
    [deployment] = record.history
    assert [one.function.name for one in deployment.before] == ["api", "cron", "worker"]
    assert [(one.name, one.version, one.alias) for one in deployment.after] == [
        ("api", "2", "live"), ("cron", "", ""), ("worker", "2", "live"),
    ]  # fmt: skip
    assert [bool(one.kept) for one in deployment.before] == [False, True, False]  # cron has no version with its code
    assert record.functions == deployment.after
    assert shop.fake.layer_arn("deps", 2) in deployment.layers


def test_a_second_deploy_writes_nothing(shop: Scene) -> None:
    shop.deploy()
    shop.fake.calls.clear()
    outcome = shop.deploy()
    assert outcome == Outcome(shop.fake.place)
    assert shop.fake.written() == []
    assert names(shop.fake.calls, "put") == []  # nor is anything written down, or locked


def test_a_missing_function_is_refused_before_anything(shop: Scene) -> None:
    made = shop.plan(2)._replace(missing=("mailer",))
    with pytest.raises(LamellaError, match="1 function is not in AWS: `mailer`"):
        shop.deploy(plan=made)
    assert shop.fake.written() == []


def test_a_zip_that_was_changed_since_is_refused(shop: Scene) -> None:
    made = shop.plan(2)
    Path(made.publish[0].layer.content.path).write_bytes(b"other")
    with pytest.raises(LamellaError, match=r"not what manifest.json says"):
        shop.deploy(plan=made)
    assert shop.fake.written() == []


def test_a_failing_smoke_takes_all_of_it_back(tmp_path: Path) -> None:
    shop = Scene(tmp_path, smoke=(Smoke("events/health.json", status=200),))
    shop.break_release(2)
    outcome = shop.deploy()
    assert [one.function for one in outcome.failures] == ["api"]
    assert shop.release() == 1
    assert outcome.restored == ("`api` has its code and layers of before",)
    assert (outcome.updated, outcome.shifted, outcome.remains) == ((), (), ())
    assert [one.version for one in outcome.published] == [2, 2]  # they stay
    assert outcome.versions == (("api", "2"),)
    assert shop.journal().read().history == ()


def test_the_same_again_publishes_nothing_again(tmp_path: Path) -> None:
    shop = Scene(tmp_path, smoke=(Smoke("events/health.json", status=200),))
    shop.break_release(2)
    assert shop.deploy().failures
    shop.fake.answers = {}
    outcome = shop.deploy()
    assert not outcome.failures
    assert outcome.published == ()
    assert outcome.versions == (("worker", "2"),)  # that of `api` was there
    assert outcome.shifted == (("api", "2"), ("worker", "2"))
    assert shop.release() == 2


def test_a_version_that_the_alias_points_at_is_not_said_to_be_new(tmp_path: Path) -> None:
    """AWS gives the version that is there: nothing changed since it was published."""
    shop = Scene(tmp_path, smoke=(Smoke("events/health.json", status=200),))
    shop.fake.change("api", update="Failed", reason="EFS is broken")
    shop.fake.point("api", "live", "1")
    shop.break_release(1)
    outcome = shop.deploy(1)
    assert [one.function for one in outcome.failures] == ["api"]
    assert outcome.versions == ()


def test_a_bucket_that_is_not_there_is_found_before_anything_changes(tmp_path: Path) -> None:
    fake = Fake()
    large = tmp_path / "deps.zip"
    with large.open("wb") as file:
        file.truncate(50 * 1024**2 + 1)
    place = fake.place._replace(bucket="deploys")
    big = layer("deps")._replace(content=content_of(large.read_bytes())._replace(path=str(large)))
    fake.add_function("api", code=b"code", alias="live")
    everything = wanted(
        layer("aaa", b"small", tmp_path), big, function("api", b"code", ["aaa", "deps"], folder=tmp_path)
    )
    made = plan(fake.cloud(place), everything, Record())

    def missing(name: str, arguments: tuple[Any, ...], number: int) -> Fault | None:  # noqa: ARG001
        return Fault(NotThereError("there is no bucket `deploys`")) if name == "keys" else None

    fake.faults = missing
    journal = LocalJournal(str(tmp_path / "journal"), "default")
    with pytest.raises(NotThereError, match="there is no bucket `deploys`"):
        perform(made, fake.cloud(place), journal, print, downloads=fake.downloads())
    assert fake.written() == []
    assert journal.read() == Record()


def test_a_canary_is_watched_and_ends(tmp_path: Path) -> None:
    shop = Scene(tmp_path, canary=Canary(0.25, 2))
    assert not shop.deploy().failures
    shifts = [call[1:] for call in shop.fake.calls if call[0] == "update_alias"]
    assert sorted(shifts) == [
        ("api", "live", "1", "{'2': 0.25}"), ("api", "live", "2", "{}"),
        ("worker", "live", "1", "{'2': 0.25}"), ("worker", "live", "2", "{}"),
    ]  # fmt: skip
    assert shop.release() == 2


def test_a_canary_that_errs_is_taken_back(tmp_path: Path) -> None:
    shop = Scene(tmp_path, canary=Canary(0.25, 2))
    shop.fake.alarms.counts = lambda *_: (1, 3)
    outcome = shop.deploy()
    assert {one.function for one in outcome.failures} == {"api", "worker"}
    assert shop.release() == 1


def test_an_update_that_fails_later_is_taken_back(shop: Scene) -> None:
    shop.fake.failing["api"] = "EFSIOFailure: it is broken"
    outcome = shop.deploy()
    [failure] = outcome.failures
    assert (failure.function, failure.what) == ("api", "AWS could not update `api`")
    assert failure.why == ("EFSIOFailure: it is broken",)
    # The update that puts it back ends just so
    assert outcome.remains[0].startswith("`api` could not be put back: ")
    assert "aws lambda update-function-configuration --function-name api" in outcome.remains[-1]
    unfinished = shop.journal().read().unfinished
    assert unfinished is not None
    assert [one.function.name for one in unfinished.before] == ["api"]
    shop.fake.failing.clear()
    assert not shop.roll_back().failures
    assert shop.release() == 1
    assert shop.journal().read().unfinished is None


def test_drift_is_put_back_too(shop: Scene) -> None:
    """What was there before is what was observed, not what the alias points at."""
    shop.fake.change("api", code=b"from the console")
    shop.fake.failing["worker"] = "no"
    shop.deploy()
    assert shop.fake.blobs[shop.fake.state("api").code_sha256] == b"from the console"


def test_what_somebody_else_changes_meanwhile_stays(shop: Scene) -> None:
    def meddle(name: str, arguments: tuple[Any, ...], number: int) -> Fault | None:  # noqa: ARG001
        if name == "update_configuration" and arguments[0] == "worker":
            shop.fake.faults = None
            shop.fake.change("api", handler="somebody.elses")
            shop.fake.failing["worker"] = "no"
        return None

    shop.fake.faults = meddle
    outcome = shop.deploy()
    assert shop.fake.state("api").handler == "somebody.elses"
    assert any("`api` was changed by somebody else meanwhile" in line for line in outcome.remains)


def test_the_second_of_two_deploys_stops_before_it_changes_anything(shop: Scene, tmp_path: Path) -> None:
    """Each with a journal of its own, so that only AWS can tell."""
    made = shop.plan(2)
    made = made._replace(changes=tuple(one for one in made.changes if one.wanted.alias))
    assert not shop.deploy(plan=made).failures
    calls = len(shop.fake.written())
    other = LocalJournal(str(tmp_path / "other"), "default")
    outcome = perform(made, shop.fake.cloud(), other, print, downloads=shop.fake.downloads())
    assert [one.function for one in outcome.failures] == ["api"]
    assert "changed by somebody else" in outcome.failures[0].what
    assert outcome.restored == outcome.remains == ()
    assert [line for line in shop.lacking(2) if not line.startswith("cron")] == []
    assert [call[0] for call in shop.fake.written()[calls:]] == ["update_configuration"]  # which was refused
    assert Counter(shop.digests()).most_common(1)[0][1] == 1


def test_two_deploys_at_once_in_one_project(shop: Scene) -> None:
    made = shop.plan(2)
    with shop.journal().locked(), pytest.raises(BusyError, match="another deploy to this place is under way"):
        shop.deploy(plan=made)
    assert shop.fake.written() == []


def test_two_deploys_at_once_side_by_side(shop: Scene, tmp_path: Path) -> None:
    """Both begin with the same plan: one wins, and the other takes nothing of it back."""
    made = shop.plan(2)
    outcomes: list[Outcome] = []

    def one(number: int) -> None:
        journal = LocalJournal(str(tmp_path / str(number)), "default")
        outcomes.append(
            perform(made, shop.fake.cloud(), journal, lambda _: None, downloads=shop.fake.downloads(), workers=2)
        )

    threads = [threading.Thread(target=one, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(bool(one.failures) for one in outcomes) == [False, True]
    assert shop.release() == 2
    assert Counter(shop.digests()).most_common(1)[0][1] == 1
    assert max(Counter(shop.versions()).values()) == 1


class Impatient:
    """A clock at whose first wait somebody asks to stop."""

    def __init__(self, clock: Clock, stop: Stop) -> None:
        self._clock, self._stop = clock, stop

    def now(self) -> float:
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        self._stop.asked.set()
        self._clock.sleep(seconds)


def test_asked_to_stop_it_goes_back(shop: Scene) -> None:
    stop = Stop()
    cloud = shop.fake.cloud()
    made = shop.plan(2)
    cloud = cloud._replace(clock=Impatient(cloud.clock, stop))
    outcome = perform(made, cloud, shop.journal(), print, downloads=shop.fake.downloads(), stop=stop)
    assert [one.what for one in outcome.failures] == ["stopped, as was asked for"]
    assert shop.release() == 1
    assert shop.journal().read().unfinished is None


@pytest.mark.parametrize("workers", [1, 4])
def test_ctrl_c_goes_back(workers: int, shop: Scene) -> None:
    def answer(state: FunctionState, payload: bytes) -> Invoked:  # noqa: ARG001
        raise KeyboardInterrupt

    shop.smoke = (Smoke("event"),)
    shop.fake.answers["worker"] = answer
    outcome = shop.deploy(workers=workers)
    assert [one.what for one in outcome.failures] == ["the deploy was interrupted"]
    assert "the deploy was interrupted: what was changed is put back" in shop.told
    assert shop.release() == 1


def test_a_large_zip_goes_through_s3(tmp_path: Path) -> None:
    fake = Fake()
    large = tmp_path / "deps.zip"
    with large.open("wb") as file:
        file.truncate(50 * 1024**2 + 1)
    code = large.read_bytes()
    place = fake.place._replace(bucket="deploys")
    meant = layer("deps")._replace(content=content_of(code)._replace(path=str(large)))
    fake.add_function("api", code=b"code", alias="live")
    everything = wanted(meant, function("api", b"code", folder=tmp_path))
    made = plan(fake.cloud(place), everything, Record())
    journal = LocalJournal(str(tmp_path / "journal"), "default")
    assert not perform(made, fake.cloud(place), journal, print, downloads=fake.downloads()).failures
    key = f"lamella/{meant.content.sha256}.zip"
    assert fake.bucket.stored[key] == code
    assert [call for call in fake.calls if call[0] == "put_file"] == [("put_file", key)]


def test_seven_calls_a_function_for_a_layer_that_all_have(tmp_path: Path) -> None:
    number = 120
    fake = Fake()
    deps = fake.add_layer("deps", b"v1")
    functions = [function(f"f{at:03}", b"code", ["deps"], folder=tmp_path) for at in range(number)]
    for one in functions:
        fake.add_function(one.name, layers=[deps], code=b"code", alias="live")
    made = plan(fake.cloud(), wanted(layer("deps", b"v2", tmp_path), *functions), Record())
    journal = LocalJournal(str(tmp_path / "journal"), "default")
    outcome = perform(made, fake.cloud(), journal, lambda _: None, downloads=fake.downloads())
    assert not outcome.failures
    assert len(outcome.shifted) == number
    each = Counter(call[1] for call in fake.calls if call[1].startswith("f") and len(call) > 1)
    assert max(each.values()) <= 7
    assert len(fake.calls) <= 7 * number + 10


def test_a_journal_that_cannot_be_written_stops_it_at_its_beginning(shop: Scene, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    journal = LocalJournal(str(tmp_path / "file" / "rollout"), "default")
    made = shop.plan(2)
    with pytest.raises(LamellaError, match=r"the journal .* can't be used"):
        perform(made, shop.fake.cloud(), journal, print, downloads=shop.fake.downloads())
    assert shop.fake.written() == []


def test_a_terminal_that_is_gone_is_no_failure(shop: Scene) -> None:
    def tell(line: str) -> None:
        raise BrokenPipeError(line)

    made = shop.plan(2)
    outcome = perform(made, shop.fake.cloud(), shop.journal(), tell, downloads=shop.fake.downloads())
    assert not outcome.failures
    assert shop.release() == 2


def test_an_alias_that_points_at_latest_is_put_back_there(tmp_path: Path) -> None:
    shop = Scene(tmp_path, smoke=(Smoke("event", status=200),))
    shop.fake.point("api", "live", "$LATEST")
    shop.fake.failing["cron"] = "no"
    outcome = shop.deploy()
    assert outcome.failures
    pointed = shop.fake.pointed("api", "live")
    assert pointed is not None
    assert pointed.version == "$LATEST"
    assert shop.fake.blobs[shop.fake.state("api").code_sha256] == b"api 1"


def test_a_new_alias_is_deleted_again(shop: Scene) -> None:
    del shop.fake._functions["api"].aliases["live"]
    made = shop.plan(2)

    def refused(name: str, arguments: tuple[Any, ...], number: int) -> Fault | None:  # noqa: ARG001
        return stale() if name == "update_alias" and arguments[0] == "worker" else None

    shop.fake.faults = refused
    outcome = shop.deploy(plan=made)
    assert outcome.failures
    assert shop.fake.pointed("api", "live") is None
    assert "`api`, which was new, is deleted" in " ".join(outcome.restored)


@pytest.mark.parametrize("alias", ["live", ""])
def test_what_moves_from_the_code_into_a_layer(alias: str, tmp_path: Path) -> None:
    """And back: the new layer beside the old code, or the old code beside the new layer, would be too large."""
    fake = Fake()
    fake.most = 30
    fake.add_function("api", code=b"all of it" + b"." * 15, alias=alias)
    journal = LocalJournal(str(tmp_path / "journal"), "default")

    def deploy(everything: Wanted) -> Outcome:
        made = plan(fake.cloud(), everything, journal.read())
        return perform(made, fake.cloud(), journal, print, downloads=fake.downloads())

    (tmp_path / "slim").mkdir()
    slim = function("api", b"code", ["deps"], alias, folder=tmp_path / "slim")
    large = layer("deps", b"the rest" + b"." * 15, tmp_path)
    assert deploy(wanted(large, slim)).failures == ()
    assert (fake.state("api").size, len(fake.state("api").layers)) == (4, 1)
    writes = [
        call[0] for call in fake.written() if call[1] == "api" and call[0] in ("update_configuration", "update_code")
    ]
    assert writes == ["update_configuration", "update_code", "update_configuration"]  # the first was refused

    way = find_way(fake.cloud(), journal.read(), {"api": alias})
    outcome = go_back(way, fake.cloud(), journal, print, downloads=fake.downloads())
    assert (outcome.failures, outcome.remains) == ((), ())
    assert (fake.state("api").size, fake.state("api").layers) == (24, ())


def test_what_is_too_large_in_any_order_says_so(tmp_path: Path) -> None:
    fake = Fake()
    fake.most = 20
    fake.add_function("api", code=b"code", alias="live")
    meant = wanted(layer("deps", b"deps" * 4, tmp_path), function("api", b"other", ["deps"], folder=tmp_path))
    made = plan(fake.cloud(), meant, Record())
    journal = LocalJournal(str(tmp_path / "journal"), "default")
    outcome = perform(made, fake.cloud(), journal, print, downloads=fake.downloads())
    [failure] = outcome.failures
    assert "exceeds the maximum allowed size of 20 bytes" in failure.why[0]
    assert fake.blobs[fake.state("api").code_sha256] == b"code"
    assert (fake.state("api").layers, outcome.remains) == ((), ())


def test_what_nobody_foresaw_is_taken_back_and_told(shop: Scene) -> None:
    def wrong(name: str, arguments: tuple[Any, ...], number: int) -> Fault | None:  # noqa: ARG001
        if name == "publish_version" and arguments[0] == "worker":
            shop.fake.faults = None
            return Fault(ZeroDivisionError("division by zero"))
        return None

    shop.fake.faults = wrong
    outcome = shop.deploy()
    [failure] = outcome.failures
    assert failure.why[0] == "ZeroDivisionError: division by zero"
    assert "report it" in failure.hint
    assert len(outcome.restored) == 2
    assert shop.release() == 1
    assert shop.journal().read().unfinished is None


def test_what_goes_wrong_with_one_function_holds_up_no_other(shop: Scene) -> None:
    """On the way back, too."""

    def wrong(name: str, arguments: tuple[Any, ...], number: int) -> Fault | None:  # noqa: ARG001
        going_back = any("is put back" in line for line in shop.told)
        if name == "publish_version" and arguments[0] == "worker":
            return Fault(LamellaError("no"))
        return Fault(ZeroDivisionError("division by zero")) if going_back and arguments[0] == "api" else None

    shop.fake.faults = wrong
    outcome = shop.deploy()
    assert outcome.remains[0] == "`api` could not be put back: ZeroDivisionError: division by zero"
    assert not any("`worker`" in line for line in outcome.remains)
    assert [one for one in shop.lacking(1) if not one.startswith("api")] == []
    unfinished = shop.journal().read().unfinished
    assert unfinished is not None
    assert [one.function.name for one in unfinished.before] == ["api"]


def test_an_update_that_failed_is_made_good(shop: Scene) -> None:
    assert not shop.deploy().failures
    for name in ("api", "cron"):
        shop.fake.change(name, update="Failed", reason="EFS is broken")
    assert shop.lacking(2) == ["api $LATEST: failed", "cron $LATEST: failed"]
    outcome = shop.deploy()
    assert (outcome.failures, outcome.updated) == ((), ("api", "cron"))
    assert shop.release() == 2


@pytest.mark.parametrize("fails", [False, True])
def test_a_run_whose_lock_was_taken_away_leaves_the_journal_of_the_other(fails: bool, shop: Scene) -> None:
    def taken(name: str, arguments: tuple[Any, ...], number: int) -> Fault | None:  # noqa: ARG001
        if name != "update_alias":
            return None
        shop.fake.faults = None
        journal = shop.journal()
        journal.unlock()
        there = journal.read().unfinished
        assert there is not None
        journal.begin(there._replace(id="theirs"))
        return Fault(LamellaError("no")) if fails else None

    shop.fake.faults = taken
    outcome = shop.deploy()
    assert bool(outcome.failures) == fails
    assert shop.release() == (1 if fails else 2)
    [line] = outcome.remains
    assert "another run has written to the journal since this one began" in line
    record = shop.journal().read()
    assert record.unfinished is not None
    assert (record.unfinished.id, record.history) == ("theirs", ())
