"""requirements.txt with pins, hashed or not → `Pins`.  pip's file format, PEP 508 and PEP 440."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from packaging.markers import InvalidMarker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from lamella.errors import LockError
from lamella.lock.lines import Expanded, Opened, Option, Wanted, statements
from lamella.lock.model import FromDirectory, FromGit, FromIndex, Pin, Pins, Selection
from lamella.lock.reference import hash_pairs, is_bare, source
from lamella.wording import listed, scrubbed, shown

_WAY_OUT = "`uv pip compile --generate-hashes requirements.in -o requirements.txt`"


class IndexOption(NamedTuple):
    """An option about indexes: ``index-url``, ``extra-index-url``, ``find-links``, ``no-index``, ``trusted-host``,
    ``pre``, ``prefer-binary``, ``no-binary`` or ``only-binary``.

    `value` is the URL or absolute path (with its credentials), the names for the last two, or empty.
    """

    name: str
    value: str


def read(path: str, selection: Selection, *, root: str, environ: Mapping[str, str] | None = None) -> Pins:
    """The pins of a requirements file and of what it includes.

    Every requirement must be one version (``==``), a file, a folder, or a commit of a git repository; anything else
    is refused with the way out.  Constraints (``-c``) are compared with the pins and bring in nothing.
    Raises LockError that names file and line.
    """
    where = shown(path, root)
    if selection.extras or selection.groups:
        raise LockError(
            f"`{where}` has no extras or dependency groups",
            why=[f"asked for {listed((*selection.extras, *selection.groups))}"],
            hint="name the distributions (`packages`), or use a uv.lock or pylock.toml",
        )
    found: dict[Pin, Pin] = {}
    constraints: list[Wanted] = []
    notes: list[str] = []
    inputs: list[str] = []
    variables: dict[str, None] = {}
    strict = False
    for statement in statements(path, root=root, environ=os.environ if environ is None else environ):
        match statement:
            case Opened(opened):
                inputs.append(opened)
            case Expanded(names):
                variables.update(dict.fromkeys(names))
            case Option():
                strict = strict or statement.name == "require-hashes"
            case Wanted(constraint=True):
                constraints.append(statement)
            case Wanted():
                pin = _pin(statement)
                found.setdefault(replace(pin, where=""), pin)
                notes += [f"`{statement.place}`: `{name}` is ignored" for name in statement.ignored]
    pins = tuple(found.values())
    for constraint in constraints:
        _compare(constraint, pins)
    _check_hashes(pins, where, strict=strict)
    bare = [pin for pin in pins if _checkable(pin) and not _hashed(pin)]
    if bare and len(bare) < len([pin for pin in pins if _checkable(pin)]):
        notes.append(f"`{where}` has hashes, but none for {listed({pin.name for pin in bare})}")
    return Pins(
        dialect="requirements",
        path=path,
        pins=pins,
        notes=tuple(notes),
        inputs=tuple(dict.fromkeys(inputs[1:])),
        variables=tuple(variables),
    )


def index_options(path: str, *, environ: Mapping[str, str] | None = None) -> tuple[IndexOption, ...]:
    """What a requirements file and its includes say about indexes, in order.

    Values hold credentials as the file has them, ``${NAME}`` replaced.  A relative ``--find-links`` that exists
    beside the file that names it becomes an absolute path.  Raises LockError.
    """
    found = []
    ours = {"index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "pre", "prefer-binary",
            "no-binary", "only-binary"}  # fmt: skip
    environ = os.environ if environ is None else environ
    for statement in statements(path, root=os.path.dirname(path), environ=environ):
        if isinstance(statement, Option) and statement.name in ours:
            beside = os.path.normpath(os.path.join(statement.folder, statement.value))
            local = statement.name == "find-links" and os.path.exists(beside)
            found.append(IndexOption(statement.name, beside if local else statement.value))
    return tuple(found)


def _pin(wanted: Wanted) -> Pin:
    if wanted.editable or is_bare(wanted.text, wanted.folder):
        name, version, origin, marker = source(wanted)
        return Pin(name, version, origin, marker, where=wanted.place)
    requirement = _requirement(wanted)
    extras = tuple(sorted(map(canonicalize_name, requirement.extras)))
    if requirement.url is not None:
        name, version, origin, _ = source(wanted, requirement)
        return Pin(name, version, origin, requirement.marker, where=wanted.place, extras=extras)
    return Pin(
        name=canonicalize_name(requirement.name),
        version=_exact(requirement, wanted.place),
        source=FromIndex(hashes=hash_pairs(wanted.hashes, wanted.place)),
        marker=requirement.marker,
        where=wanted.place,
        extras=extras,
    )


def _requirement(wanted: Wanted) -> Requirement:
    try:
        return Requirement(wanted.text)
    except (InvalidRequirement, InvalidMarker) as error:
        raise LockError(
            f"`{wanted.place}` is not a requirement",
            why=[f"`{scrubbed(wanted.text)}`", scrubbed(str(error).splitlines()[0])],
            hint="write `name==version`, `name @ URL` or a path that starts with `./`",
        ) from None


def _exact(requirement: Requirement, place: str) -> Version:
    """The one version that the requirement admits (PEP 440: ``==`` without wildcard, or ``===``)."""
    exact = [each for each in requirement.specifier if each.operator in {"==", "==="} and each.version[-2:] != ".*"]
    try:
        versions = {Version(each.version) for each in exact}
    except InvalidVersion as error:
        raise LockError(
            f"`{place}` pins what is no version", why=[str(error)], hint=f"lock again: {_WAY_OUT}"
        ) from None
    if len(versions) == 1:
        (version,) = versions
        if requirement.specifier.contains(version, prereleases=True):
            return version
        problem = "no version can meet it"
    elif versions:
        problem = "no version can meet it"
    else:
        problem = "a range of versions" if requirement.specifier else "any version"
    raise LockError(
        f"`{place}` doesn't pin `{requirement.name}`",
        why=[f"`{requirement}` is {problem}" if not exact else f"`{requirement}`: {problem}"],
        hint=f"keep ranges in requirements.in and lock them: {_WAY_OUT}",
    )


def _compare(constraint: Wanted, pins: tuple[Pin, ...]) -> None:
    """A constraint under another marker than the pin's is no conflict: they may apply to different targets."""
    if constraint.editable or is_bare(constraint.text, constraint.folder):
        return
    requirement = _requirement(constraint)
    name = canonicalize_name(requirement.name)
    for pin in pins:
        apart = requirement.marker is not None and requirement.marker != pin.marker
        if pin.name != name or pin.version is None or apart or requirement.url is not None:
            continue
        if not requirement.specifier.contains(pin.version, prereleases=True):
            raise LockError(
                f"`{pin.where}` and `{constraint.place}` contradict each other",
                why=[f"`{pin.name}=={pin.version}` is pinned", f"`{requirement}` is the constraint"],
                hint=f"lock again: {_WAY_OUT.replace(' -o', ' -c constraints.txt -o')}",
            )


def _checkable(pin: Pin) -> bool:
    return not isinstance(pin.source, FromDirectory | FromGit)


def _hashed(pin: Pin) -> bool:
    if isinstance(pin.source, FromIndex):
        return bool(pin.source.hashes)
    return not isinstance(pin.source, FromDirectory | FromGit) and bool(pin.source.file.hashes)


def _check_hashes(pins: tuple[Pin, ...], where: str, *, strict: bool) -> None:
    bare = [pin for pin in pins if not _hashed(pin)]
    if strict and bare:
        raise LockError(
            f"`{where}` says `--require-hashes`, but not every requirement has one",
            why=[f"`{pin.name}` ({pin.where})" for pin in bare],
            hint=f"lock again: {_WAY_OUT}",
        )
