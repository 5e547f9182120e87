"""Which code answers: part of the key of every answer that is kept."""

from __future__ import annotations

import os

from lamella import __version__

_KNOWN: list[str] = []


def revision() -> str:
    """The version; in a checkout, where code changes without it, also the newest file of the package."""
    if not _KNOWN:
        _KNOWN.append(_revision())
    return _KNOWN[0]


def _revision() -> str:
    package = os.path.dirname(os.path.abspath(__file__))
    if not os.path.exists(os.path.join(package, "..", "..", ".git")):
        return __version__
    newest = 0
    for room in (package, *(entry.path for entry in os.scandir(package) if entry.is_dir())):
        for entry in os.scandir(room):
            if entry.name.endswith((".py", ".toml")):
                newest = max(newest, entry.stat().st_mtime_ns)
    return f"{__version__}+{newest}"
