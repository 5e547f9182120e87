"""Which wheels of a layer for several runtimes can lie in the folder that all of them read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lamella.build.closing import importable

if TYPE_CHECKING:
    from lamella.target import Target
    from lamella.wheels.model import Wheel


class _Reach(NamedTuple):
    """Paths below the site: `modules` without their endings, regular `packages`, and all `folders`."""

    modules: frozenset[str]
    packages: frozenset[str]
    folders: frozenset[str]

    def meets(self, other: _Reach) -> bool:
        """Whether one would hide something of the other, were they in two folders of sys.path.

        Portions of a namespace package are joined (PEP 420); a regular package, and a module, has one place only.
        """
        return not (
            self.packages.isdisjoint(other.folders)
            and self.folders.isdisjoint(other.packages)
            and (self.modules | self.packages).isdisjoint(other.modules | other.packages)
        )


def shared(per_target: Mapping[Target, Sequence[Wheel]]) -> frozenset[str]:
    """The sha256 of the wheels that all runtimes chose, and that share no package with one that only some chose.

    A wheel that does goes beside the other, to every runtime, and may draw on more that share a package with it.
    """
    wheels = {wheel.sha256: wheel for chosen in per_target.values() for wheel in chosen}
    together = set.intersection(*({wheel.sha256 for wheel in chosen} for chosen in per_target.values()))
    if len(together) == len(wheels):
        return frozenset(together)
    reaches = {sha256: _reach(importable(wheel)) for sha256, wheel in wheels.items()}
    drawing = [reaches[sha256] for sha256 in wheels if sha256 not in together]
    while drawing:
        apart = drawing.pop()
        drawn = [sha256 for sha256 in together if reaches[sha256].meets(apart)]
        together.difference_update(drawn)
        drawing += [reaches[sha256] for sha256 in drawn]
    return frozenset(together)


def _reach(paths: Iterable[str]) -> _Reach:
    from lamella.closure.modules import index_modules

    found = list(paths)
    index = index_modules(found)
    folders: set[str] = set()
    for path in found:
        folder = path.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    return _Reach(_as_paths(index.modules), _as_paths(index.packages), frozenset(folders))


def _as_paths(dotted: Iterable[str]) -> frozenset[str]:
    return frozenset(name.replace(".", "/") for name in dotted)
