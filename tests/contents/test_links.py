from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from lamella.archive.entry import FILE, LINK, PROGRAM, DamagedSourceError, Entry, content, from_bytes
from lamella.archive.writer import write
from lamella.contents.links import link_equal

LIBRARY = b"\x7fELF" + bytes(5000)


def files(*paths: str, data: bytes = LIBRARY, mode: int = FILE, origin: str = "demo") -> list[Entry]:
    return [from_bytes(path, origin, data, mode) for path in paths]


def links(entries: Sequence[Entry]) -> dict[str, str]:
    return {entry.path: content(entry).decode() for entry in link_equal(entries) if entry.mode == LINK}


def test_a_library_under_three_names() -> None:
    names = ("python/raw/libraw.so", "python/raw/libraw.so.25", "python/raw/libraw.so.25.0.0")
    entries = files(*names)
    done = link_equal(entries)
    assert [entry.path for entry in done] == list(names)
    assert done[2] is entries[2]
    assert [content(entry) for entry in done[:2]] == [b"libraw.so.25.0.0"] * 2
    assert {(entry.origin, entry.mode) for entry in done[:2]} == {("demo", LINK)}
    # In whichever order they come
    assert links(entries[::-1]) == links(entries)


def test_data_in_other_folders() -> None:
    entries = files("python/demo/b/one/data.json", "python/demo/a/data.json", "python/demo/b/data-2.json")
    assert links(entries) == {
        "python/demo/b/one/data.json": "../../a/data.json",
        "python/demo/b/data-2.json": "../a/data.json",
    }


@pytest.mark.parametrize(
    "paths",
    [
        ("python/demo/a.py", "python/demo/b.py"),
        ("python/demo/__pycache__/a.cpython-312.pyc", "python/demo/__pycache__/b.cpython-312.pyc"),
        ("python/demo/a.pyi", "python/demo/b.pyi"),
        # Modules: as one file they would be one, with one state
        ("python/demo/_a.cpython-312-x86_64-linux-gnu.so", "python/demo/_b.cpython-312-x86_64-linux-gnu.so"),
        ("python/demo/_a.so", "python/demo/_b.so"),
        ("python/demo/liba.abi3.so", "python/demo/libb.abi3.so"),
        ("python/demo/liba.so", "python/other/liba.so"),
        ("python/demo-1.dist-info/LICENSE", "python/demo-1.dist-info/licenses/LICENSE"),
        ("python/demo-1.dist-info/LICENSE", "python/demo/LICENSE"),
        ("python/demo.egg-info/PKG-INFO", "python/demo.egg-info/OTHER"),
        ("bin/one", "bin/two"),
        # Another folder: each may find its own neighbours there
        ("python/a.libs/libz.so.1", "python/b.libs/libz.so.1"),
        # Function code: another topmost folder
        ("one/data.json", "two/data.json"),
    ],
)
def test_left_alone(paths: tuple[str, str]) -> None:
    assert links(files(*paths)) == {}


def test_only_what_is_equal() -> None:
    one, two = b"plumless" + bytes(5000), b"buckeroo" + bytes(5000)
    assert zlib.crc32(one) == zlib.crc32(two)
    assert links([*files("python/a.bin", data=one), *files("python/b.bin", data=two)]) == {}
    assert links([*files("python/liba.so.1"), *files("python/liba.so.1.2", mode=PROGRAM)]) == {}
    assert links([*files("python/a.bin"), *files("python/b.bin", origin="other")]) == {}
    assert links(files("python/a.bin", "python/b.bin", data=b"short")) == {}
    packed = zlib.compress(LIBRARY, 1, wbits=-15)
    (twin,) = files("python/b.bin")
    assert links([*files("python/a.bin"), twin._replace(data=packed, packed=len(packed))]) == {"python/b.bin": "a.bin"}


def test_a_link_that_is_there_stays() -> None:
    entries = [*files("python/a.bin", "python/c.bin"), *files("python/b.bin", data=b"a.bin" * 2000, mode=LINK)]
    assert links(entries) == {"python/c.bin": "a.bin", "python/b.bin": "a.bin" * 2000}


def test_damage_is_seen() -> None:
    one, two = files("python/a.bin", "python/b.bin")
    with pytest.raises(DamagedSourceError):
        link_equal([one._replace(crc=1), two._replace(crc=1)])


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_a_linked_library_is_one_library(tmp_path: Path) -> None:
    """Unpacked as Lambda does, every name loads, and all are one."""
    built = tmp_path / "libcount.so.1.2"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-o", str(built), "-xc", "-"],
        input=b"int n; int more(void) { return ++n; }",
        check=True,
    )
    names = ["python/libcount.so", "python/libcount.so.1", "python/libcount.so.1.2"]
    write(str(tmp_path / "layer.zip"), link_equal(files(*names, data=built.read_bytes())))
    subprocess.run(["unzip", "-q", str(tmp_path / "layer.zip"), "-d", str(tmp_path / "opt")], check=True)
    assert [os.path.islink(tmp_path / "opt" / name) for name in names] == [True, True, False]
    assert [ctypes.CDLL(str(tmp_path / "opt" / name)).more() for name in names] == [1, 2, 3]
