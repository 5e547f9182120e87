from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import tracemalloc
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from tests.archive.building import (
    FIRST,
    METADATA,
    SECOND,
    WHEEL,
    WHEEL_NAME,
    Frame,
    Part,
    build,
    deflate,
    record_line,
    wheel_parts,
)

from lamella.errors import ArchiveError
from lamella.wheels import admit as admission
from lamella.wheels import index
from lamella.wheels.admit import admit
from lamella.wheels.model import Wheel

INFO = b"pair-1.0.dist-info/"
LINK = 0o120777 << 16


def admitted(tmp_path: Path, data: bytes, filename: str = WHEEL_NAME) -> Wheel:
    path = tmp_path / "download.part"
    path.write_bytes(data)
    return admit(str(path), filename=filename)


def refused(tmp_path: Path, data: bytes, filename: str = WHEEL_NAME) -> ArchiveError:
    with pytest.raises(ArchiveError) as caught:
        admitted(tmp_path, data, filename)
    assert filename in caught.value.what
    assert caught.value.hint
    assert os.listdir(tmp_path) == ["download.part"]
    return caught.value


def names_of(wheel: Wheel) -> list[str]:
    return [member.name for member in wheel.members]


def wheel_of(*files: Part, record: bytes | None = None) -> bytes:
    return build(wheel_parts(*files, record=record))


def lines(*parts: Part) -> bytes:
    return b"".join(record_line(part) for part in parts)


def info(name: bytes, data: bytes) -> Part:
    return Part(INFO + name, data)


def test_what_is_learnt(tmp_path: Path) -> None:
    scripts = info(
        b"entry_points.txt", b"[console_scripts]\npair = pair:main\n[gui_scripts]\nshow = pair.gui:run [x]\n"
    )
    program = Part(b"pair-1.0.data/scripts/run.sh", b"#!/bin/sh\n", attributes=0o100755 << 16)
    folder = Part(b"pair/", method=0, attributes=0o40755 << 16)
    data = wheel_of(folder, FIRST, scripts, program)
    wheel = admitted(tmp_path, data)
    assert wheel.name == "pair"
    assert wheel.version == "1.0"
    assert wheel.filename == WHEEL_NAME
    assert wheel.path == str(tmp_path / "download.part")
    assert wheel.sha256 == hashlib.sha256(data).hexdigest()
    assert wheel.purelib
    assert wheel.tags == ("py3-none-any",)
    assert wheel.requires == ("one>=2; extra == 'x'",)
    assert wheel.requires_python == ">=3.9"
    assert wheel.scripts == (("pair", "pair:main"), ("show", "pair.gui:run"))
    assert [member.name for member in wheel.members] == [
        "pair/__init__.py",
        "pair-1.0.dist-info/entry_points.txt",
        "pair-1.0.data/scripts/run.sh",
        "pair-1.0.dist-info/METADATA",
        "pair-1.0.dist-info/WHEEL",
        "pair-1.0.dist-info/RECORD",
    ]
    first, _, run, *_ = wheel.members
    stored = data[first.offset : first.offset + first.packed]
    assert zlib.decompress(stored, -15) == FIRST.data
    assert first.packed_crc == zlib.crc32(stored)
    assert first.crc == zlib.crc32(FIRST.data)
    assert (first.size, first.method, first.mode, run.mode) == (len(FIRST.data), 8, 0o644, 0o755)


def test_name_version_and_tags_come_from_the_file_name(tmp_path: Path) -> None:
    metadata = METADATA.replace(b"Name: pair", b"Name: Two.Words").replace(b"1.0", b"1.0.0+Local.1")
    parts = wheel_parts(
        FIRST, Part(b"Two.Words-1.0.0+Local.1.dist-info/METADATA", metadata), info=b"Two.Words-1.0.0+Local.1.dist-info"
    )
    wheel = admitted(tmp_path, build(parts), "two_words-1.0+local.1-3build-cp312.cp311-abi3-manylinux_2_17_x86_64.whl")
    assert (wheel.name, wheel.version) == ("two-words", "1.0+local.1")
    assert wheel.tags == ("cp311-abi3-manylinux_2_17_x86_64", "cp312-abi3-manylinux_2_17_x86_64")


