"""Files as a reader of zips or an installer leaves them, and what is to be equal of them."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
import subprocess
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, NamedTuple

# A file: its path with slashes, its permissions, its bytes
Found = tuple[str, int, bytes]


class File(NamedTuple):
    """Permissions, and a digest of the bytes that must be equal ("" where none must)."""

    mode: int
    sha256: str


def by_zipfile(path: Path) -> Iterator[Found]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            yield info.filename, info.external_attr >> 16 & 0o777, archive.read(info)


def by_bsdtar(path: Path) -> Iterator[Found]:
    """What libarchive unpacks, handed over as a tar."""
    command = ["bsdtar", "-c", "-f", "-", "--format", "pax", f"@{path}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as bsdtar:
        assert bsdtar.stdout is not None
        with tarfile.open(fileobj=bsdtar.stdout, mode="r|") as archive:
            for info in archive:
                data = archive.extractfile(info)
                yield info.name, info.mode & 0o777, data.read() if data else b""
    assert bsdtar.returncode == 0


def tree(folder: Path) -> Iterator[Found]:
    for path in folder.rglob("*"):
        if path.is_symlink() or path.is_file():
            yield path.relative_to(folder).as_posix(), path.lstat().st_mode & 0o777, path.read_bytes()


def as_layer(installed: Iterable[Found]) -> Iterator[Found]:
    """pip's files under the layer's paths, without pip's own records."""
    for path, mode, data in installed:
        # Those of distributions that another one vendors are files as all others
        folder, _, name = path.partition("/")
        if folder.endswith(".dist-info") and name in ("INSTALLER", "REQUESTED"):
            continue
        yield path if path.startswith("bin/") else f"python/{path}", mode, data


def files(found: Iterable[Found], programs: set[str], shebang: bytes) -> dict[str, File]:
    """What must be equal of each file.  `shebang` is the first line that this side gives to Python scripts."""
    kept: dict[str, File] = {}
    for path, mode, data in found:
        assert path not in kept
        if path in programs or is_record(path):
            kept[path] = File(mode, "")
            continue
        if path.startswith("bin/") and shebang and data.startswith(shebang):
            data = data.removeprefix(shebang)
        kept[path] = File(mode, hashlib.sha256(data).hexdigest())
    return kept


def is_record(path: str) -> bool:
    folder, _, name = path.removeprefix("python/").partition("/")
    return name == "RECORD" and folder.endswith(".dist-info")


def differences(ours: dict[str, File], theirs: dict[str, File]) -> list[tuple[str, File | None, File | None]]:
    paths = sorted(ours.keys() | theirs.keys())
    return [(path, ours.get(path), theirs.get(path)) for path in paths if ours.get(path) != theirs.get(path)]


def program_names(site: Path) -> set[str]:
    """The programs that entry points ask for, read by other means than lamella's: `bin/NAME`."""
    points = [point for found in distributions(path=[str(site)]) for point in found.entry_points]
    return {f"bin/{point.name}" for point in points if point.group in ("console_scripts", "gui_scripts")}


def untrue_records(layer: Path) -> list[str]:
    """Each file that importlib.metadata names must be there with the digest and size that it gives."""
    wrong = []
    for found in distributions(path=[str(layer / "python")]):
        if not found.files:
            wrong.append(f"{found.name} has no RECORD")
        for file in found.files or []:
            path = Path(str(found.locate_file(file)))
            if not path.is_file():
                wrong.append(f"{file} is not there")
            elif file.hash is None:
                if file.name != "RECORD":
                    wrong.append(f"{file} has no hash")
            else:
                data = path.read_bytes()
                digest = base64.urlsafe_b64encode(hashlib.new(file.hash.mode, data).digest()).rstrip(b"=").decode()
                if (digest, len(data)) != (file.hash.value, file.size):
                    wrong.append(f"{file} has another hash or size")
    return wrong


def unrecorded(layer: Path, found: Iterable[str]) -> list[str]:
    """Files that no RECORD lists."""
    listed: set[str] = set()
    for record in layer.glob("python/*.dist-info/RECORD"):
        with record.open(encoding="utf-8", newline="") as rows:
            listed.update(os.path.normpath(f"python/{row[0]}") for row in csv.reader(rows))
    return sorted(set(found) - listed)


def ask_metadata(python: str, site: str) -> list[list[Any]]:
    """What an isolated interpreter with nothing else on its path knows of versions and entry points."""
    code = (
        "import sys, json; sys.path.insert(0, sys.argv[1])\n"
        "from importlib.metadata import distributions, version\n"
        "found = [(d.name, sorted([e.group, e.name, e.value] for e in d.entry_points))\n"
        "         for d in distributions(path=sys.argv[1:])]\n"
        "print(json.dumps(sorted([name, version(name), points] for name, points in found)))\n"
    )
    answer = subprocess.run([python, "-I", "-S", "-c", code, site], capture_output=True, text=True, check=True)
    known: list[list[Any]] = json.loads(answer.stdout)
    return known
