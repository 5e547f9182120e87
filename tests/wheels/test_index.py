from __future__ import annotations

import json

import pytest

from lamella.wheels.index import VERSION, from_json, to_json
from lamella.wheels.model import Member, Wheel

SAMPLE = Wheel(
    name="pair",
    version="1.0",
    filename="pair-1.0-py3-none-any.whl",
    sha256="ab" * 32,
    path="/cache/ab.whl",
    purelib=False,
    tags=("py2-none-any", "py3-none-any"),
    requires=("one>=2", "größe"),
    requires_python=None,
    scripts=(("pair", "pair:main"),),
    members=(
        Member("pair/__init__.py", 46, 10, 20, 4294967295, 1, 8, 0o644),
        Member("pair/größe.py", 5 * 1024**3, 0, 0, 0, 0, 0, 0o120777),
    ),
)


@pytest.mark.parametrize(
    "wheel",
    [SAMPLE, SAMPLE._replace(members=(), tags=(), requires=(), scripts=()), SAMPLE._replace(requires_python=">=3.9")],
)
def test_round_trip(wheel: Wheel) -> None:
    assert from_json(to_json(wheel), wheel.path) == wheel
    assert from_json(to_json(wheel), "/elsewhere.whl") == wheel._replace(path="/elsewhere.whl")


def test_members_are_what_the_model_says() -> None:
    (member, *_) = from_json(to_json(SAMPLE), "p").members
    assert isinstance(member, Member)
    assert member.packed_crc == 1


def test_the_path_is_not_kept() -> None:
    assert b"/cache" not in to_json(SAMPLE)


def test_the_same_wheel_gives_the_same_bytes() -> None:
    assert to_json(SAMPLE) == to_json(SAMPLE._replace(path="/elsewhere.whl"))


def other(**change: object) -> bytes:
    return json.dumps(json.loads(to_json(SAMPLE)) | change).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"null",
        to_json(SAMPLE)[:-1],
        other(v=VERSION + 1),
        other(members=[["a"]]),
        other(members=[["a"], [1], [], [], [], [], [], []]),
        other(members=7),
        other(scripts=["a"]),
        b"\xff",
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        from_json(data, "p")