# Hashes


def digests(data: bytes, *algorithms: str) -> tuple[tuple[str, str], ...]:
    return tuple((algorithm, hashlib.new(algorithm, data).hexdigest()) for algorithm in algorithms)


WHOLE = build(wheel_parts())


@pytest.mark.parametrize(
    "expected",
    [
        (),
        digests(WHOLE, "sha256"),
        digests(WHOLE, "sha256") + digests(b"another file", "sha256"),
        digests(b"another file", "sha256") + digests(WHOLE, "sha256"),
        digests(WHOLE, "sha512"),
        digests(WHOLE, "sha384"),
        digests(WHOLE, "blake2b"),
        digests(WHOLE, "md5", "sha256"),
        (("SHA256", hashlib.sha256(WHOLE).hexdigest().upper()),),
    ],
)
def test_expected_hash(tmp_path: Path, expected: tuple[tuple[str, str], ...]) -> None:
    path = tmp_path / WHEEL_NAME
    path.write_bytes(WHOLE)
    assert admit(str(path), filename=WHEEL_NAME, expected=expected).sha256 == digests(WHOLE, "sha256")[0][1]


@pytest.mark.parametrize(
    ("expected", "why"),
    [
        (digests(b"another file", "sha256"), "its sha256 is"),
        (digests(b"another file", "sha512"), "its sha512 is"),
        (digests(b"another file", "sha256") + digests(WHOLE, "md5", "sha512"), "its sha256 is"),
        (digests(WHOLE, "sha512") + digests(b"another file", "sha384"), "its sha384 is"),
        (digests(WHOLE, "md5"), "only md5"),
        (digests(WHOLE, "sha1", "md5"), "only md5, sha1"),
        ((("rot13", "abc"),), "only rot13"),
    ],
)
def test_other_hash(tmp_path: Path, expected: tuple[tuple[str, str], ...], why: str) -> None:
    path = tmp_path / WHEEL_NAME
    path.write_bytes(WHOLE)
    with pytest.raises(ArchiveError) as caught:
        admit(str(path), filename=WHEEL_NAME, expected=expected)
    assert why in caught.value.why[0]
    assert caught.value.hint


@pytest.mark.parametrize("expected", [digests(b"another file", "sha256"), digests(WHOLE, "md5")])
def test_a_name_can_send_nothing_to_a_terminal(tmp_path: Path, expected: tuple[tuple[str, str], ...]) -> None:
    path = tmp_path / "download.part"
    path.write_bytes(WHOLE)
    with pytest.raises(ArchiveError) as caught:
        admit(str(path), filename="pair-1.0-py3-none-\x1b[2Jany.whl", expected=expected)
    assert "`pair-1.0-py3-none-\\x1b[2Jany.whl`" in caught.value.what


def test_hash_is_checked_before_anything_is_read(tmp_path: Path) -> None:
    path = tmp_path / WHEEL_NAME
    path.write_bytes(b"no zip")
    with pytest.raises(ArchiveError, match="not the file that was locked"):
        admit(str(path), filename=WHEEL_NAME, expected=digests(WHOLE, "sha256"))


# Name and version


@pytest.mark.parametrize(("name", "version"), [("Pair", "1"), ("pair", "1.0.0"), (None, None), ("pair", None)])
def test_pin(tmp_path: Path, name: str | None, version: str | None) -> None:
    path = tmp_path / WHEEL_NAME
    path.write_bytes(WHOLE)
    assert admit(str(path), filename=WHEEL_NAME, name=name, version=version).name == "pair"


@pytest.mark.parametrize(("name", "version"), [("other", "1.0"), ("pair", "1.1"), ("pair", "1.0+local")])
def test_other_pin(tmp_path: Path, name: str, version: str) -> None:
    path = tmp_path / WHEEL_NAME
    path.write_bytes(WHOLE)
    with pytest.raises(ArchiveError, match="the lock asks for"):
        admit(str(path), filename=WHEEL_NAME, name=name, version=version)


