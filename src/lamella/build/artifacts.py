"""What is in each artifact: a layer's wheels per runtime, a function's sources and bundle; as entries and rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from lamella.archive.entry import FILE, PROGRAM, Entry, from_bytes
from lamella.archive.writer import overhead
from lamella.contents.merge import merge
from lamella.contents.place import Place, place
from lamella.manifest import Distribution
from lamella.target import Target

if TYPE_CHECKING:
    from lamella.contents.model import SourceFile
    from lamella.wheels.model import Wheel

# A layer's folder that is on the path of every Python runtime (Lambda developer guide, "Packaging your layer content")
SHARED_SITE = "python"
# The link that each of AWS's Python images has beside the versioned name
ANY_INTERPRETER = "/var/lang/bin/python3"


def layer_entries(per_target: Mapping[Target, Sequence[Wheel]]) -> list[Entry]:
    """The entries of a layer that serves these targets.

    With one target everything lies in `python/`.  With several, a wheel that all of them chose lies there once; one
    that only some chose (native code, or a version of its own) goes to the `site-packages` of each that did.
    """
    targets = list(per_target)
    if len(targets) == 1:
        at = Place(SHARED_SITE, targets[0].interpreter)
        return merge(place(wheel, at) for wheel in per_target[targets[0]])
    shared = set.intersection(*({wheel.sha256 for wheel in wheels} for wheels in per_target.values()))
    groups = [
        place(wheel, Place(SHARED_SITE, ANY_INTERPRETER)) for wheel in per_target[targets[0]] if wheel.sha256 in shared
    ]
    for target, wheels in per_target.items():
        # Not the target's own interpreter: a program that the wheels of all runtimes bring must be one file
        at = Place(target.site_packages, ANY_INTERPRETER)
        groups += [place(wheel, at) for wheel in wheels if wheel.sha256 not in shared]
    return merge(groups)


def function_entries(files: Iterable[SourceFile], bundle: Sequence[Wheel], target: Target) -> tuple[list[Entry], str]:
    """The entries of a function: its sources at the root, the bundle's distributions beside them.

    Also the state of the sources that was read for it (`state_of`): who planned with another one plans again.
    """
    own, state = [], _State()
    for file in files:
        with open(file.absolute, "rb") as opened:
            content = opened.read()
        state.add(file, hashlib.sha256(content))
        own.append(from_bytes(file.path, file.shown, content, PROGRAM if file.executable else FILE))
    at = Place("", target.interpreter)
    return merge([own, *(place(wheel, at) for wheel in bundle)]), state.text()


def distributions(per_target: Mapping[Target, Sequence[Wheel]], entries: Iterable[Entry]) -> tuple[Distribution, ...]:
    """The rows of the manifest: each distribution with its share of the zip, by name, then version."""
    runtimes: dict[str, list[str]] = {}
    wheels: dict[str, Wheel] = {}
    for target, chosen in per_target.items():
        for wheel in chosen:
            wheels[wheel.sha256] = wheel
            runtimes.setdefault(wheel.sha256, []).append(target.runtime)
    shares: dict[str, list[int]] = {}
    by_path = {wheel.path: wheel.sha256 for wheel in wheels.values()}
    by_name = {wheel.name: wheel.sha256 for wheel in wheels.values()}
    for entry in entries:
        # What was written anew (RECORD, programs) is known by its distribution's name only
        sha256 = by_path.get(entry.source) or by_name.get(entry.origin)
        if sha256 is not None:
            share = shares.setdefault(sha256, [0, 0])
            share[0] += entry.packed + overhead(entry.path)
            share[1] += entry.size
    rows = [
        Distribution(
            wheel.name, wheel.version, wheel.filename, sha256, tuple(runtimes[sha256]), *shares.get(sha256, (0, 0))
        )
        for sha256, wheel in wheels.items()
    ]
    return tuple(sorted(rows, key=lambda row: (row.name, row.version, row.file)))


def state_of(files: Iterable[SourceFile]) -> str:
    """A name for the state of a function's sources: equal ones make equal entries."""
    state = _State()
    for file in files:
        with open(file.absolute, "rb") as opened:
            state.add(file, hashlib.file_digest(opened, "sha256"))
    return state.text()


class _State:
    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, file: SourceFile, content: hashlib._Hash) -> None:
        self._digest.update(f"{file.path}\0{file.executable}\0{content.hexdigest()}\0".encode())

    def text(self) -> str:
        return self._digest.hexdigest()
