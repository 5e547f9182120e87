from __future__ import annotations

import pytest
from tests.cloud.fake import Fake, code_digest
from tests.rollout.wishes import deployed, function, layer, wanted

from lamella.aws import BusyError
from lamella.cloud.model import FunctionState
from lamella.config.model import Canary, Smoke
from lamella.errors import LamellaError
from lamella.rollout.model import (
    After,
    Before,
    Deployment,
    Drift,
    FunctionChange,
    Intent,
    Plan,
    ProveVersion,
    PublishVersion,
    Record,
    ShiftAlias,
    UpdateCode,
    UpdateConfiguration,
    Wanted,
)
from lamella.rollout.planning.plan import plan

NOTHING = Record()
NOVEMBER_20 = 1_795_132_800.0  # 2026-11-20, in seconds since 1970


def made(fake: Fake, meant: Wanted, record: Record = NOTHING, *, refresh: bool = False) -> Plan:
    """The plan; making it changes nothing."""
    before = len(fake.written())
    found = plan(fake.cloud(), meant, record, refresh=refresh)
    assert len(fake.written()) == before
    return found


def steps(change: FunctionChange) -> list[str]:
    return [type(step).__name__ for step in change.steps]


def after(state: FunctionState, version: str = "1", alias: str = "live") -> After:
    return After(
        state.name, state.code_sha256, state.layers, state.runtime, state.handler, state.architecture, version, alias
    )  # fmt: skip


def record_of(*rows: After) -> Record:
    layers = tuple(arn for row in rows for arn in row.layers)
    return Record(rows, None, (Deployment("1", NOVEMBER_20, (), rows, layers),))


def drift_of(fake: Fake, meant: Wanted, record: Record, *, refresh: bool = False) -> list[str]:
    return [f"{one.function} {one.kind}: {one.what}" for one in made(fake, meant, record, refresh=refresh).drift]


def test_nothing_is_there() -> None:
    found = made(Fake(), wanted(layer(), function()))
    (publish,) = found.publish
    assert (publish.layer.name, publish.expected, publish.why) == ("deps", 1, "there is no version yet")
    assert (found.missing, found.changes, found.unchanged) == (("api",), (), ())
    assert not found.is_empty


def test_nothing_to_do() -> None:
    fake = Fake()
    meant = wanted(layer(), function(), function("other", alias=""))
    deployed(fake, meant)
    found = made(fake, meant, refresh=True)
    assert found.is_empty
    assert found.unchanged == ("api", "other")
    assert found.versions == (("deps", fake.layer_arn("deps", 1)),)
    assert found.drift == ()
    assert found.notes == ()
    assert found.upload == 0


def test_a_layer_with_other_bytes_is_attached_everywhere() -> None:
    fake = Fake()
    deployed(fake, wanted(layer(), function("a"), function("b", alias=""), function("c", layers=[])))
    found = made(fake, wanted(layer(code=b"v2"), function("a"), function("b", alias=""), function("c", layers=[])))
    assert [(one.expected, one.why) for one in found.publish] == [(2, "the newest version, 1, has other bytes")]
    assert [change.wanted.name for change in found.changes] == ["a", "b"]
    assert steps(found.changes[0]) == ["UpdateConfiguration", "PublishVersion", "ProveVersion", "ShiftAlias"]
    assert steps(found.changes[1]) == ["UpdateConfiguration", "ProveVersion"]
    update = found.changes[0].steps[0]
    assert isinstance(update, UpdateConfiguration)
    assert (update.before, update.after) == ((fake.layer_arn("deps", 1),), ("deps",))
    assert update.why == ("attach `deps:2` instead of `:1`",)
    assert found.unchanged == ("c",)
    assert found.versions == ()
    assert found.upload == 2


def test_a_version_with_these_bytes_is_used_again() -> None:
    fake = Fake()
    meant = wanted(layer(), function())
    deployed(fake, meant)
    fake.add_layer("deps", b"somebody's")
    assert made(fake, meant).is_empty  # v1 is attached, and has the wanted bytes
    fake.change("api", layers=(fake.layer_arn("deps", 2),))
    fake.add_layer("deps", b"v1")
    (change,) = made(fake, meant).changes
    assert isinstance(change.steps[0], UpdateConfiguration)
    assert change.steps[0].after == (fake.layer_arn("deps", 3),)


