from __future__ import annotations

import os
import random
import shutil
import stat
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.archive.readings import HOW_TO_INSTALL, READERS, by_lamella, disagreement, missing

from lamella.archive import writer
from lamella.archive.entry import FILE, LINK, PROGRAM, DamagedSourceError, Entry, content, from_bytes
from lamella.archive.names import objection
from lamella.archive.records import CENTRAL, DEFLATED, EOCD, LOCAL, STORED
from lamella.archive.writer import arranged, overhead, write
from lamella.errors import ArchiveError, CollisionError

GIB = 1 << 30

# What may stand in a path, beside what several programs take for something else
LETTERS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/\\:")
PARTS = st.text(LETTERS, min_size=1, max_size=12).filter(lambda part: part.strip(". ") == part)
# Names that can't be seen and the like are refused by the reader, whoever wrote them (tests/archive/test_names.py)
PATHS = st.lists(PARTS, min_size=1, max_size=4).map("/".join).filter(lambda path: objection(path) is None)
CONTENTS = st.one_of(st.binary(max_size=200), st.binary(min_size=1, max_size=30).map(lambda piece: piece * 300))
SETS = st.dictionaries(PATHS, st.tuples(CONTENTS, st.sampled_from([FILE, PROGRAM]), st.booleans()), max_size=12)


def without_clashes(members: dict[str, tuple[bytes, int, bool]]) -> dict[str, tuple[bytes, int, bool]]:
    """Drop what is another one's folder."""
    folders = {"/".join(path.split("/")[:depth]) for path in members for depth in range(1, path.count("/") + 1)}
    return {path: member for path, member in members.items() if path not in folders}


def copied(path: str, data: bytes, source: Path, *, method: int = DEFLATED, mode: int = FILE) -> Entry:
    """An entry whose packed bytes lie in the file `source`, behind others."""
    packed = data
    if method == DEFLATED:
        compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = compressor.compress(data) + compressor.flush()
    with open(source, "ab") as file:
        offset = file.tell()
        file.write(packed)
    return Entry(
        path, "demo", mode, method, zlib.crc32(data), len(packed), len(data), str(source), offset, zlib.crc32(packed)
    )


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(members=SETS.map(without_clashes), seed=st.integers(0, 1000))
def test_any_set_of_members_survives(
    members: dict[str, tuple[bytes, int, bool]], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any")
    source = folder / "source"
    source.touch()
    entries = [
        copied(path, data, source, mode=mode) if from_file else from_bytes(path, "own", data, mode)
        for path, (data, mode, from_file) in members.items()
    ]
    written = write(str(folder / "one.zip"), entries)
    wanted = {path: data for path, (data, _, _) in members.items()}

    with zipfile.ZipFile(folder / "one.zip") as archive:
        assert archive.testzip() is None
        assert [info.filename for info in archive.infolist()] == sorted(members, key=str.encode)
        assert {info.filename: archive.read(info) for info in archive.infolist()} == wanted
        for info in archive.infolist():
            assert info.create_system == 3
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert info.external_attr >> 16 == stat.S_IFREG | members[info.filename][1]
            assert info.compress_size + overhead(info.filename) > 0
    assert written.members == len(members)
    assert written.unzipped == sum(map(len, wanted.values()))
    assert written.zipped == os.path.getsize(folder / "one.zip")
    assert written.zipped == 22 + sum(entry.packed + overhead(entry.path) for entry in entries)
    assert by_lamella(folder / "one.zip") == wanted

    random.Random(seed).shuffle(entries)
    assert write(str(folder / "two.zip"), entries) == written
    assert (folder / "two.zip").read_bytes() == (folder / "one.zip").read_bytes()
    shutil.rmtree(folder)


SAMPLES: list[dict[str, bytes]] = [
    {},
    {"one": b""},
    {"a/b/c/deep.txt": b"deep" * 900, "a/b.txt": b"x", "a-b": b"-", "a/b/c.py": b"", "z": bytes(range(256))},
    {"größe/日本語.py": "print('é')".encode(), "with space/and,comma": b"1", "emoji-🐍.txt": b"2"},
    {f"many/{number:05}.txt": str(number).encode() * 20 for number in range(700)},
]


# An empty zip has no first local header to stream from
PAIRS = [(at, reader) for at, sample in enumerate(SAMPLES) for reader in READERS if sample or reader != "stream"]


@pytest.mark.parametrize(("sample", "reader"), PAIRS)
def test_other_programs_read_the_same(tmp_path: Path, sample: int, reader: str) -> None:
    if program := missing(reader):
        pytest.skip(f"`{program}` is {HOW_TO_INSTALL}")
    wanted = SAMPLES[sample]
    path = tmp_path / "sample.zip"
    write(str(path), [from_bytes(name, "own", data) for name, data in wanted.items()])
    assert disagreement(reader, path, wanted) == ""


def test_unzip_proves_it_and_shows_modes(tmp_path: Path) -> None:
    if missing("unzip"):
        pytest.skip(f"`unzip` is {HOW_TO_INSTALL}")
    path = tmp_path / "modes.zip"
    write(
        str(path),
        [
            from_bytes("bin/run", "own", b"#!/bin/sh\nexit 7\n", PROGRAM),
            from_bytes("lib/data", "own", b"data"),
            from_bytes("lib/link", "own", b"data", LINK),
        ],
    )
    assert subprocess.run(["unzip", "-tq", path], check=False, capture_output=True).returncode == 0
    subprocess.run(["unzip", "-qq", path, "-d", tmp_path / "out"], check=True)
    assert stat.S_IMODE((tmp_path / "out/bin/run").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "out/lib/data").stat().st_mode) == 0o644
    assert os.readlink(tmp_path / "out/lib/link") == "data"
    assert subprocess.run([tmp_path / "out/bin/run"], check=False).returncode == 7


