"""What is this zip meant to be?  Told from its names, and from what `evidence` found in it.

Source of the rules: AWS Lambda developer guide, "Packaging your layer content" and "Working with .zip file archives
for Python Lambda functions"; PEP 3149 for the names of extension modules.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple

from lamella.checks.members import normalized
from lamella.doctor.model import FUNCTION, LAYER, Asked, Evidence, Guess, Layout, Row
from lamella.doctor.names import distribution_of
from lamella.facts.tables import runtimes

# What a layer may have at its root (developer guide, "Layer paths"), as far as Python is concerned
_ROOTS = ("python", "bin", "lib", "extensions")
# Of a layer, what other languages look into, and what is no module wherever it lies
_OTHERS = ("nodejs/", "java/", "ruby/")
_AROUND = ("bin/", "extensions/")
_CALLED_LAYER = re.compile(r"(?<![a-z])layers?(?![a-z])")
_VERSIONED = re.compile(r"(?:^|/)(?:lib/)?python3\.(\d+)/site-packages(?:/|$)")
_SITE = re.compile(r"python/lib/python3\.(\d+)/site-packages/")
_TAG = re.compile(r"\.(?:cpython-3(\d+)(?:t|d)?-|cp3(\d+)-win)")
MACHINE = re.compile(r"\.cpython-3\d+(?:t|d)?-(x86_64|aarch64)-")
_MACHINES = {"x86_64": "x86_64", "aarch64": "arm64"}
INFO = re.compile(r"(?:^|/)[^/]+\.(?:dist|egg)-info/")
# What macOS and editors leave in a zip
_LITTER = re.compile(r"(?:^|/)(?:__MACOSX/|\.DS_Store$|Thumbs\.db$)")


class Top(NamedTuple):
    """A module or package at the top of a zip that no distribution is known to have brought.

    `told` is no where one may have: there are distributions that don't say what is theirs.
    """

    name: str
    told: bool


def guess(rows: Sequence[Row], asked: Asked, known: Evidence = Evidence(), *, called: str = "") -> Guess:  # noqa: B008
    """What a zip with these members is, as far as `asked` doesn't say; `called` is the file's name."""
    names = [row.name for row in rows if not row.is_dir and not is_litter(row.name)]
    kind, why, sure = _kind(names, asked, known, called)
    runtime, of_runtime = _runtime(names, asked.runtime, known)
    architecture, of_architecture = _architecture(names, asked.architecture, known)
    layout = _layout(names, kind, runtime) if sure else Layout()
    taken = runtime or newest(datetime.now(UTC).date())
    if not runtime:
        of_runtime = f"nothing in it names a runtime: {taken} is taken; `--runtime` says another"
    reasons = tuple(filter(None, (why, of_runtime, of_architecture)))
    return Guess(kind, taken, architecture or "x86_64", layout, reasons, sure, bool(runtime), bool(architecture))


def is_litter(name: str) -> bool:
    return _LITTER.search(name) is not None


def _kind(names: Sequence[str], asked: Asked, known: Evidence, called: str) -> tuple[str, str, bool]:
    """LAYER or FUNCTION, why, and whether that is sure."""
    if asked.kind or asked.handler:
        return asked.kind or FUNCTION, "", True
    if known.kind:
        return known.kind, "the manifest beside it says so", True
    folder = single(names)
    inner = inside(names, folder)
    tops = {name.partition("/")[0] for name in inner if "/" in name}
    own = own_tops(inner, known, folder)
    root = [one.name for one in own if one.name.endswith(".py")]
    callers = inside(sorted(known.callers), folder)
    if calls := next((name for name in callers if name in root), ""):
        return FUNCTION, f"`{calls}` at its root has a handler", True
    package = "python/__init__.py" in inner and root
    for name in ("python", "extensions"):
        if name in tops and not package:
            return LAYER, f"it has a folder `{name}`", True
    if usual := next((name for name in ("lambda_function.py", "handler.py") if name in root), ""):
        return FUNCTION, f"it has a `{usual}`", True
    if _CALLED_LAYER.search(called.lower()):
        return LAYER, "its name says so", True
    if tops and tops <= set(_ROOTS) and not root:
        return LAYER, f"it has no folders but {', '.join(sorted(tops))}", True
    if any(INFO.search(name) for name in inner):
        return _with_distributions(own, callers)
    if root:
        return FUNCTION, f"`{root[0]}` lies at its root", True
    return FUNCTION, "it has no folder `python`", True


def _with_distributions(own: Sequence[Top], callers: Sequence[str]) -> tuple[str, str, bool]:
    """What it is that has distributions at its root: a function that brings them, or a layer that lies wrong."""
    if not own:
        return LAYER, "it has distributions alone, and no folder `python`", True
    name = own[0].name
    if callers:
        return FUNCTION, f"`{callers[0]}` has a handler", True
    if any(one.told for one in own):
        return FUNCTION, f"`{name}` is of no distribution in it", True
    return FUNCTION, f"nothing says what distribution `{name}` is of: `--handler` says what Lambda calls", False


def own_tops(inner: Iterable[str], known: Evidence, folder: str = "") -> list[Top]:
    """The modules and packages at the top that no distribution there is known to have brought, the modules first."""
    found: dict[str, None] = {}
    infos: dict[str, None] = {}
    for name in inner:
        top, slash, _ = name.partition("/")
        if match := INFO.match(name):
            infos[match.group()] = None
        elif name.endswith(".py") and top not in _ROOTS[1:] and not top.endswith((".libs", ".data")):
            found[top if slash else name] = None
    prefix = f"{folder}/" if folder else ""
    untold = [name for name in infos if prefix + name not in known.recorded]
    distributions = {normalized(name.rpartition(".")[0].partition("-")[0]) for name in untold}
    rows = []
    for top in sorted(found, key=lambda one: (not one.endswith(".py"), one)):
        if prefix + top in known.owned:
            continue
        module = top.removesuffix(".py")
        names = {normalized(module), normalized(module.lstrip("_")), normalized(distribution_of(module))}
        if names & distributions and prefix + top not in known.local:
            continue
        rows.append(Top(top, not untold or prefix + top in known.local))
    return rows


def single(names: Sequence[str]) -> str:
    """The one folder that everything is in, where it is none that a layer or a package has at its root; else ""."""
    tops = {name.partition("/")[0] for name in names}
    if len(tops) != 1:
        return ""
    top = next(iter(tops))
    inner = [name.partition("/")[2] for name in names]
    package = any(name in ("__init__.py", "__init__.pyc") for name in inner)
    plain = f"{top}/" in _OTHERS or top in _ROOTS or not all(inner) or package or top.endswith((".dist-info", ".libs"))
    return "" if plain else top


def inside(names: Iterable[str], folder: str) -> list[str]:
    return [name[len(folder) + 1 :] for name in names if name.startswith(f"{folder}/")] if folder else list(names)


def _runtime(names: Sequence[str], asked: str, known: Evidence) -> tuple[str, str]:
    """Which it is for, and why; "" where nothing tells."""
    if asked:
        return asked, ""
    listed = known.runtimes
    if len(listed) == 1 and listed[0] in runtimes():
        return listed[0], ""
    tags = (found for name in names for found in (_VERSIONED.search(name), _TAG.search(name)) if found)
    minors = Counter(int(next(filter(None, found.groups()))) for found in tags)
    python = {facts.python[1]: name for name, facts in runtimes().items()}
    # A layer for several runtimes has a folder for each: the newest says most, whichever has the most files
    folders = {int(found[1]) for name in names if (found := _SITE.match(name))}
    for minor in sorted(folders, reverse=True) if len(folders) > 1 else ():
        if minor in python and python[minor] in (listed or python.values()):
            return python[minor], f"{python[minor]} is the newest that it has a folder for"
    for minor, _ in minors.most_common():
        if minor in python and python[minor] in (listed or python.values()):
            return python[minor], f"its compiled modules or folders are for {python[minor]}"
    return "", ""


def newest(today: date) -> str:
    """The newest runtime that is documented and not deprecated; the newest of all where there is none."""
    known = {name: facts for name, facts in runtimes().items() if facts.verified}
    kept = [name for name, facts in known.items() if facts.deprecated is None or today < facts.deprecated]
    return (kept or [*known])[-1]


def _architecture(names: Sequence[str], asked: str, known: Evidence) -> tuple[str, str]:
    """Which it is for, and why; "" where nothing tells."""
    if asked or known.architecture:
        return asked or known.architecture, ""
    machines = Counter(found[1] for name in names if (found := MACHINE.search(name)))
    machine = machines.most_common(1)[0][0] if machines else next(iter(known.machines), "")
    return (_MACHINES[machine], f"its compiled modules are for {machine}") if machine else ("", "")


def _layout(names: Sequence[str], kind: str, runtime: str) -> Layout:
    """How it would have to be laid out anew."""
    folder = single(names)
    inner = inside(names, folder)
    if kind == FUNCTION:
        return Layout(folder)
    if any(name.startswith("python/python/") for name in inner):
        return Layout(f"{folder}/python".strip("/"))
    if any(at_path(name, runtime) for name in inner if _is_code(name)):
        return Layout(folder)
    places = Counter(_places(inner))
    if not places:
        return Layout()
    place = places.most_common(1)[0][0]
    into = f"python/lib/{runtime}/site-packages" if _only_for(inner, place, runtime) else "python"
    return Layout("/".join(filter(None, (folder, place))), into)


def at_path(name: str, runtime: str) -> bool:
    """Whether a member of a layer lies where `runtime` looks for modules."""
    site = f"python/lib/{runtime}/site-packages/"
    if name.startswith("python/lib/python3."):
        return name.startswith(site)
    # What was meant for another place on the way: a virtual environment's folders
    return name.startswith("python/") and not _VERSIONED.search(name) and "/site-packages/" not in name


def _is_code(name: str) -> bool:
    return has_code(name) or INFO.search(name) is not None


def has_code(name: str) -> bool:
    """Whether a member is something that Python may import; what is for other languages is not."""
    return name.endswith((".py", ".so", ".pyc")) and not name.startswith(_OTHERS)


def _only_for(names: Iterable[str], place: str, runtime: str) -> bool:
    """Whether the folder is one of a runtime of its own."""
    found = _VERSIONED.search(f"{place}/")
    return found is not None and f"python3.{found[1]}" == runtime and any(_TAG.search(name) for name in names)


def _places(names: Iterable[str]) -> Iterator[str]:
    """The folder that each distribution, or where there is none each package or module, lies in."""
    listed = [name for name in names if not name.startswith((*_OTHERS, *_AROUND))]
    told = [name[: found.start()] for name in listed if (found := INFO.search(name))]
    if told:
        yield from told
        return
    packages = {name.rpartition("/")[0] for name in listed if name.endswith(("/__init__.py", "/__init__.pyc"))}
    tops = [one.rpartition("/")[0] for one in packages if one.rpartition("/")[0] not in packages]
    if tops:
        yield from tops
        return
    yield from (name.rpartition("/")[0] for name in listed if name.endswith((".py", ".so")))
