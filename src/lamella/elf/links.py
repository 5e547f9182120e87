"""What an ELF file asks of other libraries and offers to them, from what the loader itself reads.

Section headers are never looked at, so that a blanked file gives the same.  Sources: gABI, "Dynamic Linking"; Linux
Standard Base Core, "Symbol Versioning".
"""

from __future__ import annotations

import io
import re
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from lamella.elf.headers import DYNAMIC, INTERPRETER, MACHINES, MAGIC, Layout, layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from elftools.construct.lib.container import Container
    from elftools.elf.elffile import ELFFile
    from elftools.elf.gnuversions import GNUVersionSection
    from elftools.elf.sections import StringTableSection

# PEP 489: the function that makes a module, and its spelling for names that are not ASCII
_MODULE = re.compile(rb"PyInitU?_(\w+)\0")
_TYPES = (b"\2\0", b"\3\0", b"\0\2", b"\0\3")  # e_type of what a loader takes, in both byte orders
_WORD = re.compile(rb"[A-Za-z0-9_]")
_GOES_ON = re.compile(rb"[.+-]?[A-Za-z0-9_]")
# Nothing real comes near; a damaged table could ask for billions
_MOST = 1000


class Needs(NamedTuple):
    """The versions that symbols of the library `file` must have: ("libc.so.6", ("GLIBC_2.2.5", "GLIBC_2.28"))."""

    file: str
    versions: tuple[str, ...]


class Library(NamedTuple):
    """A shared library or program.

    `machine` is `uname -m`'s name of it, or "machine 224" for one without a name here.  `rpath` and `runpath` are
    folders in the order of the search, with `$ORIGIN` as it was written.  `defines` are the symbol versions that it
    offers, `modules` the Python modules that it can be (`PyInit__foo` makes `_foo`).
    """

    machine: str
    wide: bool  # 64-bit
    is_program: bool
    soname: str | None = None
    needed: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    needs: tuple[Needs, ...] = ()
    defines: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()


def read(data: bytes) -> Library | None:
    """What the ELF file `data` says of itself; None for any other file, object files included.

    Raises ValueError for one that is damaged.
    """
    found = layout(data)
    if found is None:
        if data[:4] == MAGIC and data[16:18] in _TYPES:
            raise ValueError("its ELF header is damaged")
        return None
    is_program = any(part.type == INTERPRETER for part in found.segments)
    library = Library(MACHINES.get(found.machine, f"machine {found.machine}"), found.wide, is_program)
    if not any(part.type == DYNAMIC and part.size for part in found.segments):
        return library
    # Late: a fraction of a second where there is nothing to read
    from elftools.common.exceptions import ELFError

    try:
        return _linked(library, data, found)
    except (ELFError, LookupError, ValueError, TypeError, AttributeError, AssertionError, OverflowError) as error:
        raise ValueError("its dynamic section is damaged") from error


def mentions(data: bytes, names: Iterable[bytes]) -> set[bytes]:
    """Which of `names` stand in `data` as whole words.

    `libfoo.so` is no word of `libfoo.so.2` or `libfoo.sorted`; it is one of `lib/libfoo.so`, and of `libfoo.so.*`.
    """
    return {name for name in names if _stands_in(data, name)}


def _stands_in(data: bytes, name: bytes) -> bool:
    # `find` passes over megabytes in the time in which an expression that looks behind passes over kilobytes
    at = data.find(name)
    while at >= 0:
        if not _WORD.match(data, max(at - 1, 0), at) and not _GOES_ON.match(data, at + len(name)):
            return True
        at = data.find(name, at + 1)
    return False


def _linked(library: Library, data: bytes, found: Layout) -> Library:
    from elftools.elf.dynamic import DynamicSegment
    from elftools.elf.elffile import ELFFile

    stream = io.BytesIO(data)
    # Without section headers the library takes the tables that the tags point to: those that ld.so takes
    stream.write(found.header_without_sections(data))
    file = ELFFile(stream)
    segment = next(part for part in file.iter_segments() if isinstance(part, DynamicSegment))
    texts: dict[str, list[str]] = {"needed": [], "soname": [], "rpath": [], "runpath": []}
    values: dict[str, int] = {}
    for tag in islice(segment.iter_tags(), _MOST):
        kind = str(tag.entry.d_tag).removeprefix("DT_").lower()
        if kind in texts:
            texts[kind].append(getattr(tag, kind))
        else:
            values[kind] = tag.entry.d_val
    strings = segment.get_table_offset("DT_STRTAB")[1]
    if strings is None:
        return library
    return library._replace(
        soname=next(iter(texts["soname"]), None),
        needed=tuple(texts["needed"]),
        rpath=_folders(texts["rpath"]),
        runpath=_folders(texts["runpath"]),
        needs=tuple(_needs(file, segment.get_table_offset("DT_VERNEED")[1], values.get("verneednum", 0), strings)),
        defines=tuple(_defines(file, segment.get_table_offset("DT_VERDEF")[1], values.get("verdefnum", 0), strings)),
        modules=tuple(sorted(set(_modules(data[strings : strings + values.get("strsz", 0)])))),
    )


def _folders(lists: list[str]) -> tuple[str, ...]:
    return tuple(folder for text in lists for folder in text.split(":") if folder)


def _modules(strings: bytes) -> Iterator[str]:
    for name in _MODULE.findall(strings):
        yield name.decode("ascii")


def _needs(file: ELFFile, offset: int | None, count: int, strings: int) -> Iterator[Needs]:
    from elftools.elf.gnuversions import GNUVerNeedSection

    if offset is not None:
        table = GNUVerNeedSection(_header(offset, min(count, _MOST)), "", file, _strings(file, strings))
        for name, versions in _versions(table):
            yield Needs(name or "", versions)


def _defines(file: ELFFile, offset: int | None, count: int, strings: int) -> Iterator[str]:
    from elftools.elf.gnuversions import GNUVerDefSection

    if offset is not None:
        table = GNUVerDefSection(_header(offset, min(count, _MOST)), "", file, _strings(file, strings))
        # The first name of a definition is its own, those behind it are what it inherits from
        for _, versions in _versions(table):
            yield versions[0]


def _versions(table: GNUVersionSection) -> Iterator[tuple[str | None, tuple[str, ...]]]:
    for version, names in table.iter_versions():
        yield version.name, tuple(name.name for name in islice(names, _MOST))


def _strings(file: ELFFile, offset: int) -> StringTableSection:
    from elftools.elf.sections import StringTableSection

    return StringTableSection(_header(offset, 0), "", file)


def _header(offset: int, count: int) -> Container:
    """A section header for what a tag points to: pyelftools reads these tables as sections only."""
    from elftools.construct.lib.container import Container

    return Container(sh_type="", sh_flags=0, sh_offset=offset, sh_info=count, sh_size=0, sh_addralign=1)
