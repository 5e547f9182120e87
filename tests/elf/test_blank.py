from __future__ import annotations

import glob
import os
import random
import subprocess
import sys
import sysconfig
from pathlib import Path

import deflate
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.elf.making import ALLOC, EXECUTABLE, GPU, RELOCATABLE, STRTAB, Piece, Section, elf, put_segment

from lamella.elf.blank import blank
from lamella.elf.headers import layout

PIE = 0x08000000
# Extension modules of this Python, and one of a dependency, which is there whatever this Python was built like
REAL = sorted(glob.glob(os.path.join(sysconfig.get_config_var("DESTSHARED") or "", "*.so")))
EXTENSION = os.path.join(os.path.dirname(deflate.__file__), "_deflate.abi3.so")

BITS = st.binary(min_size=0, max_size=60)
NAMES = st.sampled_from([".symtab", ".strtab", ".debug_info", ".comment", ".note.gnu.gold-version"])


@st.composite
def libraries(draw: st.DrawFn) -> bytes:
    """Shared libraries with segments in any order, over one another, and of no bytes; sections between and behind."""
    wide, order = draw(st.booleans()), draw(st.sampled_from("<>"))
    kinds = st.sampled_from([None, None, 1, 4, 6, 0x6474E550, 0x6474E551])
    pieces = draw(st.lists(st.tuples(BITS, kinds).map(lambda pair: Piece(*pair)), max_size=5))
    sections = draw(st.lists(st.tuples(NAMES, BITS).map(lambda pair: Section(*pair)), max_size=4))
    data = bytearray(elf(wide=wide, order=order, text=draw(BITS), pieces=pieces, sections=sections))
    mapped = sum(piece.type is not None for piece in pieces)
    for index in range(2, 2 + mapped):
        if draw(st.booleans()):
            start = draw(st.integers(0, len(data)))
            size = draw(st.integers(0, len(data) - start))
            kind = draw(st.sampled_from([1, 4, 0x6474E551]))
            put_segment(data, index, kind, start, size, wide=wide, order=order)
    return bytes(data)


@settings(max_examples=300, deadline=None)
@given(data=libraries())
def test_what_a_segment_maps_stays_and_all_else_is_zero(data: bytes) -> None:
    before = layout(data)
    assert before is not None
    blanked = blank(data)
    if blanked is None:
        # Without sections what lies at the end is taken for a payload
        assert not before.sections_at
        return
    after = layout(blanked)
    assert after is not None
    assert after.segments == before.segments
    assert (after.sections_at, after.section_count, after.names_index) == (0, 0, 0)
    covered = set(range(before.segments_at, before.segments_at + before.segment_size * len(before.segments)))
    header = set(range(before.header_size))
    for part in before.segments:
        inside = set(range(part.offset, part.end))
        covered |= inside
        # A segment that maps the ELF header has its three fields changed with it, and nothing else
        assert [blanked[at] for at in inside - header] == [data[at] for at in inside - header]
    assert blanked[:32] == data[:32]
    assert len(blanked) <= len(data)
    assert not any(blanked[at] for at in range(len(blanked)) if at not in covered | header)


@settings(max_examples=100, deadline=None)
@given(data=libraries())
def test_a_blanked_library_has_nothing_more_to_give(data: bytes) -> None:
    blanked = blank(data)
    assert blanked is None or blank(blanked) is None


def test_symbols_are_cut_off_at_the_end_and_zeroed_in_the_middle() -> None:
    # As patchelf leaves a file: a segment behind what no segment maps
    data = elf(pieces=[Piece(b"S" * 100), Piece(b"moved here", 1)], sections=[Section(".debug_info", b"D" * 500)])
    blanked = blank(data)
    assert blanked is not None
    assert blanked.endswith(bytes(100) + b"moved here")
    assert b"S" not in blanked.replace(b"SONAME", b"")
    assert len(data) - len(blanked) > 500


def test_a_segment_without_bytes_keeps_the_page_that_the_loader_touches() -> None:
    """ld.so maps the page of a segment that only has memory, and clears its end: it must not lie behind the file."""
    end = len(elf(sections=[], pieces=[Piece(b"", 1)])) + 150
    data = bytearray(elf(sections=[Section(".comment", bytes(300))], pieces=[Piece(b"", 1)]))
    put_segment(data, 2, 1, end, 0, wide=True, order="<")
    blanked = blank(bytes(data))
    assert blanked is not None
    assert len(blanked) == end


