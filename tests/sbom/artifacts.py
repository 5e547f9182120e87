"""Finished artifacts made by hand: a zip, and the manifest's row of it."""

from __future__ import annotations

import hashlib
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

from lamella.manifest import Distribution, FunctionArtifact, LayerArtifact

RUNTIME = "python3.12"


def metadata(name: str, version: str = "1.0", *lines: str) -> str:
    return "\n".join(["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *lines]) + "\n\nAbout it.\n"


def row(
    name: str, version: str = "1.0", *, tag: str = "py3-none-any", runtimes: tuple[str, ...] = (RUNTIME,)
) -> Distribution:
    """The manifest's row of a distribution; its wheel's hash is made up."""
    file = f"{name.replace('-', '_')}-{version}-{tag}.whl"
    digest = hashlib.sha256(file.encode()).hexdigest()
    return Distribution(
        name=name, version=version, file=file, sha256=digest, runtimes=runtimes, modules=(), zipped=1, unzipped=1
    )


def zipped(path: Path, files: Mapping[str, str | bytes], links: Mapping[str, str] | None = None) -> str:
    """Write a zip; its SHA-256.  `links` are symbolic ones with their targets."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
        for name, target in (links or {}).items():
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, target)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def layer(
    folder: Path,
    rows: tuple[Distribution, ...],
    files: Mapping[str, str | bytes],
    *,
    key: str = "layer",
    links: Mapping[str, str] | None = None,
    runtimes: tuple[str, ...] = (RUNTIME,),
) -> LayerArtifact:
    path = folder / f"{key}.zip"
    digest = zipped(path, files, links)
    size = path.stat().st_size
    return LayerArtifact(
        key=key, name=f"spectra-{key}", file=path.name, zipped=size, unzipped=size, members=len(files), sha256=digest,
        code_sha256="", architecture="x86_64", runtimes=runtimes, part_of="", description="", licence="",
        distributions=rows,
    )  # fmt: skip


def function(
    folder: Path, rows: tuple[Distribution, ...], files: Mapping[str, str | bytes], *, key: str = "api"
) -> FunctionArtifact:
    path = folder / f"{key}.zip"
    digest = zipped(path, files)
    size = path.stat().st_size
    return FunctionArtifact(
        key=key, name=f"spectra-{key}", file=path.name, zipped=size, unzipped=size, members=len(files), sha256=digest,
        code_sha256="", architecture="x86_64", runtime=RUNTIME, handler="app.handler", layers=("layer",), needs=(),
        distributions=rows,
    )  # fmt: skip
