from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.wheels.wheelmaker import make_wheel, wheel_filename

from lamella.archive.entry import Entry, content
from lamella.archive.writer import write
from lamella.contents.place import Place, place
from lamella.errors import ArchiveError
from lamella.wheels.admit import admit
from lamella.wheels.model import Wheel

SITE = Place("python", "/var/lang/bin/python3.12")
VERSIONED = Place("python/lib/python3.12/site-packages", "/var/lang/bin/python3.12")
FUNCTION = Place("", "/var/lang/bin/python3.12")
MAIN = """
import sys

def main():
    print('ran', *sys.argv[1:])
    return 3

class Cli:
    run = staticmethod(main)
"""


def admitted(folder: Path, name: str, files: Mapping[str, str | bytes], **options: Any) -> Wheel:
    filename = wheel_filename(name, "1.0", tag=options.get("tag", "py3-none-any"))
    path = folder / filename
    path.write_bytes(make_wheel(name, "1.0", files, **options))
    return admit(str(path), filename=filename)


def texts(entries: list[Entry]) -> dict[str, str]:
    found = {entry.path: content(entry).decode() for entry in entries}
    assert len(found) == len(entries)
    return found


def record(entries: list[Entry], path: str) -> dict[str, tuple[str, str]]:
    rows = list(csv.reader(io.StringIO(texts(entries)[path], newline="")))
    found = {name: (digest, size) for name, digest, size in rows}
    assert len(found) == len(rows)
    return found


def check_record(entries: list[Entry], info: str, site: str) -> None:
    """Each row is true: the path relative to the folder of importable code, the digest and the size."""
    rows = record(entries, f"{info}/RECORD")
    by_path = {os.path.relpath(entry.path, site) if site else entry.path: entry for entry in entries}
    assert set(rows) == set(by_path)
    for name, (digest, size) in rows.items():
        if name.endswith("RECORD"):
            assert (digest, size) == ("", "")
            continue
        data = content(by_path[name])
        hashed = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        assert (digest, size) == (f"sha256={hashed}", str(len(data)))


@pytest.mark.parametrize("at", [SITE, VERSIONED, FUNCTION])
def test_importable_code_lands_at_the_site(tmp_path: Path, at: Place) -> None:
    wheel = admitted(tmp_path, "demo", {"demo/__init__.py": "x = 1\n", "demo/data.txt": "d"})
    entries = place(wheel, at)
    prefix = f"{at.site}/" if at.site else ""
    assert {entry.path for entry in entries} == {
        f"{prefix}{name}"
        for name in (
            "demo/__init__.py",
            "demo/data.txt",
            *(f"demo-1.0.dist-info/{name}" for name in ("METADATA", "WHEEL", "RECORD")),
        )
    }
    assert {entry.origin for entry in entries} == {"demo"}
    # Nothing was moved: all are copied, RECORD with them
    assert all(entry.data is None and entry.source == wheel.path for entry in entries)


DATA: dict[str, str | bytes] = {
    "demo/__init__.py": "",
    "demo-1.0.data/purelib/pure.py": "pure = 1\n",
    "demo-1.0.data/platlib/plat/mod.py": "plat = 1\n",
    "demo-1.0.data/data/share/demo.txt": "shared",
    "demo-1.0.data/headers/demo.h": "// header",
    "demo-1.0.data/scripts/hello": "#!python\nprint('hello')\n",
    "demo-1.0.data/scripts/window": b"#!pythonw\r\nprint('window')\r\n",
    "demo-1.0.data/scripts/shell.sh": "#!/bin/sh\necho hello\n",
    "demo-1.0.data/scripts/binary": b"\x7fELF not really",
}