def test_a_number_alone_is_no_reason_to_change() -> None:
    fake = Fake()
    meant = wanted(layer(), function())
    deployed(fake, meant)
    fake.add_layer("deps", b"v1")
    assert made(fake, meant).is_empty


def test_a_deleted_version_is_no_version() -> None:
    fake = Fake()
    meant = wanted(layer(), function())
    deployed(fake, meant)
    fake.delete_layer_version("deps", 1)
    found = made(fake, meant)
    assert [one.why for one in found.publish] == ["there is no version yet"]
    assert [change.wanted.name for change in found.changes] == ["api"]


def test_code_runtime_and_handler() -> None:
    fake = Fake()
    deployed(fake, wanted(layer(), function()))
    meant = wanted(
        layer(), function(code=b"new code", runtime="python3.13", handler="app.other", architecture="arm64")
    )  # fmt: skip
    (change,) = made(fake, meant).changes
    configuration, code, publish, prove, shift = change.steps
    assert isinstance(configuration, UpdateConfiguration)
    assert configuration.why == ("runtime python3.12 -> python3.13", "handler app.handler -> app.other")
    assert configuration.before == configuration.after
    assert isinstance(code, UpdateCode)
    assert code.why == ("$LATEST has other code than was built", "architecture x86_64 -> arm64")
    assert (code.before, code.architecture) == (code_digest(b"code"), ("x86_64", "arm64"))
    assert isinstance(publish, PublishVersion)
    assert isinstance(prove, ProveVersion)
    assert isinstance(shift, ShiftAlias)
    assert shift.before == fake.pointed("api", "live") == change.alias
    assert shift.why == "`live` points at version 1"
    assert change.behind == fake.state("api", "1")


def test_an_alias_that_is_missing_is_made_without_a_canary() -> None:
    fake = Fake()
    deployed(fake, wanted(layer(), function(alias="")))
    canary = Canary(0.1, 5)
    meant = wanted(layer(), function(code=b"new", canary=canary, smoke=(Smoke("health"),)))
    (change,) = made(fake, meant).changes
    _, _, prove, shift = change.steps
    assert prove == ProveVersion((Smoke("health"),))
    assert shift == ShiftAlias("live", None, None, "there is no alias `live`")
    fake.create_alias("api", "live", fake.publish_version("api", revision="", code_sha256="", description="").version)
    (change,) = made(fake, meant).changes
    assert isinstance(change.steps[-1], ShiftAlias)
    assert change.steps[-1].canary == canary


def test_other_peoples_layers_stay() -> None:
    fake = Fake()
    foreign = fake.add_layer("monitor", account="999999999999")
    gone = fake.add_layer("old")
    fake.add_layer("deps", b"v1")
    fake.add_function("api", layers=[foreign, gone], alias="live")
    meant = wanted(layer(), function())
    (change,) = made(fake, meant, Record((), None, (Deployment("1", 0.0, (), (), (gone,)),))).changes
    assert isinstance(change.steps[0], UpdateConfiguration)
    assert change.steps[0].after == (fake.layer_arn("deps", 1), foreign)
    assert change.steps[0].why == ("attach `deps:1`", "detach `old:1`: it is no longer configured")
    (change,) = made(fake, meant).changes  # nobody says that `old` was ours
    assert isinstance(change.steps[0], UpdateConfiguration)
    assert change.steps[0].after == (fake.layer_arn("deps", 1), foreign, gone)


def test_somebody_elses_layer_that_is_configured() -> None:
    fake = Fake()
    one, two = (fake.add_layer("tools", code, account="999999999999") for code in (b"1", b"2"))
    fake.add_function("api", layers=[one], alias="live")
    (change,) = made(fake, wanted(function(layers=[two]))).changes
    assert isinstance(change.steps[0], UpdateConfiguration)
    assert change.steps[0].after == (two,)