def test_what_does_not_shrink_is_stored() -> None:
    noise = random.Random(4).randbytes(500)
    assert (from_bytes("a", "own", noise).method, from_bytes("a", "own", noise).packed) == (STORED, 500)
    assert from_bytes("a", "own", b"").method == STORED
    text = from_bytes("a", "own", b"word " * 100)
    assert text.method == DEFLATED
    assert content(text) == b"word " * 100


@pytest.mark.parametrize("count", [65534, 65535, 65536])
def test_more_members_than_16_bits_count(tmp_path: Path, count: int) -> None:
    path = tmp_path / "many.zip"
    one = from_bytes("", "own", b"x")
    write(str(path), (one._replace(path=f"{number:06}") for number in range(count)))
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    assert names == [f"{number:06}" for number in range(count)]
    assert (b"PK\x06\x06" in path.read_bytes()[-200:]) == (count >= 65535)
    if not missing("bsdtar"):
        listed = subprocess.run(["bsdtar", "-tf", path], check=True, capture_output=True, text=True)
        assert listed.stdout.splitlines() == names
    if not missing("unzip"):
        listed = subprocess.run(["unzip", "-Z1", path], check=True, capture_output=True, text=True)
        assert listed.stdout.splitlines() == names


@pytest.fixture(scope="module")
def zeros(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, int]:
    """A deflate stream of more than 4 GiB of zeros (4 MiB long), that size, and the CRC-32 of the zeros."""
    path = tmp_path_factory.mktemp("zeros") / "stream"
    block = bytes(16 << 20)
    size = crc = 0
    compressor = zlib.compressobj(1, zlib.DEFLATED, -15)
    # A fully flushed block of zeros decodes to the same wherever it stands: made once, repeated
    first = compressor.compress(block) + compressor.flush(zlib.Z_FULL_FLUSH)
    again = compressor.compress(block) + compressor.flush(zlib.Z_FULL_FLUSH)
    end = compressor.flush(zlib.Z_FINISH)
    with open(path, "wb") as file:
        file.write(first)
        size, crc = len(block), zlib.crc32(block)
        while size <= 4 * GIB:
            file.write(again)
            size, crc = size + len(block), zlib.crc32(block, crc)
        file.write(end)
    return path, size, crc


