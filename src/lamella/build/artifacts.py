"""What is in each artifact: a layer's wheels per runtime, a function's sources and bundle; as entries and rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from lamella.archive.entry import FILE, PROGRAM, Entry, from_bytes
from lamella.archive.writer import overhead
from lamella.contents.merge import merge
from lamella.contents.place import Place, place
from lamella.errors import CollisionError
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

    With one target everything lies in `python/`.  With several, a wheel that all of them chose lies there once: pure
    ones, and native ones for the stable ABI (abi3), which every runtime loads.  One that only some chose (native code,
    or a version of its own) goes to the `site-packages` of each that did, and with it what shares a package with it.
    Raises CollisionError, ArchiveError.
    """
    targets = list(per_target)
    if len(targets) == 1:
        at = Place(SHARED_SITE, targets[0].interpreter)
        return merge(place(wheel, at) for wheel in per_target[targets[0]])
    from lamella.build.sharing import shared

    together = shared(per_target)
    # Not a target's own interpreter: a program that the wheels of all runtimes bring must be one file
    everywhere = Place(SHARED_SITE, ANY_INTERPRETER)
    common = [place(wheel, everywhere) for wheel in per_target[targets[0]] if wheel.sha256 in together]
    brought: dict[Target, list[Entry]] = {}
    for target, wheels in per_target.items():
        at = Place(target.site_packages, ANY_INTERPRETER)
        brought[target] = merge([*common, *(place(wheel, at) for wheel in wheels if wheel.sha256 not in together)])

    def refusal(twin: Entry, entry: Entry) -> CollisionError:
        return _two_programs(twin, entry, [target.runtime for target in targets if _has(brought[target], twin, entry)])

    return merge(brought.values(), refusal)


def _has(entries: list[Entry], *any_of: Entry) -> bool:
    return any(entry is one for entry in entries for one in any_of)


def _two_programs(twin: Entry, entry: Entry, runtimes: Sequence[str]) -> CollisionError:
    """The programs of all runtimes are the one thing that has the same place for each."""
    origins = " and ".join(f"`{origin}`" for origin in dict.fromkeys((twin.origin, entry.origin)))
    return CollisionError(
        f"the program `{entry.path}` of {origins} differs between the runtimes {' and '.join(runtimes)}",
        why=["a layer has one `bin/` for all of its runtimes"],
        hint=f'make a layer for each runtime: `runtime = "{runtimes[0]}"` in one table, '
        f'`runtime = "{runtimes[-1]}"` in another',
    )


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
    """The rows of the manifest: each distribution with its share of the zip, by name, then version.

    A file that several wheels bring, such as a program for all runtimes, counts for the first of them.
    """
    runtimes: dict[str, list[str]] = {}
    wheels: dict[str, Wheel] = {}
    for target, chosen in per_target.items():
        for wheel in chosen:
            wheels[wheel.sha256] = wheel
            runtimes.setdefault(wheel.sha256, []).append(target.runtime)
    shares: dict[str, list[int]] = {}
    by_path = {wheel.path: wheel.sha256 for wheel in wheels.values()}
    for entry in entries:
        sha256 = by_path.get(entry.source)
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
