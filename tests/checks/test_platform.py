from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.elf.making import AARCH64, EXECUTABLE, elf

from lamella.archive.entry import FILE, PROGRAM, from_bytes
from lamella.archive.writer import write
from lamella.checks.model import Finding, Severity
from lamella.checks.platform import platform
from lamella.errors import ArchiveError
from lamella.target import Target

AL2023 = Target("python3.12", "x86_64")
AL2 = Target("python3.11", "x86_64")
EXTENSION = "python/demo/_demo.abi3.so"


def zipped(path: Path, members: Mapping[str, bytes]) -> str:
    entries = [
        from_bytes(name, "demo", data, PROGRAM if name.startswith("bin/") else FILE) for name, data in members.items()
    ]
    write(str(path), entries)
    return str(path)


def found(tmp_path: Path, members: Mapping[str, bytes], target: Target = AL2023) -> list[Finding]:
    return platform("images", [(zipped(tmp_path / "layer.zip", members), "/opt")], target)


def extension(*needed: str, machine: int = 62, wide: bool = True, **needs: list[str]) -> bytes:
    files = {"libc": "libc.so.6", "cxx": "libstdc++.so.6", "gcc": "libgcc_s.so.1", "z": "libz.so.1"}
    versions = {files[name]: listed for name, listed in needs.items()}
    return elf(
        needed=[*needed, "libc.so.6"], machine=machine, wide=wide, needs=versions, runpath="$ORIGIN", modules=["_demo"]
    )


def test_what_the_runtime_and_the_archive_have_is_found(tmp_path: Path) -> None:
    members = {
        EXTENSION: extension("libdemo.so.1", "libstdc++.so.6", "libpython3.12.so.1.0", cxx=["GLIBCXX_3.4.29"]),
        "python/demo/libdemo.so.1": elf(soname="libdemo.so.1", needed=["libm.so.6"]),
        "python/demo/__init__.py": b"",
        "bin/tool": b"#!/bin/sh\n",
    }
    assert found(tmp_path, members) == []


def test_another_machine_and_another_width(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, {EXTENSION: extension("libnowhere.so", machine=AARCH64)})
    assert finding == Finding(
        "platform",
        Severity.ERROR,
        "images",
        EXTENSION,
        "it is for aarch64 (64-bit), and the target is x86_64",
        "lock a wheel that has files for x86_64",
    )
    (finding,) = found(tmp_path, {EXTENSION: extension(wide=False)})
    assert "x86_64 (32-bit)" in finding.reason
    arm = Target("python3.12", "arm64")
    assert found(tmp_path, {EXTENSION: extension(machine=AARCH64)}, arm) == []


@pytest.mark.parametrize(
    ("target", "version", "severity"),
    [
        (AL2023, "GLIBC_2.34", None),
        (AL2023, "GLIBC_2.35", Severity.ERROR),
        (AL2023, "GLIBC_ABI_DT_RELR", Severity.ERROR),
        (AL2023, "GLIBC_PRIVATE", None),
        (AL2, "GLIBC_2.26", None),
        (AL2, "GLIBC_2.28", Severity.ERROR),
    ],
)
def test_the_glibc(tmp_path: Path, target: Target, version: str, severity: Severity | None) -> None:
    findings = found(tmp_path, {EXTENSION: extension(libc=["GLIBC_2.2.5", version, "GLIBC_2.9"])}, target)
    assert [finding.severity for finding in findings] == ([severity] if severity else [])
    for finding in findings:
        assert f"{version} of `libc.so.6`" in finding.reason
        assert f"up to GLIBC_{target.glibc[0]}.{target.glibc[1]}" in finding.reason


@pytest.mark.parametrize(
    ("target", "version", "severity"),
    [
        (AL2023, "GLIBCXX_3.4.29", None),
        (AL2023, "GLIBCXX_3.4.30", Severity.WARNING),
        (AL2023, "GLIBCXX_3.4.33", Severity.WARNING),
        (AL2023, "GLIBCXX_3.4.34", Severity.ERROR),
        (AL2023, "CXXABI_1.3.13", None),
        (AL2023, "CXXABI_FLOAT128", None),
        (AL2, "GLIBCXX_3.4.24", None),
        (AL2, "GLIBCXX_3.4.25", Severity.ERROR),
        (AL2, "CXXABI_1.3.13", Severity.ERROR),
    ],
)
def test_the_cxx_library(tmp_path: Path, target: Target, version: str, severity: Severity | None) -> None:
    findings = found(tmp_path, {EXTENSION: extension("libstdc++.so.6", cxx=["GLIBCXX_3.4", version])}, target)
    assert [finding.severity for finding in findings] == ([severity] if severity else [])