@pytest.mark.parametrize("refresh", [False, True])
def test_an_alias_that_is_elsewhere_is_found_by_refresh(refresh: bool) -> None:
    fake = Fake()
    meant = wanted(layer(), function())
    deployed(fake, meant)
    fake.change("api", code=b"other")
    fake.publish_version("api", revision="", code_sha256="", description="")
    fake.change("api", code=b"code")
    fake.point("api", "live", "2")
    found = made(fake, meant, refresh=refresh)
    if not refresh:
        assert found.is_empty
        assert "`--refresh` reads them" in found.notes[0]
        return
    (change,) = found.changes
    assert steps(change) == ["PublishVersion", "ProveVersion", "ShiftAlias"]
    assert isinstance(change.steps[2], ShiftAlias)
    assert change.steps[2].why == "`live` points at version 2, which has other code"


def test_weights_and_latest_behind_an_alias() -> None:
    fake = Fake()
    meant = wanted(layer(), function())
    deployed(fake, meant)
    fake.publish_version("api", revision="", code_sha256="", description="")
    fake.point("api", "live", "1", [("2", 0.25)])
    (change,) = made(fake, meant, refresh=True).changes
    assert isinstance(change.steps[-1], ShiftAlias)
    assert change.steps[-1].why == "`live` sends 25% to version 2"
    fake.point("api", "live", "$LATEST")
    (change,) = made(fake, meant, refresh=True).changes
    assert isinstance(change.steps[-1], ShiftAlias)
    assert change.steps[-1].why == "`live` points at $LATEST, which anybody may change"


def test_drift_from_what_was_deployed() -> None:
    fake = Fake()
    meant = wanted(layer(), layer("more", b"m"), function(layers=["deps", "more"]))
    deployed(fake, meant)
    record = record_of(after(fake.state("api")))
    assert drift_of(fake, meant, record) == []
    fake.add_layer("deps", b"by hand")
    fake.change("api", code=b"console", layers=(fake.layer_arn("deps", 2),), handler="console.handler")
    assert drift_of(fake, meant, record) == [
        "api code: code was changed outside: it is not what was deployed on 2026-11-20",
        "api layers: layer `deps` was exchanged: 1 -> 2",
        "api layers: layer `more:1` was detached",
        "api handler: handler was changed outside: app.handler -> console.handler",
    ]
    (change,) = made(fake, meant, record).changes
    assert isinstance(change.steps[0], UpdateConfiguration)
    assert change.steps[0].why == (
        "attach `deps:1` instead of `:2`", "attach `more:1`", "handler console.handler -> app.handler"
    )  # fmt: skip


def test_drift_of_layers_is_about_ours() -> None:
    fake = Fake()
    meant = wanted(layer(), layer("more", b"m"), function(layers=["deps"]))
    deployed(fake, meant)
    record = record_of(after(fake.state("api")))
    foreign = fake.add_layer("monitor", account="999999999999")
    fake.change("api", layers=(foreign, fake.layer_arn("deps", 1)))
    assert drift_of(fake, meant, record) == []
    fake.change("api", layers=(fake.layer_arn("deps", 1), fake.layer_arn("more", 1)))
    assert drift_of(fake, meant, record) == ["api layers: layer `more:1` was attached outside"]


def test_drift_that_the_plan_leaves_alone() -> None:
    """What was built now is what somebody had put there by hand."""
    fake = Fake()
    deployed(fake, wanted(layer(), function(alias="")))
    record = record_of(after(fake.state("api"), version="", alias=""))
    fake.change("api", code=b"console")
    found = made(fake, wanted(layer(), function(code=b"console", alias="")), record)
    assert found.is_empty
    assert [one.kind for one in found.drift] == ["code"]


def test_drift_of_an_alias() -> None:
    fake = Fake()
    meant = wanted(layer(), function())
    deployed(fake, meant)
    record = record_of(after(fake.state("api")))
    fake.publish_version("api", revision="", code_sha256="", description="")
    fake.change("api", code=b"other")
    fake.publish_version("api", revision="", code_sha256="", description="")
    fake.change("api", code=b"code")
    fake.point("api", "live", "2", [("1", 0.1)])
    assert drift_of(fake, meant, record) == []
    assert drift_of(fake, meant, record, refresh=True) == [
        "api alias: alias `live` points at version 2, not at 1, which was deployed on 2026-11-20",
        "api alias: alias `live` sends 10% of the invocations to version 1",
    ]
    fake.delete_alias("api", "live")
    assert drift_of(fake, meant, record, refresh=True) == ["api alias: alias `live` was deleted"]


