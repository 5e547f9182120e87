"""What is said of the wheels in an artifact: the same keys in a layer and in a function."""

from __future__ import annotations

from collections.abc import Iterable

from lamella.config.model import Rules, Slimming
from lamella.config.names import normalized
from lamella.config.section import Section, described

PROFILES = ("none", "safe", "lean")
BYTECODE = ("beside", "instead", "none")
COMPRESSION = ("fast", "max")
KEYS = frozenset(
    {"profile", "bytecode", "compression", "services", "without", "keep", "drop", "distributions", "split"}
)
RULE_KEYS = frozenset({"profile", "keep", "drop"})


def read_slimming(section: Section, runtimes: int) -> Slimming:
    """The keys of `KEYS`, each with its default.  `runtimes` is how many the artifact serves.  Raises ConfigError."""
    bytecode = section.one_of("bytecode", BYTECODE) or "beside"
    if bytecode == "instead" and runtimes > 1:
        raise section.refuse(
            "bytecode",
            "can't be `instead` in a layer for several runtimes",
            why=("bytecode without its source serves one minor version of Python",),
            hint='give each runtime a layer of its own, or write `bytecode = "beside"`',
        )
    return Slimming(
        profile=section.one_of("profile", PROFILES) or "safe",
        bytecode=bytecode,
        compression=section.one_of("compression", COMPRESSION) or "fast",
        services=_services(section),
        without=_features(section),
        keep=section.texts("keep") or (),
        drop=section.texts("drop") or (),
        distributions=tuple(sorted(_rules(section))),
        split=section.flag("split"),
    )


def _services(section: Section) -> tuple[str, ...] | None:
    services = section.texts("services")
    return None if services is None else tuple(sorted(services))


def _features(section: Section) -> tuple[tuple[str, str], ...]:
    """The (distribution, feature) pairs of `without`."""
    found: list[tuple[str, str]] = []
    for item in section.texts("without") or ():
        name, colon, feature = item.partition(":")
        distribution = normalized(name.strip())
        if not colon or distribution is None or not feature.strip():
            raise section.refuse(
                "without",
                "holds what is no feature of a distribution",
                why=(f"found {described(item)}",),
                hint='write it as `"pyarrow:flight"`',
            )
        found.append((distribution, feature.strip()))
    section.different("without", [":".join(pair) for pair in found])
    return tuple(sorted(found))


def _rules(section: Section) -> Iterable[tuple[str, Rules]]:
    seen: set[str] = set()
    for written, below in section.sections("distributions"):
        name = normalized(written)
        if name is None or name in seen:
            problem = "is there twice" if name in seen else "is no name of a distribution"
            raise below.refuse(None, problem, hint="write each distribution's name once")
        seen.add(name)
        below.only(RULE_KEYS)
        yield (
            name,
            Rules(below.one_of("profile", PROFILES), below.texts("keep") or (), below.texts("drop") or ()),
        )
