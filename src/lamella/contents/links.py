"""Equal files of a distribution become one file, and symbolic links to it: wheels can't hold links, zips can.

A zip packs each member by itself, so a library that a wheel brings under its three names (`libraw_r.so`,
`libraw_r.so.25`, `libraw_r.so.25.0.0`) would be in the layer three times.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence

from lamella.archive.entry import FILE, LINK, Entry, from_bytes
from lamella.contents.merge import digest

# A link's member and its records take some 200 bytes of the zip; an inode is a page
_WORTH = 4096  # bytes, unpacked

# A shared library as the linker names it.  Other `.so` files are modules: imported under two names they are two, with
# a state each, and as one file they would be one
_LIBRARY = re.compile(r"(?!.*\.(cpython-|abi3\.))(lib[^/]+\.so|[^/]+\.so(\.\d+)+)")
# Not data: what Python imports, and what the linker loads
_CODE = re.compile(r"\.(py[a-z]*|so|so\.[^/]*|dylib|dll|exe)$", re.IGNORECASE)
_METADATA = re.compile(r"(^|/)[^/]+\.(dist-info|egg-info)/")


def link_equal(entries: Sequence[Entry]) -> list[Entry]:
    """The same entries in the same order; of equal files all but one are relative links to that one.

    Shared libraries are linked within their folder, data files within their distribution and topmost folder.  Python
    files, extension modules, programs and metadata are left alone: a module is known by its file.  Of libraries the one
    with the longest name stays, which has the full version, of data files the first by path.
    What differs in its mode is not equal.  Raises DamagedSourceError.
    """
    alike: dict[Hashable, list[Entry]] = {}
    for entry in entries:
        place = _place(entry)
        if place is not None:
            alike.setdefault((place, entry.origin, entry.crc, entry.size, entry.mode), []).append(entry)
    links: dict[str, Entry] = {}
    for same in alike.values():
        if len(same) > 1:
            equal: dict[bytes, list[Entry]] = {}
            for entry in same:
                equal.setdefault(digest(entry), []).append(entry)
            for twins in equal.values():
                links.update(_links(twins))
    return [links.get(entry.path, entry) for entry in entries]


def _place(entry: Entry) -> Hashable:
    """Within what the entry is compared with others; None for one that is left alone."""
    folder, _, name = entry.path.rpartition("/")
    if entry.size < _WORTH or entry.mode == LINK or _METADATA.search(entry.path):
        return None
    if _LIBRARY.fullmatch(name):
        return folder
    if _CODE.search(name) or entry.mode != FILE or entry.path.startswith("bin/"):
        return None
    return (entry.path.partition("/")[0], "data")


def _links(twins: Sequence[Entry]) -> dict[str, Entry]:
    """All but one as links to that one."""
    library = _LIBRARY.fullmatch(twins[0].path.rpartition("/")[2])
    stays = min(twins, key=lambda entry: (-len(entry.path) if library else 0, entry.path))
    return {
        entry.path: from_bytes(entry.path, entry.origin, _relative(stays.path, entry.path).encode(), LINK)
        for entry in twins
        if entry is not stays
    }


def _relative(target: str, link: str) -> str:
    """The path of `target` as the folder of `link` sees it."""
    to, at = target.split("/"), link.split("/")[:-1]
    shared = 0
    while shared < min(len(to) - 1, len(at)) and to[shared] == at[shared]:
        shared += 1
    return "/".join([".."] * (len(at) - shared) + to[shared:])