@pytest.mark.parametrize(
    "filename",
    ["pair.whl", "pair-1.0.zip", "pair-1.0.tar.gz", "pair-one-py3-none-any.whl", "pair-1.0-py3-none.whl", ""],
)
def test_no_wheel_name(tmp_path: Path, filename: str) -> None:
    assert "not that of a wheel" in refused(tmp_path, WHOLE, filename).why[0]


@pytest.mark.parametrize("filename", ["pair-2.0-py3-none-any.whl", "other-1.0-py3-none-any.whl"])
def test_wheel_of_another_name(tmp_path: Path, filename: str) -> None:
    assert "disagrees with the wheel's file name" in refused(tmp_path, WHOLE, filename).why[0]


# The `.dist-info` directory


def test_no_dist_info(tmp_path: Path) -> None:
    assert "0 `.dist-info`" in refused(tmp_path, build([FIRST])).why[0]


def test_two_dist_infos(tmp_path: Path) -> None:
    data = wheel_of(FIRST, Part(b"other-1.0.dist-info/METADATA", METADATA))
    assert "2 `.dist-info`" in refused(tmp_path, data).why[0]


def test_dist_info_further_down_is_a_file_like_others(tmp_path: Path) -> None:
    vendored = b"pair/_vendor/other-1.0.dist-info/METADATA"
    wheel = admitted(tmp_path, wheel_of(FIRST, Part(vendored, b"Name: other\n")))
    assert vendored.decode() in names_of(wheel)
    assert wheel.name == "pair"


@pytest.mark.parametrize("name", [b"METADATA", b"WHEEL", b"RECORD"])
def test_file_of_dist_info_missing(tmp_path: Path, name: bytes) -> None:
    parts = [part for part in wheel_parts() if part.name != INFO + name]
    assert "not all of" in refused(tmp_path, build(parts)).why[0]


def test_file_of_dist_info_is_a_link(tmp_path: Path) -> None:
    parts = [replace(part, attributes=LINK) if part.name.endswith(b"WHEEL") else part for part in wheel_parts()]
    assert "link" in refused(tmp_path, build(parts)).why[0]


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        (b"", "not exactly one Name"),
        (METADATA.replace(b"Name: pair\n", b""), "not exactly one Name"),
        (METADATA + b"Name: other\n", "not exactly one Name"),
        (METADATA.replace(b"Version: 1.0\n", b""), "not exactly one Name"),
        (METADATA.replace(b"Name: pair", b"Name: other"), "describes other 1.0"),
        (METADATA.replace(b"\nVersion: 1.0", b"\nVersion: 1.1"), "describes pair 1.1"),
        (METADATA.replace(b"\nVersion: 1.0", b"\nVersion: one"), "PEP 440"),
        (METADATA + b"Requires-Dist: no requirement!\n", "PEP 508"),
    ],
)
def test_metadata(tmp_path: Path, metadata: bytes, why: str) -> None:
    assert why in refused(tmp_path, wheel_of(FIRST, info(b"METADATA", metadata))).why[0]


def test_meaningless_requires_python_is_left_out(tmp_path: Path) -> None:
    data = wheel_of(FIRST, info(b"METADATA", METADATA.replace(b">=3.9", b">=3.9.*")))
    assert admitted(tmp_path, data).requires_python is None


@pytest.mark.parametrize("text", [b"", b"Wheel-Version: 2.0\n", b"Wheel-Version: 10.0\n", b"Wheel-Version: 1.x\n"])
def test_wheel_version(tmp_path: Path, text: bytes) -> None:
    assert "Wheel-Version" in refused(tmp_path, wheel_of(FIRST, info(b"WHEEL", text))).why[0]


def test_wheel_version_with_a_newer_minor_number_and_platlib(tmp_path: Path) -> None:
    text = WHEEL.replace(b"1.0", b"1.9").replace(b"true", b"false").replace(b"\n", b"\r\n")
    assert not admitted(tmp_path, wheel_of(FIRST, info(b"WHEEL", text))).purelib


# The `.data` directory


