"""Descriptions and examples of `--help`, folded to the terminal's width as a manual page is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import wrap

_EXAMPLE = re.compile(r"( +\S.*?\S)(?: {2,})(\S.*)")
_BESIDE = 6  # columns that what stands below its example is indented by


def folded(text: str, width: int) -> str:
    """The text with no line longer than `width`, where spaces allow it; what fits stays as it is written.

    Lines that begin at the left margin are prose, and flow together as far as the next empty line or heading
    (``examples:``).  What stands two or more spaces behind an example goes below it, where both don't fit.
    """
    if all(len(line) <= width for line in text.splitlines()):
        return text
    return "\n".join(line for block in _blocks(text) for line in _block(block, width))


def _blocks(text: str) -> Iterator[list[str]]:
    """Lines that belong together: prose as a whole, anything else alone."""
    prose: list[str] = []
    for line in text.splitlines():
        if line and not line[0].isspace() and not line.endswith(":"):
            prose.append(line)
            continue
        if prose:
            yield prose
            prose = []
        yield [line]
    if prose:
        yield prose


def _block(lines: list[str], width: int) -> list[str]:
    (first, *rest) = lines
    if rest or (first and not first[0].isspace()):
        return wrap(" ".join(lines), width, break_long_words=False, break_on_hyphens=False)
    if len(first) <= width:
        return lines
    indent = " " * (len(first) - len(first.lstrip()))
    match = _EXAMPLE.fullmatch(first)
    if match is None:
        return _wrapped(first.strip(), width, indent, indent + "    ")
    below = " " * _BESIDE
    return [*_wrapped(match[1].strip(), width, indent, indent + "    "), *_wrapped(match[2], width, below, below)]


def _wrapped(text: str, width: int, first: str, rest: str) -> list[str]:
    return wrap(
        text, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
