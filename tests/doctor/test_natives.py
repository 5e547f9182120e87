"""Compiled modules that the runtime's Python never takes up."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.doctor.zips import Files
from tests.elf.making import elf
from tests.sandbox.zips import make_zip

from lamella.checks.members import contents
from lamella.doctor.natives import Lost, natives
from lamella.manifest import Distribution
from lamella.target import Target

TARGET = Target("python3.12", "x86_64")
ROW = Distribution("fast", "2.0", "", "", ("python3.12",), ("fast",), 0, 0)


def lost(tmp_path: Path, files: Files) -> tuple[Lost, ...]:
    path, _ = make_zip(tmp_path / "layer.zip", {f"python/{name}": content for name, content in files.items()})
    return natives("layer.zip", contents(path), [ROW], ("python",), TARGET)


@pytest.mark.parametrize(
    "name",
    ["_c.cpython-312-x86_64-linux-gnu.so", "_c.abi3.so", "_c.so", "_c.cpython-312-x86_64-linux-gnu.so.1"],
)
def test_taken_up(tmp_path: Path, name: str) -> None:
    assert lost(tmp_path, {f"fast/{name}": elf()}) == ()


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("_c.cpython-311-x86_64-linux-gnu.so", elf(), "Python 3.11"),
        ("_c.cpython-312t-x86_64-linux-gnu.so", elf(), "Python 3.12t"),
        ("_c.cpython-312-aarch64-linux-gnu.so", elf(machine=183), "aarch64"),
        ("_c.cpython-312-x86_64-linux-musl.so", elf(), "Alpine Linux (musl)"),
        ("_c.cpython-312-darwin.so", b"\xcf\xfa\xed\xfe", "macOS"),
        ("_c.cp312-win_amd64.pyd", b"MZ", "Windows"),
        ("_c.pyd", b"MZ", "Windows"),
        ("_c.abi3.so", b"\xcf\xfa\xed\xfe" + bytes(100), "macOS"),
        ("_c.pypy310-pp73-x86_64-linux-gnu.so", elf(), "PyPy"),
    ],
)
def test_not_taken_up(tmp_path: Path, name: str, content: bytes, why: str) -> None:
    (one,) = lost(tmp_path, {f"fast/{name}": content})
    assert one.finding.reason == (
        f"1 compiled module of `fast` 2.0 is for {why}, and the target is python3.12 (x86_64, glibc 2.34)"
    )
    assert (one.row, one.paths) == (ROW, (f"python/fast/{name}",))


def test_another_runtimes_folder_is_not_on_the_path(tmp_path: Path) -> None:
    """A layer for python3.11 and python3.12 has a folder for each."""
    files = {f"lib/python3.{n}/site-packages/fast/_c.cpython-3{n}-x86_64-linux-gnu.so": elf() for n in (11, 12)}
    assert lost(tmp_path, files) == ()


def test_one_that_fits_is_enough_and_each_distribution_is_told_once(tmp_path: Path) -> None:
    files = {
        "fast/_a.cpython-311-x86_64-linux-gnu.so": elf(),
        "fast/_b.cpython-311-x86_64-linux-gnu.so": elf(),
        "fast/_c.cpython-311-x86_64-linux-gnu.so": elf(),
        "fast/_c.cpython-312-x86_64-linux-gnu.so": elf(),
        "own.cpython-311-x86_64-linux-gnu.so": elf(),
    }
    fast, own = lost(tmp_path, files)
    assert fast.finding.reason.startswith("2 compiled modules of `fast` 2.0 are for Python 3.11")
    assert own.row is None
