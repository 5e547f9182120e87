"""What holds of every plan: once it was carried out, there is nothing left to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cloud.fake import Fake
from tests.rollout.wishes import function, layer, wanted

from lamella.cloud.model import NewLayer
from lamella.rollout.model import Plan, Record, ShiftAlias, UpdateCode, UpdateConfiguration, Wanted
from lamella.rollout.planning.layers import identity, identity_here
from lamella.rollout.planning.plan import plan

LAYERS = ("one", "two")
WORDS = st.sampled_from([b"a", b"b"])
BYTES = st.sampled_from([b"a", b"b", b"new"])  # of layers: two are published
NOTHING = Record()


class There(NamedTuple):
    """A function of the account: the layers are pairs of name and version; a version may be published of it."""

    code: bytes
    layers: Sequence[tuple[str, int]]
    runtime: str
    alias: bool
    changed: bool


THERE = st.builds(
    There,
    WORDS,
    st.lists(st.tuples(st.sampled_from([*LAYERS, "foreign"]), st.integers(1, 2)), unique_by=lambda row: row[0]),
    st.sampled_from(["python3.12", "python3.11"]),
    st.booleans(),
    st.booleans(),
)
WISH = st.tuples(WORDS, st.lists(st.sampled_from(LAYERS), unique=True), st.sampled_from(["", "live"]))


def account(there: Sequence[There]) -> Fake:
    fake = Fake(takes=0, pending=0)
    for code in (b"a", b"b"):
        for name in LAYERS:
            fake.add_layer(name, code + name.encode())
        fake.add_layer("foreign", code, account="999999999999")
    for number, one in enumerate(there):
        arns = [
            fake.layer_arn(name, version, "999999999999" if name == "foreign" else "") for name, version in one.layers
        ]
        name = f"f{number}"
        fake.add_function(name, layers=arns, code=one.code, runtime=one.runtime, alias="live" if one.alias else "")
        if one.changed:
            fake.change(name, code=b"console")
    return fake


def carry_out(fake: Fake, found: Plan) -> None:
    arns = dict(found.versions)
    for publish in found.publish:
        arns[publish.layer.name] = fake.publish_layer(NewLayer(publish.layer.name, publish.layer.content)).arn
    for change in found.changes:
        name = change.wanted.name
        for step in change.steps:
            if isinstance(step, UpdateConfiguration):
                layers = [arns.get(text, text) for text in step.after]
                fake.update_configuration(
                    name, revision="", layers=layers, runtime=step.runtime[1], handler=step.handler[1]
                )  # fmt: skip
            elif isinstance(step, UpdateCode):
                fake.update_code(name, revision="", content=step.content, architecture=step.architecture[1])
            elif isinstance(step, ShiftAlias):
                version = fake.publish_version(name, revision="", code_sha256="", description="").version
                fake.point(name, step.alias, version)


@settings(deadline=None, max_examples=40)
@given(st.lists(THERE, min_size=1, max_size=3), st.lists(WISH, min_size=3, max_size=3), st.tuples(BYTES, BYTES))
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(
    there: Sequence[There], wishes: Sequence[tuple[bytes, list[str], str]], codes: tuple[bytes, bytes]
) -> None:
    fake = account(there)
    layers = [layer(name, code + name.encode()) for name, code in zip(LAYERS, codes, strict=True)]
    functions = [
        function(f"f{number}", code, names, alias)
        for (number, _), (code, names, alias) in zip(enumerate(there), wishes, strict=False)
    ]
    meant = wanted(*layers, *functions)
    found = plan(fake.cloud(), meant, NOTHING, refresh=True)
    foreign = {state.name: _foreign(fake, state.layers) for state in map(fake.state, _names(meant))}
    assert len(found.changes) + len(found.unchanged) == len(functions)
    assert [change.wanted.name for change in found.changes] == sorted(change.wanted.name for change in found.changes)
    carry_out(fake, found)
    assert plan(fake.cloud(), meant, NOTHING, refresh=True).is_empty
    for one in meant.functions:
        state = fake.state(one.name, one.alias)
        ours = [arn for arn in state.layers if identity(arn) in {identity_here(fake.place, name) for name in LAYERS}]
        assert [arn.split(":")[6] for arn in ours] == list(one.layers)
        assert _foreign(fake, state.layers) == foreign[one.name]
        assert state.code_sha256 == one.content.code_sha256


def _foreign(fake: Fake, layers: Sequence[str]) -> list[str]:
    return [arn for arn in layers if f":{fake.account}:" not in arn]


def _names(meant: Wanted) -> list[str]:
    return [one.name for one in meant.functions]
