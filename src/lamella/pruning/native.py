"""Native libraries of an artifact that nothing in it can load.

From what is loaded by itself (extension modules, programs) the search goes over DT_NEEDED, as ld.so resolves it, and of
several libraries of one name to those that define the symbol versions that are asked for.  What it does not come to may
still be loaded by name, so each doubt keeps a library:

- without a SONAME it was not made to be linked: a plugin;
- its name, or its name without `lib` and version where the distribution loads libraries at all, stands in a kept file;
- its distribution loads what it finds in a folder, or a file of it can't be read;
- its distribution has no extension module: somebody else's code loads it (nvidia-*, tbb, intel-openmp);
- no library of its folder is linked: a folder of plugins.  auditwheel's `*.libs` hold only what was linked.

One artifact is looked at: a library here that only code of another layer links is missed by the check `platform`.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from lamella.archive.entry import LINK, PROGRAM, Entry, content
from lamella.elf.links import Library, mentions, read
from lamella.elf.search import folders, passed_on
from lamella.pruning.model import File

# libfoo.so, _foo.cpython-312-x86_64-linux-gnu.so, libfoo-0123abcd.so.1.2.3
_LIBRARY = re.compile(r"\.so(\.\d[\w.+-]*)?$")
# PEP 3149: an extension module by its name; `foo.so` is one when it has the function that makes a module
_TAGGED = re.compile(r"\.(cpython-\d+\w*(-[\w-]+)?|abi\d+(-[\w-]+)?|pypy\d+[\w-]*)\.so$")
# What auditwheel puts into the names of libraries that it brings along, to tell them from the system's
_HASH = re.compile(r"-(?:r\d+-)?[0-9a-f]{8}(?=\.|$)")

# Python that loads libraries by name, and that looks what there is
_LOADS = re.compile(
    rb"CDLL|PyDLL|\bcdll\b|LoadLibrary|load_library|dlopen|find_library|add_dll_directory|ExtensionFileLoader"
)
_LISTS = re.compile(rb"\bglob\b|\biglob\b|rglob|listdir|scandir|iterdir|os\.walk|fnmatch")
# Files beside Python that tell a program what to load
_LISTINGS = (".py", ".pth", ".json", ".txt", ".cfg", ".ini", ".conf", ".xml", ".yaml", ".yml", ".toml", ".sh", ".la")

# Where the artifact is thought to lie, and what of it is on LD_LIBRARY_PATH: /opt/lib, /var/task, /var/task/lib
_ROOT = "/artifact"
_LIBRARY_PATH = (_ROOT, _ROOT + "/lib")

UNREACHED = "nothing in the artifact links it or names it"


class _Native(NamedTuple):
    file: File
    path: str  # below _ROOT
    library: Library | None  # None: it can't be read, or is a link

    @property
    def name(self) -> str:
        return os.path.basename(self.path)

    @property
    def folder(self) -> str:
        return os.path.dirname(self.path)

    @property
    def soname(self) -> str | None:
        return self.library.soname if self.library else None


def unreached(files: Sequence[File], *, read: Callable[[Entry], bytes] = content) -> dict[str, str]:
    """The libraries that nothing can load: path in the archive → the reason, a sentence.

    `files` are those that were kept so far, of all distributions of the artifact; `read` gives an entry's real bytes.
    Raises what `read` does (DamagedSourceError).
    """
    natives = list(_natives(files, read))
    reach = _Reach(natives)
    for native in natives:
        if _is_root(native):
            reach.add(native)
    if len(reach.found) < len(natives):
        _add_doubtful(reach, files, read)
    left = [native for native in natives if native.path not in reach.found]
    return {native.file.entry.path: _reason(native, reach) for native in left}


def _natives(files: Iterable[File], read_entry: Callable[[Entry], bytes]) -> Iterable[_Native]:
    for file in files:
        entry = file.entry
        by_name = _LIBRARY.search(entry.path) is not None
        # Programs of wheels have the mode, or lie where programs do, and no file type in their name
        if not by_name and (entry.mode != PROGRAM or "." in os.path.basename(entry.path)):
            continue
        path = f"{_ROOT}/{entry.path}"
        if entry.mode == LINK:
            yield _Native(file, path, None)
            continue
        try:
            library = read(read_entry(entry))
        except ValueError:
            yield _Native(file, path, None)
            continue
        # A linker script or a debug file is not ours to judge
        if library is not None or by_name:
            yield _Native(file, path, library)


def _is_root(native: _Native) -> bool:
    """Tell whether it is loaded without being linked or named, or nothing is known about it."""
    library = native.library
    if library is None or library.is_program or library.soname is None or library.modules:
        return True
    if _TAGGED.search(native.name) or not _LIBRARY.search(native.name):
        return True
    return native.folder in _LIBRARY_PATH


class _Reach:
    """What has been found to be loaded, with all that it links."""

    def __init__(self, natives: Sequence[_Native]) -> None:
        self.natives = natives
        self.found: set[str] = set()
        self._at = {native.path: native for native in natives}
        self._named: dict[str, list[_Native]] = {}
        for native in natives:
            for name in {native.name, native.soname}:
                if name:
                    self._named.setdefault(name, []).append(native)

    def add(self, native: _Native) -> None:
        waiting: list[tuple[_Native, tuple[str, ...]]] = [(native, ())]
        seen: set[tuple[str, tuple[str, ...]]] = set()
        while waiting:
            native, inherited = waiting.pop()
            if (native.path, inherited) in seen:
                continue
            seen.add((native.path, inherited))
            self.found.add(native.path)
            if native.library is None:
                continue
            handed = passed_on(native.library, native.path, inherited)
            for name in native.library.needed:
                waiting += [(other, handed) for other in self._resolved(native, native.library, name, inherited)]

    def _resolved(self, native: _Native, library: Library, name: str, inherited: tuple[str, ...]) -> Iterable[_Native]:
        """All that ld.so could take: what has the name in a folder of the search, else who has the SONAME, anywhere."""
        there = folders(library, native.path, inherited, _LIBRARY_PATH)
        found = [self._at[path] for folder in there if (path := f"{folder}/{name}") in self._at]
        return _with_versions(library, name, found or self._named.get(os.path.basename(name), ()))

    def folders(self) -> set[str]:
        return {os.path.dirname(path) for path in self.found}

    def names(self, native: _Native) -> set[bytes]:
        """Its `_names`, but not those that a loaded file of its distribution has: of three copies, one is meant."""
        own = native.file.distribution
        loaded = {
            other.name
            for name in _names(native)
            for other in self._named.get(name, ())
            if other.path in self.found and other.file.distribution == own
        }
        return {_encoded(name) for name in _names(native) - loaded}

    def left(self) -> list[_Native]:
        return [native for native in self.natives if native.path not in self.found]


def _add_doubtful(reach: _Reach, files: Sequence[File], read_entry: Callable[[Entry], bytes]) -> None:
    """Add what may be loaded by name, and what it links, until there is no more of it."""
    texts = _Texts(files, read_entry, reach.left())
    certain = {native.file.distribution for native in reach.natives if native.library and native.library.modules}
    opaque = {native.file.distribution for native in reach.natives if native.library is None}
    for native in reach.left():
        distribution = native.file.distribution
        doubtful = distribution not in certain or distribution in opaque or distribution in texts.listing
        if doubtful or texts.tell_of(native, reach.names(native)):
            reach.add(native)
    searched: set[str] = set()
    while left := reach.left():
        for native in left:
            if native.folder not in reach.folders() and not native.folder.endswith(".libs"):
                reach.add(native)
        news = [native for native in reach.natives if native.path in reach.found and native.path not in searched]
        if not news:
            return
        for native in news:
            searched.add(native.path)
            if native.file.entry.mode != LINK:
                _add_named(reach, native.library, read_entry(native.file.entry))


def _add_named(reach: _Reach, library: Library | None, data: bytes) -> None:
    """Add what the bytes of a loaded library name, as `dlopen` would be given it."""
    # Its own name, and what it links: that is resolved
    linked = {_encoded(name) for name in (library.soname, *library.needed) if name} if library else set()
    for native in reach.left():
        strings = {b"\0%s\0" % stem for stem in _stems(native)}
        if mentions(data, reach.names(native) - linked) or any(string in data for string in strings):
            reach.add(native)


class _Texts:
    """What the kept text files of an artifact say about libraries that nothing links; each is read once and let go."""

    def __init__(self, files: Sequence[File], read_entry: Callable[[Entry], bytes], left: Sequence[_Native]) -> None:
        self.listing: set[str] = set()
        self._loading: set[str] = set()
        self._exact = {_encoded(name) for native in left for name in _names(native)}
        self._stems: dict[str, set[bytes]] = {}  # by distribution
        for native in left:
            self._stems.setdefault(native.file.distribution, set()).update(_stems(native))
        self._told: set[bytes] = set()
        self._told_of_own: set[tuple[str, bytes]] = set()
        having = {file.distribution for file in files if _LIBRARY.search(file.entry.path)}
        for file in files:
            # RECORD and what else an installer notes name every file
            if not file.path.endswith(_LISTINGS) or ".dist-info/" in file.path or file.entry.mode == LINK:
                continue
            # Data of a distribution without libraries tells nobody what to load: botocore's are 100 MB
            if file.distribution in having or file.path.endswith(".py"):
                self._read(file.distribution, read_entry(file.entry))

    def _read(self, distribution: str, text: bytes) -> None:
        found = mentions(text, self._exact if b".so" in text else [name for name in self._exact if b".so" not in name])
        self._exact -= found
        self._told |= found
        stems = self._stems.get(distribution)
        if stems is None:
            return
        self._told_of_own |= {(distribution, stem) for stem in mentions(text, stems)}
        if _LOADS.search(text):
            self._loading.add(distribution)
            if _LISTS.search(text):
                self.listing.add(distribution)

    def tell_of(self, native: _Native, exact: set[bytes]) -> bool:
        """Tell whether a text names the library: any by its file's names, its own distribution by its plain name."""
        own = native.file.distribution
        if not exact.isdisjoint(self._told):
            return True
        return own in self._loading and any((own, stem) in self._told_of_own for stem in _stems(native))


