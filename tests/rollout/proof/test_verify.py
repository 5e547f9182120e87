"""Is what AWS has what was meant?"""

from __future__ import annotations

from typing import Any

import pytest

from lamella.cloud.model import FunctionState
from lamella.rollout.model import After
from lamella.rollout.proof.verify import differences

_LAYER = "arn:aws:lambda:eu-central-1:123456789012:layer:"
_ONE, _TWO = f"{_LAYER}deps:7", f"{_LAYER}tools:3"
_MEANT = After("api", "c1=", (_ONE, _TWO), "python3.12", "app.handler", "x86_64", "8", "live")
_GOT = FunctionState(
    "api", "arn", "8", "c1=", 512, "python3.12", "app.handler", "x86_64", (_ONE, _TWO), "r", "", "Active", "Successful"
)  # fmt: skip


def test_nothing_differs() -> None:
    assert differences(_MEANT, 512, _GOT) == ()
    assert differences(_MEANT, None, _GOT) == ()
    assert differences(_MEANT, 512, _GOT._replace(state="", update="")) == ()
    assert differences(_MEANT, 512, _GOT._replace(state="Inactive")) == ()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"code_sha256": "c2="}, "its code has the CodeSha256 `c2=`, not `c1=`"),
        ({"size": 1024}, "its code has 1,024 bytes, not 512"),
        ({"runtime": "python3.11"}, "its runtime is `python3.11`, not `python3.12`"),
        ({"handler": "x.y"}, "its handler is `x.y`, not `app.handler`"),
        ({"architecture": "arm64"}, "its architecture is `arm64`, not `x86_64`"),
        ({"version": "9"}, "it is version 9, not 8"),
        ({"state": "Failed", "reason": "no\x1b role"}, "its state is Failed: no\\x1b role"),
        ({"state": "Pending"}, "its state is Pending"),
        ({"update": "InProgress"}, "its last update is InProgress"),
        ({"layers": (_ONE,)}, f"the layer `{_TWO}` is not attached"),
        ({"layers": (_ONE, _TWO, "arn:x:1")}, "the layer `arn:x:1` is attached, and wasn't meant to be"),
        ({"layers": (_TWO, _ONE)}, f"its layers are in another order: `{_TWO}` stands where `{_ONE}` was meant"),
    ],
)
def test_each_difference_is_a_sentence(fields: dict[str, Any], said: str) -> None:
    assert differences(_MEANT, 512, _GOT._replace(**fields)) == (said,)


def test_an_exchanged_layer_is_told_with_both_versions() -> None:
    got = _GOT._replace(layers=(f"{_LAYER}deps:6", _TWO))
    assert differences(_MEANT, 512, got) == (
        f"the layer `{_ONE}` is not attached",
        f"the layer `{_LAYER}deps:6` is attached, and wasn't meant to be",
    )


def test_the_same_layer_twice_is_not_the_same() -> None:
    assert differences(_MEANT._replace(layers=(_ONE,)), 512, _GOT._replace(layers=(_ONE, _ONE))) != ()