LEFT_ALONE = {
    "no ELF file": b"#!/bin/sh\n" * 20,
    "empty": b"",
    "an archive": b"!<arch>\n" + elf(),
    "an object file": elf(type=RELOCATABLE),
    "a program": elf(type=EXECUTABLE, interpreter=True),
    "a program like a library": elf(interpreter=True),
    "a program like a library, without an interpreter": elf(flags_1=PIE),
    "code for a graphics card": elf(machine=GPU),
    "without a dynamic section": elf(dynamic=False),
    "a payload behind it": elf(payload=b"PK\x05\x06 and more"),
    "a payload behind it, without sections": elf(sections=[], payload=b"PK\x05\x06 and more"),
    "a section of somebody's own": elf(sections=[Section("resources", b"read by name")]),
    "nothing to take away": elf(sections=[]),
    "cut off": elf(pieces=[Piece(b"x" * 500, 1)], sections=[])[:-200],
}


@pytest.mark.parametrize("data", LEFT_ALONE.values(), ids=LEFT_ALONE.keys())
def test_is_left_alone(data: bytes) -> None:
    assert blank(data) is None


def test_a_library_that_can_be_run_is_a_library() -> None:
    """libc.so.6 and Qt's libraries have an interpreter, to print their version."""
    assert blank(elf(interpreter=True, soname="libdemo.so.1")) is not None


def test_a_section_of_somebodys_own_that_is_mapped_is_no_hindrance() -> None:
    sections = [Section("resources", b"", flags=ALLOC), Section(".comment", b"gcc"), Section(".strtab", b"a", STRTAB)]
    assert blank(elf(sections=sections)) is not None


def test_a_debug_file_keeps_what_it_is_made_of() -> None:
    """objcopy --only-keep-debug leaves segments that tell of bytes which are not there."""
    data = bytearray(elf(sections=[Section(".debug_info", b"D" * 50)]))
    put_segment(data, 0, 1, 0, 1 << 20, wide=True, order="<")
    assert blank(bytes(data)) is None
    empty = bytearray(elf(sections=[Section(".debug_info", b"D" * 50)]))
    put_segment(empty, 0, 1, 0, 0, wide=True, order="<")
    assert blank(bytes(empty)) is None


@pytest.mark.parametrize("seed", range(20))
def test_damage_raises_nothing(seed: int) -> None:
    chance = random.Random(seed)
    data = elf(wide=bool(seed % 2), order="<>"[seed // 2 % 2], needed=["libc.so.6"], pieces=[Piece(b"x" * 40, 1)])
    for _ in range(200):
        damaged = bytearray(data[: chance.randrange(len(data) + 1)] if chance.random() < 0.2 else data)
        for _ in range(chance.randrange(1, 6)):
            if damaged:
                damaged[chance.randrange(len(damaged))] = chance.choice([0, 1, 255, chance.randrange(256)])
        blanked = blank(bytes(damaged))
        assert blanked is None or len(blanked) <= len(damaged)


def test_a_blanked_extension_module_still_works(tmp_path: Path) -> None:
    blanked = blank(Path(EXTENSION).read_bytes())
    assert blanked is not None
    (tmp_path / "_deflate.abi3.so").write_bytes(blanked)
    code = "import _deflate; print(_deflate.deflate_decompress(_deflate.deflate_compress(b'a' * 99, 9), 99).decode())"
    answer = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "a" * 99


@pytest.mark.skipif(not REAL, reason="this Python has its standard library built in")
def test_blanked_modules_of_the_standard_library_are_imported(tmp_path: Path) -> None:
    names = []
    for path in REAL:
        blanked = blank(Path(path).read_bytes())
        name = os.path.basename(path)
        if blanked is None or name.startswith(("_test", "_xxtest", "xx", "_tkinter")):
            continue
        (tmp_path / name).write_bytes(blanked)
        names.append(name.partition(".")[0])
    assert len(names) > 20
    code = (
        "import importlib, sys\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        f"for name in {names!r}:\n"
        "    sys.modules.pop(name, None)\n"
        "    module = importlib.import_module(name)\n"
        f"    assert module.__file__.startswith({str(tmp_path)!r}), name\n"
        "import json, math, zlib, ctypes\n"
        "assert json.loads('[1.5]') == [1.5] and math.sqrt(4) == 2 and ctypes.sizeof(ctypes.c_int) == 4\n"
        "assert zlib.decompress(zlib.compress(b'abc')) == b'abc'\n"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
