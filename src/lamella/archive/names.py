"""Which member names and link targets may leave a zip.  Pure: no file is asked.

The rules are those of the wheel specification (names are UTF-8, relative, with forward slashes) and of the package
index against parser confusion; a name that two systems may read in two ways is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

NAME_BYTES = 4096  # PATH_MAX on Linux
PART_BYTES = 255  # NAME_MAX on Linux
TARGET_BYTES = 4095

_DRIVE = re.compile(r"[A-Za-z]:")
# One search for what nearly no name has: a control character, a backslash, an empty, "." or ".." part
_SUSPECT = re.compile(r"[\x00-\x1f\x7f-\x9f\\]|(?:^|/)\.{0,2}(?:/|$)|^[A-Za-z]:")
# Separators of lines and overrides of the writing direction: a name that shows as another one
_INVISIBLE = re.compile("[\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


def objection(name: str) -> str | None:
    """Say why a member may not be called `name` (one trailing slash marks a directory), or None."""
    path = name[:-1] if name.endswith("/") else name
    if _SUSPECT.search(path) is not None:
        return _explain(path)
    if not path.isascii():
        if _INVISIBLE.search(path) is not None:
            return "its name has a character that can't be seen"
        sizes = [len(part.encode()) for part in path.split("/")]
    elif len(path) <= PART_BYTES:
        return None
    else:
        sizes = [len(part) for part in path.split("/")]
    if max(sizes) > PART_BYTES:
        return f"a part of its name is longer than {PART_BYTES} bytes"
    if sum(sizes) + len(sizes) > NAME_BYTES:
        return f"its name is longer than {NAME_BYTES} bytes"
    return None


def _explain(path: str) -> str | None:
    if not path:
        return "it has no name"
    if "\x00" in path:
        return "its name has a NUL"
    if any(ord(char) < 0x20 or 0x7F <= ord(char) <= 0x9F for char in path):
        return "its name has a control character"
    if "\\" in path:
        return "its name has a backslash"
    if path.startswith("/"):
        return "its name is absolute"
    if _DRIVE.match(path):
        return "its name starts with a drive letter"
    parts = path.split("/")
    if ".." in parts:
        return "its name leaves the root (`..`)"
    if "." in parts:
        return "its name has a part `.`"
    if "" in parts:
        return "its name has an empty part"
    return None


def link_objection(name: str, target: str, *, root: str = "") -> str | None:
    """Say why the link `name` may not point to `target`, or None.

    `root` is the directory (with its slash) that must not be left: "" for the zip's own root, or the part of a
    wheel's `.data` that is moved as one.  A `..` behind another part is refused, because that part may be a link.
    """
    if not target:
        return "it has no target"
    if len(target.encode("utf-8", "surrogatepass")) > TARGET_BYTES:
        return f"its target is longer than {TARGET_BYTES} bytes"
    if any(ord(char) < 0x20 or 0x7F <= ord(char) <= 0x9F for char in target) or _INVISIBLE.search(target):
        return "its target has a control character"
    if "\\" in target:
        return "its target has a backslash"
    if target.startswith("/") or _DRIVE.match(target):
        return "its target is absolute"
    depth = name.removeprefix(root).count("/")
    parts = [part for part in target.split("/") if part not in ("", ".")]
    ups = 0
    while ups < len(parts) and parts[ups] == "..":
        ups += 1
    if ups > depth:
        return "its target lies outside"
    if ".." in parts[ups:]:
        return "its target can't be followed safely (`..` behind a name)"
    return None


def conflict(names: Iterable[str]) -> tuple[str, str] | None:
    """Find two of `names` (directories with their slash) that can't both exist, or None.

    Either the same path twice, or a file where another name needs a directory.
    """
    files: set[str] = set()
    seen: set[str] = set()
    parents: dict[str, str] = {}
    for name in names:
        path = name.removesuffix("/")
        if path in seen:
            return name, name
        seen.add(path)
        if path is name:
            files.add(path)
        parent = path.rpartition("/")[0]
        while parent and parent not in parents:
            parents[parent] = name
            parent = parent.rpartition("/")[0]
    if len(files) + len(parents) == len(files | parents.keys()):
        return None
    path = min(files & parents.keys())
    return path, parents[path]
