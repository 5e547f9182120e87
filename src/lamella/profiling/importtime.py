"""The output of `python -X importtime`, read back into the tree of imports that it was.

Source of the format: CPython, Python/import.c, `import_time: %9ld | %10ld | %*s%s`: a line when an import ends, so
children stand before their parent; the name is set in by two spaces for each import that is under way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from lamella.profiling.model import Import

# What the program writes to the same stream may stand before it in the line, without an end of its own.  Times can
# be negative: the clock of CPython's bookkeeping is not always the same (python/cpython#149308)
_LINE = re.compile(r"import time: +(-?\d+) \| +(-?\d+) \| ( *)(\S.*)$")
_HEADING = re.compile(r"import time: +self \[us\] \|.*$")


def parse(text: str) -> tuple[tuple[Import, ...], str]:
    """The imports that were made at the top level, in order, and what else the text holds: the program's own words."""
    # Imports that ended and whose parent did not, by depth: (depth, import)
    open_: list[tuple[int, Import]] = []
    rest: list[str] = []
    for line in text.splitlines(keepends=True):
        found = _LINE.search(line.rstrip("\r\n")) or _HEADING.search(line.rstrip("\r\n"))
        if found is None:
            rest.append(line)
            continue
        rest.append(line[: found.start()])
        if found.re is _LINE:
            depth = len(found[3]) // 2
            first = _first_below(open_, depth)
            children = tuple(below for _, below in open_[first:])
            del open_[first:]
            open_.append((depth, Import(found[4].strip(), max(0, int(found[1])), children)))
    return tuple(made for _, made in open_), "".join(rest)


def _first_below(open_: list[tuple[int, Import]], depth: int) -> int:
    """Where the run of imports that are deeper than `depth` begins at the end of the list."""
    first = len(open_)
    while first and open_[first - 1][0] > depth:
        first -= 1
    return first


def whole(imports: Iterable[Import]) -> int:
    """The microseconds of all that is in the trees."""
    total = 0
    waiting = list(imports)
    while waiting:
        made = waiting.pop()
        total += made.own
        waiting.extend(made.children)
    return total
