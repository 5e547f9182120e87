"""The end records and the central directory alone; whole files are read in test_reader."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.archive.building import FIRST, SECOND, Frame, Part, build, extra

from lamella.archive import records
from lamella.archive.directory import Ending, check_extra, check_method, find_end, read_directory
from lamella.errors import ArchiveError


@contextmanager
def opened(tmp_path: Path, data: bytes) -> Iterator[tuple[int, int, str]]:
    path = tmp_path / "pair.zip"
    path.write_bytes(data)
    with open(path, "rb") as file:
        yield file.fileno(), len(data), str(path)


def why(caught: pytest.ExceptionInfo[ArchiveError]) -> str:
    return caught.value.why[0]


@pytest.mark.parametrize("frame", [Frame(), Frame(comment=b"a comment"), Frame(zip64={})])
def test_the_directory_is_found_and_read(tmp_path: Path, frame: Frame) -> None:
    data = build([FIRST, SECOND, Part(b"run", b"#!", attributes=0o100755 << 16)], frame)
    with opened(tmp_path, data) as (file, size, path):
        ending = find_end(file, size, path)
        assert ending.records == 3
        assert data[ending.offset : ending.offset + 4] == records.CENTRAL_SIGNATURE
        found = read_directory(file, ending, path)
    assert [(record.name, record.size, record.mode) for record in found] == [
        ("pair/__init__.py", len(FIRST.data), 0o644),
        ("pair/second.txt", len(SECOND.data), 0o644),
        ("run", 2, 0o755),
    ]
    assert found[0].header == 0
    assert data[found[1].header : found[1].header + 4] == records.LOCAL_SIGNATURE


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (Frame(behind=b"more"), "bytes behind its comment"),
        (Frame(comment=b"of PKWARE"), "comment holds zip records"),
        (Frame(gap=b"", end={"disk": 1}), "several volumes"),
        (Frame(end={"count": 0xFFFF, "here": 0xFFFF}), "asks for a ZIP64 end record"),
        (Frame(end={"length": 1}), "does not end where the end record starts"),
        (Frame(zip64={"count": 9, "here": 9}), "disagree"),
        (Frame(zip64={}, locator={"disks": 2}), "locator points elsewhere"),
    ],
)
def test_ends_that_can_be_read_in_two_ways(tmp_path: Path, frame: Frame, told: str) -> None:
    with opened(tmp_path, build([FIRST], frame)) as (file, size, path), pytest.raises(ArchiveError) as caught:
        find_end(file, size, path)
    assert told in why(caught)


@pytest.mark.parametrize("data", [b"", b"PK", b"no zip at all, and long enough to have an end"])
def test_what_is_no_zip(tmp_path: Path, data: bytes) -> None:
    with opened(tmp_path, data) as (file, size, path), pytest.raises(ArchiveError) as caught:
        find_end(file, size, path)
    assert "too short" in why(caught) or "no end record" in why(caught)


def test_a_directory_that_is_shorter_than_it_says(tmp_path: Path) -> None:
    with opened(tmp_path, build([FIRST, SECOND])) as (file, size, path):
        ending = find_end(file, size, path)
        for wrong, told in (
            (Ending(2, size - 10, ending.length), "cut off"),
            (Ending(9, ending.offset, ending.length), "more members than its central directory can hold"),
            (Ending(1, ending.offset, ending.length), "counts 1 members, its central directory 2"),
            (Ending(1, ending.offset + 1, ending.length - 1), "belong to no record"),
            (Ending(0, 0, 2**40), "more than"),
        ):
            with pytest.raises(ArchiveError) as caught:
                read_directory(file, wrong, path)
            assert told in why(caught)


def test_the_value_of_a_zip64_field_is_handed_back() -> None:
    wide = bytes(16)
    fields = extra(0x5455, b"\x01abcd") + extra(records.ZIP64_EXTRA, wide)
    assert check_extra(fields, "pair.zip", "a") == wide
    assert check_extra(b"", "pair.zip", "a") == b""
    for wrong in (fields[:-1], fields + b"\0", fields + extra(records.ZIP64_EXTRA, wide)):
        with pytest.raises(ArchiveError, match=r"`pair\.zip` is refused because of `a`"):
            check_extra(wrong, os.path.join("folder", "pair.zip"), "a")


@pytest.mark.parametrize(
    ("flags", "method", "told"),
    [(1, 8, "encrypted"), (0x8000, 8, "bits that no wheel uses"), (0, 14, "lzma"), (0, 77, "method 77")],
)
def test_methods_and_flags(flags: int, method: int, told: str) -> None:
    with pytest.raises(ArchiveError) as caught:
        check_method(flags, method, "pair.zip", "a")
    assert told in why(caught)
    check_method(records.FLAG_UTF8 | records.FLAG_DESCRIPTOR, records.DEFLATED, "pair.zip", "a")
