"""Bytecode by the target's own Python: `unchecked-hash` .pyc files (PEP 552), beside their sources or instead.

On Lambda `/opt` and `/var/task` can't be written to: modules without bytecode are compiled in every cold start.  A
file's date says nothing there, as all are of 1980, so the bytecode is not checked against its source.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from lamella.archive.entry import FILE, LINK, PROGRAM, Entry, content, from_bytes
from lamella.derive.key import groups, identity
from lamella.derive.model import Store
from lamella.digests import key_of

if TYPE_CHECKING:
    from lamella.derive.compiler import Compiler
    from lamella.interpreter import Interpreter

Mode = Literal["beside", "instead"]

# Raised when the same source gives other bytes than before
_REVISION = 1
# Names that an import can reach: identifiers, and those that `importlib.import_module` alone takes, as the numbered
# modules of migrations
_NAME = re.compile(r"\w+")
# The folder of what a package copies into somebody's project: alembic's `templates/generic/env.py`
_TEMPLATES = "templates"
# Where a string ends with the name of a source, and what stands before such a name
_END = re.compile(rb"\.py[\"']")
_BEFORE = re.compile(rb"[/\\\"'\s]")
_LONGEST = 200


def compile_all(
    entries: Sequence[Entry],
    *,
    interpreter: Interpreter,
    python: tuple[int, int],
    mount: str,
    sites: Sequence[str],
    mode: Mode,
    store: Store,
    keep: Collection[str] = frozenset(),
) -> list[Entry]:
    """The entries, and bytecode of every module below `sites`: beside its source, or in its place.

    `sites` are folders of importable code in the archive ("python", or "" for a function), `mount` is where Lambda
    unpacks it ("/opt", "/var/task"), for tracebacks.  Docstrings and assertions stay; of "instead" the columns of each
    instruction go (`-X no_debug_ranges`), which serve to underline a source.

    A source keeps its place, with "instead", too, and has its bytecode beside it:
    - when its path is in `keep`;
    - when a source of its distribution has its name at the end of a string: that may look for the file, or run it
      without an import, as opencv's `cv2/__init__.py` does with "config.py";
    - when it is in a folder `templates`, from where packages copy files into projects, as alembic does.  Where that
      folder is no package, it gets no bytecode at all: nobody imports it, and what is copied should be clean.
    Code that reads its own source by other ways (`inspect.getsource`) can't be told, and needs `keep`.

    No bytecode: of a file that doesn't compile (code for other versions lies about in many packages), and, with
    "instead", of a program with a first line of its own (`#!`).
    Sorted by path.  The same sources give the same bytes with every interpreter of one full version.
    Raises OutsideError when the interpreter fails; DamagedSourceError.
    """
    copied = _copied(entries)
    modules = [entry for entry in entries if _is_module(entry, sites) and copied.get(entry.path, True)]
    # What a traceback underlines with the columns is the source, which is not there
    made = _bytecode_of(modules, interpreter, mount, store, columns=mode == "beside")
    stay = {*keep, *copied, *_named(entries)} if mode == "instead" else frozenset[str]()
    kept = {entry.path: entry for entry in entries}
    for entry in modules:
        code = made.get(entry.path)
        if code is None or (mode == "instead" and _is_script(entry)):
            continue
        beside = mode == "beside" or entry.path in stay
        path = _beside(entry.path, python) if beside else entry.path + "c"
        kept[path] = code._replace(path=path, origin=entry.origin, mode=FILE)
        if not beside:
            del kept[entry.path]
    return sorted(kept.values())


def _copied(entries: Sequence[Entry]) -> dict[str, bool]:
    """The paths of sources in folders `templates`, and whether that folder is a package."""
    paths = {entry.path for entry in entries}
    found = {}
    for path in paths:
        folder, inside, _ = path.partition(f"/{_TEMPLATES}/")
        if inside and path.endswith(".py"):
            found[path] = f"{folder}{inside}__init__.py" in paths
    return found


def _named(entries: Sequence[Entry]) -> set[str]:
    """The paths of sources whose names a source of their distribution has at the end of a string."""
    sources = [entry for entry in entries if entry.path.endswith(".py") and entry.mode != LINK]
    by_name: dict[tuple[str, bytes], list[str]] = {}
    for entry in sources:
        by_name.setdefault((entry.origin, entry.path.rpartition("/")[2].encode()), []).append(entry.path)
    found: set[str] = set()
    for entry in sources:
        text = content(entry)
        for match in _END.finditer(text):
            before = text[max(0, match.end() - _LONGEST) : match.end() - 1]
            found.update(by_name.pop((entry.origin, _BEFORE.split(before)[-1]), ()))
    return found


def _is_module(entry: Entry, sites: Sequence[str]) -> bool:
    """Whether an import could come upon this source."""
    if not entry.path.endswith(".py") or entry.mode == LINK:
        return False
    inside = [site for site in sites if not site or entry.path.startswith(site + "/")]
    if not inside:
        return False
    site = max(inside, key=len)
    names = entry.path[:-3].removeprefix(site).lstrip("/").split("/")
    # In a function's zip the programs lie beside the importable code
    return all(map(_NAME.fullmatch, names)) and not (site == "" and names[0] == "bin")


def _is_script(entry: Entry) -> bool:
    return entry.mode == PROGRAM and content(entry).startswith(b"#!")


def _beside(path: str, python: tuple[int, int]) -> str:
    """Where PEP 3147 has an interpreter look for a source's bytecode."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}__pycache__/{name[:-3]}.cpython-{python[0]}{python[1]}.pyc"


def _bytecode_of(
    modules: Sequence[Entry], interpreter: Interpreter, mount: str, store: Store, *, columns: bool
) -> Mapping[str, Entry]:
    """The bytecode by the path of its source; none for what doesn't compile."""
    made: dict[str, Entry] = {}
    missing = []
    keyed = {
        key_of(
            "bytecode", _REVISION, interpreter.version, mount, columns,
            *(f"{entry.path} {identity(entry)}" for entry in group),
        ): group
        for group in groups(modules)
    }  # fmt: skip
    store.expect(keyed)
    for key, group in keyed.items():
        kept = store.derived(key)
        if kept is None:
            missing.append((key, group))
        else:
            made.update(kept)
    if missing:
        from lamella.derive.compiler import Compiler

        with Compiler(interpreter, sum(len(group) for _, group in missing), columns=columns) as compiler:
            for key, group in missing:
                made.update(store.derive(key, _compiled(compiler, group, mount)))
    return made


def _compiled(compiler: Compiler, group: Sequence[Entry], mount: str) -> Iterator[Entry]:
    def work(entry: Entry) -> Entry | None:
        code = compiler.bytecode(f"{mount}/{entry.path}", content(entry))
        return from_bytes(entry.path, entry.origin, code) if code else None

    for entry in compiler.map(work, group):
        if entry is not None:
            yield entry