@pytest.mark.parametrize("folder", [b"pair-1.0.data", b"Pair-1.data", b"PAIR-1.0.0.data"])
def test_data_of_any_spelling_of_the_name(tmp_path: Path, folder: bytes) -> None:
    data = wheel_of(FIRST, Part(folder + b"/", method=0, attributes=0o40755 << 16), Part(folder + b"/purelib/x.py"))
    assert f"{folder.decode()}/purelib/x.py" in names_of(admitted(tmp_path, data))


@pytest.mark.parametrize(
    "folder", [b"other-1.0.data", b"pair-1.1.data", b"pair.data", b".data", b"pair-1.0.post1.data"]
)
def test_data_of_another_distribution(tmp_path: Path, folder: bytes) -> None:
    """pip would install it, uv would leave it where it lies."""
    said = refused(tmp_path, wheel_of(FIRST, Part(folder + b"/purelib/oddmod.py")))
    assert f"`{folder.decode()}`" in said.what
    assert "another name than the wheel's" in said.why[0]


def test_data_further_down_and_files_are_no_data_folder(tmp_path: Path) -> None:
    files = (Part(b"pair/other-1.0.data/purelib/x.py"), Part(b"table.data"), Part(b"empty.data/", method=0,
             attributes=0o40755 << 16))  # fmt: skip
    wheel = admitted(tmp_path, wheel_of(FIRST, *files))
    assert names_of(wheel)[1:3] == ["pair/other-1.0.data/purelib/x.py", "table.data"]


@pytest.mark.parametrize("scheme", [b"scripts", b"purelib", b"README"])
@pytest.mark.parametrize("attributes", [0o100755 << 16, LINK])
def test_file_where_the_folder_of_a_scheme_belongs(tmp_path: Path, scheme: bytes, attributes: int) -> None:
    """Moved as it is, it would be a member `bin/` with data, or a link in place of the folder of all code."""
    part = Part(b"pair-1.0.data/" + scheme, b"x", attributes=attributes)
    said = refused(tmp_path, wheel_of(FIRST, part))
    assert f"`pair-1.0.data/{scheme.decode()}`" in said.what
    assert "a folder for each scheme" in said.why[0]


def test_an_empty_folder_of_a_scheme(tmp_path: Path) -> None:
    folder = Part(b"pair-1.0.data/scripts/", method=0, attributes=0o40755 << 16)
    assert names_of(admitted(tmp_path, wheel_of(FIRST, folder)))[0] == "pair/__init__.py"


# RECORD


@pytest.mark.parametrize("signature", [b"RECORD.jws", b"RECORD.p7s"])
@pytest.mark.parametrize("listed", [True, False])
def test_signatures_need_no_hash(tmp_path: Path, signature: bytes, listed: bool) -> None:
    parts = wheel_parts()
    record = parts[-1].data + (INFO + signature + b",,\n" if listed else b"")
    data = build([*parts[:-1], info(signature, b"signed"), info(b"RECORD", record)])
    assert len(admitted(tmp_path, data).members) == 6


def test_signature_that_is_listed_and_not_there(tmp_path: Path) -> None:
    parts = wheel_parts()
    record = parts[-1].data + INFO + b"RECORD.jws,,\n"
    assert "does not hold it" in refused(tmp_path, build([*parts[:-1], info(b"RECORD", record)])).why[0]


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_record_algorithms(tmp_path: Path, algorithm: str) -> None:
    import base64

    digest = base64.urlsafe_b64encode(hashlib.new(algorithm, FIRST.data).digest()).decode()
    rest = wheel_parts(FIRST)[1:-1]
    for written in (digest, digest.rstrip("=")):
        row = f"pair/__init__.py,{algorithm}={written},\r\n".encode()
        wheel = admitted(tmp_path, wheel_of(FIRST, record=row + lines(*rest) + INFO + b"RECORD,,\n"))
        assert names_of(wheel) == [part.name.decode() for part in wheel_parts(FIRST)]


