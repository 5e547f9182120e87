from __future__ import annotations

from tests.cloud.fake import Fake, code_digest
from tests.rollout.wishes import deployed, function, layer, wanted

from lamella.cloud.model import FunctionState, Invoked
from lamella.config.model import Smoke
from lamella.rollout.model import Record, Wanted
from lamella.rollout.proof.standing import Verdict, verify

HEALTH = Smoke("health", status=200)
PLAIN = function("plain", alias="", smoke=(HEALTH,))


def verified(fake: Fake, meant: Wanted) -> Verdict:
    before = [call for call in fake.written() if call[0] != "invoke"]
    found = verify(fake.cloud(), meant, Record(), lambda _: None)
    assert [call for call in fake.written() if call[0] != "invoke"] == before
    return found


def invoked(fake: Fake, status: int = 200) -> list[tuple[str, str]]:
    """What is invoked from now on: names and versions."""
    got: list[tuple[str, str]] = []

    def answer(state: FunctionState, _: bytes) -> Invoked:
        got.append((state.name, state.version))
        return Invoked(200, f'{{"statusCode": {status}}}'.encode(), "", "", state.version)

    fake.answers |= {"api": answer, "plain": answer}
    return got


def test_all_is_as_it_was_built_and_answers() -> None:
    fake, meant = Fake(), wanted(layer(), function(smoke=(HEALTH,)), PLAIN)
    deployed(fake, meant)
    got = invoked(fake)
    verdict = verified(fake, meant)
    assert not verdict.failures
    assert [(one.name, one.version, one.proven) for one in verdict.functions] == [
        ("api", "1", ("health",)),
        ("plain", "$LATEST", ("health",)),
    ]
    assert sorted(got) == [("api", "1"), ("plain", "$LATEST")]


def test_an_answer_that_is_not_as_it_should() -> None:
    fake, meant = Fake(), wanted(layer(), function(smoke=(HEALTH,)))
    deployed(fake, meant)
    invoked(fake, 500)
    (failure,) = verified(fake, meant).failures
    assert failure.what == "`health` failed on version 1"


def test_what_is_not_what_was_built_is_not_invoked() -> None:
    fake = Fake()
    deployed(fake, wanted(layer(), function(), PLAIN))
    meant = wanted(layer(code=b"v2"), function(code=b"new", smoke=(HEALTH,)), PLAIN._replace(handler="other.handler"))
    got = invoked(fake)
    verdict = verified(fake, meant)
    assert got == []
    found = {one.name: one.failures[0].why for one in verdict.functions}
    assert found["api"] == (
        "$LATEST: a deploy would attach `deps:2` instead of `:1`",
        "$LATEST has other code than was built",
        "`live` points at version 1",
    )
    assert "$LATEST: handler app.handler -> other.handler" in found["plain"]
    (missing,) = verdict.layers
    assert missing.function == "deps"
    assert "no version of the layer has the bytes that were built" in missing.what


def test_an_alias_that_somebody_moved_or_deleted() -> None:
    fake, meant = Fake(), wanted(layer(), function())
    deployed(fake, meant)
    fake.change("api", code_sha256=code_digest(b"hot"))
    state, cloud = fake.state("api"), fake.cloud()
    version = cloud.lambdas.publish_version("api", revision=state.revision, code_sha256="", description="").version
    fake.change("api", code_sha256=code_digest(b"code"))
    alias = cloud.lambdas.alias("api", "live")
    assert alias is not None
    cloud.lambdas.update_alias("api", "live", version=version, weights=(), revision=alias.revision)
    (failure,) = verified(fake, meant).failures
    assert failure.why == (f"`live` points at version {version}, which has other code",)
    fake.delete_alias("api", "live")
    (one,) = verified(fake, meant).functions
    assert one.version == ""
    assert one.failures[0].why == ("there is no alias `live`",)


def test_a_function_that_is_not_there() -> None:
    fake = Fake()
    deployed(fake, wanted(layer()))
    (one,) = verified(fake, wanted(layer(), function())).functions
    assert (one.version, one.failures[0].why) == ("", ("AWS has no such function",))
