"""Phrases that the messages of this room share."""

from __future__ import annotations

import os
from collections.abc import Iterable


def did_you_mean(wrong: str, known: Iterable[str]) -> str | None:
    """A hint that names the closest of `known`, or None."""
    from difflib import get_close_matches

    close = get_close_matches(wrong, list(known), n=1)
    return f"did you mean `{close[0]}`?" if close else None


def listed(names: Iterable[str]) -> str:
    """The names in backticks, sorted, or "none"."""
    return ", ".join(f"`{name}`" for name in sorted(names)) or "none"


def shown(path: str, root: str) -> str:
    """The path as a person in `root` writes it: relative when it is below or a few steps beside, else absolute."""
    relative = os.path.relpath(path, root)
    return path if relative.startswith(os.path.join(os.pardir, os.pardir, os.pardir)) else relative