def test_a_member_of_more_than_4_gib(tmp_path: Path, zeros: tuple[Path, int, int]) -> None:
    stream, size, crc = zeros
    packed = stream.read_bytes()
    path = tmp_path / "large.zip"
    large = Entry("large", "own", FILE, DEFLATED, crc, len(packed), size, str(stream), 0, zlib.crc32(packed))
    written = write(str(path), [from_bytes("before", "own", b"1"), large, from_bytes("zz", "own", b"2")])
    assert written.unzipped == size + 2
    with zipfile.ZipFile(path) as archive:
        infos = {info.filename: info for info in archive.infolist()}
        assert (infos["large"].file_size, infos["large"].compress_size) == (size, len(packed))
        assert archive.read("zz") == b"2"
        with archive.open("large") as opened:
            assert opened.read(1 << 20) == bytes(1 << 20)
    if not missing("bsdtar"):
        listed = subprocess.run(["bsdtar", "-tvf", path], check=True, capture_output=True, text=True)
        assert str(size) in listed.stdout.splitlines()[1]
        # Inflates all and proves the CRC
        subprocess.run(["bsdtar", "-xOf", path, "large"], check=True, stdout=subprocess.DEVNULL)
    if not missing("unzip"):
        listed = subprocess.run(["unzip", "-Z", path], check=True, capture_output=True, text=True)
        assert str(size) in listed.stdout


def test_offsets_beyond_4_gib(tmp_path: Path) -> None:
    """The archive starts behind a hole of 4 GiB, which takes no room on the disk and no time to write."""
    path = tmp_path / "far.zip"
    start = 4 * GIB + 5
    entries = [from_bytes(f"far/{number}", "own", b"here " * number) for number in range(3)]
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        os.lseek(descriptor, start, os.SEEK_SET)
        with writer._Sink(descriptor) as sink, writer._Sources(True) as sources:
            sink.offset = start
            central, _ = writer._members(arranged(entries), sink, sources)
            writer._directory(central, len(entries), sink)
    finally:
        os.close(descriptor)
    with zipfile.ZipFile(path) as archive:
        infos = {info.filename: info for info in archive.infolist()}
        assert infos["far/0"].header_offset == start
        assert [archive.read(f"far/{number}") for number in range(3)] == [b"", b"here ", b"here here "]
    if not missing("bsdtar"):
        read = subprocess.run(["bsdtar", "-xOf", path, "far/2"], check=True, capture_output=True)
        assert read.stdout == b"here here "
    if not missing("unzip"):
        read = subprocess.run(["unzip", "-p", path, "far/2"], check=True, capture_output=True)
        assert read.stdout == b"here here "


def test_members_of_every_length_around_the_chunk(tmp_path: Path) -> None:
    source = tmp_path / "source"
    entries = []
    wanted = {}
    noise = random.Random(1).randbytes((1 << 20) + 3)
    for size in (0, 1, (1 << 18) - 1, 1 << 18, (1 << 18) + 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 3):
        wanted[f"m{size}"] = noise[:size]
        entries.append(copied(f"m{size}", noise[:size], source, method=STORED))
        wanted[f"n{size}"] = noise[-size:] if size else b""
        entries.append(from_bytes(f"n{size}", "own", wanted[f"n{size}"]))
    write(str(tmp_path / "out.zip"), entries)
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == wanted


def test_two_of_one_path_are_refused() -> None:
    with pytest.raises(CollisionError) as caught:
        arranged([from_bytes("a/b", "one", b"1"), from_bytes("a/b", "two", b"2")])
    assert str(caught.value).startswith("two sources want the path `a/b`\n  `one` and `two`")


