"""Small zips, as the build writes them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from lamella.archive.entry import FILE, LINK, PROGRAM, from_bytes
from lamella.archive.writer import write

Files = Mapping[str, str | bytes]


def make_zip(path: Path, files: Files, *, links: Mapping[str, str] | None = None) -> tuple[str, str]:
    """Write the files (programs where they start with ``#!``) and links; the path and the SHA-256."""
    entries = []
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        entries.append(from_bytes(name, name, data, PROGRAM if data.startswith(b"#!") else FILE))
    entries += [from_bytes(name, name, target.encode(), LINK) for name, target in (links or {}).items()]
    write(str(path), entries)
    return str(path), hashlib.sha256(path.read_bytes()).hexdigest()
