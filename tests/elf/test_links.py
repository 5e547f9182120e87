from __future__ import annotations

import contextlib
import glob
import os
import random
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import deflate
import pytest
from tests.elf.making import AARCH64, EXECUTABLE, GPU, RELOCATABLE, Section, elf

from lamella.elf.blank import blank
from lamella.elf.links import Needs, mentions, read

REAL = [
    os.path.join(os.path.dirname(deflate.__file__), "_deflate.abi3.so"),
    *sorted(glob.glob(os.path.join(sysconfig.get_config_var("DESTSHARED") or "", "*.so"))),
]
NEEDS = {"libc.so.6": ("GLIBC_2.2.5", "GLIBC_2.28"), "libstdc++.so.6": ("GLIBCXX_3.4.29",)}


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("order", ["<", ">"])
def test_reads_what_the_loader_reads(wide: bool, order: str) -> None:
    data = elf(
        wide=wide,
        order=order,
        soname="libdemo.so.2",
        needed=["libc.so.6", "libfoo.so.1"],
        runpath="$ORIGIN/../demo.libs:/usr/local/lib",
        rpath="${ORIGIN}",
        needs=NEEDS,
        modules=["_demo"],
    )
    found = read(data)
    assert found is not None
    assert (found.machine, found.wide, found.is_program) == ("x86_64", wide, False)
    assert found.soname == "libdemo.so.2"
    assert found.needed == ("libc.so.6", "libfoo.so.1")
    assert found.runpath == ("$ORIGIN/../demo.libs", "/usr/local/lib")
    assert found.rpath == ("${ORIGIN}",)
    assert found.needs == tuple(Needs(*pair) for pair in NEEDS.items())
    assert found.modules == ("_demo",)
    blanked = blank(data)
    assert blanked is not None
    assert read(blanked) == found


def test_a_program_and_other_machines() -> None:
    program = read(elf(type=EXECUTABLE, interpreter=True, machine=AARCH64))
    assert program is not None
    assert (program.machine, program.is_program, program.soname) == ("aarch64", True, None)
    other = read(elf(machine=GPU, dynamic=False))
    assert other is not None
    assert (other.machine, other.needed) == ("machine 224", ())


@pytest.mark.parametrize("data", [b"", b"text", b"!<arch>\n" + elf(), elf(type=RELOCATABLE)[:16] + b"\1\0" + bytes(50)])
def test_other_files_are_none(data: bytes) -> None:
    assert read(data) is None


def test_damage_is_a_value_error_and_nothing_else() -> None:
    with pytest.raises(ValueError, match="ELF header"):
        read(elf()[:80])
    chance = random.Random(3)
    data = elf(soname="libdemo.so", needed=["libc.so.6"], needs=NEEDS, runpath="$ORIGIN")
    for _ in range(400):
        damaged = bytearray(data[: chance.randrange(len(data))] if chance.random() < 0.2 else data)
        for _ in range(chance.randrange(1, 5)):
            if damaged:
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        with contextlib.suppress(ValueError):
            read(bytes(damaged))


@pytest.mark.skipif(not shutil.which("readelf"), reason="readelf is not installed (apt-get install binutils)")
@pytest.mark.parametrize("path", REAL[:25], ids=os.path.basename)
def test_says_what_readelf_says(path: str) -> None:
    text = subprocess.run(["readelf", "-dVW", path], capture_output=True, text=True, check=True).stdout
    found = read(Path(path).read_bytes())
    assert found is not None
    assert list(found.needed) == re.findall(r"\(NEEDED\).*\[(.*)\]", text)
    assert [found.soname] == (re.findall(r"\(SONAME\).*\[(.*)\]", text) or [None])
    told = text[text.find("Version needs section") :] if "Version needs section" in text else ""
    files = re.findall(r"File: (\S+)", told)
    names = re.findall(r"Name: (\S+)\s+Flags", told)
    assert [need.file for need in found.needs] == files
    assert [version for need in found.needs for version in need.versions] == names


def test_an_extension_module_says_which_modules_it_can_be() -> None:
    found = read(Path(REAL[0]).read_bytes())
    assert found is not None
    assert found.modules == ("_deflate",)


def test_a_name_is_mentioned_as_a_whole_word() -> None:
    names = [b"libfoo.so", b"libbar.so.2"]
    assert mentions(b"dlopen lib/libfoo.so\0libbar.so.2.", names) == set(names)
    assert mentions(b"libfoo.so.* and 'libbar.so.2'", names) == set(names)
    assert mentions(b"libfoo.so.2 libfoo.sorted libfoo.so-x xlibfoo.so libbar.so.21 libbar.so", names) == set()
    assert mentions(b"libfoo.so.2\0libfoo.so\0", names) == {b"libfoo.so"}


def test_section_headers_are_not_looked_at() -> None:
    """patchelf moves tables and some tools leave section headers that lie: ld.so follows the tags."""
    data = bytearray(elf(soname="libdemo.so", sections=[Section(".dynstr", b"wrong\0" * 9)]))
    plain = read(bytes(data))
    data[-30:] = b"\xff" * 30
    assert read(bytes(data)) == plain