def test_every_scheme_of_data(tmp_path: Path) -> None:
    entries = place(admitted(tmp_path, "demo", DATA), SITE)
    found = {entry.path: (content(entry), entry.mode) for entry in entries if "dist-info" not in entry.path}
    assert found == {
        "python/demo/__init__.py": (b"", 0o644),
        "python/pure.py": (b"pure = 1\n", 0o644),
        "python/plat/mod.py": (b"plat = 1\n", 0o644),
        "python/share/demo.txt": (b"shared", 0o644),
        "python/include/python/demo/demo.h": (b"// header", 0o644),
        "bin/hello": (b"#!/var/lang/bin/python3.12\nprint('hello')\n", 0o755),
        "bin/window": (b"#!/var/lang/bin/python3.12\nprint('window')\r\n", 0o755),
        "bin/shell.sh": (b"#!/bin/sh\necho hello\n", 0o755),
        "bin/binary": (b"\x7fELF not really", 0o755),
    }
    check_record(entries, "python/demo-1.0.dist-info", "python")


def test_data_in_a_function_lands_at_the_root(tmp_path: Path) -> None:
    entries = place(admitted(tmp_path, "demo", DATA), FUNCTION)
    assert {"pure.py", "plat/mod.py", "share/demo.txt", "include/python/demo/demo.h", "bin/hello"} <= set(
        texts([entry for entry in entries if entry.path != "bin/binary"])
    )
    check_record(entries, "demo-1.0.dist-info", "")


def test_data_in_a_versioned_site(tmp_path: Path) -> None:
    entries = place(admitted(tmp_path, "demo", DATA), VERSIONED)
    assert VERSIONED.site + "/pure.py" in {entry.path for entry in entries}
    check_record(entries, VERSIONED.site + "/demo-1.0.dist-info", VERSIONED.site)
    assert "../../../../bin/hello" in record(entries, VERSIONED.site + "/demo-1.0.dist-info/RECORD")


def test_an_unknown_scheme_is_refused(tmp_path: Path) -> None:
    wheel = admitted(tmp_path, "demo", {"demo/__init__.py": "", "demo-1.0.data/etc/demo.conf": ""})
    with pytest.raises(ArchiveError, match="unknown scheme, `etc`"):
        place(wheel, SITE)


def test_names_with_commas_and_quotes_stay_one_row(tmp_path: Path) -> None:
    files = {**DATA, "demo/with,comma.txt": "1", "demo/größe.txt": "2"}
    entries = place(admitted(tmp_path, "demo", files), SITE)
    check_record(entries, "python/demo-1.0.dist-info", "python")


ENTRY_POINTS = {
    "console_scripts": ["demo = demo.cli:main", "demo-class = demo.cli:Cli.run", "extra = demo.cli:main [fast]"],
    "gui_scripts": ["demo-gui = demo.cli:main"],
}


def test_entry_points_become_programs(tmp_path: Path) -> None:
    wheel = admitted(tmp_path, "demo", {"demo/__init__.py": "", "demo/cli.py": MAIN}, entry_points=ENTRY_POINTS)
    entries = place(wheel, SITE)
    programs = {entry.path: entry for entry in entries if entry.path.startswith("bin/")}
    assert set(programs) == {"bin/demo", "bin/demo-class", "bin/demo-gui", "bin/extra"}
    for program in programs.values():
        assert program.mode == 0o755
        assert content(program).startswith(b"#!/var/lang/bin/python3.12\n")
    check_record(entries, "python/demo-1.0.dist-info", "python")
    assert "../bin/demo" in record(entries, "python/demo-1.0.dist-info/RECORD")


@pytest.mark.parametrize("program", ["demo", "demo-class", "demo-gui", "extra"])
@pytest.mark.parametrize("site", ["python", ""])
def test_programs_run_where_the_zip_was_unpacked(tmp_path: Path, program: str, site: str) -> None:
    """The interpreter that runs the tests stands in for Lambda's."""
    wheel = admitted(tmp_path, "demo", {"demo/__init__.py": "", "demo/cli.py": MAIN}, entry_points=ENTRY_POINTS)
    interpreter = os.path.join(sysconfig.get_path("scripts"), "python")
    write(str(tmp_path / "layer.zip"), place(wheel, Place(site, interpreter)))
    unpacked = tmp_path / "opt"
    with zipfile.ZipFile(tmp_path / "layer.zip") as archive:
        archive.extractall(unpacked)
        for info in archive.infolist():
            os.chmod(unpacked / info.filename, info.external_attr >> 16 & 0o777)
    environment = {"PATH": f"{unpacked}/bin:/usr/bin:/bin"}
    done = subprocess.run(
        [program, "one", "two"],
        cwd=tmp_path,
        env=environment,
        executable=str(unpacked / "bin" / program),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "ran one two\n", "")


