"""Why the tags of a wheel don't run on a target, in words; and which systems a wheel is for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from packaging.tags import Tag

    from lamella.target import Target

_SYSTEMS = {
    "macosx": "macOS",
    "win": "Windows",
    "musllinux": "musl (Alpine Linux)",
    "android": "Android",
    "ios": "iOS",
    "pyodide": "Pyodide",
    "emscripten": "Emscripten",
    "pyemscripten": "Emscripten",
    "wasi": "WASI",
}
_IMPLEMENTATIONS = {"pp": "PyPy", "graalpy": "GraalPy", "ip": "IronPython", "jy": "Jython"}
_ARCHITECTURES = {"aarch64": "arm64"}  # in AWS's words; the others are called the same
# PEP 600: the glibc that the older names stand for.  Plain `linux` promises nothing, and is taken as it is.
_LEGACY_GLIBC = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17), "linux": (2, 0)}

_LINUX = re.compile(r"(?:manylinux_(?P<major>\d+)_(?P<minor>\d+)|(?P<legacy>manylinux\d+|linux))_(?P<machine>.+)")
_INTERPRETER = re.compile(r"(?P<kind>[a-z]+)(?P<major>\d)(?P<minor>\d*)")


class Stage(IntEnum):
    """How near a wheel came before something stopped it, farthest first."""

    SYSTEM = 0
    IMPLEMENTATION = 1
    ARCHITECTURE = 2
    PYTHON = 3
    GLIBC = 4


class Obstacle(NamedTuple):
    """What stops a wheel: `text` continues "the wheel …", `offers` is what the wheel is for, as a noun.

    Of two at the same stage, the one with the higher `rank` is nearer.
    """

    stage: Stage
    text: str
    offers: str
    rank: int = 0


class Linux(NamedTuple):
    """A platform tag of glibc Linux, taken apart."""

    glibc: tuple[int, int]
    machine: str


def linux(platform: str) -> Linux | None:
    """`manylinux_2_28_x86_64` taken apart; None for every other system and for `any`."""
    found = _LINUX.fullmatch(platform)
    if found is None:
        return None
    if found["legacy"]:
        glibc = _LEGACY_GLIBC.get(found["legacy"])
        return None if glibc is None else Linux(glibc, found["machine"])
    return Linux((int(found["major"]), int(found["minor"])), found["machine"])


def system(platform: str) -> str | None:
    """The system other than glibc Linux that a platform tag is for (`macOS`); None for glibc Linux and `any`."""
    if platform == "any" or linux(platform):
        return None
    head = re.match(r"[a-z]+", platform)
    return _SYSTEMS.get(head[0] if head else "", f"`{platform}`")


def architecture(machine: str) -> str:
    """A machine in AWS's words: `aarch64` is `arm64`."""
    return _ARCHITECTURES.get(machine, machine)


def nearest(tags: Iterable[Tag], target: Target) -> Obstacle:
    """Why none of `tags` runs on `target`: of the tag that comes nearest, the first thing that stops it."""
    found = [_obstacle(tag, target) for tag in sorted(tags, key=str)]
    return max(found, key=lambda obstacle: (obstacle.stage, obstacle.rank))


@cache
def _obstacle(tag: Tag, target: Target) -> Obstacle:
    """The first thing that stops a tag that is not among the target's."""
    if other := system(tag.platform):
        return _made_for(Stage.SYSTEM, other)
    needs = linux(tag.platform)
    found = _INTERPRETER.fullmatch(tag.interpreter)
    if found is None or found["kind"] not in ("cp", "py"):
        kind = found["kind"] if found else ""
        return _made_for(Stage.IMPLEMENTATION, _IMPLEMENTATIONS.get(kind, f"`{tag.interpreter}`"))
    if needs and needs.machine != target.machine:
        return _made_for(Stage.ARCHITECTURE, architecture(needs.machine))
    wants = (int(found["major"]), int(found["minor"] or 0))
    if other_python := _other_python(tag, found["kind"], wants, target):
        return other_python
    if needs and needs.glibc > target.glibc:
        version = f"{needs.glibc[0]}.{needs.glibc[1]}"
        return Obstacle(
            Stage.GLIBC,
            f"needs glibc {version} ({target.runtime} has {target.glibc[0]}.{target.glibc[1]})",
            f"{tag.platform.removesuffix(f'_{needs.machine}')} (glibc {version})",
            rank=-needs.glibc[1],  # of several glibcs the oldest is enough
        )
    return Obstacle(Stage.PYTHON, f"has the tag `{tag}`, which {target.runtime} does not know", f"`{tag}`", rank=-1)


def _other_python(tag: Tag, kind: str, wants: tuple[int, int], target: Target) -> Obstacle | None:
    """Why the Python or the ABI of a tag is not that of the target; None where it is."""
    version = f"{wants[0]}.{wants[1]}"
    if kind == "py":
        if wants[0] < target.python[0]:
            return _made_for(Stage.PYTHON, "Python 2")
        if wants > target.python:
            text = f"needs Python {version} or newer"
            return Obstacle(Stage.PYTHON, text, f"Python {version}", rank=wants[1])
    elif tag.abi == "abi3t" or re.fullmatch(r"cp\d+t", tag.abi):
        return _made_for(Stage.PYTHON, f"free-threaded CPython {version}", rank=wants[1])
    elif tag.abi == "abi3":
        if wants > target.python:
            text = f"needs CPython {version} or newer (abi3)"
            return Obstacle(Stage.PYTHON, text, f"CPython {version}", rank=wants[1])
    elif wants != target.python:
        return _made_for(Stage.PYTHON, f"CPython {version}", rank=wants[1])
    elif tag.abi not in (own := f"cp{wants[0]}{wants[1]}", "none"):
        text = f"has the ABI `{tag.abi}`, {target.runtime} has `{own}`"
        return Obstacle(Stage.PYTHON, text, f"the ABI `{tag.abi}`", rank=wants[1])
    return None


def _made_for(stage: Stage, what: str, rank: int = 0) -> Obstacle:
    return Obstacle(stage, f"is for {what}", what, rank)
