from __future__ import annotations

import io
import os
import random
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.archive import mutation, readings
from tests.archive.building import FIRST, SECOND, UNIX, Frame, Part, build, extra, wheel_parts

from lamella.archive import records
from lamella.archive.names import conflict, objection
from lamella.archive.reader import RawMember, read
from lamella.errors import ArchiveError

SAME_PATH = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def written(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "some.zip"
    path.write_bytes(data)
    return path


def test_members(tmp_path: Path) -> None:
    data = build([FIRST, Part(b"b/", method=0, attributes=0o40755 << 16), SECOND])
    archive = read(str(written(tmp_path, data)))
    assert archive.size == len(data)
    first, folder, second = archive.members
    assert first == RawMember(
        name="pair/__init__.py",
        offset=30 + len(FIRST.name),
        packed=len(FIRST.stored()),
        size=len(FIRST.data),
        crc=zlib.crc32(FIRST.data),
        method=8,
        mode=0o644,
        is_dir=False,
    )
    assert (folder.name, folder.is_dir, folder.packed) == ("b/", True, 0)
    assert zlib.decompress(data[second.offset : second.offset + second.packed], -15) == SECOND.data


def test_empty(tmp_path: Path) -> None:
    assert read(str(written(tmp_path, build([])))).members == ()


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(str(tmp_path / "none.zip"))


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\5\6", b"no zip at all, but long enough to be one", bytes(100)])
def test_no_zip(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(ArchiveError):
        read(str(written(tmp_path, data)))


@pytest.mark.parametrize(
    ("made_by", "attributes", "mode"),
    [
        (UNIX, 0o100644 << 16, 0o644),
        (UNIX, 0o100600 << 16, 0o644),
        (UNIX, 0o100000 << 16, 0o644),
        (UNIX, 0o100755 << 16, 0o755),
        (UNIX, 0o100744 << 16, 0o755),
        (UNIX, 0o104711 << 16, 0o755),
        (UNIX, 0o755 << 16, 0o755),
        (UNIX, 0, 0o644),
        (UNIX, 0o120777 << 16, 0o120777),
        (UNIX, 0o120644 << 16, 0o120777),
        (records.SYSTEM_DARWIN << 8, 0o100755 << 16, 0o755),
        (records.SYSTEM_DOS << 8 | 20, 0o100755 << 16, 0o644),
        (records.SYSTEM_NTFS << 8, 0x20, 0o644),
    ],
)
def test_mode(tmp_path: Path, made_by: int, attributes: int, mode: int) -> None:
    data = build([Part(b"a", b"b", made_by=made_by, attributes=attributes)])
    (member,) = read(str(written(tmp_path, data))).members
    assert member.mode == mode


def test_members_come_in_the_order_of_their_data(tmp_path: Path) -> None:
    parts = [Part(b"%d" % number, bytes([number])) for number in (3, 1, 2)]
    archive = read(str(written(tmp_path, build(parts))))
    assert [member.name for member in archive.members] == ["3", "1", "2"]
    assert [member.offset for member in archive.members] == sorted(member.offset for member in archive.members)


def test_zip_above_four_gigabytes(tmp_path: Path) -> None:
    """A sparse file: a stored member of 5 GiB, and one behind it.  Also shows that data is not read."""
    size = 5 * 1024**3
    sizes = {"packed": records.MAX_32, "size": records.MAX_32, "needed": 45}
    wide = size.to_bytes(8, "little") * 2
    head = (
        records.LOCAL.pack(b"PK\3\4", 45, 0, 0, 0, 0x21, 7, records.MAX_32, records.MAX_32, 3, 20)
        + b"big"
        + extra(1, wide)
    )
    small = build([Part(b"small", b"small")])[: 30 + 5 + len(Part(b"small", b"small").stored())]
    header = len(head) + size
    parts = [
        Part(b"big", b"", 0, ghost=True, central_extra=extra(1, wide), central={**sizes, "crc": 7, "header": 0}),
        Part(
            b"small",
            b"small",
            ghost=True,
            central_extra=extra(1, header.to_bytes(8, "little")),
            central={"header": records.MAX_32, "needed": 45},
        ),
    ]
    offset = header + len(small)
    narrow = {"here": 0xFFFF, "count": 0xFFFF, "length": records.MAX_32, "offset": records.MAX_32}
    path = tmp_path / "large.zip"
    with open(path, "wb") as file:
        file.write(head)
        file.seek(header)
        file.write(small + build(parts, Frame(shift=offset, zip64={}, end=narrow)))
    big, behind = read(str(path)).members
    assert (big.name, big.offset, big.packed, big.size, big.crc) == ("big", len(head), size, size, 7)
    assert (behind.name, behind.offset, behind.size) == ("small", header + 35, 5)
    with zipfile.ZipFile(path) as archive:
        assert archive.read("small") == b"small"


def test_many_members(tmp_path: Path) -> None:
    """More than 65,535 need a ZIP64 end record."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for number in range(66_000):
            archive.writestr(zipfile.ZipInfo(f"d{number % 100}/{number}"), b"")
    assert len(read(str(written(tmp_path, memory.getvalue()))).members) == 66_000


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    data = build(wheel_parts())
    for length in range(len(data)):
        with pytest.raises(ArchiveError):
            readings.by_lamella(written(tmp_path, data[:length]))


@pytest.mark.parametrize("bit", [0x01, 0x80, 0xFF])
def test_every_changed_byte_is_noticed_or_harmless(tmp_path: Path, bit: int) -> None:
    data = build(wheel_parts(FIRST, Part(b"pair/streamed", b"streamed\n" * 5, flags=8)), Frame(comment=b"words"))
    for at in range(len(data)):
        path = written(tmp_path, data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :])
        try:
            seen = readings.by_lamella(path)
        except ArchiveError:
            continue
        assert readings.disagreement("zipfile", path, seen) == "", f"byte {at}"


@settings(SAME_PATH, max_examples=800)
@given(st.randoms(use_true_random=False))
def test_mutilated_zip_is_refused_or_read_like_zipfile(tmp_path: Path, choices: random.Random) -> None:
    data = mutation.draw_zip(choices)
    for _ in range(choices.randrange(4)):
        data = mutation.mutate(choices, data)
    path = written(tmp_path, data)
    try:
        seen = readings.by_lamella(path)
    except ArchiveError:
        return
    assert readings.disagreement("zipfile", path, seen) == ""


@pytest.mark.parametrize("reader", ["unzip", "bsdtar", "stream"])
def test_mutilated_zip_is_refused_or_read_like_others(tmp_path: Path, reader: str) -> None:
    """Seeded rather than drawn by hypothesis: most zips are refused, and programs are slow to start."""
    if program := readings.missing(reader):
        pytest.skip(f"{program} is {readings.HOW_TO_INSTALL}")
    choices = random.Random(f"others, {reader}")
    compared = 0
    while compared < 150:
        data = mutation.draw_zip(choices)
        if choices.randrange(2):
            data = mutation.mutate(choices, data)
        path = written(tmp_path, data)
        try:
            seen = readings.by_lamella(path)
        except ArchiveError:
            continue
        compared += 1
        assert readings.disagreement(reader, path, seen) == ""


NAMES = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20).filter(
    lambda name: objection(name) is None and not name.endswith("/")
)


class Unseekable(io.RawIOBase):
    """Makes zipfile write data descriptors."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, piece: object) -> int:
        self.data += memoryview(piece)  # type: ignore[arg-type]
        return len(memoryview(piece))  # type: ignore[arg-type]


@SAME_PATH
@given(
    st.dictionaries(NAMES, st.binary(max_size=2000), max_size=8).filter(lambda found: conflict(found) is None),
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
    st.booleans(),
    st.booleans(),
)
def test_what_zipfile_writes_is_read(
    tmp_path: Path, members: dict[str, bytes], method: int, wide: bool, streamed: bool
) -> None:
    if streamed and method == zipfile.ZIP_STORED:
        method = zipfile.ZIP_DEFLATED
    memory = io.BytesIO()
    pipe = Unseekable()
    with zipfile.ZipFile(pipe if streamed else memory, "w", method) as archive:
        for name, content in members.items():
            with archive.open(name, "w", force_zip64=wide) as file:
                file.write(content)
    path = written(tmp_path, bytes(pipe.data) or memory.getvalue())
    assert readings.by_lamella(path) == members


def test_descriptor_is_closed(tmp_path: Path) -> None:
    before = len(os.listdir("/dev/fd"))
    read(str(written(tmp_path, build(wheel_parts()))))
    with pytest.raises(ArchiveError):
        read(str(written(tmp_path, b"PK")))
    assert len(os.listdir("/dev/fd")) == before
