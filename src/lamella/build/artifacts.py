"""What is in each artifact: a layer's wheels per runtime, a function's sources and bundle; as entries and rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from lamella.archive.entry import FILE, PROGRAM, Entry, from_bytes
from lamella.archive.writer import overhead
from lamella.contents.merge import merge
from lamella.contents.model import SourceFile
from lamella.contents.place import PROGRAMS, Place, place
from lamella.errors import CollisionError
from lamella.manifest import Distribution
from lamella.target import Target
from lamella.wheels.model import Wheel

# A layer's folder that is on the path of every Python runtime (Lambda developer guide, "Packaging your layer content")
SHARED_SITE = "python"
# The link that each of AWS's Python images has beside the versioned name
ANY_INTERPRETER = "/var/lang/bin/python3"


class Group(NamedTuple):
    """One wheel's files at one folder of importable code, `site`; `targets` are those that have it on their path."""

    wheel: Wheel
    site: str
    targets: tuple[Target, ...]
    entries: list[Entry]


def layer_groups(per_target: Mapping[Target, Sequence[Wheel]]) -> list[Group]:
    """The files of a layer that serves these targets, wheel by wheel.

    With one target everything lies in `python/`.  With several, a wheel that all of them chose lies there once: pure
    ones, and native ones for the stable ABI (abi3), which every runtime loads.  One that only some chose (native code,
    or a version of its own) goes to the `site-packages` of each that did, and with it what shares a package with it.
    Raises ArchiveError.
    """
    targets = tuple(per_target)
    if len(targets) == 1:
        at = Place(SHARED_SITE, targets[0].interpreter)
        return [Group(wheel, at.site, targets, place(wheel, at)) for wheel in per_target[targets[0]]]
    from lamella.build.sharing import shared

    together = shared(per_target)
    # Not a target's own interpreter: a program that the wheels of all runtimes bring must be one file
    at = Place(SHARED_SITE, ANY_INTERPRETER)
    groups = [
        Group(wheel, at.site, targets, place(wheel, at)) for wheel in per_target[targets[0]] if wheel.sha256 in together
    ]
    for target, wheels in per_target.items():
        at = Place(target.site_packages, ANY_INTERPRETER)
        groups += [
            Group(wheel, at.site, (target,), place(wheel, at)) for wheel in wheels if wheel.sha256 not in together
        ]
    return groups


def bundle_groups(bundle: Sequence[Wheel], target: Target) -> list[Group]:
    """The files of a function's distributions, at the root of its zip."""
    at = Place("", target.interpreter)
    return [Group(wheel, at.site, (target,), place(wheel, at)) for wheel in bundle]


def joined(groups: Sequence[Group]) -> list[Entry]:
    """The entries of all groups, one for each path.  Raises CollisionError."""
    targets = list(dict.fromkeys(target for group in groups for target in group.targets))
    brought = {target: merge(group.entries for group in groups if target in group.targets) for target in targets}
    if len(targets) == 1:
        return brought[targets[0]]

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


def own_entries(files: Iterable[SourceFile]) -> tuple[list[Entry], str]:
    """The entries of a function's sources, at the root of its zip.

    Also the state of the sources that was read for it (`state_of`): who planned with another one plans again.
    """
    own, state = [], _State()
    for file in files:
        with open(file.absolute, "rb") as opened:
            content = opened.read()
        state.add(file, hashlib.sha256(content))
        own.append(from_bytes(file.path, file.shown, content, PROGRAM if file.executable else FILE))
    return own, state.text()


def distributions(
    per_target: Mapping[Target, Sequence[Wheel]], entries: Iterable[Entry], site: str = SHARED_SITE
) -> tuple[Distribution, ...]:
    """The rows of the manifest: each distribution with its share of the zip, by name, then version.

    `site` is the folder of importable code: that of a layer, or "" for a function's zip.

    A file that several wheels bring, such as a program for all runtimes, counts for the first of them.
    """
    runtimes: dict[str, list[str]] = {}
    wheels: dict[str, Wheel] = {}
    owners: dict[tuple[str, str], str] = {}
    for target, chosen in per_target.items():
        for wheel in chosen:
            wheels[wheel.sha256] = wheel
            runtimes.setdefault(wheel.sha256, []).append(target.runtime)
            owners.setdefault((wheel.name, ""), wheel.sha256)
            owners[wheel.name, target.site_packages] = wheel.sha256
    shares = {sha256: [0, 0] for sha256 in wheels}
    paths: dict[str, list[str]] = {sha256: [] for sha256 in wheels}
    for entry in entries:
        if not entry.source:  # a file of the function's own
            continue
        own = "/".join(entry.path.split("/", 4)[:4]) if entry.path.startswith("python/lib/python") else ""
        sha256 = owners.get((entry.origin, own)) or owners.get((entry.origin, ""))
        if sha256 is not None:
            shares[sha256][0] += entry.packed + overhead(entry.path)
            shares[sha256][1] += entry.size
            if not entry.path.startswith(PROGRAMS + "/"):
                paths[sha256].append(entry.path)
    sites = [site, *(target.site_packages for target in per_target)]
    rows = [
        Distribution(
            wheel.name,
            wheel.version,
            wheel.filename,
            sha256,
            tuple(runtimes[sha256]),
            top_modules(paths[sha256], sites),
            *shares[sha256],
        )
        for sha256, wheel in wheels.items()
    ]
    return tuple(sorted(rows, key=lambda row: (row.name, row.version, row.file)))


def top_modules(paths: Iterable[str], sites: Sequence[str]) -> tuple[str, ...]:
    """What of these files can be imported without importing more of them before: sorted dotted names.

    Below a namespace package (PEP 420) that is what lies in it: `google.protobuf`.
    """
    from lamella.closure.modules import index_modules

    index = index_modules(paths, sites)
    found = index.packages | index.modules
    return tuple(sorted(name for name in found if "." not in name or _stands_alone(name, found)))


def _stands_alone(name: str, known: frozenset[str]) -> bool:
    """Whether a module below a namespace is the first that can be imported, and meant to be: `google._upb` is not."""
    return not _has_parent(name, known) and not any(part.startswith("_") for part in name.split("."))


def _has_parent(name: str, known: frozenset[str]) -> bool:
    parent = name.rpartition(".")[0]
    while parent:
        if parent in known:
            return True
        parent = parent.rpartition(".")[0]
    return False


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
