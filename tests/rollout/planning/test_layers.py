from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamella.cloud.model import Place
from lamella.rollout.planning.layers import (
    Attach,
    identity,
    identity_here,
    layer_reasons,
    layers_after,
    name_of,
    short,
    version_of,
)

PLACE = Place(region="eu-central-1", account="123456789012")


def arn(name: str, version: int, account: str = "123456789012") -> str:
    return f"arn:aws:lambda:eu-central-1:{account}:layer:{name}:{version}"


def attach(name: str, version: int | None = None) -> Attach:
    return Attach(identity_here(PLACE, name), name if version is None else arn(name, version))


OURS = frozenset(identity_here(PLACE, name) for name in "abc")


def shorts(arns: Sequence[str]) -> str:
    return " ".join(short(one) for one in arns)


def test_an_arn_in_pieces() -> None:
    one = arn("deps", 7)
    assert identity(one) == identity_here(PLACE, "deps") == "eu-central-1:123456789012:layer:deps"
    assert identity(one) == identity(one.rpartition(":")[0]) != identity(arn("deps", 7, "999999999999"))
    assert (short(one), name_of(one), version_of(one)) == ("deps:7", "deps", "7")
    assert (short("deps"), name_of("deps"), version_of("deps")) == ("deps", "deps", "")


@pytest.mark.parametrize(
    ("attached", "wanted", "after"),
    [
        ([], [attach("a", 1), attach("b", 1)], "a:1 b:1"),
        ([arn("a", 1)], [attach("a", 2)], "a:2"),
        ([arn("a", 1)], [attach("a")], "a"),
        ([arn("x", 1), arn("a", 1), arn("y", 1)], [attach("a", 2)], "x:1 a:2 y:1"),
        ([arn("a", 1), arn("b", 1)], [attach("b", 1)], "b:1"),
        ([arn("x", 3)], [attach("a", 1)], "a:1 x:3"),
        ([arn("x", 3), arn("b", 1)], [attach("a", 1), attach("b", 1)], "a:1 x:3 b:1"),
        ([arn("x", 3), arn("a", 1), arn("y", 2)], [attach("a", 1), attach("b", 1)], "x:3 a:1 b:1 y:2"),
        ([arn("b", 1), arn("x", 3), arn("a", 1)], [attach("a", 1), attach("b", 2)], "a:1 x:3 b:2"),
        ([arn("x", 3), arn("c", 1)], [], "x:3"),
    ],
)  # fmt: skip
def test_the_layers_after(attached: list[str], wanted: list[Attach], after: str) -> None:
    assert shorts(layers_after(attached, wanted, OURS)) == after


def test_the_same_name_in_another_account_is_another_layer() -> None:
    foreign = arn("a", 9, "999999999999")
    assert layers_after([foreign], [attach("a", 1)], OURS) == (arn("a", 1), foreign)


NAMES = "abcxyz"
ATTACHED = st.lists(st.sampled_from(NAMES), unique=True).map(lambda names: [arn(name, 1) for name in names])
WANTED = st.lists(st.sampled_from("abc"), unique=True).map(lambda names: [attach(name, 2) for name in names])


@given(ATTACHED, WANTED)
def test_what_holds_of_all_of_them(attached: list[str], wanted: list[Attach]) -> None:
    after = layers_after(attached, wanted, OURS)
    identities = [identity(one) for one in after]
    assert len(set(identities)) == len(identities)
    assert [one for one in after if identity(one) in OURS] == [one.arn for one in wanted]
    foreign = [one for one in attached if identity(one) not in OURS]
    assert [one for one in after if identity(one) not in OURS] == foreign


@given(ATTACHED, WANTED)
def test_a_second_time_changes_nothing(attached: list[str], wanted: list[Attach]) -> None:
    after = layers_after(attached, wanted, OURS)
    assert layers_after(after, wanted, OURS) == after
    assert layer_reasons(after, after, {}, {}) == ()


@given(ATTACHED, WANTED)
def test_what_changes_has_a_reason(attached: list[str], wanted: list[Attach]) -> None:
    after = layers_after(attached, wanted, OURS)
    assert bool(layer_reasons(attached, after, {}, {})) == (tuple(attached) != after)


@given(ATTACHED, WANTED)
def test_nobody_moves_where_nothing_is_missing(attached: list[str], wanted: list[Attach]) -> None:
    there = {identity(one) for one in attached} & OURS
    if there != {one.identity for one in wanted}:
        return
    after = layers_after(attached, wanted, OURS)
    assert [identity(one) in OURS for one in after] == [identity(one) in OURS for one in attached]


def test_reasons_name_versions() -> None:
    names = {identity_here(PLACE, name): name for name in "ab"}
    before = [arn("a", 7), arn("c", 2)]
    assert layer_reasons(before, ["a", arn("b", 3)], names, {"a": 8}) == (
        "attach `a:8` instead of `:7`",
        "attach `b:3`",
        "detach `c:2`: it is no longer configured",
    )
    assert layer_reasons([arn("a", 1), arn("b", 1)], [arn("b", 1), arn("a", 1)], {}, {}) == (
        "put in the configured order: `b` `a`",
    )
