"""What is said of functions, as an account in memory has them."""

from __future__ import annotations

from datetime import date

import pytest
from tests.cloud.fake import Fake, denied

from lamella.checks.model import Severity
from lamella.cloud.model import Content
from lamella.doctor.judge import Meant, judge
from lamella.doctor.model import Diagnosis
from lamella.doctor.seen import see
from lamella.rollout.model import WantedFunction

TODAY = date(2026, 11, 22)


@pytest.fixture
def fake() -> Fake:
    fake = Fake()
    fake.add_layer("deps", b"one")
    fake.add_function("api", layers=[fake.layer_arn("deps", 1)], code=b"code", alias="live")
    return fake


def meant(fake: Fake, **fields: object) -> Meant:
    """What is there is what is wanted, but for `fields`."""
    state = fake.state("api")
    wanted = WantedFunction(
        "api", "api", Content("", 0, "", state.code_sha256), state.runtime, state.handler, state.architecture,
        ("deps",), "live",
    )._replace(**fields)  # type: ignore[arg-type]  # fmt: skip
    digest = fake.layer_version("deps", 1).code_sha256
    return Meant(wanted, (("deps", digest),), environment="prod", options=("--region", fake.region))


def judged(fake: Fake, what: Meant, alias: str = "live") -> list[Diagnosis]:
    layers = what.wanted.layers if what.wanted else ()
    seen = see(fake.cloud(), "api", alias, tuple(layer for layer in layers if layer[:4] != "arn:"))
    return list(judge(seen, what, TODAY))


def reasons(found: list[Diagnosis]) -> list[tuple[str, str]]:
    return [(one.finding.check, one.finding.reason) for one in found]


def test_nothing_is_wrong(fake: Fake) -> None:
    assert judged(fake, meant(fake)) == []


def test_no_such_function(fake: Fake) -> None:
    fake.remove("api")
    fake.add_function("other")
    create = "aws lambda create-function --function-name api"
    (one,) = judge(see(fake.cloud(), "api"), Meant(create=create), TODAY)
    assert (one.finding.severity, one.fix) == (Severity.ERROR, (create,))
    (one,) = judge(see(fake.cloud(), "api"), Meant(), TODAY)
    assert one.fix[0].startswith("aws lambda list-functions")


def test_a_layer_that_is_not_attached(fake: Fake) -> None:
    fake.change("api", layers=())
    found = judged(fake, meant(fake), alias="")
    assert reasons(found) == [("layers", "layer `deps` is not attached")]
    assert found[0].fix == ("lamella deploy --env prod",)
    never = judged(fake, meant(fake, layers=("deps", "more")), alias="")
    assert ("layers", "layer `more` is not attached, and was never published") in reasons(never)


def test_layers_that_are_not_what_was_built(fake: Fake) -> None:
    what = meant(fake)._replace(digests=(("deps", "other"),))
    assert reasons(judged(fake, what)) == [("layers", "layer `deps:1` is not what was built")]


def test_layers_that_are_old_deleted_or_for_others(fake: Fake) -> None:
    fake.add_layer("deps", b"two", runtimes=["python3.11"])
    nothing = meant(fake)._replace(wanted=None)
    (old,) = judged(fake, nothing)
    assert old.finding.reason == "layer `deps:1` is not the newest: that is 2"
    assert old.fix == (
        f"aws lambda update-function-configuration --function-name api --layers {fake.layer_arn('deps', 2)} "
        "--region eu-central-1",
    )
    fake.change("api", layers=[fake.layer_arn("deps", 2)])
    (other,) = judged(fake, nothing, alias="")
    assert other.finding.reason == "layer `deps:2` says that it is for python3.11, not for python3.12"
    fake.delete_layer_version("deps", 2)
    assert reasons(judged(fake, nothing, alias=""))[0][1].startswith("layer `deps:2` was deleted")


def test_layers_of_others(fake: Fake) -> None:
    theirs = fake.add_layer("agent", account="999999999999")
    fake.change("api", layers=[fake.layer_arn("deps", 1), theirs])
    assert judged(fake, meant(fake), alias="") == []
    six = [fake.add_layer(f"x{number}") for number in range(4)]
    fake.change("api", layers=[fake.layer_arn("deps", 1), *six])
    found = judged(fake, meant(fake, layers=("deps", "more")), alias="")
    others = "`x0`, `x1`, `x2`, `x3`"
    assert (
        found[-1].finding.reason == f"it is to have 2 layers of its own, others attached {others}, and Lambda takes 5"
    )
    # A command that takes all of them away would break what others rely on
    assert (found[-1].finding.hint, found[-1].fix) == (f"take 1 of {others} away, or merge layers", ())
    fake.change("api", layers=[*six, theirs])
    found = judged(fake, meant(fake), alias="")
    assert found[-1].finding.reason.startswith("it is to have 1 layer of its own, ")
    assert found[-1].fix == ()


def test_order(fake: Fake) -> None:
    fake.add_layer("more")
    fake.change("api", layers=[fake.layer_arn("more", 1), fake.layer_arn("deps", 1)])
    found = reasons(judged(fake, meant(fake, layers=("deps", "more")), alias=""))
    assert [why for _, why in found] == [
        "its layers are in another order than configured: of two with one file the later wins"
    ]


