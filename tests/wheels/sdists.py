"""Source distributions that build without an index: their backend lies inside."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

from tests.wheels.wheelmaker import make_wheel, wheel_filename

_BACKEND = """
import os, sys

WHEEL, NAME = {wheel!r}, {name!r}


def build_wheel(folder, config_settings=None, metadata_directory=None):
    {act}
    with open(os.path.join(folder, NAME), "wb") as file:
        file.write(WHEEL)
    return NAME
"""
_PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


def make_sdist(
    folder: Path, name: str, *, tag: str = "py3-none-any", act: str = "pass", files: dict[str, bytes] | None = None
) -> Path:
    """`name`-1.0.tar.gz in `folder`, which builds into a wheel with `tag` and `files`, after `act` (a statement)."""
    wheel = make_wheel(name, "1.0", {f"{name}.py": "answer = 42\n"} if files is None else files, tag=tag)
    backend = _BACKEND.format(wheel=wheel, name=wheel_filename(name, "1.0", tag=tag), act=act)
    inside = {
        "pyproject.toml": _PYPROJECT,
        "backend.py": backend,
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
    }
    path = folder / f"{name}-1.0.tar.gz"
    with (
        gzip.GzipFile(path, "wb", mtime=0) as packed,  # the same bytes each time
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for member, text in inside.items():
            info = tarfile.TarInfo(f"{name}-1.0/{member}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return path


def make_tools(folder: Path) -> Path:
    """A wheel that has auditwheel's name and words: it copies what it repairs, and writes down how it was asked."""
    main = """
import json, os, shutil, sys
here = os.path.dirname(__file__)
out, wheel = sys.argv[sys.argv.index("--wheel-dir") + 1], sys.argv[-1]
if "plain" in wheel:
    sys.exit("INFO: This does not look like a platform wheel, no ELF executable or shared library file")
if "newer" in wheel:
    sys.exit("cannot repair it because of the presence of too-recent versioned symbols. You'll need to compile")
with open(os.path.join(here, "policy", "manylinux-policy.json")) as file:
    policies = json.load(file)
name = os.path.basename(wheel).replace("linux_x86_64", sys.argv[sys.argv.index("--plat") + 1])
shutil.copy(wheel, os.path.join(out, name))
with open(os.path.join(os.path.dirname(out), "asked.json"), "w") as file:
    json.dump([sys.argv[1:], policies, os.environ["SOURCE_DATE_EPOCH"]], file)
"""
    policy = '[{"name": "manylinux_2_26", "lib_whitelist": ["libc.so.6", "libX11.so.6"]}]'
    wheel = make_wheel(
        "auditwheel",
        "1.0",
        {
            "auditwheel/__init__.py": "",
            "auditwheel/__main__.py": main,
            "auditwheel/policy/manylinux-policy.json": policy,
        },
    )
    path = folder / wheel_filename("auditwheel", "1.0")
    path.write_bytes(wheel)
    return path