def _with_versions(library: Library, name: str, found: Sequence[_Native]) -> Sequence[_Native]:
    """Of several libraries of one name those that define the versions that `library` asks for, or that can't be read.

    All where none defines them: ld.so takes what has no versions at all.
    """
    wanted = {version for needs in library.needs if needs.file == name for version in needs.versions}
    if len(found) < 2 or not wanted:
        return found
    fitting = [native for native in found if native.library and wanted.issubset(native.library.defines)]
    return [*fitting, *(native for native in found if native.library is None)] if fitting else found


def _names(native: _Native) -> set[str]:
    """The names under which `dlopen` may be asked for it: libfoo.so.1.2, its SONAME, libfoo.so or libfoo.so.*."""
    full = {native.name, native.soname or native.name}
    short = {name[: name.index(".so") + 3] for name in full if ".so" in name}
    return full | short


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _stems(native: _Native) -> set[bytes]:
    """`foo` and `libfoo` for libfoo-0123abcd.so.1."""
    whole = native.name[: native.name.index(".so")]
    stems = {whole, _HASH.sub("", whole)}
    stems |= {stem.removeprefix("lib") for stem in stems}
    return {_encoded(stem) for stem in stems if stem}


def _reason(native: _Native, reach: _Reach) -> str:
    entry = native.file.entry
    for other in reach.natives:
        twin = other.file.entry
        if other.path in reach.found and (twin.crc, twin.size) == (entry.crc, entry.size) and entry.size:
            return f"a copy of `{other.name}` under a name that nothing in the artifact links or loads"
    return UNREACHED
