"""A shared library without the bytes that the loader never maps: symbol tables, debug sections, section headers.

Every byte that no program header, nor the ELF header or the table of program headers, covers is cut off at the file's
end and zeroed in its middle, where zeros compress to nothing.  No other byte moves or changes but the fields of the
ELF header that tell where the section headers are.  That is what sets it apart from `strip`, which lays files out anew
and breaks what patchelf has touched.

Why this can't be seen by a running process:

- ld.so reads the ELF header, the program headers, and what those map; it reads no section header (gABI, "Program
  Loading": sections are the link editor's view).  `dlopen`, `dlsym`, unwinding (.eh_frame), thread-local storage and
  symbol versions all live in segments.
- It maps whole pages, so that bytes around a segment in the file come into memory too, and those may be zeros now.
  gABI says of them that they are not part of the segment: what they hold was up to the linker.  Behind the end of the
  file, the rest of a page reads as zeros (mmap(2)); a page without any byte of the file would be a fault, so the file
  stays long enough for each segment's offset, those without bytes in the file too.

What is lost: whoever reads the file for its sections, rather than asking the loader, finds none.  Debuggers, profilers
and backtraces of native crashes then know exported names only.  `keep` excepts a file.

Left alone, that is None:

- programs, which may carry a payload that they look for in their own file (AppImage, PyInstaller, zip behind an
  interpreter), and are found by their own name rather than loaded;
- object files, archives, kernel modules, debug-only files, whose segments have no bytes;
- files with bytes behind all that their headers tell of: a payload;
- files with an unmapped section of somebody's own: names without a leading dot are not the tool chain's (gABI, "Special
  Sections"), and a library may read such a section from its own file;
- code for other machines than processors: the GPU's loader reads sections.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from lamella.elf.headers import DYNAMIC, INTERPRETER, LOAD, MACHINES, SHARED, Layout, layout

# Counts up when `blank` gives other bytes for the same input
VERSION = 1

_NO_BITS = 8  # sh_type: no bytes in the file
_ALLOC = 2  # sh_flags: in memory at run time
_NULL_TAG, _STRTAB, _SYMTAB, _SONAME, _FLAGS_1 = 0, 5, 6, 14, 0x6FFFFFFB
_PIE = 0x08000000  # in DT_FLAGS_1: a program, though its type is that of a library


def blank(data: bytes) -> bytes | None:
    """The shared library `data` without what the loader never maps; never longer.

    None: there is nothing to gain, or the file is not one to touch (see above).  Raises nothing.
    """
    found = layout(data)
    if found is None or not _is_library(data, found) or any(part.end > len(data) for part in found.segments):
        return None
    sections = _sections(data, found)
    if sections is None or _has_payload(data, found, sections) or _has_own(data, found, sections):
        return None
    blanked = _kept_only(data, found)
    return None if blanked == data else blanked


def _kept_only(data: bytes, found: Layout) -> bytes:
    spans = [(0, found.header_size), (found.segments_at, found.segments_at + found.segment_size * len(found.segments))]
    spans += [(part.offset, part.end) for part in found.segments]
    kept = bytearray(min(len(data), max(end for _, end in spans)))
    view = memoryview(data)
    for start, end in spans:
        kept[start:end] = view[start:end]
    header = found.header_without_sections(data)
    kept[: len(header)] = header
    return bytes(kept)


def _is_library(data: bytes, found: Layout) -> bool:
    """Tell whether ld.so could load this: its dynamic section is there, and points into mapped bytes."""
    if found.type != SHARED or found.machine not in MACHINES:
        return False
    tags = _dynamic(data, found)
    if tags is None or tags.get(_FLAGS_1, 0) & _PIE:
        return False
    if any(part.type == INTERPRETER for part in found.segments) and _SONAME not in tags:
        return False
    return all(tag in tags and _is_mapped(tags[tag], found) for tag in (_STRTAB, _SYMTAB))


def _is_mapped(address: int, found: Layout) -> bool:
    return any(part.type == LOAD and part.address <= address < part.address + part.size for part in found.segments)


def _dynamic(data: bytes, found: Layout) -> dict[int, int] | None:
    """The dynamic section's tags; None where there is none, or it has no end."""
    row = struct.Struct(found.order + ("2Q" if found.wide else "2I"))
    for part in found.segments:
        if part.type == DYNAMIC:
            tags: dict[int, int] = {}
            piece = data[part.offset : part.end]
            for tag, value in row.iter_unpack(piece[: len(piece) // row.size * row.size]):
                if tag == _NULL_TAG:
                    return tags
                tags[tag] = value
    return None


class _Section(NamedTuple):
    name: int
    type: int
    flags: int
    offset: int
    size: int


def _sections(data: bytes, found: Layout) -> list[_Section] | None:
    """The section headers, none where there are none; None where they can't be read."""
    if not found.sections_at:
        return []
    row = struct.Struct(found.order + ("2I4Q" if found.wide else "6I"))
    least = 64 if found.wide else 40
    table_end = found.sections_at + found.section_size * found.section_count
    if found.section_size < least or not found.section_count or table_end > len(data):
        return None
    sections = []
    for index in range(found.section_count):
        name, type_, flags, _, offset, size = row.unpack_from(data, found.sections_at + index * found.section_size)
        # Index 0 belongs to no section, and may have other numbers in its fields
        sections.append(_Section(name, type_, flags, offset, size if index and type_ != _NO_BITS else 0))
    return sections


def _has_payload(data: bytes, found: Layout, sections: list[_Section]) -> bool:
    """Tell whether something stands behind all that the headers know of."""
    ends = [part.end for part in found.segments]
    ends += [section.offset + section.size for section in sections]
    ends.append(found.sections_at + found.section_size * found.section_count)
    return any(data[max(ends) :])


def _has_own(data: bytes, found: Layout, sections: list[_Section]) -> bool:
    """Tell whether there is an unmapped section whose name is not the tool chain's."""
    if found.names_index >= len(sections):
        return bool(sections)
    names = sections[found.names_index]
    return any(
        section.size and not section.flags & _ALLOC and not data.startswith(b".", names.offset + section.name)
        for section in sections
    )