def test_a_wheel_without_metadata_is_refused(tmp_path: Path) -> None:
    wheel = admitted(tmp_path, "demo", {"demo/__init__.py": ""})
    bare = Wheel(**{
        **{name: getattr(wheel, name) for name in ("name", "version", "filename", "sha256", "path", "purelib", "tags",
                                                   "requires", "requires_python", "scripts")},
        "members": tuple(member for member in wheel.members if "METADATA" not in member.name),
    })  # fmt: skip
    with pytest.raises(ArchiveError, match="has no METADATA"):
        place(bare, SITE)


def test_python_itself_is_run_with_what_was_placed(tmp_path: Path) -> None:
    wheel = admitted(
        tmp_path, "demo", {"demo/__init__.py": "value = 42\n", "demo-1.0.data/purelib/other.py": "n = 1\n"}
    )
    write(str(tmp_path / "layer.zip"), place(wheel, SITE))
    with zipfile.ZipFile(tmp_path / "layer.zip") as archive:
        archive.extractall(tmp_path / "opt")
    asked = "import demo, other, importlib.metadata as m; print(demo.value, other.n, m.version('demo'))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", asked],
        env={"PYTHONPATH": str(tmp_path / "opt/python")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "42 1 1.0\n"


def test_a_program_finds_the_site_packages_of_the_python_that_runs_it(tmp_path: Path) -> None:
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    wheel = admitted(tmp_path, "demo", {"demo/__init__.py": "", "demo/cli.py": MAIN}, entry_points=ENTRY_POINTS)
    interpreter = os.path.join(sysconfig.get_path("scripts"), "python")
    write(str(tmp_path / "layer.zip"), place(wheel, Place(f"python/lib/{version}/site-packages", interpreter)))
    with zipfile.ZipFile(tmp_path / "layer.zip") as archive:
        archive.extractall(tmp_path / "opt")
    done = subprocess.run([sys.executable, tmp_path / "opt/bin/demo", "x"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "ran x\n")


@pytest.mark.parametrize("folder", ["ODD.Name-1.0.data", "odd-name-1.data", "Odd_Name-1.0.0.data"])
def test_the_data_folder_in_another_spelling(tmp_path: Path, folder: str) -> None:
    """As `.dist-info`, it belongs to the wheel when its name and version are the wheel's, once normalized."""
    files = {f"{folder}/purelib/oddmod.py": "", f"{folder}/scripts/run": "#!python\n", "odd/x.data/purelib/in.txt": ""}
    entries = place(admitted(tmp_path, "odd-name", files), SITE)
    assert {entry.path for entry in entries if "dist-info" not in entry.path} == {
        "python/oddmod.py",
        "bin/run",
        "python/odd/x.data/purelib/in.txt",
    }
    check_record(entries, "python/odd_name-1.0.dist-info", "python")


@pytest.mark.parametrize("scheme", ["scripts", "purelib", "headers", "etc"])
def test_a_file_where_the_folder_of_a_scheme_belongs(tmp_path: Path, scheme: str) -> None:
    """Admission lets none in; its name here would be that of a folder."""
    wheel = admitted(tmp_path, "demo", {"demo/__init__.py": "", f"demo-1.0.data/{scheme}/x": ""})
    members = (member._replace(name=member.name.removesuffix("/x")) for member in wheel.members)
    with pytest.raises(ArchiveError, match=f"has a file `{scheme}` where"):
        place(wheel._replace(members=tuple(members)), SITE)


def test_what_is_made_names_the_wheel_that_it_is_made_of(tmp_path: Path) -> None:
    files = {"demo/__init__.py": "", "demo-1.0.data/scripts/hello": "#!python\n"}
    wheel = admitted(tmp_path, "demo", files, entry_points=ENTRY_POINTS)
    entries = place(wheel, SITE)
    made = {entry.path for entry in entries if entry.data is not None}
    assert {"bin/hello", "bin/demo", "python/demo-1.0.dist-info/RECORD"} <= made
    assert {entry.source for entry in entries} == {wheel.path}
