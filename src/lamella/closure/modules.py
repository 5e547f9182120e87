"""Paths of files → which dotted modules they make, and whether an import finds its module among them.

Source of the rules: The Python Language Reference, "The import system" (a package or module wins over namespace
portions; portions of all places are joined: PEP 420) and PEP 3149 for the names of extension modules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from lamella.closure.findings import Kind, ModuleIndex, Provided
from lamella.contents.model import BUNDLE, RUNTIME

EMPTY = ModuleIndex()


def index_modules(paths: Iterable[str], sites: Sequence[str] = ("",)) -> ModuleIndex:
    """The modules among `paths` of an archive.

    `sites` are the archive's folders that are on sys.path ("python", "python/lib/python3.12/site-packages"; "" is
    the root).  What lies outside of them, or in a folder that no import can name, is no module.
    """
    prefixes = sorted((f"{site.strip('/')}/" if site.strip("/") else "" for site in sites), key=len, reverse=True)
    packages: set[str] = set()
    modules: set[str] = set()
    folders: set[str] = set()
    for path in paths:
        if not path.endswith((".py", ".so", ".pyc")):
            continue
        prefix = next((prefix for prefix in prefixes if path.startswith(prefix)), None)
        if prefix is None:
            continue
        folder, _, file = path[len(prefix) :].rpartition("/")
        if "." in folder:  # a.libs, a-1.0.dist-info, lib/python3.12
            continue
        name = _stem(file)
        if not name:
            continue
        dotted = folder.replace("/", ".")
        if folder:
            folders.add(dotted)
        if name != "__init__":
            modules.add(f"{dotted}.{name}" if folder else name)
        elif folder:
            packages.add(dotted)
    for folder in tuple(folders):
        while "." in folder and (folder := folder.rpartition(".")[0]) not in folders:
            folders.add(folder)
    return ModuleIndex(frozenset(packages), frozenset(modules), frozenset(folders - packages))


def _stem(file: str) -> str:
    """The module's name: ``_x`` of _x.py, _x.so, _x.abi3.so and _x.cpython-312-x86_64-linux-gnu.so; "" for none."""
    stem, _, ending = file.rpartition(".")
    if ending != "so":
        return "" if "." in stem else stem
    name, _, tag = stem.partition(".")
    fits = not tag or (tag.startswith(("abi3", "cpython-")) and not tag.endswith("-darwin"))
    return name if fits else ""


def known_modules(names: Iterable[str]) -> ModuleIndex:
    """Modules that are known by name only, such as the runtime's: everything below them counts as there."""
    return ModuleIndex(opaque=frozenset(names))


def joined(indexes: Iterable[ModuleIndex]) -> ModuleIndex:
    """What is unpacked into one directory."""
    known = tuple(indexes)
    if len(known) == 1:
        return known[0]
    packages = frozenset[str]().union(*(index.packages for index in known))
    return ModuleIndex(
        packages,
        frozenset[str]().union(*(index.modules for index in known)),
        frozenset[str]().union(*(index.namespaces for index in known)) - packages,
        frozenset[str]().union(*(index.opaque for index in known)),
    )


class Search(NamedTuple):
    """How a search ended: `at` is the place (index into sys.path) that decided, `kind` what was found last.

    Of an UNSURE answer `kind` is that of the deepest parent that is there: a package, or a single module.
    """

    answer: Provided
    at: int | None = None
    kind: Kind | None = None


def provides(index: ModuleIndex, dotted: str) -> Provided:
    """Whether `dotted` is in `index`.

    Below a package or module, what is no file is UNSURE: it may be made at run time (six.moves).  Below a
    namespace package it must be there.
    """
    return search((index,), dotted).answer


def search(places: Sequence[ModuleIndex], dotted: str) -> Search:
    """Looks `dotted` up as importlib does, `places` in the order of sys.path."""
    portions = list(range(len(places)))
    inside: Search | None = None  # set once a package decided for one place
    name = ""
    kind: Kind | None = None
    for part in dotted.split("."):
        name = f"{name}.{part}" if name else part
        kinds = [(at, kind) for at in portions if (kind := places[at].kind(name)) is not None]
        regular = next(((at, kind) for at, kind in kinds if kind is not Kind.NAMESPACE), None)
        if regular is not None:
            at, kind = regular
            if kind is Kind.OPAQUE:
                return Search(Provided.YES, at, kind)
            portions, inside = [at], Search(Provided.UNSURE, at, kind)
        elif kinds:
            portions, kind = [at for at, _ in kinds], Kind.NAMESPACE
        else:
            return inside or Search(Provided.NO)
    return Search(Provided.YES, portions[0], kind)


def on_path(own: ModuleIndex, available: Mapping[str, ModuleIndex]) -> tuple[ModuleIndex, ModuleIndex, ModuleIndex]:
    """The three places of Lambda's sys.path: the function's zip, all layers (unpacked into one /opt), the runtime."""
    layers = [index for holder, index in available.items() if holder not in (BUNDLE, RUNTIME)]
    return (
        joined((own, available.get(BUNDLE, EMPTY))),
        joined(layers) if layers else EMPTY,
        available.get(RUNTIME, EMPTY),
    )
