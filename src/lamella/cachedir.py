"""Where a user's cache is.  Imported by every command, so it imports nothing that it can do without."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # `typing` is not imported for it
if TYPE_CHECKING:
    from collections.abc import Mapping


def cache_dir(environ: Mapping[str, str]) -> str:
    """`LAMELLA_CACHE_DIR`, or the platform's folder for caches."""
    configured = environ.get("LAMELLA_CACHE_DIR")
    if configured:
        return os.path.abspath(configured)
    import platformdirs

    return platformdirs.user_cache_dir("lamella", appauthor=False)
