from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cloud.fake import Fake, Fault, unreachable

from lamella.aws import BusyError
from lamella.cloud.model import AliasState, Place
from lamella.errors import LamellaError, OutsideError
from lamella.rollout.journal.journal import Journal, LocalJournal, name_of, open_journal
from lamella.rollout.journal.journal_s3 import S3Journal
from lamella.rollout.journal.record import NotOursError
from lamella.rollout.model import After, Before, Deployment, Intent, Record

Open = Callable[[], Journal]


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture(params=["local", "s3"])
def opened(request: pytest.FixtureRequest, tmp_path: Path, fake: Fake) -> Open:
    """Opens the journal of one place; each as another run would."""
    if request.param == "local":
        return lambda: LocalJournal(str(tmp_path / ".lamella" / "rollout"), "prod")
    return lambda: S3Journal(fake.bucket, "prod")


def before(name: str, kept: str = "") -> Before:
    state = Fake().add_function(name, alias="live")
    return Before(state, "live", AliasState(name, "live", "1", "r1", (("2", 0.1),)), kept)


def after(name: str, version: str = "2") -> After:
    return After(name, "digest", ("arn:1",), "python3.12", "app.handler", "x86_64", version, "live")


def intent(*befores: Before, id: str = "i1") -> Intent:
    return Intent(id, 1_790_000_000.5, (after("api", ""),), befores, ("deps",))


def deployment(id: str, *befores: Before) -> Deployment:
    return Deployment(id, 1_790_000_001.0, befores, tuple(after(one.function.name) for one in befores), ("arn:1",))


def test_there_is_none(opened: Open) -> None:
    assert opened().read() == Record()
    assert opened().read().is_empty


def test_what_was_begun_and_finished(opened: Open) -> None:
    begun = intent(before("api"), before("cron")._replace(alias=None, alias_name=""))
    opened().begin(begun)
    assert opened().read() == Record((), begun, ())
    better = begun._replace(meant=(*begun.meant, after("cron", "")))
    opened().amend(better)
    assert opened().read() == Record((), better, ())
    done = deployment("i1", *begun.before)
    opened().finish(done)
    assert opened().read() == Record(done.after, None, (done,))


def test_the_last_ten(opened: Open) -> None:
    for number in range(12):
        opened().begin(intent(before("api"), id=str(number)))
        opened().finish(deployment(str(number), before("api")))
    assert [one.id for one in opened().read().history] == [str(number) for number in range(11, 1, -1)]


def test_what_was_put_back(opened: Open) -> None:
    api, cron = before("api"), before("cron")
    opened().begin(intent(api, cron))
    opened().forget([api], "i1")
    record = opened().read()
    assert record.unfinished is not None
    assert record.unfinished.before == (cron,)
    assert [(one.name, one.version) for one in record.functions] == [("api", "1")]
    opened().forget([cron], "i1")
    assert opened().read().unfinished is None


def test_a_deployment_that_was_rolled_back_is_no_longer_there(opened: Open) -> None:
    first, second = before("api"), before("api")._replace(kept="2")
    for number, one in (("1", first), ("2", second)):
        opened().begin(intent(one, id=number))
        opened().finish(deployment(number, one))
    opened().begin(intent(second, id="3"))
    opened().forget([second], "3")
    record = opened().read()
    assert [one.id for one in record.history] == ["1"]
    assert [(one.name, one.version) for one in record.functions] == [("api", "1")]


def test_what_the_deployment_is_not_about_stays_unfinished(opened: Open) -> None:
    api, cron = before("api"), before("cron")
    opened().begin(intent(api, cron))
    opened().finish(deployment("i1", api))
    record = opened().read()
    assert record.unfinished == intent(cron)._replace(meant=())
    assert [one.id for one in record.history] == ["i1"]
    opened().begin(intent(cron, id="i2"))
    opened().finish(deployment("i2"))  # nothing was changed: nothing to go back over
    assert [one.id for one in opened().read().history] == ["i1"]


@pytest.mark.parametrize("theirs", ["begun", "finished"])
def test_what_another_run_wrote_is_left_alone(theirs: str, opened: Open, tmp_path: Path) -> None:
    """The lock of this one was taken away, and it wakes up."""
    (tmp_path / "code.zip").write_bytes(b"code")
    opened().begin(intent(before("api")))
    opened().keep("k1", str(tmp_path / "code.zip"))
    opened().begin(intent(before("cron", "k1"), id="theirs"))
    if theirs == "finished":
        opened().finish(deployment("theirs", before("cron", "k1")))
    there = opened().read()
    ours = opened()
    writes: list[Callable[[], None]] = [
        lambda: ours.amend(intent(before("api"))),
        lambda: ours.finish(deployment("i1", before("api"))),
        lambda: ours.forget([before("api")], "i1"),
    ]
    for write in writes:
        with pytest.raises(NotOursError, match="another run has written to the journal"):
            write()
        assert opened().read() == there
    assert opened().kept("k1", str(tmp_path / "there.zip"))


