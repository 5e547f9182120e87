"""Phrases that messages share, and how what comes from outside is shown.  Imported by every room: it imports little."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

_USERINFO = re.compile(r"(?<=//)[^/?#\s@]+(?:@[^/?#\s@]+)*@")
_QUERY = re.compile(r"(//[^\s?#'\"`]+)\?[^\s'\"`]+")


def closest(word: str, known: Iterable[str]) -> str | None:
    """The one of `known` that was probably meant, or None when nothing is close."""
    from difflib import get_close_matches  # only a refusal needs it

    close = get_close_matches(word, list(known), n=1)
    return close[0] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """``did you mean `…`?`` with the closest of `known`, or None when nothing is close."""
    close = closest(word, known)
    return f"did you mean `{close}`?" if close else None


def listed(names: Iterable[str]) -> str:
    """The names in backticks, sorted, or "none"."""
    return ", ".join(f"`{name}`" for name in sorted(names)) or "none"


def counted(number: int, noun: str) -> str:
    """``1 module``, ``2 modules``."""
    return f"{number} {noun}{'s' * (number != 1)}"


def escaped(text: str) -> str:
    """One line from outside, fit for a terminal: control characters as `\\x1b`, nothing that can't be seen."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def printable(name: str) -> str:
    """A name from outside, `escaped` and not endlessly long."""
    shown = escaped(name)
    return shown if len(shown) <= 200 else f"{shown[:100]}…{shown[-99:]}"


def shown(path: str, root: str) -> str:
    """The path as a person in `root` writes it: relative when it is below or a few steps beside, else absolute."""
    relative = os.path.relpath(path, root)
    return path if relative.startswith(os.path.join(os.pardir, os.pardir, os.pardir)) else relative


def redacted(url: str) -> str:
    """The URL without what may be secret: the user part, the query (signed links) and the fragment.  `escaped`."""
    from urllib.parse import urlsplit, urlunsplit

    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        # Not a URL, or one with a slash in its password
        scheme, slashes, rest = url.partition("://")
        _, at, host = rest.rpartition("@")
        return escaped(f"{scheme}{slashes}***@{host}") if at else scrubbed(url)
    userinfo, at, host = parts.netloc.rpartition("@")
    netloc = f"***@{host}" if at and userinfo else host
    return escaped(urlunsplit((parts.scheme, netloc, parts.path, "***" if parts.query else "", "")))


def scrubbed(text: str) -> str:
    """A message of a library, with the user part and the query of every URL in it taken out.  `escaped`."""
    plain = _QUERY.sub(r"\1?***", _USERINFO.sub("***@", text)) if "//" in text else text
    return escaped(plain.expandtabs())
