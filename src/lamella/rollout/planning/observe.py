"""What AWS has of what is wanted, in as few calls as that takes.

Functions come 50 with a call (ListFunctions, which tells digests, layers and RevisionIds of $LATEST); few of them are
asked for one by one, as an account may hold many others.  A layer takes two calls: its newest version, and the digest
of that; one more for each other version that a function which wants it has, or had when it was deployed last.  An alias
takes two: itself, and the version behind it, where the record doesn't tell that one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeVar

from lamella.aws import NotThereError
from lamella.cloud.model import LATEST, AliasState, Cloud, FunctionState, LayerVersion
from lamella.rollout.model import After, Observed, Record, Wanted
from lamella.rollout.planning.layers import identity, identity_here, version_of

# Up to so many functions are asked for one by one
FEW = 10
# Reads at a time; how many a second is up to the place's rate
_AT_ONCE = 8

S = TypeVar("S")
T = TypeVar("T")


def observe(cloud: Cloud, wanted: Wanted, record: Record, *, refresh: bool | AbstractSet[str] = False) -> Observed:
    """What AWS has.  Aliases are read of all functions with `refresh`, or of those that it names.

    They are read of those that an unfinished deploy was to change, too.  Raises what the ports do.
    """
    functions = read_functions(cloud, [one.name for one in wanted.functions])
    observed = Observed(_layers(cloud, wanted, functions, record), functions)
    names = {one.name for one in wanted.functions} if refresh is True else set(refresh or ())
    if record.unfinished:
        names |= {one.function.name for one in record.unfinished.before}
    return with_aliases(cloud, wanted, observed, names)


def with_aliases(
    cloud: Cloud, wanted: Wanted, observed: Observed, names: AbstractSet[str], record: Record | None = None
) -> Observed:
    """`observed` with the aliases of these functions, as far as they have one and weren't read, and what is behind.

    What is behind an alias isn't asked for where the record tells it: the version that was published of what $LATEST
    still is.
    """
    there = {state.name: state for state in observed.functions}
    read = dict(observed.aliases)
    asked = [
        (there[one.name], one.alias)
        for one in wanted.functions
        if one.alias and one.name in names and one.name in there and one.name not in read
    ]
    found = read_aliases(cloud, asked, record.functions if record else ())
    aliases = read | {name: alias for name, alias, _ in found}
    behind = dict(observed.behind) | {name: version for name, _, version in found if version is not None}
    return observed._replace(aliases=tuple(sorted(aliases.items())), behind=tuple(sorted(behind.items())))


def read_functions(cloud: Cloud, names: Collection[str]) -> tuple[FunctionState, ...]:
    """Those of the functions that are there, sorted by name."""
    if len(names) > FEW:
        asked = frozenset(names)
        return tuple(sorted(state for state in cloud.lambdas.functions() if state.name in asked))
    found = _several(names, lambda name: _or_none(lambda: cloud.lambdas.function(name)))
    return tuple(sorted(state for state in found if state is not None))


def read_aliases(
    cloud: Cloud, asked: Sequence[tuple[FunctionState, str]], known: Sequence[After] = ()
) -> tuple[tuple[str, AliasState | None, FunctionState | None], ...]:
    """For each function ($LATEST) and name of an alias: the function's name, the alias, and the version behind it.

    `known` is what was deployed last, where that may be relied on.
    """
    published = {one.name: one for one in known}

    def read(one: tuple[FunctionState, str]) -> tuple[str, AliasState | None, FunctionState | None]:
        state, name = one
        alias = cloud.lambdas.alias(state.name, name)
        if alias is None:
            return state.name, None, None
        if alias.version == LATEST:
            return state.name, alias, state
        if _is_published(published.get(state.name), state, alias):
            return state.name, alias, state._replace(version=alias.version, revision="")
        return state.name, alias, cloud.lambdas.function(state.name, alias.version)

    return tuple(_several(asked, read))


def _is_published(known: After | None, state: FunctionState, alias: AliasState) -> bool:
    """Whether the version behind the alias, which never changes, is known to be what $LATEST still is."""
    if known is None or alias.weights or (known.alias, known.version) != (alias.name, alias.version):
        return False
    deployed = (known.code_sha256, known.layers, known.runtime, known.handler, known.architecture)
    return deployed == (state.code_sha256, state.layers, state.runtime, state.handler, state.architecture)


def _layers(
    cloud: Cloud, wanted: Wanted, functions: Sequence[FunctionState], record: Record
) -> tuple[tuple[str, tuple[LayerVersion, ...]], ...]:
    """For each wanted layer, newest first and with digests: the newest version, and those of functions that want it.

    A version that another function happens to have does not count: once it is detached there, nothing leads to it.
    """
    wants = {one.name: {identity_here(cloud.place, text) for text in one.layers} for one in wanted.functions}
    numbers_of: dict[str, set[int]] = {}
    rows = [(one.name, one.layers) for one in functions] + [(one.name, one.layers) for one in record.functions]
    for name, arns in rows:
        for arn in arns:
            if identity(arn) in wants.get(name, ()) and version_of(arn).isdecimal():
                numbers_of.setdefault(identity(arn), set()).add(int(version_of(arn)))

    def read(name: str) -> tuple[str, tuple[LayerVersion, ...]]:
        newest = {one.version for one in cloud.lambdas.layer_versions(name, newest=1)}
        numbers = newest | numbers_of.get(identity_here(cloud.place, name), set())
        found = [_version(cloud, name, number) for number in sorted(numbers, reverse=True)]
        return name, tuple(one for one in found if one is not None)

    return tuple(_several(sorted({layer.name for layer in wanted.layers}), read))


def _version(cloud: Cloud, name: str, number: int) -> LayerVersion | None:
    """None for one that was deleted: it may be attached all the same."""
    return _or_none(lambda: cloud.lambdas.layer_version(name, number))


def _or_none(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except NotThereError:
        return None


def _several(asked: Iterable[S], read: Callable[[S], T]) -> list[T]:
    """What `read` gives for each, in order.  The first error is raised; what was not begun then isn't."""
    rows = list(asked)
    if len(rows) < 2:
        return [read(row) for row in rows]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(len(rows), _AT_ONCE), thread_name_prefix="read") as pool:
        return list(pool.map(read, rows))
