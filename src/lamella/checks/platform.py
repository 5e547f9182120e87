"""Would ld.so load every shared library of an artifact: machine, symbol versions, and all that it links?

A function is looked at as Lambda unpacks it: its code in /var/task together with its layers in /opt, where what one
zip links another may bring.  A layer alone is told what its own zip and the runtime lack.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from lamella.archive.built import member_content, read_built
from lamella.checks.model import Finding, Severity
from lamella.elf.links import Library, read
from lamella.elf.search import folders, passed_on
from lamella.facts.tables import Libraries, libraries, optional
from lamella.target import Target

CHECK = "platform"

# How the reason begins where a symbol version is wanted that the runtime has not
TOO_NEW = "it needs "

_LIBRARY = re.compile(r"\.so(\.\d[\w.+-]*)?$")
# GLIBC_2.34, GLIBCXX_3.4.29; not GLIBC_PRIVATE or GLIBC_ABI_DT_RELR
_VERSION = re.compile(r"([A-Z][A-Z0-9]*)_(\d+(?:\.\d+)*)")
_DT_RELR = "GLIBC_ABI_DT_RELR"
_DT_RELR_SINCE = (2, 36)
# An extension module says for which Python it is (PEP 3149)
_TAG = re.compile(r"\.cpython-3(\d+)(?:t|d)?-[\w-]+\.so$")
_VERSIONED = re.compile(r"(?:^|/)lib/python3\.(\d+)/site-packages/")

# LD_LIBRARY_PATH in Lambda (developer guide, "Defined runtime environment variables"), what of it artifacts fill
_LIBRARY_PATH = ("/var/task", "/var/task/lib", "/opt/lib")


class _Native(NamedTuple):
    archive: str
    member: str
    path: str  # in Lambda
    library: Library


class _Place(NamedTuple):
    target: Target
    base: Libraries
    paths: frozenset[str]
    names: frozenset[str]  # SONAMEs and file names of all libraries that are there


def platform(artifact: str, archives: Sequence[tuple[str, str]], target: Target) -> list[Finding]:
    """What would not load: one finding for each file and reason, in the order of the archives and their paths.

    `artifact` is the key that findings name, `archives` are (path of a zip, folder in Lambda: "/opt" or "/var/task"),
    in the order in which Lambda unpacks them.  What is for another Python than the target's, by its folder or tag,
    is not looked at.  Raises ArchiveError for a zip that can't be read, OSError where there is none.
    """
    natives: list[_Native] = []
    findings: list[Finding] = []
    for archive, mount in archives:
        for member, data in _candidates(archive, target):
            path = posixpath.join(mount, member)
            try:
                library = read(data)
            except ValueError as error:
                findings.append(_found(artifact, member, f"it can't be read: {error}", _DAMAGED))
                continue
            if library is not None:
                natives.append(_Native(archive, member, path, library))
            elif data.startswith(b"\x7fELF") and _LIBRARY.search(member):
                reason = "it begins as an ELF file and has nothing that a loader could map"
                findings.append(_found(artifact, member, reason, _DAMAGED, Severity.WARNING))
    names = {posixpath.basename(native.path) for native in natives} | {
        native.library.soname for native in natives if native.library.soname
    }
    place = _Place(target, libraries(target.runtime), frozenset(n.path for n in natives), frozenset(names))
    inherited = _inherited(natives)
    for native in natives:
        findings += _about(artifact, native, place, inherited.get(native.path, ()))
    return findings


_DAMAGED = "the wheel it came from was built wrongly; lock another version of the distribution"


def _candidates(archive: str, target: Target) -> Iterator[tuple[str, bytes]]:
    """The members that may be native, with their bytes; one at a time in memory."""
    minor = str(target.python[1])
    with open(archive, "rb") as file:
        for member in read_built(archive).members:
            name = member.name
            if member.is_dir or member.mode == 0o120777:
                continue
            by_name = _LIBRARY.search(name) is not None
            if not by_name and (member.mode != 0o755 or "." in posixpath.basename(name)):
                continue
            others = (_TAG.search(name), _VERSIONED.search(name))
            if any(found and found[1] != minor for found in others):
                continue
            yield name, member_content(file.fileno(), member, archive)


def _inherited(natives: Sequence[_Native]) -> dict[str, tuple[str, ...]]:
    """The RPATHs of those that load a library, by its path: it looks into those, too."""
    found: dict[str, tuple[str, ...]] = {}
    by_path = {native.path: native for native in natives}
    waiting: list[tuple[_Native, tuple[str, ...]]] = [(native, ()) for native in natives]
    while waiting:
        native, given = waiting.pop()
        handed = passed_on(native.library, native.path, given)
        if not handed:
            continue
        for name in native.library.needed:
            for folder in folders(native.library, native.path, given, _LIBRARY_PATH):
                other = by_path.get(f"{folder}/{name}")
                if other is None:
                    continue
                known = found.get(other.path, ())
                more = tuple(dict.fromkeys((*known, *handed)))
                if more != known:
                    found[other.path] = more
                    waiting.append((other, more))
    return found


def _about(artifact: str, native: _Native, place: _Place, inherited: tuple[str, ...]) -> Iterator[Finding]:
    library, target = native.library, place.target
    if library.machine != target.machine or not library.wide:
        width = "64" if library.wide else "32"
        yield _found(
            artifact,
            native.member,
            f"it is for {library.machine} ({width}-bit), and the target is {target.machine}",
            f"lock a wheel that has files for {target.architecture}",
        )
        return
    yield from _versions(artifact, native, place)
    yield from _links(artifact, native, place, inherited)


def _links(artifact: str, native: _Native, place: _Place, inherited: tuple[str, ...]) -> Iterator[Finding]:
    where = folders(native.library, native.path, inherited, _LIBRARY_PATH)
    for name in native.library.needed:
        if name in place.base.sonames or any(f"{folder}/{name}" in place.paths for folder in where):
            continue
        if posixpath.basename(name) in place.names:
            yield _found(
                artifact,
                native.member,
                f"it links `{name}`, which is there, but in none of the folders that it looks into",
                "it loads once something else has loaded that; `lamella check --only imports` tries it",
                Severity.WARNING,
            )
            continue
        why = _optional(native.member)
        yield _found(
            artifact,
            native.member,
            f"it links `{name}`, which neither the archives nor {place.target.runtime} have{why and f'; {why}'}",
            _missing_hint(name),
            Severity.NOTE if why else Severity.ERROR,
        )


def _optional(member: str) -> str:
    """Why it does no harm that this file can't be loaded; "" where nothing is known."""
    return next((row.reason for row in optional() if fnmatchcase(member, "*" + row.files)), "")


