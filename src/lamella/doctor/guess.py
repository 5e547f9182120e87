"""What is this zip meant to be?  Told from its names, and of native code from its first bytes.

Source of the rules: AWS Lambda developer guide, "Packaging your layer content" and "Working with .zip file archives
for Python Lambda functions"; PEP 3149 for the names of extension modules.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from lamella.doctor.model import FUNCTION, LAYER, Asked, Guess, Layout, Row
from lamella.facts.tables import runtimes

# What a layer may have at its root (developer guide, "Layer paths"), as far as Python is concerned
_ROOTS = ("python", "bin", "lib", "extensions")
_VERSIONED = re.compile(r"(?:^|/)(?:lib/)?python3\.(\d+)/site-packages(?:/|$)")
_TAG = re.compile(r"\.cpython-3(\d+)(?:t|d)?-")
_MACHINE = re.compile(r"\.cpython-3\d+(?:t|d)?-(x86_64|aarch64)-")
_MACHINES = {"x86_64": "x86_64", "aarch64": "arm64"}
_INFO = re.compile(r"(?:^|/)[^/]+\.(?:dist|egg)-info/")
# What macOS and editors leave in a zip
_LITTER = re.compile(r"(?:^|/)(?:__MACOSX/|\.DS_Store$|Thumbs\.db$)")


def guess(rows: Sequence[Row], asked: Asked, *, called: str = "") -> Guess:
    """What a zip with these members is, as far as `asked` doesn't say; `called` is the file's name."""
    names = [row.name for row in rows if not row.is_dir and not is_litter(row.name)]
    kind, why = _kind(names, asked, called)
    runtime, of_runtime = _runtime(names, asked.runtime)
    architecture, of_architecture = _architecture(names, asked.architecture)
    layout = _layout(names, kind, runtime)
    return Guess(kind, runtime, architecture, layout, tuple(filter(None, (why, of_runtime, of_architecture))))


def is_litter(name: str) -> bool:
    return _LITTER.search(name) is not None


def _kind(names: Sequence[str], asked: Asked, called: str) -> tuple[str, str]:
    if asked.kind or asked.handler:
        return asked.kind or FUNCTION, ""
    inner = _inside(names, _single(names))
    tops = {name.partition("/")[0] for name in inner if "/" in name}
    own = [name for name in inner if "/" not in name and name.endswith(".py")]
    if "python" in tops or "extensions" in tops:
        return LAYER, "it has a folder `python`" if "python" in tops else "it has a folder `extensions`"
    if "lambda_function.py" in own or "handler.py" in own:
        return FUNCTION, f"it has a `{'lambda_function.py' if 'lambda_function.py' in own else 'handler.py'}`"
    if "layer" in called.lower():
        return LAYER, "its name says so"
    told = [name for name in inner if _INFO.search(name)]
    if tops and tops <= set(_ROOTS):
        return LAYER, f"it has no folders but {', '.join(sorted(tops))}"
    if own and not told:
        return FUNCTION, f"`{own[0]}` lies at its root"
    if told:
        return LAYER, "it has distributions, and no folder `python`"
    return FUNCTION, "it has no folder `python`"


def _single(names: Sequence[str]) -> str:
    """The one folder that everything is in, where it is none that a layer or a package has at its root; else ""."""
    tops = {name.partition("/")[0] for name in names}
    if len(tops) != 1:
        return ""
    top = next(iter(tops))
    inner = [name.partition("/")[2] for name in names]
    package = any(name in ("__init__.py", "__init__.pyc") for name in inner)
    plain = top in _ROOTS or not all(inner) or package or top.endswith((".dist-info", ".libs"))
    return "" if plain else top


def _inside(names: Iterable[str], folder: str) -> list[str]:
    return [name[len(folder) + 1 :] for name in names if name.startswith(f"{folder}/")] if folder else list(names)


def _runtime(names: Sequence[str], asked: str) -> tuple[str, str]:
    if asked:
        return asked, ""
    minors = Counter(int(found[1]) for name in names for found in (_VERSIONED.search(name), _TAG.search(name)) if found)
    known = {facts.python[1]: name for name, facts in runtimes().items()}
    for minor, _ in minors.most_common():
        if minor in known:
            return known[minor], f"its compiled modules or folders are for {known[minor]}"
    own = known.get(sys.version_info[1])
    newest = [name for name, facts in runtimes().items() if facts.verified][-1]
    return own or newest, f"nothing in it names a runtime: {own or newest} is taken; `--runtime` says another"


def _architecture(names: Sequence[str], asked: str) -> tuple[str, str]:
    if asked:
        return asked, ""
    machines = Counter(found[1] for name in names if (found := _MACHINE.search(name)))
    if not machines:
        return "x86_64", ""
    machine = machines.most_common(1)[0][0]
    return _MACHINES[machine], f"its compiled modules are for {machine}"


def _layout(names: Sequence[str], kind: str, runtime: str) -> Layout:
    """How it would have to be laid out anew."""
    single = _single(names)
    inner = _inside(names, single)
    if kind == FUNCTION:
        return Layout(single)
    if any(name.startswith("python/python/") for name in inner):
        return Layout(f"{single}/python".strip("/"))
    if any(at_path(name, runtime) for name in inner if _is_code(name)):
        return Layout(single)
    places = Counter(_places(inner))
    if not places:
        return Layout(single)
    place = places.most_common(1)[0][0]
    into = f"python/lib/{runtime}/site-packages" if _only_for(inner, place, runtime) else "python"
    return Layout("/".join(filter(None, (single, place))), into)


def at_path(name: str, runtime: str) -> bool:
    """Whether a member of a layer lies where `runtime` looks for modules."""
    site = f"python/lib/{runtime}/site-packages/"
    if name.startswith("python/lib/python3."):
        return name.startswith(site)
    # What was meant for another place on the way: a virtual environment's folders
    return name.startswith("python/") and not _VERSIONED.search(name) and "/site-packages/" not in name


def _is_code(name: str) -> bool:
    return name.endswith((".py", ".so", ".pyc")) or _INFO.search(name) is not None


def _only_for(names: Iterable[str], place: str, runtime: str) -> bool:
    """Whether the folder is one of a runtime of its own."""
    found = _VERSIONED.search(f"{place}/")
    return found is not None and f"python3.{found[1]}" == runtime and any(_TAG.search(name) for name in names)


def _places(names: Iterable[str]) -> Iterator[str]:
    """The folder that each distribution, or where there is none each package or module, lies in."""
    listed = list(names)
    told = [name[: found.start()] for name in listed if (found := _INFO.search(name))]
    if told:
        yield from told
        return
    packages = {name.rpartition("/")[0] for name in listed if name.endswith(("/__init__.py", "/__init__.pyc"))}
    tops = [one.rpartition("/")[0] for one in packages if one.rpartition("/")[0] not in packages]
    if tops:
        yield from tops
        return
    yield from (name.rpartition("/")[0] for name in listed if name.endswith((".py", ".so")))
