from __future__ import annotations

import pytest
from packaging.tags import parse_tag

from lamella.target import Target
from lamella.wheels.obstacles import Linux, Stage, architecture, linux, nearest, system

TARGET = Target("python3.11", "x86_64")


@pytest.mark.parametrize(
    ("platform", "glibc", "machine"),
    [
        ("manylinux_2_28_x86_64", (2, 28), "x86_64"),
        ("manylinux2014_aarch64", (2, 17), "aarch64"),
        ("manylinux1_i686", (2, 5), "i686"),
        ("linux_x86_64", (2, 0), "x86_64"),
    ],
)
def test_platforms_of_linux(platform: str, glibc: tuple[int, int], machine: str) -> None:
    assert linux(platform) == Linux(glibc, machine)
    assert system(platform) is None


@pytest.mark.parametrize(
    ("platform", "told"),
    [
        ("macosx_11_0_arm64", "macOS"),
        ("win_amd64", "Windows"),
        ("musllinux_1_2_x86_64", "musl (Alpine Linux)"),
        ("manylinux2099_x86_64", "`manylinux2099_x86_64`"),
        ("plan9_mips", "`plan9_mips`"),
        ("any", None),
    ],
)
def test_other_systems(platform: str, told: str | None) -> None:
    assert linux(platform) is None
    assert system(platform) == told


def test_machines_in_awss_words() -> None:
    assert (architecture("aarch64"), architecture("x86_64")) == ("arm64", "x86_64")


@pytest.mark.parametrize(
    ("tags", "stage", "text"),
    [
        ("cp311-cp311-win_amd64", Stage.SYSTEM, "is for Windows"),
        ("pp311-pypy311_pp73-manylinux_2_17_x86_64", Stage.IMPLEMENTATION, "is for PyPy"),
        ("cp311-cp311-manylinux_2_17_aarch64", Stage.ARCHITECTURE, "is for arm64"),
        ("cp312-cp312-manylinux_2_17_x86_64", Stage.PYTHON, "is for CPython 3.12"),
        ("cp312-abi3-manylinux_2_17_x86_64", Stage.PYTHON, "needs CPython 3.12 or newer (abi3)"),
        ("py2-none-any", Stage.PYTHON, "is for Python 2"),
        ("py312-none-any", Stage.PYTHON, "needs Python 3.12 or newer"),
        ("cp311-cp311-manylinux_2_28_x86_64", Stage.GLIBC, "needs glibc 2.28 (python3.11 has 2.26)"),
    ],
)
def test_the_first_thing_that_stops_a_wheel(tags: str, stage: Stage, text: str) -> None:
    found = nearest(parse_tag(tags), TARGET)
    assert (found.stage, found.text) == (stage, text)


def test_of_several_tags_the_one_that_comes_nearest_counts() -> None:
    tags = parse_tag("cp311-cp311-manylinux_2_31_x86_64.manylinux_2_28_x86_64.musllinux_1_2_x86_64")
    assert nearest(tags, TARGET).offers == "manylinux_2_28 (glibc 2.28)"
    assert nearest(parse_tag("cp313.cp312-cp312-manylinux_2_17_aarch64"), TARGET).stage is Stage.ARCHITECTURE
