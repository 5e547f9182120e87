"""Zips as other programs write them: Lambda takes them, so they run here, or it is said why not."""

from __future__ import annotations

import io
import os
import shutil
import stat
import struct
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from lamella.archive.reader import read
from lamella.deployed import relaid
from lamella.errors import ArchiveError

FILES = {
    "app.py": b"answer = 42\n" * 50,
    "pkg/__init__.py": b"",
    "bin/run": b"#!/bin/sh\n",
    "gr\u00f6\u00dfe.txt": b"x",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "bin/run").chmod(0o755)
    (folder / "link.py").symlink_to("app.py")
    return folder


def contents(path: str) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist() if not info.is_dir()}


def modes(path: str) -> dict[str, int]:
    return {member.name: member.mode for member in read(path).members}


def anew(path: Path, mount: str = "/opt") -> str:
    made = str(path.with_suffix(".anew"))
    relaid.lay_anew(str(path), made, mount=mount)
    assert relaid.objection(made) is None
    return made


def made_of(path: Path, members: Mapping[str, bytes], **attributes: object) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            for key, value in attributes.items():
                setattr(info, key, value)
            archive.writestr(info, content)
    return path


@pytest.mark.parametrize("way", ["make_archive", "zipfile", "-m zipfile"])
def test_zips_of_the_standard_library_are_taken_as_they_are(tree: Path, tmp_path: Path, way: str) -> None:
    path = tmp_path / "made.zip"
    if way == "make_archive":
        shutil.make_archive(str(path.with_suffix("")), "zip", tree)
    elif way == "zipfile":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in FILES:
                archive.write(tree / name, name)
    else:
        command = [sys.executable, "-m", "zipfile", "-c", str(path)]
        subprocess.run([*command, *(str(tree / name) for name in os.listdir(tree))], check=True)
    assert relaid.objection(str(path)) is None


@pytest.mark.skipif(shutil.which("zip") is None, reason="no zip here")
@pytest.mark.parametrize("options", [["-r"], ["-ry"], ["-r0"], ["-rX"]])
@pytest.mark.parametrize("piped", [False, True])
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_zips_of_info_zip(tree: Path, tmp_path: Path, options: list[str], piped: bool, locale: str) -> None:
    path = tmp_path / "made.zip"
    target = "-" if piped else str(path)
    done = subprocess.run(
        ["zip", "-q", *options, target, "."], cwd=tree, env={**os.environ, "LC_ALL": locale}, capture_output=True,
        check=True,
    )  # fmt: skip
    if piped:
        path.write_bytes(done.stdout)
    # Without -y a link becomes what it leads to
    expected = {**FILES, "link.py": b"app.py" if "y" in options[0] else FILES["app.py"]}
    found = anew(path)
    assert contents(found) == expected
    assert modes(found)["bin/run"] == 0o755
    assert modes(found)["link.py"] == (0o120777 if "y" in options[0] else 0o644)


@pytest.mark.skipif(shutil.which("bsdtar") is None, reason="no bsdtar here")
def test_zips_of_bsdtar(tree: Path, tmp_path: Path) -> None:
    path = tmp_path / "made.zip"
    subprocess.run(["bsdtar", "--format", "zip", "-cf", str(path), "."], cwd=tree, check=True)
    assert "`./`: its name has a part `.`" in str(relaid.objection(str(path)))
    assert contents(anew(path)) == {**FILES, "link.py": b"app.py"}


def test_names_in_utf_8_that_are_not_marked(tmp_path: Path) -> None:
    path = made_of(tmp_path / "made.zip", {"gr\u00f6\u00dfe.txt": b"x", "app.py": b"y"})
    data = bytearray(path.read_bytes())
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        flags = data.index(signature) + at
        assert struct.unpack_from("<H", data, flags) == (0x800,)
        struct.pack_into("<H", data, flags, 0)
    path.write_bytes(data)
    assert "not marked as UTF-8" in str(relaid.objection(str(path)))
    assert contents(anew(path)) == {"gr\u00f6\u00dfe.txt": b"x", "app.py": b"y"}


def test_members_with_comments(tmp_path: Path) -> None:
    path = made_of(tmp_path / "made.zip", {"app.py": b"y"}, comment=b"built by hand")
    assert "comment" in str(relaid.objection(str(path)))
    assert contents(anew(path)) == {"app.py": b"y"}


@pytest.mark.parametrize(("mount", "target"), [("/opt", "/opt/lib/a.so"), ("/var/task", "/var/task/lib/a.so")])
def test_absolute_links_below_the_place_where_it_is_unpacked(tmp_path: Path, mount: str, target: str) -> None:
    path = tmp_path / "made.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("lib/a.so", "ELF")
        archive.writestr(_link("bin/deep/a.so"), target)
    assert "its target is absolute" in str(relaid.objection(str(path)))
    assert contents(anew(path, mount))["bin/deep/a.so"] == b"../../lib/a.so"


def _link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize("target", ["/etc/passwd", "../../x", "/opt/../etc/passwd", ""])
def test_links_that_leave_are_refused(tmp_path: Path, target: str) -> None:
    path = tmp_path / "made.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(_link("bin/a"), target)
    with pytest.raises(ArchiveError, match="link"):
        anew(path)


@pytest.mark.parametrize(
    ("name", "why"), [("../app.py", "leaves the root"), ("/app.py", "absolute"), ("a\\b.py", "backslash")]
)
def test_names_that_leave_are_refused(tmp_path: Path, name: str, why: str) -> None:
    path = made_of(tmp_path / "made.zip", {name: b"x"})
    assert relaid.objection(str(path)) is not None
    with pytest.raises(ArchiveError, match=why):
        anew(path)


def test_a_name_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "made.zip"
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("app.py", "1")
        archive.writestr("./app.py", "2")
    with pytest.raises(ArchiveError, match=r"app\.py"):
        anew(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_to_compress_are_refused(tmp_path: Path, method: int) -> None:
    path = tmp_path / "made.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("app.py", "1" * 1000)
    with pytest.raises(ArchiveError, match=f"method {method}"):
        anew(path)


def test_damaged_content_is_refused(tmp_path: Path) -> None:
    path = made_of(tmp_path / "made.zip", {"./app.py": b"answer = 42\n" * 20})
    data = bytearray(path.read_bytes())
    data[30 + len("./app.py") + 3] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match=r"app\.py"):
        anew(path)
    assert not path.with_suffix(".anew").exists()


def test_a_local_header_with_another_name_is_refused(tmp_path: Path) -> None:
    path = made_of(tmp_path / "made.zip", {"./app.py": b"x"})
    path.write_bytes(path.read_bytes().replace(b"./app.py", b"./bad.py", 1))
    with pytest.raises(ArchiveError, match="another name"):
        anew(path)


def test_bytes_in_front_do_not_matter(tmp_path: Path) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("app.py", "x")
    path = tmp_path / "made.zip"
    path.write_bytes(b"#!/usr/bin/env python3\n" + held.getvalue())
    assert relaid.objection(str(path)) is not None
    assert contents(anew(path)) == {"app.py": b"x"}