def test_what_was_built_for_something_else(fake: Fake) -> None:
    found = judged(fake, meant(fake, runtime="python3.13", architecture="arm64", handler="app.main"))
    assert reasons(found) == [
        ("runtime", "its runtime is python3.12, and what was built is for python3.13"),
        ("architecture", "its architecture is x86_64, and what was built is for arm64"),
        ("handler", "its handler is `app.handler`, and the configuration says `app.main`"),
    ]


@pytest.mark.parametrize(("runtime", "severity"), [("python3.9", Severity.ERROR), ("python3.11", Severity.WARNING)])
def test_deprecated_runtimes_with_their_dates(fake: Fake, runtime: str, severity: Severity) -> None:
    fake.change("api", runtime=runtime)
    found = [one for one in judged(fake, meant(fake), alias="") if one.finding.check == "runtime"]
    assert [one.finding.severity for one in found] == [severity]
    assert f"{runtime} is deprecated since 202" in found[0].finding.reason


def test_code_and_alias(fake: Fake) -> None:
    what = meant(fake)
    fake.change("api", code=b"console")
    assert [check for check, _ in reasons(judged(fake, what))] == ["code", "alias"]
    assert reasons(judged(fake, meant(fake))) == [
        ("alias", "its alias `live` points at version 1, and $LATEST has other code")
    ]
    assert [why for _, why in reasons(judged(fake, meant(fake), alias="blue"))] == [
        "it has no alias `blue`: whoever calls it by that gets ResourceNotFoundException"
    ]


def test_a_canary_that_nobody_ended(fake: Fake) -> None:
    fake.publish_version("api", revision="", code_sha256="", description="")
    fake.point("api", "live", "1", [("1", 0.1)])
    found = judged(fake, meant(fake))
    assert reasons(found) == [("alias", "its alias `live` still sends 10% to version 1")]
    assert "AdditionalVersionWeights={}" in found[0].fix[0]


def test_states(fake: Fake) -> None:
    fake.change("api", state="Failed", reason="The role is gone")
    assert reasons(judged(fake, meant(fake), alias="")) == [("state", "it is Failed: The role is gone")]
    fake.change("api", state="Active", update="InProgress", reason="")
    (busy,) = judged(fake, meant(fake), alias="")
    assert busy.finding.severity is Severity.WARNING
    assert busy.fix == ("aws lambda wait function-updated-v2 --function-name api --region eu-central-1",)


def test_means_that_nobody_chose(fake: Fake) -> None:
    heavy = meant(fake)._replace(unzipped=210_000_000)
    found = judged(fake, heavy)
    assert [check for check, _ in reasons(found)] == ["memory", "timeout"]
    # How much is right nobody wrote down
    assert [(one.finding.hint.partition(":")[0], one.fix) for one in found] == [("give it more", ())] * 2
    fake.change("api", memory=512, timeout=30)
    assert judged(fake, heavy, alias="") == []


def test_means_are_not_the_configured_ones(fake: Fake) -> None:
    fake.change("api", memory=128, timeout=30)
    what = meant(fake)._replace(memory=1024, timeout=10)
    memory, timeout = judged(fake, what, alias="")
    assert memory.finding.reason == "its memory is 128 MB, and the configuration says 1024 MB"
    assert (memory.finding.severity, memory.finding.hint) == (Severity.WARNING, "a deploy never sets it")
    command = "aws lambda update-function-configuration --function-name api"
    assert memory.fix == (f"{command} --memory-size 1024 --region eu-central-1",)
    assert timeout.finding.severity is Severity.NOTE
    assert timeout.fix == (f"{command} --timeout 10 --region eu-central-1",)
    fake.change("api", memory=1024, timeout=10)
    assert judged(fake, what._replace(unzipped=210_000_000), alias="") == []


def test_commands_lead_to_where_it_was_looked(fake: Fake) -> None:
    fake.change("api", layers=())
    there = meant(fake)._replace(carried=("--profile", "ops", "--region", "eu-west-1"), output="out")
    found = judged(fake, there, alias="")
    assert found[0].fix == ("lamella deploy --env prod --profile ops --region eu-west-1 --output out",)
    assert there.rebuild == ("lamella build --output out", *found[0].fix)
    assert there._replace(wanted=None).rebuild == ()


def test_what_is_denied_is_part_of_the_answer(fake: Fake) -> None:
    refused = {"alias": "lambda:GetAlias", "layer_version": "lambda:GetLayerVersion"}
    fake.faults = lambda name, arguments, number: denied(refused[name]) if name in refused else None  # noqa: ARG005
    seen = see(fake.cloud(), "api", "live", ("deps",))
    assert {error.action for error in seen.denied} == set(refused.values())
    assert seen.function is not None
    assert judge(seen, Meant(), TODAY) == ()
    fake.faults = lambda *_: denied("lambda:GetFunctionConfiguration")
    assert judge(see(fake.cloud(), "api"), Meant(), TODAY) == ()


def test_a_container_image(fake: Fake) -> None:
    fake.add_function("image", package="Image")
    (one,) = judge(see(fake.cloud(), "image"), Meant(), TODAY)
    assert one.finding.severity is Severity.NOTE