@pytest.mark.parametrize("inner", ["a/b/c", "a/b/c/d/e"])
def test_a_file_and_a_folder_of_one_path_are_refused(inner: str) -> None:
    with pytest.raises(CollisionError, match="`a/b` is a file of `one` and a folder of another source"):
        arranged([from_bytes("a/b", "one", b"1"), from_bytes("a/b!", "three", b""), from_bytes(inner, "two", b"2")])


def test_a_name_longer_than_a_zip_can_hold(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="longer than a zip can hold"):
        write(str(tmp_path / "out.zip"), [from_bytes("a" * 65536, "own", b"1")])
    assert os.listdir(tmp_path) == []
    write(str(tmp_path / "out.zip"), [from_bytes("a" * 65535, "own", b"1")])
    assert zipfile.ZipFile(tmp_path / "out.zip").namelist() == ["a" * 65535]


def damage(source: Path, how: str) -> None:
    data = bytearray(source.read_bytes())
    match how:
        case "a flipped bit":
            data[len(data) // 2] ^= 4
            source.write_bytes(data)
        case "cut short":
            source.write_bytes(data[:-1])
        case "gone":
            source.unlink()


@pytest.mark.parametrize("size", [1000, 3 << 20])
@pytest.mark.parametrize("how", ["a flipped bit", "cut short", "gone"])
def test_a_damaged_source_is_noticed_and_nothing_is_written(tmp_path: Path, how: str, size: int) -> None:
    source = tmp_path / "source.whl"
    entry = copied("demo/a.bin", random.Random(2).randbytes(size), source, method=STORED)
    out = tmp_path / "out.zip"
    out.write_bytes(b"what was there before")
    damage(source, how)
    with pytest.raises(DamagedSourceError) as caught:
        write(str(out), [from_bytes("a", "own", b"first"), entry])
    assert caught.value.source == str(source)
    assert "`demo/a.bin`" in str(caught.value)
    assert out.read_bytes() == b"what was there before"
    assert sorted(os.listdir(tmp_path)) == sorted({"out.zip"} | ({"source.whl"} if how != "gone" else set()))
    with pytest.raises(DamagedSourceError):
        content(entry)


def test_an_error_of_the_entries_leaves_nothing(tmp_path: Path) -> None:
    def entries() -> Iterator[Entry]:
        yield from_bytes("a", "own", b"1")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(str(tmp_path / "out.zip"), entries())
    assert os.listdir(tmp_path) == []


def test_the_umask_has_no_say_in_the_members(tmp_path: Path) -> None:
    entries = [from_bytes("a", "own", b"1"), from_bytes("b", "own", b"2", PROGRAM)]
    before = write(str(tmp_path / "one.zip"), entries)
    mask = os.umask(0o077)
    try:
        after = write(str(tmp_path / "two.zip"), entries)
    finally:
        os.umask(mask)
    assert before == after


def test_the_whole_disk_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    """A limit on the size of files stands in for a full disk: the write fails half-way with an OSError."""
    script = (
        "import resource, signal, sys\n"
        "from lamella.archive.entry import from_bytes\n"
        "from lamella.archive.writer import write\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "import random\n"
        "entries = [from_bytes(str(n), 'own', random.Random(n).randbytes(60_000)) for n in range(40)]\n"
        "try:\n"
        "    write(sys.argv[1], entries)\n"
        "except OSError as error:\n"
        "    print(error.errno)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "out.zip"], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "27\n"  # EFBIG
    assert os.listdir(tmp_path) == []


def test_the_records_are_as_small_as_they_can_be(tmp_path: Path) -> None:
    written = write(str(tmp_path / "out.zip"), [from_bytes("a", "own", b"x")])
    assert written.zipped == LOCAL.size + 1 + 1 + CENTRAL.size + 1 + EOCD.size
