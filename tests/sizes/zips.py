"""Finished zips for comparisons, made by the standard library."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path


def make_zip(path: Path, files: Mapping[str, bytes | str], *, level: int = 6, links: Mapping[str, str] = {}) -> Path:
    """A zip of `files` and of symbolic `links` to their targets."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o100644 << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED, level)
        for name, target in links.items():
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = 0o120777 << 16
            archive.writestr(info, target, zipfile.ZIP_STORED)
    return path


def metadata(name: str, version: str) -> dict[str, str]:
    """The METADATA of a distribution in a layer."""
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    return {f"python/{name}-{version}.dist-info/METADATA": text}