def test_record_with_quotes_equal_lines_and_directories(tmp_path: Path) -> None:
    name = b'pair/a, "b".py'
    odd = Part(name, b"odd")
    row = lines(odd).replace(name, b'"pair/a, ""b"".py"')
    rest = wheel_parts(FIRST)[:-1]
    folder = Part(b"pair/", method=0, attributes=0o40755 << 16)
    record = row * 2 + b"\n" + lines(*rest) + b"pair/,,\n" + INFO + b"RECORD,,\n"
    wheel = admitted(tmp_path, wheel_of(folder, odd, FIRST, record=record))
    assert names_of(wheel)[:2] == ['pair/a, "b".py', "pair/__init__.py"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ((record_line(SECOND), b""), "does not list it"),
        ((record_line(SECOND), record_line(replace(SECOND, data=b"x" * len(SECOND.data)))), "not the one in RECORD"),
        ((record_line(SECOND), record_line(replace(SECOND, name=b"pair/third.txt"))), "does not list it"),
        ((b",126\n", b",127\n"), "126 bytes, RECORD says 127"),
        ((record_line(SECOND), b"pair/second.txt,,126\n"), "no hash"),
        ((record_line(SECOND), b"pair/second.txt,,\n"), "no hash"),
        ((record_line(SECOND), b"pair/second.txt,md5=abc,126\n"), "hashes it with md5"),
        ((record_line(SECOND), b"pair/second.txt,sha1=abc,126\n"), "hashes it with sha1"),
        ((record_line(SECOND), record_line(SECOND) + b"pair/ghost.py,sha256=abc,1\n"), "does not hold it"),
        ((record_line(SECOND), record_line(SECOND) + b"../ghost.py,,\n"), "does not hold it"),
        ((record_line(SECOND), record_line(SECOND) + b"pair/second.txt,sha256=abc,1\n"), "two different lines"),
        ((record_line(SECOND), record_line(SECOND).replace(b"/", b"\\")), "does not list it"),
        ((record_line(SECOND), record_line(SECOND).upper()), "does not list it|no table"),
        ((record_line(SECOND), b"pair/second.txt\n"), "no table"),
        ((record_line(SECOND), b"pair/second.txt,a,b,c\n"), "no table"),
        ((record_line(SECOND), b"pair/second.txt,sha256,126\n"), "no table"),
        ((record_line(SECOND), b"pair/second.txt,sha256=abc,many\n"), "no table"),
        ((record_line(SECOND), b"pair/second.txt,sha256=abc,-1\n"), "no table"),
        ((record_line(SECOND), b'"pair/second.txt,sha256=abc,1\n'), "no table"),
        ((record_line(SECOND), b"pair/\xff.txt,sha256=abc,1\n"), "no table"),
    ],
)
def test_record_that_disagrees(tmp_path: Path, change: tuple[bytes, bytes], why: str) -> None:
    record = wheel_parts()[-1].data
    assert change[0] in record
    said = refused(tmp_path, wheel_of(record=record.replace(*change))).why[0]
    assert any(word in said for word in why.split("|")), said


# Links, bombs


@pytest.mark.parametrize("target", [b"/etc/passwd", b"../../etc", b"..", b"a\\b", b"", b"a\0b", b"\xff", b"x" * 5000])
def test_link_outside(tmp_path: Path, target: bytes) -> None:
    said = refused(tmp_path, wheel_of(FIRST, Part(b"link", target, attributes=LINK)))
    assert "link" in said.why[0]
    assert "`link`" in said.what


@pytest.mark.parametrize("target", [b"pair", b"pair/__init__.py", b"./pair"])
def test_link_inside(tmp_path: Path, target: bytes) -> None:
    wheel = admitted(tmp_path, wheel_of(FIRST, Part(b"link", target, attributes=LINK)))
    assert wheel.members[1].mode == 0o120777


def test_link_out_of_what_is_moved_as_one(tmp_path: Path) -> None:
    data = wheel_of(FIRST, Part(b"pair-1.0.data/purelib/link", b"../../pair", attributes=LINK))
    assert "outside" in refused(tmp_path, data).why[0]


def test_members_below_a_link(tmp_path: Path) -> None:
    data = wheel_of(FIRST, Part(b"sub", b"pair", attributes=LINK), Part(b"sub/x.py", b"x"))
    assert "needs a directory" in refused(tmp_path, data).why[0]


