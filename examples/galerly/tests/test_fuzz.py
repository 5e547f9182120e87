"""Mutilated pictures: no crash, no hang beyond the limits, and either renditions or a clear refusal."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from examples.galerly.tests import pictures as made
from examples.galerly.tests.pictures import Pictures
from examples.galerly.tests.processing import Processor, processing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.deployed.moto_server import AwsServer

SECONDS = 4
# GALERLY_FUZZ=20 for a night
TIMES = int(os.environ.get("GALERLY_FUZZ", "1"))
NAMES = [
    "small.jpg", "small-progressive.jpg", "small.png", "small.gif", "small.webp", "small-lossless.webp", "small.heic",
    "small.dng", "small-previewed.dng", "small.cr2", "small.raf", "small.cr3",
]  # fmt: skip
# What counts, lengths and offsets are read as, where they do harm
EVIL = [b"\0\0", b"\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x80\0\0\0"]

Change = tuple[str, float, float, bytes]
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["over", "over", "over", "cut", "drop", "twice", "in", "swap"]),
        st.floats(0, 1, exclude_max=True),
        st.floats(0, 0.2),
        st.one_of(st.binary(min_size=1, max_size=8), st.sampled_from(EVIL)),
    ),
    min_size=1,
    max_size=6,
)


def mutilated(picture: bytes, changes: list[Change]) -> bytes:
    """Places and lengths are parts of the whole: what is before a change does not decide where the next one is."""
    data = bytearray(picture)
    for kind, place, part, content in changes:
        # Most of what goes wrong is in the headers: every second change is in the first kilobyte
        span = min(len(data), 1024) if round(part * 1e6) % 2 else len(data)
        at, length = int(place * span), int(part * len(data)) + 1
        if kind == "over":
            data[at : at + len(content)] = content
        elif kind == "cut":
            del data[at + 1 :]
        elif kind == "drop":
            del data[at : at + length]
        elif kind == "twice":
            data[at:at] = data[at : at + length]
        elif kind == "in":
            data[at:at] = content
        else:
            data[at : at + length] = data[at : at + length][::-1]
    return bytes(data)


@pytest.fixture(scope="module")
def small(pictures: Pictures) -> dict[str, bytes]:
    preview = pictures["small.jpg"]
    return {
        **{name: pictures[name] for name in NAMES if name in pictures.drawn},
        "small.dng": made.dng(64, 48),
        "small-previewed.dng": made.dng(64, 48, preview=preview),
        **{f"small.{kind}": made.of_maker(kind.upper(), preview) for kind in ("cr2", "raf", "cr3")},
    }


@pytest.fixture(scope="module")
def hurried(built: Path, aws: AwsServer) -> Iterator[Processor]:
    with processing(built, aws, GALERLY_MAX_SECONDS=str(SECONDS), GALERLY_MAX_PIXELS="20000000") as running:
        yield running


def survives(processor: Processor, name: str, picture: bytes) -> None:
    answer = processor.process(name, picture)
    assert not answer.error, answer
    assert len(answer.made) + len(answer.kept) + len(answer.refused) == 1
    assert answer.seconds < SECONDS + 2
    assert "Traceback" not in answer.log
    if answer.refused:
        assert len(answer.reason) > 10
        assert json.loads(processor.file(name, "refused.json"))["reason"] == answer.reason
        assert processor.files(name) == ["refused.json"]
    else:
        assert "photo.json" in processor.files(name)


def test_unharmed_they_are_pictures(hurried: Processor, small: dict[str, bytes]) -> None:
    assert set(small) == set(NAMES)
    for name, picture in small.items():
        assert hurried.process(name, picture).made, name


@settings(max_examples=150 * TIMES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(NAMES), CHANGES)
def test_mutilated_pictures(hurried: Processor, small: dict[str, bytes], name: str, changes: list[Change]) -> None:
    survives(hurried, name, mutilated(small[name], changes))


TAGS = [254, 256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 33421, 50717, 50728, 50778, 274]


@settings(max_examples=60 * TIMES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.sampled_from(TAGS), st.integers(0, 2**16 - 1) | st.just(2**16 - 1), min_size=1, max_size=4))
def test_a_dng_of_other_numbers(hurried: Processor, tags: dict[int, int]) -> None:
    """Whole in its form, wrong in what it says: how LibRaw and not the walk before it is reached."""
    survives(hurried, "numbers.dng", made.dng(64, 48, tags=tags))


@settings(max_examples=30 * TIMES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=200), st.sampled_from(["small.jpg", "small.png", "small.gif", "small.webp", "small.heic"]))
def test_a_beginning_and_noise(hurried: Processor, small: dict[str, bytes], noise: bytes, name: str) -> None:
    survives(hurried, "noise", small[name][:24] + noise)
