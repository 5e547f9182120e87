"""Patterns that a person wrote, as .gitignore has them (gitignore(5), "PATTERN FORMAT")."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from lamella.errors import ConfigError

Matcher = Callable[[str], bool]


def matcher(key: str, patterns: Sequence[str]) -> Matcher | None:
    """Tells whether a path matches what stands in `key`, negation included; None for no pattern.

    Raises ConfigError.
    """
    if not patterns:
        return None
    import pathspec  # 50 ms; most projects have no patterns

    try:
        return pathspec.GitIgnoreSpec.from_lines(patterns).match_file
    except (ValueError, re.error) as error:
        raise ConfigError(
            f"`{key}` holds a pattern that can't be read",
            why=[str(error)],
            hint="patterns are written as in .gitignore",
        ) from error