def test_code_is_kept_as_long_as_it_is_needed(opened: Open, tmp_path: Path) -> None:
    code, there = tmp_path / "code.zip", tmp_path / "there.zip"
    code.write_bytes(b"code")
    assert not opened().kept("k1", str(there))
    opened().keep("k1", str(code))
    assert opened().kept("k1", str(there))
    assert there.read_bytes() == b"code"
    opened().begin(intent(before("api", "k1")))
    opened().finish(deployment("i1", before("api", "k1")))
    assert opened().kept("k1", str(there))
    opened().begin(intent(before("api", "k1"), id="i2"))
    opened().forget([before("api", "k1")], "i2")
    assert not opened().kept("k1", str(there))


def test_one_at_a_time(opened: Open) -> None:
    with opened().locked():
        with pytest.raises(BusyError, match="another deploy to this place is under way") as caught, opened().locked():
            pass
        assert "process" in caught.value.why[0]
        assert "holds the lock" in caught.value.why[0]
    with opened().locked():
        pass


def test_the_lock_of_a_process_that_was_killed_ends_with_it(tmp_path: Path) -> None:
    code = (
        "import os, sys\nfrom lamella.rollout.journal.journal import LocalJournal\n"
        f"with LocalJournal({str(tmp_path)!r}, 'prod').locked():\n    os._exit(1)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    with LocalJournal(str(tmp_path), "prod").locked():
        pass


def test_a_lock_in_s3_stays_until_it_is_taken_away(fake: Fake) -> None:
    fake.bucket.put("prod.lock", json.dumps({"process": 7, "user": "ci", "machine": "m", "since": "then"}).encode())
    journal = S3Journal(fake.bucket, "prod")
    with pytest.raises(BusyError) as caught, journal.locked():
        pass
    assert caught.value.why == (
        "process 7 of ci on m, since then, holds the lock of `s3://deploys/prod.json`",
    )  # fmt: skip
    assert "lamella deploy --unlock" in (caught.value.hint or "")
    assert journal.unlock() == "process 7 of ci on m, since then,"
    assert journal.unlock() == ""
    with journal.locked():
        assert "prod.lock" in fake.bucket.stored
    assert "prod.lock" not in fake.bucket.stored


def test_a_lock_whose_answer_was_lost_is_had(fake: Fake) -> None:
    journal = S3Journal(fake.bucket, "prod")

    def lost(name: str, arguments: tuple[object, ...], number: int) -> Fault | None:  # noqa: ARG001
        return unreachable(after=True) if name == "put" else None

    fake.faults = lost
    with journal.locked():
        fake.faults = None
        with pytest.raises(BusyError), S3Journal(fake.bucket, "prod").locked():
            pass


def test_a_lock_that_could_not_be_had(fake: Fake) -> None:
    fake.faults = lambda *_: unreachable()
    with pytest.raises(OutsideError), S3Journal(fake.bucket, "prod").locked():
        pass


def test_a_lock_that_somebody_else_has_by_now_is_left(fake: Fake) -> None:
    with S3Journal(fake.bucket, "prod").locked():
        fake.bucket.put("prod.lock", b'{"token": "theirs"}')
    assert "prod.lock" in fake.bucket.stored


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "is damaged"),
        (b"[]", "is damaged"),
        (b'{"schema": 1, "functions": 3}', "is damaged"),
        (b'{"schema": 1, "functions": [], "unfinished": null, "history": [], "more": 1}', "is damaged"),
        (
            b'{"schema": 1, "functions": [], "history": [], "unfinished": '
            b'{"id": "1", "started": 0, "digest": "", "before": [], "layers": []}}',
            "is damaged",
        ),
        (b'{"schema": 2}', "was written by a newer lamella"),
    ],
)
def test_what_lamella_did_not_write(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "prod.json").write_bytes(content)
    with pytest.raises(LamellaError, match=message) as caught:
        LocalJournal(str(tmp_path), "prod").read()
    assert "the next deploy goes by what AWS has" in (caught.value.hint or "")


def test_it_is_nothing_for_version_control(tmp_path: Path) -> None:
    LocalJournal(str(tmp_path / ".lamella" / "rollout"), "prod").begin(intent())
    assert (tmp_path / ".lamella" / ".gitignore").read_text() == "*\n"


def test_where_it_is(tmp_path: Path) -> None:
    cloud = Fake().cloud()
    assert open_journal(cloud, str(tmp_path)).where == str(
        tmp_path / ".lamella" / "rollout" / "default-123456789012-eu-central-1.json"
    )
    place = cloud.place._replace(environment="prod", journal="s3://journals/shop")
    where = open_journal(cloud._replace(place=place), str(tmp_path)).where
    assert where == "s3://journals/shop/prod-123456789012-eu-central-1.json"
    assert name_of(Place("", region="r", account="a")) == "default-a-r"