def test_bomb_by_its_headers(tmp_path: Path) -> None:
    """Twelve members that say 100 MB each, at nearly the best rate that deflate has: none is inflated."""
    packed = deflate(bytes(100_000_000))
    size = {"size": 100_000_000}
    bombs = [Part(b"pair/%d" % n, b"", packed=packed, local=size, central=size) for n in range(12)]
    assert "zip bomb" in refused(tmp_path, wheel_of(FIRST, *bombs)).why[0]


def test_bomb_that_hides_its_size(tmp_path: Path) -> None:
    bomb = Part(b"pair/x", b"x" * 100, packed=deflate(bytes(30_000_000)))
    tracemalloc.start()
    said = refused(tmp_path, wheel_of(FIRST, bomb))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "more than the 100 bytes" in said.why[0]
    assert peak < 4_000_000


def test_memory_is_bounded(tmp_path: Path) -> None:
    large = Part(b"pair/large", os.urandom(1000) * 60_000)
    noise = Part(b"pair/noise", os.urandom(20_000_000), method=0)
    data = wheel_of(FIRST, large, noise)
    path = tmp_path / WHEEL_NAME
    path.write_bytes(data)
    del data
    admit(str(path), filename=WHEEL_NAME)
    tracemalloc.start()
    admit(str(path), filename=WHEEL_NAME)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6_000_000


def test_endless_metadata_is_not_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "PARSED_BYTES", 1000)
    data = wheel_of(FIRST, info(b"METADATA", METADATA + b"\n" + b"words " * 1000))
    assert "more than 1000 bytes" in refused(tmp_path, data).why[0]


def test_several_threads(tmp_path: Path) -> None:
    path = tmp_path / WHEEL_NAME
    path.write_bytes(wheel_of(FIRST, *(Part(b"pair/%d.py" % n, b"n = %d\n" % n * 5000) for n in range(50))))
    found: list[Wheel] = []
    threads = [threading.Thread(target=lambda: found.append(admit(str(path), filename=WHEEL_NAME))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def test_zip_with_something_in_front(tmp_path: Path) -> None:
    assert "before it" in refused(tmp_path, build(wheel_parts(), Frame(before=b"#!/bin/sh\n"))).why[0]


# Real wheels

# fmt: off
POPULAR = (
    "boto3", "botocore", "numpy", "pandas", "pyarrow", "pillow", "grpcio", "cryptography", "lxml", "pydantic",
    "pydantic-core", "pydantic-settings", "aws-lambda-powertools", "requests", "urllib3", "certifi",
    "charset-normalizer", "idna", "six", "python-dateutil", "setuptools", "pyyaml", "jinja2", "markupsafe",
    "fastapi", "starlette", "httpx", "sqlalchemy", "psycopg2-binary", "scipy", "protobuf", "pytz", "orjson",
    "aiohttp", "cffi", "rich", "s3transfer", "jmespath", "django", "werkzeug", "rawpy", "pillow-heif",
)
# fmt: on


@pytest.fixture(scope="module")
def popular(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("popular")
    platforms = [f"--platform=manylinux_{glibc}_x86_64" for glibc in ("2_17", "2_24", "2_26", "2_27", "2_28", "2_34")]
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", str(folder)]
    command += ["--implementation=cp", "--python-version=3.12", "--platform=manylinux2014_x86_64", *platforms, *POPULAR]
    subprocess.run(command, check=True, timeout=900)
    return sorted(folder.glob("*.whl"))


@pytest.mark.journey
def test_real_wheels_are_admitted(popular: list[Path]) -> None:
    """Wheels of the index, pure and native, are admitted and hold what zipfile reads."""
    assert len(popular) == len(POPULAR)
    for path in popular:
        wheel = admit(str(path), filename=path.name)
        assert index.from_json(index.to_json(wheel), wheel.path) == wheel
        with zipfile.ZipFile(path) as archive, open(path, "rb") as file:
            files = {member.filename: member for member in archive.infolist() if not member.is_dir()}
            assert files.keys() == {member.name for member in wheel.members}
            for member in wheel.members:
                stored = os.pread(file.fileno(), member.packed, member.offset)
                assert zlib.crc32(stored) == member.packed_crc
                plain = zlib.decompress(stored, -15) if member.method else stored
                assert plain == archive.read(member.name)
