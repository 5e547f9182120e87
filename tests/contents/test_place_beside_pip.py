"""Odd wheels, which no popular distribution is today, land where `pip install --target` puts them."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.journeys.installed import as_layer, by_zipfile, differences, files, tree, unrecorded, untrue_records
from tests.wheels.wheelmaker import make_wheel, wheel_filename

from lamella.archive.writer import write
from lamella.contents.place import Place, place
from lamella.wheels.admit import admit
from lamella.wheels.model import Wheel

INTERPRETER = "/var/lang/bin/python3.12"
INFO = "odd_name-1.0.dist-info"
FILES: dict[str, str | bytes] = {
    "odd/__init__.py": "",
    "odd/nested-1.0.dist-info/INSTALLER": "vendored\n",
    "odd_name-1.0.data/purelib/pure.py": "",
    "odd_name-1.0.data/platlib/odd/plat.py": "",
    "odd_name-1.0.data/headers/deep/odd.h": "// in a folder of the distribution's normalized name",
    "odd_name-1.0.data/data/share/odd/data.txt": "data",
    "odd_name-1.0.data/data/etc/odd.conf": "",
    # What setuptools once made beside an entry point
    "odd_name-1.0.data/scripts/run": "#!python\nold\n",
    "odd_name-1.0.data/scripts/run.exe": "MZ",
    "odd_name-1.0.data/scripts/Run-script.py": "#!python\nits name has another case\n",
    "odd_name-1.0.data/scripts/run-script.py": "#!python\nold\n",
    # First lines that are to be rewritten, and such that are not
    "odd_name-1.0.data/scripts/options": "#!python3 -E\nprint()\n",
    "odd_name-1.0.data/scripts/windows": b"#!pythonw\r\nprint()\r\n",
    "odd_name-1.0.data/scripts/line": "#!python",
    "odd_name-1.0.data/scripts/absolute": "#!/usr/bin/python\nprint()\n",
    "odd_name-1.0.data/scripts/spaced": "#! python\nprint()\n",
    "odd_name-1.0.data/scripts/empty": "",
    "odd_name-1.0.data/scripts/native": b"\x7fELF" + bytes(range(256)) * 512,
}
PROGRAMS = {path: 0o755 for path in FILES if "/scripts/" in path}


def odd(folder: Path, files: dict[str, str | bytes], method: int) -> Wheel:
    filename = wheel_filename("odd-name", "1.0")
    made = make_wheel(
        "odd-name",
        "1.0",
        files,
        entry_points={"console_scripts": ["run = odd:main", "new = odd:main [extra]"]},
        modes={
            **PROGRAMS,
            "odd/__init__.py": 0o775,
            "odd_name-1.0.data/purelib/pure.py": 0o600,
            f"{INFO}/RECORD": 0o755,
        },
        method=method,
    )
    (folder / filename).write_bytes(made)
    return admit(str(folder / filename), filename=filename)


def pip_install(folder: Path) -> tuple[Path, str]:
    """pip's folder, and the interpreter that ran it: not that of a virtual environment, where headers go elsewhere."""
    python = os.path.join(sys.base_prefix, "bin", "python3")
    command = [
        sys.executable,
        "-m",
        "pip",
        "-q",
        "--python",
        python,
        "install",
        "--no-index",
        "--no-deps",
        "--no-compile",
    ]
    command += ["--find-links", str(folder), "--target", str(folder / "pip"), "odd-name==1.0"]
    subprocess.run(command, check=True, umask=0o022, stderr=subprocess.DEVNULL)
    return folder / "pip", python


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_an_odd_wheel_is_placed_as_pip_places_it(tmp_path: Path, method: int) -> None:
    layer = tmp_path / "layer.zip"
    write(str(layer), place(odd(tmp_path, FILES, method), Place("python", INTERPRETER)))
    installed, python = pip_install(tmp_path)
    programs = {"bin/run", "bin/new"}
    ours = files(by_zipfile(layer), programs, f"#!{INTERPRETER}\n".encode())
    theirs = files(as_layer(tree(installed)), programs, f"#!{python}\n".encode())
    assert differences(ours, theirs) == []

    with zipfile.ZipFile(layer) as archive:
        archive.extractall(tmp_path / "opt")
    assert untrue_records(tmp_path / "opt") == []
    assert unrecorded(tmp_path / "opt", ours) == []


def test_what_pip_loses_is_kept(tmp_path: Path) -> None:
    """pypa/pip#10399: with --target, pip leaves out what .data/data has in `lib`."""
    kept = "odd_name-1.0.data/data/lib/libodd.so"
    layer = tmp_path / "layer.zip"
    wheel = odd(tmp_path, {**FILES, kept: b"\x7fELF"}, zipfile.ZIP_DEFLATED)
    write(str(layer), place(wheel, Place("python", INTERPRETER)))
    paths = {path for path, _, _ in by_zipfile(layer)}
    assert paths - {path for path, _, _ in as_layer(tree(pip_install(tmp_path)[0]))} <= {"python/lib/libodd.so"}
    assert "python/lib/libodd.so" in paths
