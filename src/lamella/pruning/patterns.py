"""Patterns as .gitignore has them → "does it match this path?"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

_PLAIN = re.compile(r"[^*?\[\]/\\!#]+")


class Patterns:
    """The patterns of a table, compiled for thousands of paths.

    Source: gitignore(5), "PATTERN FORMAT", without negation and escapes, and but for this: a pattern without a slash
    at its end is about files.  Most patterns are a name, an ending or a folder, which need no expression.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        names, folders, endings, others = set(), set(), [], []
        for pattern in patterns:
            if _PLAIN.fullmatch(pattern):
                names.add(pattern)
            elif _PLAIN.fullmatch(pattern[:-1]) and pattern.endswith("/"):
                folders.add(pattern[:-1])
            elif _PLAIN.fullmatch(pattern[1:]) and pattern.startswith("*"):
                endings.append(pattern[1:])
            else:
                others.append(_expression(pattern))
        self.names = frozenset(names)
        self.folders = frozenset(folders)
        self.endings = tuple(endings)
        self.other = re.compile("|".join(others)).fullmatch if others else None

    def match(self, path: str, parts: Sequence[str]) -> bool:
        """Tell whether one matches `path`, whose `parts` are what its slashes separate."""
        return (
            path.endswith(self.endings)
            or parts[-1] in self.names
            or (not self.folders.isdisjoint(parts) and not self.folders.isdisjoint(parts[:-1]))
            or (self.other is not None and self.other(path) is not None)
        )


@cache
def compiled(patterns: tuple[str, ...]) -> Patterns:
    """The patterns of a row of a table, compiled once a process."""
    return Patterns(patterns)


def _expression(pattern: str) -> str:
    folder = pattern.endswith("/")
    body = pattern.strip("/") if folder else pattern.lstrip("/")
    anchored = pattern.startswith("/") or "/" in body
    if body.startswith("**/"):
        anchored, body = False, body[3:]
    made = "" if anchored else "(?:.*/)?"
    for piece in re.split(r"(\*\*/|\*|\?|\[[^\]]*\])", body):
        made += {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}.get(piece) or (
            piece if piece.startswith("[") else re.escape(piece)
        )
    return made + ("/.*" if folder else "")