@pytest.mark.parametrize("alias", ["blue", ""])
def test_an_alias_that_is_called_otherwise_now_is_no_drift(alias: str) -> None:
    fake = Fake()
    deployed(fake, wanted(layer(), function()))
    record = record_of(after(fake.state("api")))
    found = made(fake, wanted(layer(), function(alias=alias)), record, refresh=True)
    assert found.drift == ()
    assert found.notes == (
        "alias `live` of `api` stays as it is, at version 1 when it was deployed last: nothing moves it any more",
    )


def test_drift_without_a_record_is_told_by_the_version_behind_the_alias() -> None:
    fake = Fake()
    meant = wanted(layer(), function())
    deployed(fake, meant)
    fake.change("api", code=b"console", runtime="python3.11")
    assert made(fake, meant).drift == (
        Drift("api", "code", "code was changed outside since version 1 was published"),
        Drift(
            "api", "runtime",
            "runtime was changed outside since version 1 was published: python3.12 -> python3.11",
        ),
    )  # fmt: skip


def test_an_unfinished_deploy_is_gone_on_with() -> None:
    fake = Fake()
    meant = wanted(layer(), function(), function("plain", alias=""))
    deployed(fake, meant)
    before = (Before(fake.state("api"), "live", fake.pointed("api", "live")), Before(fake.state("plain")))
    # As the deploy did that was killed
    meant_then = tuple(after(fake.change(name, code=b"new"), "", "") for name in ("api", "plain"))
    record = record_of(after(before[0].function), after(before[1].function, "", ""))
    record = record._replace(unfinished=Intent("2", 0.0, meant_then, before, ()))
    found = made(fake, wanted(layer(), function(code=b"new"), function("plain", code=b"new", alias="")), record)
    assert [steps(change) for change in found.changes] == [
        ["PublishVersion", "ProveVersion", "ShiftAlias"], ["ProveVersion"]
    ]  # fmt: skip
    assert found.drift == ()
    assert "did not come to its end" in found.notes[0]


def test_what_somebody_changes_amid_an_unfinished_deploy_is_drift() -> None:
    fake = Fake()
    deployed(fake, wanted(layer(), function("plain", alias="")))
    before = fake.state("plain")
    then = after(fake.change("plain", code=b"new"), "", "")
    record = Record((), Intent("2", NOVEMBER_20, (then,), (Before(before),), ()))
    everything = wanted(layer(), function("plain", code=b"new", alias=""))
    assert drift_of(fake, everything, record) == []
    fake.change("plain", code=b"hot fix", layers=())
    why = "it is neither what the deploy of 2026-11-20 found, which did not come to its end, nor what that meant"
    assert drift_of(fake, everything, record) == [
        f"plain code: code was changed outside: {why}",
        f"plain layers: layers were changed outside: {why}",
    ]


def test_a_function_of_an_unfinished_deploy_that_is_no_longer_configured_is_told() -> None:
    fake = Fake()
    meant = wanted(layer(), function())
    deployed(fake, meant)
    gone = fake.add_function("gone")
    record = Record((), Intent("2", 0.0, (), (Before(gone),), ()))
    [note] = made(fake, meant, record).notes
    assert note.startswith(
        "`gone` was part of a deploy or rollback that did not come to its end, and is no longer configured"
    )


def test_an_update_that_failed_is_sent_again() -> None:
    """AWS has the wanted values then, but users meet what was there before."""
    fake = Fake()
    meant = wanted(layer(), function(), function("plain", alias=""))
    deployed(fake, meant)
    for name in ("api", "plain"):
        fake.change(name, update="Failed", reason="EFS is broken")
    found = made(fake, meant)
    assert [steps(change) for change in found.changes] == [
        ["UpdateConfiguration", "PublishVersion", "ProveVersion", "ShiftAlias"],
        ["UpdateConfiguration", "ProveVersion"],
    ]
    update = found.changes[0].steps[0]
    assert isinstance(update, UpdateConfiguration)
    assert update.why == ("its last update failed: EFS is broken; it is sent again",)
    assert update.before == update.after == fake.state("api").layers


