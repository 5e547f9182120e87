"""What a selection starts from: requirements of pyproject.toml's dependencies, extras and dependency groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.dependency_groups import DependencyGroupResolver
from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from lamella.errors import LockError
from lamella.lock.discover import toml
from lamella.lock.model import Selection
from lamella.wording import did_you_mean, listed, shown


@dataclass(frozen=True, slots=True)
class Project:
    """The tables of a pyproject.toml that name requirements.  None: the build backend computes them ("dynamic").

    `place` names the file for messages.  Keys of `extras` are normalized, those of `groups` as written.
    """

    place: str
    name: NormalizedName | None
    dependencies: tuple[str, ...] | None
    extras: Mapping[str, tuple[str, ...]] | None
    groups: Mapping[str, Sequence[Any]]


def project(path: str, root: str) -> Project:
    """Read a pyproject.toml.  Raises LockError for tables of a wrong type (PyPA spec: pyproject.toml)."""
    content = toml(path, root)
    place = shown(path, root)
    table = _typed(place, "project", content.get("project", {}), dict)
    dynamic = _typed(place, "project.dynamic", table.get("dynamic", []), list)
    extras = _typed(place, "project.optional-dependencies", table.get("optional-dependencies", {}), dict)
    groups = _typed(place, "dependency-groups", content.get("dependency-groups", {}), dict)
    tool = _typed(place, "tool.uv", _typed(place, "tool", content.get("tool", {}), dict).get("uv", {}), dict)
    legacy = _typed(place, "tool.uv.dev-dependencies", tool.get("dev-dependencies", []), list)
    if legacy:  # uv's own table from before PEP 735; uv adds it to the group `dev`
        groups = {**groups, "dev": [*groups.get("dev", ()), *legacy]}
    dependencies = _typed(place, "project.dependencies", table.get("dependencies", []), list)
    return Project(
        place,
        canonicalize_name(table["name"]) if isinstance(table.get("name"), str) else None,
        None if not table or "dependencies" in dynamic else tuple(dependencies),
        None
        if "optional-dependencies" in dynamic
        else {
            canonicalize_name(key): tuple(_typed(place, f"project.optional-dependencies.{key}", value, list))
            for key, value in extras.items()
        },
        groups,
    )


def check(tables: Project, selection: Selection) -> None:
    """Raises LockError for an extra or group that the project doesn't have; it lists those that it has."""
    if tables.extras is not None:
        refuse_unknown(tables.place, "extra", selection.extras, tables.extras)
    refuse_unknown(tables.place, "dependency group", selection.groups, tables.groups)


def refuse_unknown(place: str, kind: str, asked: Iterable[str], known: Iterable[str]) -> None:
    """Raises LockError for the first of `asked` that isn't `known`, names compared normalized, with the closest one."""
    known = {canonicalize_name(name) for name in known}
    for name in asked:
        if canonicalize_name(name) not in known:
            raise LockError(
                f"`{place}` has no {kind} `{name}`",
                why=[f"its {kind}s: {listed(known)}"],
                hint=did_you_mean(name, known) or f"use one of them, or add the {kind} and lock again",
            )


def roots(tables: Project, selection: Selection) -> tuple[Requirement, ...] | None:
    """The requirements that the selection starts from, in the file's order, without repetition.

    A requirement on the project itself (``all = ["project[x]"]``) stands for its own tables.  None when the build
    backend computes them and the whole lock belongs to the selection anyway; raises LockError when it doesn't.
    """
    extras = tuple(tables.extras or ()) if selection.everything else selection.extras
    groups = tuple(tables.groups) if selection.everything else selection.groups
    whole = selection.project or selection.everything
    if (whole and tables.dependencies is None) or (extras and tables.extras is None):
        if whole:
            return None
        raise LockError(
            f"the extras of `{tables.place}` are dynamic",
            why=["only the build backend knows what they hold"],
            hint="take the project's dependencies and the extra together, or use a dependency group",
        )
    found: list[Requirement] = []
    if whole:
        found += _own(tables, seen=frozenset())
    for extra in extras:
        found += _extra(tables, canonicalize_name(extra), seen=frozenset())
    resolver = _resolver(tables)
    for group in groups:
        for item in _resolve(tables, resolver, group):
            found += _expand(tables, item, seen=frozenset(), with_own=True)
    return tuple(dict.fromkeys(found))


def _own(tables: Project, seen: frozenset[str]) -> list[Requirement]:
    return [
        found
        for text in tables.dependencies or ()
        for found in _expand(tables, _requirement(tables, "project.dependencies", text), seen, with_own=False)
    ]


def _extra(tables: Project, extra: str, seen: frozenset[str]) -> list[Requirement]:
    if extra in seen:
        return []
    place = f"project.optional-dependencies.{extra}"
    return [
        found
        for text in (tables.extras or {}).get(extra, ())
        for found in _expand(tables, _requirement(tables, place, text), seen | {extra}, with_own=False)
    ]


def _expand(tables: Project, item: Requirement, seen: frozenset[str], *, with_own: bool) -> list[Requirement]:
    """`item`, or, when that is the project itself, what the project's tables say, under the marker of `item`."""
    if tables.name is None or canonicalize_name(item.name) != tables.name:
        return [item]
    found = _own(tables, seen) if with_own else []
    for extra in sorted(item.extras):
        found += _extra(tables, canonicalize_name(extra), seen)
    return [_under(item.marker, each) for each in found]


def _under(marker: Marker | None, item: Requirement) -> Requirement:
    if marker is None:
        return item
    narrowed = Requirement(str(item))
    narrowed.marker = Marker(f"({item.marker}) and ({marker})") if item.marker else marker
    return narrowed


def _resolver(tables: Project) -> DependencyGroupResolver:
    try:
        return DependencyGroupResolver(tables.groups)
    except ExceptionGroup as errors:
        raise _bad_groups(tables, errors) from None


def _resolve(tables: Project, resolver: DependencyGroupResolver, group: str) -> tuple[Requirement, ...]:
    try:
        return resolver.resolve(group)
    except ExceptionGroup as errors:
        raise _bad_groups(tables, errors) from None


def _bad_groups(tables: Project, errors: ExceptionGroup[Exception]) -> LockError:
    why = [line for error in errors.exceptions for line in str(error).splitlines()[:1]]
    return LockError(f"`[dependency-groups]` of `{tables.place}` is not valid", why=why, hint="see PEP 735")


def _requirement(tables: Project, key: str, text: object) -> Requirement:
    try:
        if isinstance(text, str):
            return Requirement(text)
        reason = f"found {text!r}"
    except InvalidRequirement as error:
        reason = str(error).splitlines()[0]
    raise LockError(f"`{key}` of `{tables.place}` holds what is no requirement", why=[f"{text}", reason])


def _typed(place: str, key: str, value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        wanted = "a list" if kind is list else "a table"
        raise LockError(f"`{key}` of `{place}` must be {wanted}", why=[f"found {value!r}"], hint="correct the file")
    return value