def test_a_library_that_came_along_has_versions_of_its_own(tmp_path: Path) -> None:
    members = {
        EXTENSION: elf(
            needed=["libgomp-0123abcd.so.1"], needs={"libgomp-0123abcd.so.1": ["GCC_99.0"]}, runpath="$ORIGIN/../libs"
        ),
        "python/libs/libgomp-0123abcd.so.1": elf(soname="libgomp-0123abcd.so.1"),
    }
    assert found(tmp_path, members) == []


@pytest.mark.parametrize(
    ("name", "hint"),
    [("libexpat.so.1", "`lib/` of a layer"), ("libGL.so.1", "headless"), ("libc.musl-x86_64.so.1", "manylinux")],
)
def test_a_library_that_is_nowhere(tmp_path: Path, name: str, hint: str) -> None:
    """libexpat.so.1 is allowed by PEP 600, is in Lambda's image, and is not where functions run."""
    (finding,) = found(tmp_path, {EXTENSION: extension(name)})
    assert finding.severity is Severity.ERROR
    assert finding.reason == f"it links `{name}`, which neither the archives nor python3.12 have"
    assert hint in finding.hint


def test_a_function_finds_what_its_layers_bring(tmp_path: Path) -> None:
    code = zipped(tmp_path / "code.zip", {"demo/_demo.abi3.so": extension("libexpat.so.1")})
    layer = zipped(tmp_path / "layer.zip", {"lib/libexpat.so.1": elf(soname="libexpat.so.1")})
    assert len(platform("api", [(code, "/var/task")], AL2023)) == 1
    assert platform("api", [(layer, "/opt"), (code, "/var/task")], AL2023) == []


def test_one_that_is_there_but_not_where_it_is_looked_for_is_a_warning(tmp_path: Path) -> None:
    members = {EXTENSION: extension("libdemo.so"), "python/elsewhere/libdemo.so": elf(soname="libdemo.so")}
    (finding,) = found(tmp_path, members)
    assert finding.severity is Severity.WARNING
    assert "in none of the folders" in finding.reason


def test_an_rpath_counts_for_what_is_linked_further_on(tmp_path: Path) -> None:
    members = {
        EXTENSION: elf(needed=["liba.so"], rpath="$ORIGIN/../demo.libs"),
        "python/demo.libs/liba.so": elf(soname="liba.so", needed=["libb.so"]),
        "python/demo.libs/libb.so": elf(soname="libb.so", needed=["libc0.so"]),
        "python/demo.libs/libc0.so": elf(soname="libc0.so", needed=["liba.so"]),
    }
    assert found(tmp_path, members) == []


def test_what_is_for_another_python_is_not_looked_at(tmp_path: Path) -> None:
    newer = extension(libc=["GLIBC_2.34"])
    members = {
        "python/lib/python3.12/site-packages/demo/_demo.abi3.so": newer,
        "python/other/_other.cpython-312-x86_64-linux-gnu.so": newer,
    }
    assert found(tmp_path, members, AL2) == []
    members["python/lib/python3.11/site-packages/demo/_demo.abi3.so"] = newer
    assert len(found(tmp_path, members, AL2)) == 1


def test_what_its_distribution_does_without_is_a_note(tmp_path: Path) -> None:
    pool = "python/numba/np/ufunc/tbbpool.cpython-312-x86_64-linux-gnu.so"
    (finding,) = found(tmp_path, {pool: extension("libtbb.so.12")})
    assert finding.severity is Severity.NOTE
    assert "`tbb` is not used" in finding.reason


def test_programs_are_looked_at_and_damage_is_told(tmp_path: Path) -> None:
    members = {
        "bin/tool": elf(type=EXECUTABLE, interpreter=True, machine=AARCH64),
        "python/demo/libbad.so": elf()[:80],
        "python/demo/libtext.so": b"INPUT ( libdemo.so )",
    }
    findings = found(tmp_path, members)
    assert [(finding.path, finding.severity) for finding in findings] == [
        ("python/demo/libbad.so", Severity.ERROR),
        ("bin/tool", Severity.ERROR),
    ]
    assert findings[0].reason == "it can't be read: its ELF header is damaged"


def test_a_broken_zip_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "layer.zip"
    path.write_bytes(b"no zip")
    with pytest.raises(ArchiveError):
        platform("images", [(str(path), "/opt")], AL2023)


def test_damaged_bytes_in_a_zip_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "layer.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("python/a.so", (2020, 1, 1, 0, 0, 0)), elf(), zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    data[45:60] = b"\xff" * 15
    path.write_bytes(data)
    with pytest.raises(ArchiveError):
        platform("images", [(str(path), "/opt")], AL2023)


@pytest.mark.parametrize("data", [b"\x7fELF" + bytes(23), b"\x7fELF" + b"\xff" * 200])
def test_what_only_begins_as_an_elf_file_is_told(tmp_path: Path, data: bytes) -> None:
    (finding,) = found(tmp_path, {"python/pkg/_x.so": data})
    assert finding.severity is Severity.WARNING
    assert finding.path == "python/pkg/_x.so"
