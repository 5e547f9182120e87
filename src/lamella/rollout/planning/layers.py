"""Which layers a function has after a deploy, and what that means in words.  Pure.

A layer is told by its ARN without the version, its *identity*: two versions of one layer can't be on one function
(AWS Lambda API reference, UpdateFunctionConfiguration: Layers).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from lamella.cloud.model import Place
from lamella.rollout.model import Record

_PARTS = 8  # arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION


class Attach(NamedTuple):
    """A wanted layer of a function, told by its `identity`.

    `arn` is the version to attach, or the layer's name where that is yet to be published.
    """

    identity: str
    arn: str


def identity(arn: str) -> str:
    """The ARN of a layer version without its version and partition: region, account and name."""
    parts = arn.split(":")
    return ":".join(parts[3:7]) if len(parts) >= _PARTS - 1 else arn


def identity_here(place: Place, name: str) -> str:
    """That of the layer of this name in the place's account and region."""
    return f"{place.region}:{place.account}:layer:{name}"


def ours(place: Place, configured: Iterable[str], record: Record) -> frozenset[str]:
    """The identities of layers that this project attaches, or did: those of others are left alone.

    `configured` are names of layers here, and ARNs of other people's layer versions.
    """
    texts = [*configured, *(layer for deployment in record.history for layer in deployment.layers)]
    texts += record.unfinished.layers if record.unfinished else ()
    return frozenset(identity(text) if text.startswith("arn:") else identity_here(place, text) for text in texts)


def short(arn: str) -> str:
    """``spectra-dependencies:7`` for the ARN of a layer version; anything else as it is."""
    parts = arn.split(":")
    return ":".join(parts[6:]) if len(parts) >= _PARTS - 1 else arn


def name_of(arn: str) -> str:
    """``spectra-dependencies``, for the ARN of a layer version."""
    return short(arn).split(":")[0]


def version_of(arn: str) -> str:
    """The number of a layer version as text; "" where there is none yet."""
    parts = arn.split(":")
    return parts[_PARTS - 1] if len(parts) == _PARTS else ""


def layers_after(attached: Sequence[str], wanted: Sequence[Attach], ours: AbstractSet[str]) -> tuple[str, ...]:
    """The layers of a function after a deploy, as ARNs, in Lambda's order: of two with one file, the later wins.

    `ours` are identities: an attached layer that is one of them and no longer wanted goes.  Everybody else's stay, in
    order.  Wanted ones that are attached keep the places that such ones hold, in the order in which they are wanted.
    One that is missing comes right behind the one that is wanted before it, or, where it is the first, before all:
    what other people put on the function stays stronger than it.
    """
    by_identity = {one.identity: one for one in wanted}
    first = {identity(arn): arn for arn in reversed(attached)}  # AWS takes no two versions of one layer
    kept = [arn for one, arn in reversed(first.items()) if one in by_identity or one not in ours]
    there = {identity(arn) for arn in kept}
    in_order = iter([one.arn for one in wanted if one.identity in there])
    after = [next(in_order) if identity(arn) in by_identity else arn for arn in kept]
    at = 0
    for one in wanted:
        if one.identity in there:
            at = after.index(one.arn) + 1
        else:
            after.insert(at, one.arn)
            at += 1
    return tuple(after)


def layer_reasons(
    before: Sequence[str], after: Sequence[str], names: Mapping[str, str], expected: Mapping[str, int]
) -> tuple[str, ...]:
    """What becomes of the layers, a sentence each.

    `names` maps identities to the names by which `after` has them; `expected` names to version numbers to come.
    """
    old = {identity(arn): arn for arn in before}
    new = {_identity_of(one, names): one for one in after}
    lines = []
    for one, text in new.items():
        shown = text if text.startswith("arn:") else f"{text}:{expected.get(text, '?')}"
        if one not in old:
            lines.append(f"attach `{short(shown)}`")
        elif old[one] != text:
            lines.append(f"attach `{short(shown)}` instead of `:{version_of(old[one])}`")
    lines += [f"detach `{short(arn)}`: it is no longer configured" for one, arn in old.items() if one not in new]
    common = [one for one in old if one in new]
    if common != [one for one in new if one in old]:
        order = " ".join(f"`{name_of(new[one])}`" for one in new)
        lines.append(f"put in the configured order: {order}")
    return tuple(lines)


def _identity_of(text: str, names: Mapping[str, str]) -> str:
    """Of an ARN, or of a name that stands for a version to come."""
    if text.startswith("arn:"):
        return identity(text)
    return next((one for one, name in names.items() if name == text), text)
