"""Zips as people make them: with zipfile, `zip -r`, and whatever modes their files had."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from lamella.doctor.guess import guess
from lamella.doctor.model import Asked, Evidence, Guess, Layout, Row

Files = Mapping[str, str | bytes]

HANDLER = "def handler(event, context):\n    return {}\n"


def make(path: Path, files: Files, *, mode: int = 0o644, modes: Mapping[str, int] | None = None) -> Path:
    """A zip made on Unix, whose files have `mode` but for those in `modes`; names that end in a slash are folders."""
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = ZipInfo(name, (2024, 1, 2, 3, 4, 6))
            kind = 0o040000 if name.endswith("/") else 0o100000
            default = 0o755 if name.endswith("/") else mode
            info.external_attr = (kind | (modes or {}).get(name, default)) << 16
            info.create_system = 3
            info.compress_type = ZIP_DEFLATED
            archive.writestr(info, content)
    return path


def listed(*names: str) -> tuple[Row, ...]:
    return tuple(Row(name, 0o644, 1, name.endswith("/")) for name in names)


def guessed(*names: str, called: str = "a.zip", known: Evidence = Evidence(), **asked: str) -> Guess:  # noqa: B008
    return guess(listed(*names), Asked(**asked), known, called=called)


def layout(*names: str, **asked: str) -> Layout:
    return guess(listed(*names), Asked(**asked), called="a.zip").layout