def _missing_hint(name: str) -> str:
    if name.startswith(("libGL", "libX", "libglib", "libgthread", "libSM", "libICE", "libxcb")):
        return "it draws on a screen: look for a headless variant, such as opencv-python-headless"
    if "musl" in name:
        return "it was built for Alpine Linux: lock a manylinux wheel"
    return "put it into `lib/` of a layer, lock a wheel that brings it along, or leave this file out with `drop`"


def _versions(artifact: str, native: _Native, place: _Place) -> Iterator[Finding]:
    """One finding for each namespace of symbol versions whose highest is newer than the runtime's."""
    highest: dict[str, tuple[tuple[int, ...], str, str]] = {}
    for needs in native.library.needs:
        # A library that came along in the archives has its own versions
        if needs.file not in place.base.sonames:
            continue
        for text in needs.versions:
            number = _number(text)
            if number is not None:
                highest[number[0]] = max(highest.get(number[0], ((), "", "")), (number[1], text, needs.file))
    for namespace, (wanted, text, file) in sorted(highest.items()):
        known = place.base.versions.get(namespace)
        if known is None or wanted <= known:
            continue
        has = f"{namespace}_{'.'.join(map(str, known))}"
        if wanted <= place.base.recent[namespace]:
            yield _found(
                artifact,
                native.member,
                f"{TOO_NEW}{text} of `{file}`, and older images of {place.target.runtime} have up to {has}",
                "let AWS update the function's runtime (the default), or lock an older wheel",
                Severity.WARNING,
            )
            continue
        yield _found(
            artifact,
            native.member,
            f"{TOO_NEW}{text} of `{file}`, and {place.target} has up to {has}",
            "lock a wheel with an older manylinux tag, or move to a newer runtime",
        )


def _number(text: str) -> tuple[str, tuple[int, ...]] | None:
    if text == _DT_RELR:
        return "GLIBC", _DT_RELR_SINCE
    found = _VERSION.fullmatch(text)
    return (found[1], tuple(int(part) for part in found[2].split("."))) if found else None


def _found(artifact: str, path: str, reason: str, hint: str, severity: Severity = Severity.ERROR) -> Finding:
    return Finding(CHECK, severity, artifact, path, reason, hint)