def test_images_are_refused() -> None:
    fake = Fake()
    fake.add_function("api", package="Image")
    with pytest.raises(LamellaError, match="`api` is deployed as a container image"):
        made(fake, wanted(layer(), function()))


def test_an_update_that_is_under_way_is_waited_for() -> None:
    fake = Fake()
    deployed(fake, wanted(layer(), function()))
    meant = wanted(layer(), function(code=b"new"))
    fake.change("api", update="InProgress")
    with pytest.raises(BusyError, match="`api` is being changed") as caught:
        made(fake, meant)
    assert "aws lambda wait function-updated-v2 --function-name api" in (caught.value.hint or "")
    ours = Record((), Intent("1", 0.0, (), (Before(fake.state("api")),), ()))
    assert made(fake, meant, ours).changes


def test_a_failed_function_is_refused_with_its_reason() -> None:
    fake = Fake()
    deployed(fake, wanted(layer(), function()))
    fake.change("api", state="Failed", reason="the subnet\x1b is gone")
    with pytest.raises(LamellaError, match="in the state Failed") as caught:
        made(fake, wanted(layer(), function(code=b"new")))
    assert caught.value.why == ("`api`: the subnet\\x1b is gone",)


def test_six_layers_are_refused() -> None:
    fake = Fake()
    foreign = [fake.add_layer(f"other{number}", account="999999999999") for number in range(4)]
    fake.add_function("api", layers=foreign, alias="live")
    meant = wanted(layer("a"), layer("b", b"b"), function(layers=["a", "b"]))
    with pytest.raises(LamellaError, match="1 function would have more than 5 layers") as caught:
        made(fake, meant)
    assert caught.value.why[0] == "`api`: a, b, other0, other1, other2, other3"


def test_two_versions_of_one_layer_are_refused() -> None:
    fake = Fake()
    one, two = (fake.add_layer("tools", code, account="999999999999") for code in (b"1", b"2"))
    fake.add_function("api", alias="live")
    with pytest.raises(LamellaError, match="`api` is to have two versions of `tools`"):
        made(fake, wanted(function(layers=[one, two])))


def test_a_large_zip_needs_a_bucket() -> None:
    fake = Fake()
    fake.add_function("api", alias="live")
    large = layer()
    large = large._replace(content=large.content._replace(size=52_428_801))
    with pytest.raises(LamellaError, match="1 zip is too large to go up without S3"):
        made(fake, wanted(large, function()))
    place = fake.place._replace(bucket="deploys")
    found = plan(fake.cloud(place), wanted(large, function()), NOTHING)
    assert [one.through_s3 for one in found.publish] == [True]
    assert found.upload == 52_428_801 + 0


def test_a_zip_through_s3_goes_up_once_for_all_that_have_it() -> None:
    fake = Fake()
    functions = []
    for name, code, size in (("a", b"large", 60_000_000), ("b", b"large", 60_000_000), ("c", b"c", 1), ("d", b"c", 1)):
        fake.add_function(name, alias="live", code=b"old")
        one = function(name, code, layers=[])
        functions.append(one._replace(content=one.content._replace(size=size)))
    found = plan(fake.cloud(fake.place._replace(bucket="deploys")), wanted(*functions), NOTHING)
    assert len(found.changes) == 4
    assert found.upload == 60_000_000 + 1 + 1


def test_a_layer_that_no_function_has_is_published_too() -> None:
    found = made(Fake(), wanted(layer()))
    assert [one.layer.name for one in found.publish] == ["deps"]
    assert not found.is_empty


def test_a_version_that_goes_with_the_last_function_that_had_it_is_not_used_again() -> None:
    """Else the deploy after would publish the same bytes."""
    fake = Fake()
    deployed(fake, wanted(layer(), function()))
    fake.add_layer("deps", b"somebody's")
    found = made(fake, wanted(layer(), function(layers=[])))
    assert [one.expected for one in found.publish] == [3]
    assert found.versions == ()
